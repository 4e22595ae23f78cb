//! What was found out about Slack and Devin where their documents are silent, and what follows from it. Whatever was not
//! found out counts as the worst of what may be.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Between two turns of the sweep while something works, when `updated_at` is known to move with each message: then the
/// sweep only catches what the list of changes missed.
const SWEEP_SPARE: Duration = Duration::from_mins(5);
/// The same when it is known not to: then the sweep alone sees words without a change of state.
const SWEEP_EAGER: Duration = Duration::from_secs(30);
/// The same while nothing is known.
const SWEEP_CAREFUL: Duration = Duration::from_mins(1);

/// What was found out, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// Version of this form.
    pub v: u8,
    /// When it was found out; `None`: never.
    pub at: Option<Timestamp>,
    /// Whether a message moves a session's `updated_at`.
    pub messages_move_updated_at: Option<bool>,
    /// Seconds until a new session is listed.
    pub list_lag_s: Option<u64>,
    /// Whether a list asked for two tags gives only what has both.
    pub tags_want_all: Option<bool>,
    /// Seconds until the metadata of a new post can be read.
    pub metadata_lag_s: Option<u64>,
    /// Whether Slack takes an agent's state.
    pub agent_sessions: Option<bool>,
    /// What Devin answers to a message from somebody who does not exist: its refusal, or that it takes it.
    pub stranger: Option<String>,
    /// Whether a session's conversation begins with what it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_is_first: Option<bool>,
    /// What Devin answers to a message to a session that is over: its refusal, or that it takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<String>,
    /// Whether a list shows archived sessions as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived_listed: Option<bool>,
}

impl Default for Findings {
    fn default() -> Self {
        Self {
            v: 1,
            at: None,
            messages_move_updated_at: None,
            list_lag_s: None,
            tags_want_all: None,
            metadata_lag_s: None,
            agent_sessions: None,
            stranger: None,
            prompt_is_first: None,
            over: None,
            archived_listed: None,
        }
    }
}

impl Findings {
    /// How often working sessions are looked at by their ids, whatever else about them moved.
    pub fn sweep_while_working(&self) -> Duration {
        match self.messages_move_updated_at {
            Some(true) => SWEEP_SPARE,
            Some(false) => SWEEP_EAGER,
            None => SWEEP_CAREFUL,
        }
    }

    /// How long after a lost attempt it has to be looked for last: twice as long as anything was seen to lag.
    pub fn last_look_after(&self) -> Duration {
        let lag = self.list_lag_s.into_iter().chain(self.metadata_lag_s).max().unwrap_or(0);
        Duration::from_secs(lag.saturating_mul(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored forms that exist already are read for ever: a sample is never changed, a new form gets a new one.
    const SAMPLES: [&str; 2] = [
        r#"{"v":1,"at":"2026-11-24T02:00:00Z","messages_move_updated_at":false,"list_lag_s":3,"tags_want_all":true,"metadata_lag_s":1,"agent_sessions":true,"stranger":"Devin does not know it"}"#,
        r#"{"v":1,"at":"2026-12-01T13:00:00Z","messages_move_updated_at":true,"list_lag_s":0,"tags_want_all":true,"metadata_lag_s":0,"agent_sessions":false,"stranger":"taken","prompt_is_first":true,"over":"taken","archived_listed":false}"#,
    ];

    #[test]
    fn stored_findings_are_read() {
        for sample in SAMPLES {
            let read: Findings = serde_json::from_str(sample).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), sample);
        }
    }

    #[test]
    fn what_is_not_known_counts_as_the_worst() {
        let sweep = |moves| Findings { messages_move_updated_at: moves, ..Findings::default() }.sweep_while_working();
        assert!(sweep(Some(true)) > sweep(None) && sweep(None) > sweep(Some(false)));
        let lagging = Findings { list_lag_s: Some(40), metadata_lag_s: Some(2), ..Findings::default() };
        assert_eq!(lagging.last_look_after(), Duration::from_secs(80));
        assert_eq!(Findings::default().last_look_after(), Duration::ZERO);
    }
}
