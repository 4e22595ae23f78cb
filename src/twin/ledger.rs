//! What was asked of a twin, so that a test can count calls and the playground can show them.

use jiff::Timestamp;

/// One request to a twin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// When it arrived.
    pub at: Timestamp,
    /// The operation: Slack's method name (`chat.postMessage`), or `sessions.create` and the like for Devin.
    pub method: String,
    /// `Ok` when it was done; otherwise Slack's error code or Devin's HTTP status.
    pub outcome: Result<(), String>,
    /// The arguments without the token, as JSON.
    pub args: String,
}
