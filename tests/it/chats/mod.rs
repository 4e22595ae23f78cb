//! Tests that read as chats: somebody says something, and this is what the thread then shows.

mod context;
mod devin_side;
mod options;
mod people;
mod sharing;
mod starting;
mod sweeping;
mod telling;
mod troubles;
mod watching;
