//! What the watch puts into a thread's mailbox.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{announce::Observation, ids::SessionId};

/// One thing the watch saw; its stored tag carries the version of its form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is")]
pub enum Sighting {
    /// The session changed, or it is time to look at its messages again.
    #[serde(rename = "session_changed.1")]
    SessionChanged {
        /// The look.
        seen: Box<Observation>,
    },
    /// Devin's list left the session out, though it was asked for by its id.
    #[serde(rename = "session_missing.1")]
    SessionMissing {
        /// The session.
        session: SessionId,
    },
    /// Devin can't be reached, so that the card may be out of date.
    #[serde(rename = "news_stopped.1")]
    NewsStopped {
        /// The session.
        session: SessionId,
        /// Since when.
        since: Timestamp,
    },
    /// Devin answers again, after it could not be reached.
    #[serde(rename = "news_resumed.1")]
    NewsResumed {
        /// The session.
        session: SessionId,
    },
}

impl Sighting {
    /// The session it is about.
    pub fn session(&self) -> &SessionId {
        match self {
            Self::SessionChanged { seen } => &seen.session,
            Self::SessionMissing { session } | Self::NewsStopped { session, .. } | Self::NewsResumed { session } => {
                session
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored forms that exist already are read for ever: a sample is never changed, a new form gets a new one.
    const SAMPLES: [&str; 4] = [
        r#"{"is":"session_changed.1","seen":{"session":"0f3a","state":{"status":"running","detail":"working","archived":false},"updated_at":1795640420,"seen_at":"2026-11-24T02:00:00Z","title":"Fix it","url":"https://app.devin.ai/sessions/0f3a","acus":1.35,"pull_requests":{"https://github.com/acme/api/pull/42":"open"}}}"#,
        r#"{"is":"session_missing.1","session":"0f3a"}"#,
        r#"{"is":"news_stopped.1","session":"0f3a","since":"2026-11-24T02:00:00Z"}"#,
        r#"{"is":"news_resumed.1","session":"0f3a"}"#,
    ];

    #[test]
    fn stored_sightings_are_read() {
        for sample in SAMPLES {
            let sighting: Sighting = serde_json::from_str(sample).unwrap();
            assert_eq!(serde_json::to_string(&sighting).unwrap(), sample);
        }
    }
}
