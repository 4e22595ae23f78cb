//! What happened last in a session, as far as its card and its thread show it: part of the link.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{ids::Ts, phase::State, presence::Presence};

/// What happened last, as the card tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lately {
    /// The state that it is in, and since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entered: Option<Entered>,
    /// What Devin said last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<LastWords>,
    /// The post that asks for an approval, while its buttons are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asking: Option<Asking>,
    /// What Slack itself shows of it.
    #[serde(default, skip_serializing_if = "Presence::is_empty")]
    pub presence: Presence,
    /// Set while Slack refuses our token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_out: Option<LockedOut>,
}

/// Slack refuses our token: what shows the state is not tried again before a certain time, whatever else happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedOut {
    /// When.
    pub until: Timestamp,
    /// Whether it was refused before, too.
    #[serde(default)]
    pub again: bool,
}

/// How long to wait after Slack refused our token: it may be in exchange.
const LOCKED_OUT_FIRST: SignedDuration = SignedDuration::from_mins(5);
/// How long to wait when it did so again: somebody has to put it right. A post that is taken ends the wait.
const LOCKED_OUT_AGAIN: SignedDuration = SignedDuration::from_hours(1);

impl Lately {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Notes that Slack refused our token. The answer is when to try again.
    pub fn refused(&mut self, now: Timestamp) -> Timestamp {
        let again = self.locked_out.is_some();
        let wait = if again { LOCKED_OUT_AGAIN } else { LOCKED_OUT_FIRST };
        let until = now.saturating_add(wait).unwrap_or(now);
        self.locked_out = Some(LockedOut { until, again });
        until
    }

    /// Until when nothing is tried, while that is so.
    pub fn rests_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.locked_out.as_ref().map(|locked| locked.until).filter(|until| *until > now)
    }

    /// Notes the state that the session is in; the time counts where it is another one than before.
    pub fn enter(&mut self, state: &State, at: Timestamp) {
        if self.entered.as_ref().is_none_or(|entered| !entered.state.reads_as(state)) {
            self.entered = Some(Entered { state: state.clone(), at });
        }
    }
}

/// A state and since when it lasts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entered {
    /// The state.
    pub state: State,
    /// Since when, as far as we know.
    pub at: Timestamp,
}

/// What Devin said last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastWords {
    /// When.
    pub at: Timestamp,
    /// How it begins: one short line.
    pub line: String,
}

/// A post with buttons that ask for a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asking {
    /// The message.
    pub ts: Ts,
    /// Its mark: what its buttons are about.
    pub mark: String,
    /// When its buttons were made: they expire.
    pub made_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored forms that exist already are read for ever.
    #[test]
    fn what_a_link_knows_of_the_last_while_is_read() {
        let sample = r#"{"entered":{"state":{"status":"running","detail":"waiting_for_approval","archived":false},"at":"2026-11-24T02:00:00Z"},"said":{"at":"2026-11-24T02:00:00Z","line":"Which branch?"},"asking":{"ts":"1700000001.000100","mark":"00ff","made_at":"2026-11-24T02:00:00Z"}}"#;
        let lately: Lately = serde_json::from_str(sample).unwrap();
        assert_eq!(serde_json::to_string(&lately).unwrap(), sample);
        assert_eq!(serde_json::from_str::<Lately>("{}").unwrap(), Lately::default());
    }

    #[test]
    fn a_state_lasts_since_it_was_entered_not_since_it_was_last_seen() {
        let mut lately = Lately::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        let running = |detail: &str| State::new("running".to_owned().into(), Some(detail.to_owned().into()));
        lately.enter(&State::new("running".to_owned().into(), None), at(1));
        lately.enter(&running("working"), at(2));
        assert_eq!(lately.entered.as_ref().map(|entered| entered.at), Some(at(1)), "both mean that it works");
        lately.enter(&running("finished"), at(3));
        assert_eq!(lately.entered.map(|entered| entered.at), Some(at(3)));
    }

    #[test]
    fn a_refused_token_is_soon_tried_again_and_then_every_hour() {
        let mut lately = Lately::default();
        let mut now = Timestamp::UNIX_EPOCH;
        let mut waits = Vec::new();
        for _ in 0..3 {
            let until = lately.refused(now);
            assert_eq!(lately.rests_until(now), Some(until));
            waits.push(until.duration_since(now).as_mins());
            now = until;
        }
        assert_eq!(waits, [5, 60, 60]);
        assert_eq!(lately.rests_until(now), None);
    }
}
