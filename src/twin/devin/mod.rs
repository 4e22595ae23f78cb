//! A stand-in for the part of Devin's v3 API that the bot uses.
//!
//! Where the documents are silent it takes the reading that is harder on a client: sessions may be late in lists,
//! filters exclude their bounds, details are hidden in answers to writes.

mod api;
mod attachments;
mod check;
mod controls;
mod create;
mod members;
mod messages;
mod objects;
mod script;
mod server;
mod sessions;
mod state;
#[cfg(test)]
mod tests;

pub use self::{
    controls::NoSession,
    server::DevinTwin,
    state::{
        Act, Attachment, Extras, Key, LeftOpen, Member, OrgSecret, Playbook, Principal, PullRequest, Session,
        SessionFile, SessionMessage, SessionSecret, Source, State, Step, TagFilter,
    },
};
