//! The product from outside: the built binary, its output, its answers and its exit code, with stand-ins of Slack and
//! Devin where it would have the real ones. Here time is real; what needs a moved clock is proven in `chats`.

mod browser;
mod commands;
mod driver;
mod emptied;
mod floods;
mod killed;
mod outage;
mod outside;
mod process;
mod redis;
mod refusals;
mod serving;
