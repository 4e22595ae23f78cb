//! What people set for one thread while its session runs.

use serde::{Deserialize, Serialize};

/// What people set for one thread. Everything is as the channel has it until somebody says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Nothing is posted; the card still follows.
    pub muted: bool,
    /// Whether only messages that mention the bot are passed on; `None`: as the channel has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mentions_only: Option<bool>,
}

impl Settings {
    /// Whether nothing was set.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
