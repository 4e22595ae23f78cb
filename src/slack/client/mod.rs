//! The Web API: one method per call, one place that sends, one place that says what an answer means.
//!
//! Every call is made once. Whether a failed one may be repeated is answered by [`SlackError`]'s
//! [`certainty`](crate::outbound::Failure::certainty), and decided by the step that made it.

mod agents;
mod assistant;
mod chat;
mod error;
mod inspect;
mod oauth;
mod openid;
mod read;
mod respond;
mod sockets;
mod token;
mod transport;
mod upload;
mod views;

pub use agents::AgentStatus;
pub use assistant::{MAX_TITLE_CHARS, SuggestedPrompt};
pub use chat::{Message, Post, Posted};
pub use error::SlackError;
pub use inspect::Inspection;
pub use oauth::{AuthorizeRequest, Grant, Installer, Named, OAuth};
pub use openid::{SignInCode, SignInError, SignInRequest};
pub use read::Identity;
pub use respond::Response;
pub use sockets::SocketMode;
pub use token::Tokens;
pub use transport::{CALL_TIMEOUT, DOWNLOAD_TIMEOUT, Slack};
pub use upload::{Share, UploadAddress};
pub use views::Which;
