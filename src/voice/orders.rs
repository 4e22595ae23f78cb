//! What people are answered who told us something about a thread or themselves, or pressed a button.

use askama::Template;
use jiff::Timestamp;

use super::{
    Said,
    card::{is_web, pull_request_name},
    say,
    transition::status,
};
use crate::{
    domain::{
        announce::Observation,
        link::Ended,
        words::{Bang, Order, Word},
    },
    slack::text,
};

/// Longest title shown, in characters.
const MAX_TITLE_CHARS: usize = 150;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// There is no session here.
    NoSession,
    /// The button is of another session.
    OtherSession,
    /// The button has run out.
    Expired,
    /// The button is somebody else's.
    NotYours,
    /// The button is not ours, or not of this thread.
    Unbelievable,
    /// The session is over already.
    AlreadyOver {
        /// How it ended.
        how: Ended,
    },
    /// It was ended.
    Stopped,
    /// Nothing was changed.
    Kept,
    /// It was put to sleep.
    Asleep,
    /// It slept already.
    AlreadyAsleep,
    /// It was awake already.
    AlreadyAwake {
        /// Its state in words ready for Slack.
        status: String,
    },
    /// It was woken.
    Woken {
        /// By these words.
        words: String,
    },
    /// It does not sleep, and takes more than a message.
    CannotBeWoken {
        /// Its state in words ready for Slack.
        status: String,
    },
    /// It was archived.
    Archived,
    /// It was archived already.
    AlreadyArchived,
    /// It was taken out again.
    Unarchived,
    /// It was not archived.
    NotArchived,
    /// The thread is muted from now on.
    Muted,
    /// It was muted already.
    AlreadyMuted,
    /// It is not muted any more.
    Unmuted {
        /// How much of what Devin said was not posted.
        held: usize,
        /// Where it can be read.
        url: String,
    },
    /// It was not muted.
    NotMuted,
    /// Only mentions are passed on from now on.
    MentionsOnly,
    /// Everything is passed on from now on.
    EveryReply,
    /// To whoever untied the thread.
    Separated,
    /// To everybody in the thread.
    SeparatedBy {
        /// Who did it.
        name: String,
        /// The session's page.
        url: String,
    },
    /// Devin does not wait for what was decided.
    NotWaiting {
        /// Its state in words ready for Slack.
        status: String,
    },
    /// Somebody answered already.
    AlreadyAnswered,
    /// It was said and answered since, or Devin spoke again.
    AnsweredSince,
    /// The decision was sent.
    Decided {
        /// In these words.
        words: String,
        /// The session's page.
        url: String,
    },
    /// The choice was sent.
    Chosen {
        /// In these words.
        words: String,
    },
    /// To everybody: what was chosen.
    ChosenBy {
        /// By whom.
        name: String,
        /// In which words.
        words: String,
    },
    /// What was asked for was stopped before it began.
    AskedToStopEarly,
    /// A second session starts elsewhere.
    NewThread {
        /// Where.
        url: String,
        /// Whether files stayed behind.
        files: bool,
    },
    /// No thread could be opened.
    CannotNew,
    /// A second session was asked for, and no task.
    NothingNew,
    /// Devin cannot be reached.
    DevinDown,
    /// Devin refused.
    DevinRefused {
        /// Its words.
        detail: String,
    },
}

#[derive(Template)]
#[template(path = "voice/orders.mrkdwn", config = ".askama.toml")]
struct Answer<'a> {
    told: &'a Told,
}

/// The words of an answer.
pub fn told(told: &Told) -> Said {
    Said::text(say(&Answer { told }))
}

#[derive(Template)]
#[template(path = "voice/second.mrkdwn", config = ".askama.toml")]
struct Second<'a> {
    name: &'a str,
    from: &'a str,
    lines: Vec<&'a str>,
}

/// The message that opens a thread for a session that was asked for in another one.
pub fn second(name: &str, from: &str, task: &str) -> Said {
    Said::text(say(&Second { name, from, lines: task.lines().collect() }))
}

/// A session's state as an answer's words have it.
pub fn state_words(seen: &Observation) -> String {
    status(&seen.state)
}

/// What somebody who asks for the status sees.
#[derive(Debug, Clone, Copy)]
pub struct StatusView<'a> {
    /// The newest look at the session.
    pub seen: &'a Observation,
    /// As whom it runs.
    pub runs_as: &'a str,
    /// Whether the thread is muted.
    pub muted: bool,
    /// Whether only mentions are passed on.
    pub mentions_only: bool,
    /// Whether Devin could not be asked just now.
    pub stale: bool,
}

#[derive(Template)]
#[template(path = "voice/session_status.mrkdwn", config = ".askama.toml")]
struct Shown<'a> {
    name: String,
    state: String,
    changed: i64,
    changed_text: String,
    runs_as: &'a str,
    acus: Option<String>,
    muted: bool,
    mentions_only: bool,
    pull_requests: Vec<String>,
    stale: Option<String>,
}

/// What a session is doing.
pub fn session_status(view: &StatusView<'_>) -> Said {
    let seen = view.seen;
    let title = seen.title.as_deref().unwrap_or("Devin session").split_whitespace().collect::<Vec<_>>().join(" ");
    let title: String = title.chars().take(MAX_TITLE_CHARS).collect();
    let changed = Timestamp::from_second(seen.updated_at).unwrap_or(seen.seen_at);
    Said::text(say(&Shown {
        name: linked(&seen.url, &title),
        state: status(&seen.state),
        changed: changed.as_second(),
        changed_text: changed.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        runs_as: view.runs_as,
        acus: (seen.acus > 0.0).then(|| format!("{:.1}", seen.acus)),
        muted: view.muted,
        mentions_only: view.mentions_only,
        pull_requests: seen.pull_requests.iter().map(|(url, state)| pull_request(url, state.as_deref())).collect(),
        stale: view.stale.then(|| seen.seen_at.strftime("%H:%M UTC").to_string()),
    }))
}

fn pull_request(url: &str, state: Option<&str>) -> String {
    let state = state.map(|state| format!(" · {}", text::escape(state))).unwrap_or_default();
    format!(":arrow_heading_up: {}{state}", linked(url, &pull_request_name(url)))
}

/// A name as a link, where the address may be one.
fn linked(url: &str, name: &str) -> String {
    let name = text::escape(name);
    if is_web(url) { format!("<{}|{name}>", text::escape(url)) } else { name }
}

#[derive(Template)]
#[template(path = "voice/help.mrkdwn", config = ".askama.toml")]
struct Help {
    orders: Vec<(&'static str, &'static str)>,
    options: Vec<(&'static str, &'static str)>,
    bangs: Vec<(&'static str, &'static str)>,
}

/// All words there are, from the words themselves.
pub fn help() -> Said {
    Said::text(say(&Help {
        orders: Order::ALL.iter().map(|order| (order.name(), order.help())).collect(),
        options: Word::ALL.iter().map(|word| (word.name(), word.help())).collect(),
        bangs: Bang::ALL.iter().map(|bang| (bang.name(), bang.help())).collect(),
    }))
}
