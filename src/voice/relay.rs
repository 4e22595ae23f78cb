//! Devin's own words. Plain and safe: escaped, never a mention, split before Slack would cut them.

use super::Said;
use crate::slack::text;

/// Longest piece of one post. Slack advises texts of at most 4,000 characters; escaping can lengthen a piece, and a
/// fence that is cut is closed and opened again.
pub const MAX_RELAY_CHARS: usize = 3_000;

/// What Devin said, as one or more posts in order.
pub fn relay(markdown: &str) -> Vec<Said> {
    text::split(markdown, MAX_RELAY_CHARS)
        .iter()
        .map(|piece| text::plain_to_mrkdwn(piece))
        .filter(|piece| !piece.trim().is_empty())
        .map(Said::text)
        .collect()
}
