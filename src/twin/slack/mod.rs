//! A stand-in for the part of Slack that the bot uses: the Web API, file downloads, `response_url`s, and the three
//! doors Slack knocks at (events, commands, interactions).

mod acting;
mod api;
mod args;
mod assistant;
mod blocks;
mod chat;
mod conversations;
mod deliver;
mod doors;
mod events;
mod objects;
mod people;
mod pressing;
mod reactions;
mod server;
mod state;
#[cfg(test)]
mod tests;

pub use self::{
    acting::{ActError, NewFile, SayOptions},
    deliver::{Answered, Delivered, Delivery, Door, Outgoing, Undelivered},
    server::SlackTwin,
    state::{
        App, Channel, ChannelKind, Edited, Email, Ephemeral, File, Hook, MentionOrder, Message, Reaction, State, Team,
        Token, Trigger, User, UserKind, View,
    },
};
