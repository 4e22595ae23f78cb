//! What Slack itself shows of a session: its agent session's state, or, where a workspace has no such thing, a reaction
//! on the message that asked.
//!
//! With agent sessions the receipt (`eyes`) stays as it is: it says that we took the message up, and Slack's own state
//! says the rest. Without them the reaction is the state, and the receipt gives way to it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::phase::Phase;

/// The state of an agent session, in Slack's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentState {
    /// At work; shows the stop button.
    Processing,
    /// Waits for somebody.
    Suspended,
    /// Its turn is over; more can be asked for.
    Active,
    /// Over.
    Closed,
}

impl AgentState {
    /// As Slack writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Processing => "processing",
            Self::Suspended => "suspended",
            Self::Active => "active",
            Self::Closed => "closed",
        }
    }

    /// The state that a phase means.
    pub fn of(phase: &Phase) -> Self {
        match phase {
            Phase::Starting | Phase::Working | Phase::Waking => Self::Processing,
            Phase::YourTurn | Phase::NeedsApproval | Phase::Asleep(_) | Phase::Held(_) | Phase::FailedAsleep => {
                Self::Suspended
            }
            // What we have never heard of keeps no stop button alive, and closes nothing.
            Phase::Done | Phase::Unheard => Self::Active,
            Phase::Over | Phase::Failed | Phase::Archived => Self::Closed,
        }
    }
}

/// The reaction that stands for a phase; `None` leaves what is there.
pub fn reaction(phase: &Phase) -> Option<&'static str> {
    match phase {
        Phase::Starting => Some(RECEIPT),
        Phase::Working | Phase::Waking => Some("gear"),
        Phase::YourTurn | Phase::NeedsApproval | Phase::Asleep(_) | Phase::Held(_) => Some("raised_hand"),
        Phase::Done | Phase::Over | Phase::Archived => Some("white_check_mark"),
        Phase::FailedAsleep | Phase::Failed => Some("x"),
        Phase::Unheard => None,
    }
}

/// The receipt: somebody is on it.
pub const RECEIPT: &str = "eyes";

/// Every reaction that [`reaction`] may put there.
pub const REACTIONS: [&str; 5] = [RECEIPT, "gear", "raised_hand", "white_check_mark", "x"];

/// What was shown last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// The agent session's state, and when it was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Shown>,
    /// The reaction on the asking message, where that is what is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reaction: Option<String>,
}

impl Presence {
    /// Whether nothing was shown.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A state that was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Which.
    pub state: AgentState,
    /// When.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::phase::{Hold, Sleep};

    #[test]
    fn whoever_waits_for_a_person_is_suspended_and_only_work_can_be_stopped() {
        for (phase, state) in [
            (Phase::Starting, AgentState::Processing),
            (Phase::Working, AgentState::Processing),
            (Phase::YourTurn, AgentState::Suspended),
            (Phase::NeedsApproval, AgentState::Suspended),
            (Phase::Asleep(Sleep::Inactivity), AgentState::Suspended),
            (Phase::Held(Hold::Credits), AgentState::Suspended),
            (Phase::Done, AgentState::Active),
            (Phase::Over, AgentState::Closed),
            (Phase::Archived, AgentState::Closed),
        ] {
            assert_eq!(AgentState::of(&phase), state, "{phase:?}");
            assert!(reaction(&phase).is_some_and(|name| REACTIONS.contains(&name)), "{phase:?}");
        }
    }

    #[test]
    fn stored_presence_is_read() {
        for sample in
            [r#"{"agent":{"state":"processing","at":"2026-11-24T02:00:00Z"}}"#, r#"{"reaction":"gear"}"#, "{}"]
        {
            let presence: Presence = serde_json::from_str(sample).unwrap();
            assert_eq!(serde_json::to_string(&presence).unwrap(), sample);
        }
    }
}
