//! What people set for one thread while its session runs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::UserId;

/// What people set for one thread. Everything is as the channel has it until somebody says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Nothing is posted but what wants a person; the card still follows.
    pub muted: bool,
    /// Since when that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub muted_at: Option<Timestamp>,
    /// Whether only messages that mention the bot are passed on; `None`: as the channel has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mentions_only: Option<bool>,
    /// Who is about to say why they reject what Devin waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejecting: Option<Rejecting>,
}

/// Somebody's next message says why they reject something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejecting {
    /// Who.
    pub by: UserId,
    /// Until when; from then on it is a message like any other.
    pub until: Timestamp,
}

impl Settings {
    /// Whether nothing was set.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored forms that exist already are read for ever.
    #[test]
    fn stored_settings_are_read() {
        let samples = [
            r#"{"muted":true}"#,
            r#"{"muted":true,"muted_at":"2026-11-24T02:00:00Z","mentions_only":false}"#,
            r#"{"muted":false,"rejecting":{"by":"U0ADA","until":"2026-11-24T02:00:00Z"}}"#,
        ];
        for sample in samples {
            let settings: Settings = serde_json::from_str(sample).unwrap();
            assert_eq!(serde_json::to_string(&settings).unwrap(), sample);
        }
    }
}
