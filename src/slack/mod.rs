//! Everything that is Slack's: its signature, its wire formats, its Web API, its text.
//!
//! Nothing here knows of sessions or of the store; what a message means is decided above.

pub mod client;
pub mod signature;
pub mod text;
pub mod wire;

pub use client::{Identity, Message, Post, Posted, Slack, SlackError};
pub use wire::objects::{Channel, File, Metadata, ThreadMessage, User};
