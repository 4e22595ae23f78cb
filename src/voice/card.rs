//! The status card: one message per session, edited in place from then on.
//!
//! Times stand on it as moments that each reader's Slack turns into words, so that it is right without being edited.
//! What is compared is what people read: a button's value can be renewed at any time and is no reason for an edit.

use askama::Template;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    Said,
    confirm::{Offered, button},
    say,
    transition::status,
};
use crate::{
    domain::{
        announce::{About, Observation},
        lately::{Entered, LastWords},
        phase::{Hold, Phase},
    },
    slack::text,
};

/// Longest title shown: a section takes 3,000 characters, and nobody reads more than a line.
const MAX_TITLE_CHARS: usize = 150;
/// Longest line shown of what Devin said last.
const MAX_LINE_CHARS: usize = 120;
/// Pull requests listed before the rest is counted.
const MAX_PULL_REQUESTS: usize = 5;

/// What the card shows.
#[derive(Debug, Clone, Copy)]
pub struct CardView<'a> {
    /// The newest look at the session.
    pub seen: &'a Observation,
    /// Since when it is in its state.
    pub entered: Option<&'a Entered>,
    /// What Devin said last.
    pub said: Option<&'a LastWords>,
    /// As whom it runs.
    pub runs_as: &'a str,
    /// What was asked for beside the task, in words ready for Slack; empty when nothing was.
    pub options: &'a str,
    /// The limit that was set, in agent compute units.
    pub acu_limit: Option<u32>,
    /// Whether nothing is posted any more.
    pub muted: bool,
    /// Whether only mentions are passed on.
    pub mentions_only: bool,
    /// Since when Devin can't be reached, while that is so.
    pub no_news_since: Option<Timestamp>,
    /// Whether Devin no longer knows the session: there is then no state and no page to show.
    pub vanished: bool,
    /// The buttons that fit.
    pub buttons: &'a [Offered],
}

#[derive(Template)]
#[template(path = "voice/card_state.mrkdwn", config = ".askama.toml")]
struct StateWords {
    title: String,
    /// Already escaped.
    status: String,
    since: Option<Moment>,
    wanted: String,
}

#[derive(Template)]
#[template(path = "voice/card_wanted.mrkdwn", config = ".askama.toml")]
struct Wanted {
    phase: Phase,
}

#[derive(Template)]
#[template(path = "voice/card_footer.mrkdwn", config = ".askama.toml")]
struct Footer<'a> {
    runs_as: &'a str,
    acus: Option<String>,
    facts: Vec<String>,
    muted: bool,
    mentions_only: bool,
    no_news_since: Option<Moment>,
}

#[derive(Template)]
#[template(path = "voice/card_news.mrkdwn", config = ".askama.toml")]
struct News<'a> {
    at: Moment,
    line: &'a str,
}

/// A moment as Slack takes it, with what stands there where it is not understood.
struct Moment {
    seconds: i64,
    text: String,
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        Self { seconds: at.as_second(), text: at.strftime("%H:%M UTC").to_string() }
    }
}

/// The card, and a digest of what it shows: the same digest means that there is nothing to edit.
pub fn card(view: &CardView<'_>) -> (Said, String) {
    let seen = view.seen;
    let title = one_line(seen.title.as_deref().unwrap_or("Devin session"), MAX_TITLE_CHARS);
    let status = if view.vanished { ":ghost: Gone".to_owned() } else { status(&seen.state) };
    let state = say(&StateWords {
        title: title.clone(),
        status: status.clone(),
        since: view.entered.filter(|_| !view.vanished).map(|entered| entered.at.into()),
        wanted: if view.vanished { String::new() } else { say(&Wanted { phase: Phase::of(&seen.state) }) },
    });
    let mut blocks = vec![section(&state)];
    blocks.extend(pull_requests(seen).map(|list| section(&list)));
    blocks.extend(Some(view.options).filter(|line| !line.is_empty()).map(context));
    blocks.extend(view.said.map(|LastWords { at, line }| context(&say(&News { at: (*at).into(), line }))));
    blocks.push(context(&say(&footer(view))));
    let shown = digest(&blocks, view);
    blocks.extend(actions(view));
    let said = Said { text: format!("{}: {status}", text::escape(&title)), blocks: Some(Value::Array(blocks)) };
    (said, shown)
}

fn footer<'a>(view: &CardView<'a>) -> Footer<'a> {
    Footer {
        runs_as: view.runs_as,
        acus: acus(view.seen.acus, view.acu_limit),
        facts: facts(&view.seen.about),
        muted: view.muted,
        mentions_only: view.mentions_only,
        no_news_since: view.no_news_since.map(Moment::from),
    }
}

