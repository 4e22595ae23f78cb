//! Questions that only the person who asked for something sees, with buttons to answer them.

use askama::Template;
use serde_json::{Value, json};

use super::{Said, say, transition::status};
use crate::domain::{announce::Observation, button::Act};

/// Longest title that a question quotes, in characters.
const MAX_TITLE_CHARS: usize = 150;

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Whether to end a session.
    Stop {
        /// Its title.
        title: String,
        /// Its state in words ready for Slack.
        status: String,
        /// How many pull requests it has.
        pull_requests: usize,
    },
    /// Whether to untie the thread from its session.
    Detach {
        /// The session's page.
        url: String,
    },
    /// Why something is rejected.
    Reason,
}

impl Question {
    /// Whether to end this session: what it is, what is lost and what stays.
    pub fn stop(seen: &Observation) -> Self {
        let title = seen.title.as_deref().unwrap_or("Devin session").split_whitespace().collect::<Vec<_>>().join(" ");
        let title = if title.chars().count() > MAX_TITLE_CHARS {
            title.chars().take(MAX_TITLE_CHARS).chain(['…']).collect()
        } else {
            title
        };
        Self::Stop { title, status: status(&seen.state), pull_requests: seen.pull_requests.len() }
    }
}

/// A button that is offered: what it asks for, and the value that comes back when it is pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// What it asks for.
    pub act: Act,
    /// What comes back.
    pub value: String,
}

#[derive(Template)]
#[template(path = "voice/confirm.mrkdwn", config = ".askama.toml")]
struct Words<'a> {
    question: &'a Question,
}

/// A question with its buttons.
pub fn confirm(question: &Question, offered: &[Offered]) -> Said {
    with_buttons(say(&Words { question }), offered)
}

/// Words with buttons under them.
pub fn with_buttons(text: String, offered: &[Offered]) -> Said {
    let buttons: Vec<Value> = offered.iter().map(button).collect();
    let mut blocks = vec![json!({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}})];
    if !buttons.is_empty() {
        blocks.push(json!({"type": "actions", "elements": buttons}));
    }
    Said { text, blocks: Some(Value::Array(blocks)) }
}

/// A button as Slack takes it.
pub(super) fn button(offered: &Offered) -> Value {
    let mut button = json!({
        "type": "button", "action_id": offered.act.action_id(), "value": offered.value,
        "text": {"type": "plain_text", "text": label(&offered.act)},
    });
    let style = match offered.act {
        Act::Stop | Act::Detach | Act::RejectPlainly => Some("danger"),
        Act::AskStop
        | Act::Sleep
        | Act::Wake
        | Act::Mute
        | Act::Unmute
        | Act::Archive
        | Act::Unarchive
        | Act::Keep
        | Act::Approve
        | Act::Reject
        | Act::Choose { .. } => None,
    };
    if let (Some(style), Value::Object(button)) = (style, &mut button) {
        button.insert("style".to_owned(), json!(style));
    }
    button
}

/// What stands on a button.
fn label(act: &Act) -> &'static str {
    match act {
        Act::AskStop => "Stop…",
        Act::Sleep => "Put to sleep",
        Act::Wake => "Wake",
        Act::Mute => "Mute",
        Act::Unmute => "Unmute",
        Act::Archive => "Archive",
        Act::Unarchive => "Unarchive",
        Act::Stop => "End it for good",
        Act::Detach => "Separate",
        Act::Keep => "Leave it as it is",
        Act::Approve => "Approve",
        Act::Reject => "Reject with reason",
        Act::RejectPlainly => "Reject without a reason",
        Act::Choose { .. } => "Choose",
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::{
        announce::About,
        phase::State,
        status::{Detail, Status},
    };

    fn seen(title: &str, pull_requests: usize) -> Observation {
        let pull_requests = (0..pull_requests).map(|n| (format!("https://github.com/acme/api/pull/{n}"), None));
        Observation {
            title: Some(title.to_owned()),
            pull_requests: pull_requests.collect(),
            session: "0f3a".parse().unwrap(),
            state: State::new(Status::Running, Some(Detail::Working)),
            updated_at: 1,
            seen_at: Timestamp::UNIX_EPOCH,
            url: "https://app.devin.ai/sessions/0f3a".to_owned(),
            acus: 0.0,
            about: About::default(),
        }
    }

    #[test]
    fn a_question_says_what_is_lost_and_what_stays() {
        let words = |question: &Question| confirm(question, &[]).text;
        insta::assert_snapshot!(words(&Question::stop(&seen("Fix the <!here> login", 1))), @"
        :octagonal_sign: *End this session for good?* _Fix the &lt;!here&gt; login_ · :gear: Working
        It cannot be woken afterwards: its machine is gone, and with it everything that Devin has not pushed. Its pull request stays. If it shall only rest, put it to sleep: any message wakes it.
        ");
        assert!(!words(&Question::stop(&seen("x", 0))).contains("pull request"));
        assert!(words(&Question::stop(&seen("x", 2))).contains("Its 2 pull requests stay."));
        assert!(words(&Question::stop(&seen(&"long ".repeat(100), 0))).chars().count() < 600);
        insta::assert_snapshot!(words(&Question::Detach { url: "https://app.devin.ai/s".to_owned() }), @":scissors: *Separate this thread from its session?* The session goes on in <https://app.devin.ai/s|Devin>. Nothing more of it is posted here, replies here are not passed on, and the two cannot be tied again.");
        insta::assert_snapshot!(words(&Question::Reason), @":pencil2: *Why not?* Write your reason as your next message in this thread, within ten minutes: I pass it on as your rejection. Or reject without a reason.");
    }

    #[test]
    fn what_cannot_be_undone_is_red() {
        let offered = [Act::Stop, Act::Keep].map(|act| Offered { act, value: "v".to_owned() });
        let blocks = confirm(&Question::Reason, &offered).blocks.unwrap();
        assert_eq!(blocks[1]["elements"][0]["style"], "danger");
        assert_eq!(blocks[1]["elements"][1].get("style"), None);
    }
}
