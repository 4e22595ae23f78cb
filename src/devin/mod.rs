//! Everything that is Devin's: the v3 REST API, and what its answers mean.
//!
//! Reads are the truth about a session; nothing that a write answers is taken for its state, because `status_detail`
//! is only filled in when a session is read or listed.

mod client;
mod error;
mod wire;

pub use client::{CALL_TIMEOUT, CREATE_TIMEOUT, Devin, Directory};
pub use error::DevinError;
pub use wire::{
    Attachment, CreateSession, Me, Member, Message, MessageSource, Page, PullRequest, SendMessage, Session,
    SessionQuery,
};
