//! How an entry of a story is written: what happened, who was behind it, what was done and what came of it.

use jiff::{SignedDuration, Timestamp};

use super::view::{When, length, phase_words};
use crate::domain::{
    ids::{SessionId, Ts},
    phase::{Phase, State},
    status::{Detail, Status},
    story::{Calls, Entry, Outcome, Step},
};

/// The session of a thread and its page at Devin.
type Session<'a> = Option<(&'a SessionId, &'a str)>;

/// One turn.
#[derive(Debug, Clone)]
pub(super) struct EntryView {
    pub(super) at: When,
    pub(super) what: String,
    pub(super) by: Option<String>,
    /// Where their message is in Slack.
    pub(super) message: Option<String>,
    /// What people are told to give to operators, and what the log and traces call the input.
    pub(super) reference: Option<String>,
    /// How long after the input's coming, in words.
    pub(super) took: Option<String>,
    pub(super) attempts: u32,
    /// The state that was entered, in words, with its tone.
    pub(super) entered: Option<(&'static str, &'static str)>,
    pub(super) steps: Vec<StepView>,
    pub(super) calls: Vec<CallsView>,
    pub(super) trouble: Option<String>,
    pub(super) buried: Option<String>,
}

/// A step of a turn.
#[derive(Debug, Clone)]
pub(super) struct StepView {
    pub(super) name: String,
    pub(super) words: &'static str,
    pub(super) tone: &'static str,
    /// Where what it left is found: in words, and the address.
    pub(super) left: Option<(&'static str, String)>,
}

/// Calls of one kind.
#[derive(Debug, Clone)]
pub(super) struct CallsView {
    pub(super) name: String,
    pub(super) times: u32,
    pub(super) failed: u32,
    pub(super) took_ms: u64,
}

impl EntryView {
    pub(super) fn of(
        entry: &Entry,
        permalink: impl Fn(&Ts) -> Option<String>,
        session: Session<'_>,
        now: Timestamp,
    ) -> Self {
        let took = entry.came.map(|came| done(entry.at.duration_since(came)));
        Self {
            at: When::of(entry.at, now),
            what: kind_words(&entry.kind),
            by: entry.by.as_ref().map(ToString::to_string),
            message: entry.ts.as_ref().and_then(&permalink),
            reference: entry.input.as_ref().map(ToString::to_string),
            took,
            attempts: entry.attempts,
            entered: entry.state.as_ref().map(|state| phase_words(Phase::of(state).name())),
            steps: entry.steps.iter().map(|step| StepView::of(step, &permalink, session)).collect(),
            calls: entry.calls.iter().map(CallsView::of).collect(),
            trouble: entry.trouble.clone(),
            buried: entry.buried.clone(),
        }
    }
}

impl StepView {
    pub(super) fn of(step: &Step, permalink: &impl Fn(&Ts) -> Option<String>, session: Session<'_>) -> Self {
        let (words, tone) = match step.outcome {
            Outcome::Done => ("done", "quiet"),
            Outcome::Refused => ("refused", "bad"),
            Outcome::Unknown => ("not known whether it happened", "call"),
        };
        let post = step.ts.as_ref().and_then(permalink).map(|url| ("in Slack", url));
        let made = step.session.as_ref().zip(session).filter(|(made, (known, _))| made == known);
        let left = post.or_else(|| made.map(|(_, (_, url))| ("at Devin", url.to_owned())));
        Self { name: step_words(&step.name), words, tone, left }
    }
}

impl CallsView {
    fn of(calls: &Calls) -> Self {
        let Calls { service, method, times, failed, took_ms } = calls;
        Self { name: format!("{service} {method}"), times: *times, failed: *failed, took_ms: *took_ms }
    }
}

/// When it was done, in words.
fn done(after: SignedDuration) -> String {
    if after.as_secs() < 1 { "done at once".to_owned() } else { format!("done {} after it came", length(after)) }
}

/// What a step did, in words: its name without the ids that only tell steps apart. Other names are words already.
fn step_words(name: &str) -> String {
    let part = |number: &str| match number.parse::<usize>() {
        Ok(number) if number > 0 => format!(", part {}", number + 1),
        Ok(_) | Err(_) => String::new(),
    };
    match name.split(' ').collect::<Vec<_>>().as_slice() {
        ["relay", _, number] => format!("pass on Devin's words{}", part(number)),
        ["send", "relay", _, _] => "hand a file to Slack".to_owned(),
        ["share", "relay", _, _] => "share a file".to_owned(),
        ["upload", _] => "hand a file to Devin".to_owned(),
        ["send", "message", ..] => "send the message to Devin".to_owned(),
        ["send", "correction", ..] => "send the correction to Devin".to_owned(),
        ["tell", "output", _] => "tell the structured output".to_owned(),
        ["tell", "pull", "request", url, state @ ..] => match state {
            [] => format!("tell pull request {url}"),
            state => format!("tell pull request {url}: {}", state.join(" ")),
        },
        ["tell", "state", status, detail @ .., archived] => {
            let (status, detail) = (Status::from((*status).to_owned()), detail.first().filter(|word| !word.is_empty()));
            let detail = detail.map(|word| Detail::from((*word).to_owned()));
            let state = State { status, detail, archived: *archived == "true" };
            format!("tell that the session {}", told(&Phase::of(&state)))
        }
        _ => name.to_owned(),
    }
}

/// A phase as the end of a sentence.
fn told(phase: &Phase) -> String {
    let (words, _) = phase_words(phase.name());
    if words.starts_with("waits") { words.to_owned() } else { format!("is {words}") }
}

/// What happened, in words; a kind of a newer program by its own name.
fn kind_words(kind: &str) -> String {
    let words = match kind {
        "speech" => "Message",
        "session_changed" => "Change at Devin",
        "session_missing" => "Devin does not know the session",
        "news_stopped" => "Devin cannot be reached",
        "news_resumed" => "Devin is reached again",
        "edited" => "Message edited",
        "deleted" => "Message deleted",
        "pressed" => "Button pressed",
        "reacted" | "reaction" => "Reaction",
        "stopped" => "Stop button of Slack",
        "command" => "Command",
        "shortcut" | "send_to_session" => "Shortcut",
        "submitted" => "Form sent",
        "begin" => "Session asked for",
        "hand_over" => "Message handed over",
        "wake" => "Looked again by itself",
        "given_up" => "Given up",
        "poison" => "Set aside after it broke the bot",
        "unreadable" => "Could not be read",
        other => return other.replace('_', " "),
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mailbox::ThreadKey;

    #[test]
    fn a_step_leads_to_what_it_left() {
        let thread = ThreadKey::from_tag("bobbin-thread:T1/C1/1700000000.000100").unwrap();
        let permalink = |ts: &Ts| thread.permalink("https://acme.slack.com", ts);
        let ours: SessionId = "0f3a".parse().unwrap();
        let session = Some((&ours, "https://app.devin.ai/sessions/0f3a"));
        let step = |ts: Option<&str>, session: Option<&str>| Step {
            name: "post card".to_owned(),
            outcome: Outcome::Done,
            ts: ts.map(|ts| ts.parse().unwrap()),
            session: session.map(|session| session.parse().unwrap()),
        };
        let left = |step: &Step| StepView::of(step, &permalink, session).left;
        let post = "https://acme.slack.com/archives/C1/p1700000009000900?thread_ts=1700000000.000100&cid=C1";
        assert_eq!(left(&step(Some("1700000009.000900"), None)), Some(("in Slack", post.to_owned())));
        let page = ("at Devin", "https://app.devin.ai/sessions/0f3a".to_owned());
        assert_eq!(left(&step(None, Some("0f3a"))), Some(page));
        assert_eq!(left(&step(None, Some("another"))), None, "another session has another page");
    }

    #[test]
    fn a_step_is_told_without_its_ids() {
        let said = [
            ("relay event-0f3a 0", "pass on Devin's words"),
            ("relay event-0f3a 1", "pass on Devin's words, part 2"),
            ("send relay file:f1 0", "hand a file to Slack"),
            ("share relay file:f1 0", "share a file"),
            ("upload F0AB", "hand a file to Devin"),
            ("send message", "send the message to Devin"),
            ("send message 1700000009.000900", "send the message to Devin"),
            ("send correction of 1700000009.000900", "send the correction to Devin"),
            ("tell state running finished false", "tell that the session is done"),
            ("tell state running waiting_for_user false", "tell that the session waits for an answer"),
            ("tell state exit  false", "tell that the session is ended"),
            ("tell state exit  true", "tell that the session is archived"),
            ("tell state running moon false", "tell that the session is in a state we do not know"),
            ("tell pull request https://git.example/1", "tell pull request https://git.example/1"),
            ("tell pull request https://git.example/1 merged", "tell pull request https://git.example/1: merged"),
            ("tell output 00ff", "tell the structured output"),
            ("post card", "post card"),
        ];
        for (name, words) in said {
            assert_eq!(step_words(name), words, "{name}");
        }
    }

    #[test]
    fn a_kind_that_we_do_not_know_is_shown_by_its_name() {
        assert_eq!(kind_words("speech"), "Message");
        assert_eq!(kind_words("moon_landed"), "moon landed");
    }
}
