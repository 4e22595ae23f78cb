//! Socket Mode: what Slack posts to an address elsewhere comes over sockets that we open, and is acknowledged over them.
//!
//! There are no signatures here: who opened a socket had the app's own token, and what comes over it is Slack's. So an
//! [`Envelope`] is made by a [`Connection`] and by nothing else.
//! <https://docs.slack.dev/apis/events-api/using-socket-mode>

mod connection;
mod wire;

pub use self::{
    connection::{Connection, Lost, Pace},
    wire::{Disconnect, Envelope, Heard, Hello, Kind},
};
