//! Devin's own words, those of people in its web app, and what is said about its files.

use askama::Template;
use serde_json::{Value, json};

use super::{Said, card::is_web, say};
use crate::slack::text::{self, Post, Posts};

/// Most characters on a button.
const MAX_LABEL_CHARS: usize = 75;
/// Most characters of a post's blocks as JSON, buttons included: beyond that the words matter more.
const MAX_JSON_CHARS: usize = 10_000;
/// The file that holds a message which is too long for posts.
pub const WHOLE_MESSAGE_FILE: &str = "devin-message.md";
/// What stands above it.
pub const WHOLE_MESSAGE_CAPTION: &str = "The whole message:";

/// A sentence about what is relayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelayNote {
    /// The message is too long for posts.
    GoesOn {
        /// How long it is, in characters.
        chars: usize,
    },
    /// Somebody wrote in Devin's web app.
    FromWeb,
    /// The message offers answers.
    Choose,
    /// A file is not in the thread.
    FileMissing {
        /// Its name; empty when it is not known.
        name: String,
        /// Why.
        why: NotHere,
        /// Web address of the session.
        url: String,
    },
    /// The file that holds a long message is not in the thread.
    WholeMissing {
        /// Web address of the session.
        url: String,
    },
}

/// Why a file is not in the thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotHere {
    /// Too long.
    TooLarge {
        /// The limit, in MiB.
        limit_mib: usize,
    },
    /// There is nothing in it, and Slack takes no empty files.
    Empty,
    /// Devin did not hand it out.
    NotFetched,
    /// What named it names no file of Devin's.
    NotDevins,
    /// Slack did not take it.
    NotTaken,
}

#[derive(Template)]
#[template(path = "voice/relay.mrkdwn", config = ".askama.toml")]
struct Sentence<'a> {
    note: &'a RelayNote,
}

/// A message as its posts; where they do not hold all of it, a file has to follow.
#[derive(Debug, Clone, PartialEq)]
pub struct Relay {
    /// The posts, in order.
    pub posts: Vec<Said>,
    /// Whether the message goes on: all of it then belongs into [`WHOLE_MESSAGE_FILE`].
    pub goes_on: bool,
}

/// An answer that a message offers, as a button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What stands on it.
    pub label: String,
    /// Its `action_id`.
    pub action_id: String,
    /// What comes back when it is pressed.
    pub value: String,
}

/// What Devin said.
pub fn relay(markdown: &str) -> Relay {
    match text::posts(markdown) {
        Posts::Whole(posts) => Relay { posts: posts.into_iter().map(said).collect(), goes_on: false },
        Posts::Begun(first) => {
            let note = sentence(&RelayNote::GoesOn { chars: markdown.chars().count() });
            let Post { text, mut blocks } = first;
            blocks.push(context(&note));
            Relay { posts: vec![said(Post { text: format!("{text}\n\n{note}"), blocks })], goes_on: true }
        }
    }
}

/// What somebody wrote in Devin's web app.
pub fn from_web(markdown: &str) -> Relay {
    let mut relay = relay(markdown);
    let note = sentence(&RelayNote::FromWeb);
    if let Some(first) = relay.posts.first_mut() {
        first.text = format!("{note}\n{}", first.text);
        if let Some(Value::Array(blocks)) = &mut first.blocks {
            blocks.insert(0, context(&note));
        }
    }
    relay
}

/// A post with the answers that it offers. Without them where they would make it too long: what people write is an
/// answer as well.
pub fn with_answers(said: Said, answers: &[Answer]) -> Said {
    let Said { text, blocks: Some(Value::Array(mut blocks)) } = said else { return said };
    let before = blocks.len();
    if !answers.is_empty() {
        let button = |answer: &Answer| {
            let label: String = answer.label.chars().take(MAX_LABEL_CHARS).collect();
            json!({ "type": "button", "action_id": answer.action_id, "value": answer.value,
                "text": { "type": "plain_text", "text": label, "emoji": false } })
        };
        blocks.push(json!({ "type": "actions", "elements": answers.iter().map(button).collect::<Vec<_>>() }));
        blocks.push(context(&sentence(&RelayNote::Choose)));
    }
    let chars: usize = blocks.iter().map(|block| block.to_string().chars().count()).sum();
    if chars > MAX_JSON_CHARS {
        blocks.truncate(before);
    }
    Said { text, blocks: Some(Value::Array(blocks)) }
}

