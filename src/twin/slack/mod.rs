//! A stand-in for the part of Slack that the bot uses: the Web API, file downloads, `response_url`s, the three doors Slack
//! knocks at (events, commands, interactions), and the sockets over which it sends the same.

mod acting;
mod agents;
mod api;
mod args;
mod assistant;
mod blocks;
mod chat;
mod conversations;
mod deliver;
mod doors;
mod events;
pub(crate) mod inputs;
mod modals;
mod oauth;
mod objects;
mod openid;
pub(crate) mod openid_keys;
mod people;
mod pressing;
mod reactions;
mod server;
mod sockets;
mod state;
mod surfaces;
#[cfg(test)]
mod tests;
mod uploads;
mod views;

pub use self::{
    acting::{ActError, NewFile, SayOptions},
    deliver::{Answered, Delivered, Delivery, Door, Outgoing, Undelivered},
    oauth::OAuthApp,
    pressing::Spot,
    server::SlackTwin,
    sockets::{SocketEvent, SocketOrder},
    state::{
        App, Channel, ChannelKind, Edited, Email, Ephemeral, File, MentionOrder, Message, Reaction, State, Team, Token,
        User, UserKind,
    },
    surfaces::{AgentSession, AgentStatus, AppShortcut, Features, Hook, Prompts, Trigger, View},
    uploads::Upload,
};

/// What Slack refuses in the blocks of a message, by the limits that it documents; empty when it takes them.
pub fn refused_blocks(blocks: &[serde_json::Value]) -> Vec<String> {
    blocks::check(blocks, blocks::Surface::Message)
}
