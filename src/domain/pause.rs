//! The kill switch: while it is on, no new session is started. What runs goes on.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::TeamId;

/// New sessions are paused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// In this workspace; `None`: in all.
    pub workspace: Option<TeamId>,
    /// Since when.
    pub since: Timestamp,
    /// Who paused them, and why.
    pub said: PauseWords,
}

/// What is stored of a pause, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PauseWords {
    /// Version of this form.
    pub v: u8,
    /// Who paused.
    pub by: String,
    /// Why, as people in Slack read it; may be empty.
    pub reason: String,
}

impl PauseWords {
    /// The version written today.
    pub const VERSION: u8 = 1;
}
