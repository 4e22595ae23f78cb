//! The status card: one message per session, edited in place from then on.

use askama::Template;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Said, say, transition::status};
use crate::{domain::announce::Observation, slack::text};

/// Longest title shown: a section takes 3,000 characters, and nobody reads more than a line.
const MAX_TITLE_CHARS: usize = 150;
/// Pull requests listed before the rest is counted.
const MAX_PULL_REQUESTS: usize = 5;

/// What the card shows.
#[derive(Debug, Clone, Copy)]
pub struct CardView<'a> {
    /// The newest look at the session.
    pub seen: &'a Observation,
    /// As whom it runs.
    pub runs_as: &'a str,
    /// What was asked for beside the task, in words ready for Slack; empty when nothing was.
    pub options: &'a str,
    /// Since when Devin can't be reached, while that is so.
    pub no_news_since: Option<Timestamp>,
    /// Whether Devin no longer knows the session: there is then no state and no page to show.
    pub vanished: bool,
}

#[derive(Template)]
#[template(path = "voice/card_footer.mrkdwn", config = ".askama.toml")]
struct Footer<'a> {
    runs_as: &'a str,
    acus: Option<String>,
    no_news_since: Option<i64>,
    since_text: String,
}

/// The card, and a digest of what it shows: the same digest means that there is nothing to edit.
pub fn card(view: &CardView<'_>) -> (Said, String) {
    let seen = view.seen;
    let title = text::escape(&shortened(seen.title.as_deref().unwrap_or("Devin session")));
    let status = if view.vanished { ":ghost: Gone".to_owned() } else { status(&seen.state) };
    let footer = say(&Footer {
        runs_as: view.runs_as,
        acus: (seen.acus > 0.0).then(|| format!("{:.1}", seen.acus)),
        no_news_since: view.no_news_since.map(Timestamp::as_second),
        since_text: view.no_news_since.map(|at| at.strftime("%H:%M UTC").to_string()).unwrap_or_default(),
    });
    let mut blocks = vec![
        section(&format!("*{title}*\n{status}")),
        json!({"type": "context", "elements": [{"type": "mrkdwn", "text": footer, "verbatim": true}]}),
    ];
    if !view.options.is_empty() {
        blocks.insert(
            1,
            json!({"type": "context", "elements": [{"type": "mrkdwn", "text": view.options, "verbatim": true}]}),
        );
    }
    if let Some(list) = pull_requests(seen) {
        blocks.insert(1, section(&list));
    }
    if is_web(&seen.url) && !view.vanished {
        blocks.push(json!({"type": "actions", "elements": [{
            "type": "button", "action_id": "open_session", "url": seen.url,
            "text": {"type": "plain_text", "text": "Open session"},
        }]}));
    }
    let said = Said { text: format!("{title}: {status}"), blocks: Some(Value::Array(blocks)) };
    let digest = digest(&said);
    (said, digest)
}

/// Short name of a pull request's address: `owner/name#42` where it has that form.
pub(super) fn pull_request_name(url: &str) -> String {
    let path = url.split_once("://").map_or(url, |(_, rest)| rest);
    match path.split('/').collect::<Vec<_>>().as_slice() {
        [_, owner, name, "pull", number, ..] => format!("{owner}/{name}#{number}"),
        _ => path.to_owned(),
    }
}

fn pull_requests(seen: &Observation) -> Option<String> {
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

fn section(text: &str) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}})
}

/// One line of bounded length, without marks that would end the bold type around it.
fn shortened(title: &str) -> String {
    let line: String = title.split_whitespace().collect::<Vec<_>>().join(" ").replace('*', "∗");
    if line.chars().count() <= MAX_TITLE_CHARS {
        return line;
    }
    line.chars().take(MAX_TITLE_CHARS).chain(['…']).collect()
}

/// Whether an address may become a link: nothing but the web, and nothing that would end the link early.
pub(super) fn is_web(url: &str) -> bool {
    (url.starts_with("https://") || url.starts_with("http://")) && !url.contains(['|', '>', '<', ' '])
}

fn digest(said: &Said) -> String {
    let mut hash = Sha256::new();
    hash.update(said.text.as_bytes());
    hash.update(said.blocks.as_ref().map(Value::to_string).unwrap_or_default().as_bytes());
    hex::encode(hash.finalize().get(..8).unwrap_or_default())
}
