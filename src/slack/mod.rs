//! Everything that is Slack's: its signature, its wire formats, its Web API, its text.
//!
//! Nothing here knows of sessions or of the store; what a message means is decided above.

pub mod brief;
pub mod client;
pub mod openid;
pub mod signature;
pub mod socket;
pub mod text;
pub mod trigger;
pub mod wire;

pub use client::{
    AgentStatus, AuthorizeRequest, Grant, Identity, Inspection, Message, OAuth, Post, Posted, Response, Share,
    SignInCode, SignInError, SignInRequest, Slack, SlackError, SocketMode, SuggestedPrompt, Tokens, UploadAddress,
    Which,
};
pub use wire::objects::{Channel, File, Metadata, ThreadMessage, User};
