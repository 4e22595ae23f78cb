//! Everything that is Devin's: the v3 REST API, and what its answers mean.
//!
//! Reads are the truth about a session; nothing that a write answers is taken for its state, because `status_detail`
//! is only filled in when a session is read or listed.

mod attachments;
mod client;
mod create;
mod error;
mod lists;
mod probe;
mod wire;

pub use attachments::{FileRef, Words};
pub use client::{CALL_TIMEOUT, CREATE_TIMEOUT, Devin};
pub use create::{CreateSession, SessionSecret};
pub use error::DevinError;
pub use lists::Directory;
pub use probe::Permission;
pub use wire::{
    Attachment, Me, Member, Message, MessageSource, OrgSecret, Page, Playbook, PullRequest, SendMessage, Session,
    SessionQuery,
};