/// Agent compute units in words, once there is something to say of them.
pub(super) fn acus(used: f64, limit: Option<u32>) -> Option<String> {
    match limit {
        Some(limit) => Some(format!("{used:.1} of {limit} ACUs")),
        None => (used > 0.0).then(|| format!("{used:.1} ACUs")),
    }
}

/// What Devin found out about the session, in words.
fn facts(about: &About) -> Vec<String> {
    let in_words = |word: &str| {
        let mut words = word.replace('_', " ").replace("ci cd", "CI/CD").replace("devops", "DevOps");
        words.get_mut(..1).map(str::make_ascii_uppercase);
        one_line(&words, MAX_TITLE_CHARS)
    };
    let kind = about.category.as_deref().map(|category| {
        let which = about.subcategory.as_deref().filter(|which| *which != "Other");
        which.map_or_else(|| in_words(category), |which| format!("{}: {}", in_words(category), in_words(which)))
    });
    let from = about.origin.as_deref().map(|origin| {
        let origin = match origin {
            "api" => "API".to_owned(),
            "cli" => "CLI".to_owned(),
            "webapp" => "web app".to_owned(),
            other => in_words(other),
        };
        format!("from {origin}")
    });
    kind.into_iter().chain(from).collect()
}

/// Short name of a pull request's address: `owner/name#42` where it has that form.
pub(super) fn pull_request_name(url: &str) -> String {
    let path = url.split_once("://").map_or(url, |(_, rest)| rest);
    match path.split('/').collect::<Vec<_>>().as_slice() {
        [_, owner, name, "pull", number, ..] => format!("{owner}/{name}#{number}"),
        _ => path.to_owned(),
    }
}

/// The pull requests with their state, one a line.
pub(super) fn pull_requests(seen: &Observation) -> Option<String> {
    if seen.pull_requests.is_empty() {
        return None;
    }
    let mut lines: Vec<String> = seen
        .pull_requests
        .iter()
        .take(MAX_PULL_REQUESTS)
        .map(|(url, state)| {
            let name = text::escape(&pull_request_name(url));
            let link = if is_web(url) { format!("<{}|{name}>", text::escape(url)) } else { name };
            format!(
                ":arrow_heading_up: {link}{}",
                state.as_ref().map(|s| format!(" · {}", text::escape(s))).unwrap_or_default()
            )
        })
        .collect();
    let more = seen.pull_requests.len().saturating_sub(MAX_PULL_REQUESTS);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    Some(lines.join("\n"))
}

fn actions(view: &CardView<'_>) -> Option<Value> {
    let open = (is_web(&view.seen.url) && !view.vanished).then(|| {
        json!({
            "type": "button", "action_id": "open_session", "url": view.seen.url,
            "text": {"type": "plain_text", "text": "Open session"},
        })
    });
    let elements: Vec<Value> = open.into_iter().chain(view.buttons.iter().map(button)).collect();
    (!elements.is_empty()).then(|| json!({"type": "actions", "elements": elements}))
}

pub(super) fn section(text: &str) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}})
}

pub(super) fn context(text: &str) -> Value {
    json!({"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": true}]})
}

/// How something that Devin said begins: one short line, without Markdown's marks, for the card.
pub fn first_line(words: &str) -> String {
    let plain = |line: &str| line.trim_start_matches(['#', '>', '-', '*', ' ']).replace(['*', '`', '_'], "");
    let line = words.lines().map(plain).find(|line| !line.trim().is_empty()).unwrap_or_default();
    one_line(&line, MAX_LINE_CHARS)
}

/// One line of bounded length, without marks that would end the bold type around it.
fn one_line(words: &str, max_chars: usize) -> String {
    let line: String = words.split_whitespace().collect::<Vec<_>>().join(" ").replace('*', "∗");
    if line.chars().count() <= max_chars {
        return line;
    }
    line.chars().take(max_chars).chain(['…']).collect()
}

/// Whether an address may become a link: nothing but the web, and nothing that would end the link early.
pub(super) fn is_web(url: &str) -> bool {
    (url.starts_with("https://") || url.starts_with("http://")) && !url.contains(['|', '>', '<', ' '])
}

/// What stands for the words, the links and which buttons there are.
fn digest(blocks: &[Value], view: &CardView<'_>) -> String {
    let mut hash = Sha256::new();
    for block in blocks {
        hash.update(block.to_string().as_bytes());
    }
    hash.update(view.seen.url.as_bytes());
    for button in view.buttons {
        hash.update(button.act.name().as_bytes());
    }
    hex::encode(hash.finalize().get(..8).unwrap_or_default())
}
