//! What happened in a thread, for whoever has to find out later: one entry for each turn that did something. It says who
//! and what, when, and how it ended; never what anybody wrote.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    ids::{InputId, SessionId, Ts, UserId},
    phase::State,
};

/// Steps of one turn that are kept.
const STEPS_MAX: usize = 30;
/// Different calls of one turn that are kept.
const CALLS_MAX: usize = 20;
/// Longest name or reason, in characters.
const WORDS_MAX: usize = 300;

/// One turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Version of this form.
    pub v: u8,
    /// When the turn ended.
    pub at: Timestamp,
    /// The input; `None` where the thread woke by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<InputId>,
    /// When the input came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub came: Option<Timestamp>,
    /// Its kind.
    pub kind: String,
    /// Who it is from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserId>,
    /// What they wrote, where that is a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ts: Option<Ts>,
    /// How often it was tried.
    pub attempts: u32,
    /// What was done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// What was asked of Slack and Devin.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Calls>,
    /// The state that the session entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// Since when it is in that, by Devin's own account; older programs did not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// What stood in the way last, before this ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// Why it was set aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buried: Option<String>,
}

/// A step of a turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// What came of it.
    pub outcome: Outcome,
    /// The message that it left in Slack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ts: Option<Ts>,
    /// The session that it made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
}

/// Calls of one kind in one turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calls {
    /// `slack` or `devin`.
    pub service: String,
    /// The vendor's name of the call.
    pub method: String,
    /// How many.
    pub times: u32,
    /// How many of them had no good answer.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failed: u32,
    /// How long all of them took, in milliseconds.
    pub took_ms: u64,
}

impl Calls {
    /// None so far.
    pub fn new(service: &str, method: &str) -> Self {
        Self { service: service.to_owned(), method: method.to_owned(), times: 0, failed: 0, took_ms: 0 }
    }

    /// Whether these are the calls of that kind.
    pub fn is(&self, service: &str, method: &str) -> bool {
        self.service == service && self.method == method
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It happened.
    Done,
    /// The other side refused it.
    Refused,
    /// It may have happened.
    Unknown,
}

impl Entry {
    /// The version written today.
    pub const VERSION: u8 = 1;

    /// Whether there is anything to tell: what the watch saw and changed nothing is not.
    pub fn is_worth_keeping(&self) -> bool {
        self.by.is_some()
            || !self.steps.is_empty()
            || self.state.is_some()
            || self.trouble.is_some()
            || self.buried.is_some()
    }

    /// The same within its bounds.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        self.steps.truncate(STEPS_MAX);
        self.calls.truncate(CALLS_MAX);
        for step in &mut self.steps {
            step.name = clipped(&step.name);
        }
        self.trouble = self.trouble.as_deref().map(clipped);
        self.buried = self.buried.as_deref().map(clipped);
        self
    }
}

/// What stands in the way of an input that is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Which input; `None` for a wake.
    pub input: Option<InputId>,
    /// When it was tried.
    pub at: Timestamp,
    /// What happened.
    pub why: String,
}

impl Trouble {
    /// Under which name the store remembers it.
    pub fn note(mailbox: &impl std::fmt::Display) -> String {
        format!("trouble:{mailbox}")
    }

    /// How a reason is kept.
    pub fn clipped(why: &str) -> String {
        clipped(why)
    }
}

fn clipped(text: &str) -> String {
    text.chars().take(WORDS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored forms that exist already are read for ever: a sample is never changed, a new form gets a new one.
    #[test]
    fn a_stored_entry_is_read() {
        let sample = r#"{"v":1,"at":"2026-11-24T02:00:00Z","input":"i1","came":"2026-11-24T01:59:59Z","kind":"speech","by":"U0ADA","attempts":2,"steps":[{"name":"create session","outcome":"done","session":"0f3a"},{"name":"post card","outcome":"done","ts":"1700000001.000100"}],"state":{"status":"running","detail":null,"archived":false},"trouble":"Devin cannot be reached"}"#;
        let entry: Entry = serde_json::from_str(sample).unwrap();
        assert_eq!(serde_json::to_string(&entry).unwrap(), sample);
        assert!(entry.is_worth_keeping());
    }

    /// With what was added since.
    #[test]
    fn a_stored_entry_with_calls_is_read() {
        let sample = r#"{"v":1,"at":"2026-11-24T02:00:00Z","kind":"session_changed","attempts":1,"calls":[{"service":"slack","method":"chat.postMessage","times":2,"failed":1,"took_ms":240}],"state":{"status":"running","detail":null,"archived":false},"since":"2026-11-24T01:59:50Z"}"#;
        let entry: Entry = serde_json::from_str(sample).unwrap();
        assert_eq!(serde_json::to_string(&entry).unwrap(), sample);
    }

    #[test]
    fn an_entry_is_bounded_and_is_one_line() {
        let step = Step { name: "a\nb".repeat(500), outcome: Outcome::Done, ts: None, session: None };
        let (service, method) = ("slack".to_owned(), "conversations.replies".to_owned());
        let calls = Calls { service, method, times: 1, failed: 1, took_ms: 1_000 };
        let entry = Entry {
            v: 1,
            at: Timestamp::UNIX_EPOCH,
            input: None,
            came: None,
            kind: "wake".to_owned(),
            by: None,
            ts: None,
            attempts: 1,
            steps: vec![step; 100],
            calls: vec![calls; 100],
            state: None,
            since: None,
            trouble: None,
            buried: None,
        };
        let text = serde_json::to_string(&entry.bounded()).unwrap();
        assert!(text.len() < 15_000 && !text.contains('\n'), "{}", text.len());
    }
}
