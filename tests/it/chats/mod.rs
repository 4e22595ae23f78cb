//! Tests that read as chats: somebody says something, and this is what the thread then shows.

mod agent_view;
mod approving;
mod buttons;
mod cards;
mod commands;
mod context;
mod devin_side;
mod findings;
mod home;
mod inward;
mod modals;
mod options;
mod orders;
mod paused;
mod people;
mod presence;
mod reactions;
mod sharing;
mod starting;
mod stopping;
mod sweeping;
mod telling;
mod troubles;
mod watching;
mod words;
