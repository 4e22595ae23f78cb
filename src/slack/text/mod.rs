//! Text on its way in and out.
//!
//! In: what people type, as plain Markdown for Devin. Out: what Devin says, as mrkdwn that can neither call anybody nor
//! lie about where a link leads. <https://docs.slack.dev/messaging/formatting-message-text>

mod inbound;
mod outbound;
mod split;

pub use inbound::{Names, mentioned_channels, mentioned_users, mentions, to_markdown};
pub use outbound::{escape, plain_to_mrkdwn};
pub use split::split;
