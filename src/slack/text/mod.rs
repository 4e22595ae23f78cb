//! Text on its way in and out.
//!
//! In: what people type, as plain Markdown for Devin. Out: what Devin says, as posts that can neither call anybody nor
//! lie about where a link leads. <https://docs.slack.dev/messaging/formatting-message-text>

mod blocks;
mod inbound;
mod link;
mod markdown;
mod outbound;
mod piece;
mod plain;
mod posts;
mod tidy;

pub use inbound::{Names, mentioned_channels, mentioned_users, mentions, to_markdown};
pub use outbound::{escape, plain_to_mrkdwn};
pub use posts::{MAX_POSTS, Post, Posts, posts};