/// A sentence of ours about what is relayed.
pub fn relay_note(note: RelayNote) -> Said {
    let web = |url: String| if is_web(&url) { url } else { String::new() };
    let note = match note {
        RelayNote::FileMissing { name, why, url } => RelayNote::FileMissing { name, why, url: web(url) },
        RelayNote::WholeMissing { url } => RelayNote::WholeMissing { url: web(url) },
        RelayNote::GoesOn { .. } | RelayNote::FromWeb | RelayNote::Choose => note,
    };
    Said::text(sentence(&note))
}

/// What stands above a file of Devin's, as text in which nothing is a mark.
pub fn file_caption(name: &str) -> String {
    format!("From Devin: {name}")
}

fn said(Post { text, blocks }: Post) -> Said {
    Said { text, blocks: Some(blocks.into()) }
}

fn sentence(note: &RelayNote) -> String {
    say(&Sentence { note })
}

fn context(text: &str) -> Value {
    json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": text, "verbatim": true }] })
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn url() -> String {
        "https://app.devin.ai/sessions/0f3a".to_owned()
    }

    #[test]
    fn what_is_said_about_files() {
        let missing =
            |name: &str, why| relay_note(RelayNote::FileMissing { name: name.to_owned(), why, url: url() }).text;
        let said = [
            missing("core.dump", NotHere::TooLarge { limit_mib: 20 }),
            missing("empty.txt", NotHere::Empty),
            missing("a<b>.log", NotHere::NotFetched),
            missing("", NotHere::NotDevins),
            missing("tool.exe", NotHere::NotTaken),
            relay_note(RelayNote::WholeMissing { url: "javascript:x".to_owned() }).text,
        ];
        assert_snapshot!(said.join("\n"), @r"
        :paperclip: Devin's file `core.dump` did not get here: it is larger than 20 MiB. <https://app.devin.ai/sessions/0f3a|Look for it in the session>.
        :paperclip: Devin's file `empty.txt` did not get here: it is empty. <https://app.devin.ai/sessions/0f3a|Look for it in the session>.
        :paperclip: Devin's file `a&lt;b&gt;.log` did not get here: I could not fetch it from Devin. <https://app.devin.ai/sessions/0f3a|Look for it in the session>.
        :paperclip: A file of Devin's did not get here: what the message names is no file of Devin's. <https://app.devin.ai/sessions/0f3a|Look for it in the session>.
        :paperclip: Devin's file `tool.exe` did not get here: Slack did not take it. <https://app.devin.ai/sessions/0f3a|Look for it in the session>.
        :warning: Slack did not take the file with the whole message. Read the rest in the session.
        ");
    }

    #[test]
    fn answers_are_buttons_where_there_is_room() {
        let answer = |n: usize, value: &str| Answer {
            label: format!("{n}. {}", "x".repeat(80)),
            action_id: format!("choose_{n}"),
            value: value.to_owned(),
        };
        let offered = with_answers(relay("Which?").posts.remove(0), &[answer(1, "a"), answer(2, "b")]);
        let blocks = offered.blocks.unwrap();
        assert_eq!(blocks[1]["elements"][1]["text"]["text"].as_str().unwrap().chars().count(), MAX_LABEL_CHARS);
        assert_eq!(blocks[2]["type"], "context");
        let full = with_answers(relay("Which?").posts.remove(0), &[answer(1, &"v".repeat(10_000))]);
        assert_eq!(full, relay("Which?").posts.remove(0));
    }

    #[test]
    fn a_long_message_says_that_it_goes_on() {
        let long = relay(&"word ".repeat(4_000));
        assert!(long.goes_on && long.posts.len() == 1);
        assert!(long.posts[0].text.ends_with("(20000 characters). All of it is in the file below."));
        let web = from_web("use **main**");
        assert_eq!(
            web.posts[0].text,
            ":globe_with_meridians: In Devin's web app somebody wrote (Devin does not say who):\nuse main"
        );
    }
}
