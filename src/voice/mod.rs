//! Every sentence the bot says to people, as templates that are checked when the program is built.
//!
//! Tone: plain words, short, active. Say what happened, then what the reader can do. "I" is Bobbin; Devin is named.
//! Nobody is blamed, nothing is promised that we do not do ourselves. Never a stack, a path, a key or an id that
//! only we understand, except the reference of an input that somebody has to look at. A mention calls somebody: only the
//! two states that wait for a person use one. Text from outside is always escaped: templates ending in `.mrkdwn` do it by themselves.
//!
//! To add a sentence: add a variant to [`Notice`], its words to `templates/voice/notice.mrkdwn`, and a sample below;
//! the build fails until the words exist, and the snapshot test shows how it reads.

mod card;
mod command;
mod confirm;
mod home;
mod inbound;
mod modal;
mod notice;
pub mod options;
mod orders;
mod output;
mod relay;
mod sessions;
mod transition;

use std::fmt;

use askama::Template;

use crate::slack::text;

pub use self::{
    card::{CardView, card, first_line},
    command::{Again, Aside, SUGGESTED_PROMPTS, aside, handed_over, opening},
    confirm::{Offered, Question, confirm, with_buttons},
    home::{Home, home, home_banner},
    inbound::{Inbound, correction, each_inbound, inbound},
    modal::{
        Choice, MORE_OPTIONS, NOTE_BLOCK, NewSession, SEND_TO_SESSION, SESSION_BLOCK, chosen_in, loading, new_session,
        notice_view, send_to_session,
    },
    notice::{Notice, Skipped, SkippedFile, answering, notice, refusal},
    orders::{StatusView, Told, help, second, session_status, state_words, told},
    output::{OUTPUT_CAPTION, OUTPUT_FILE, output},
    relay::{
        Answer, NotHere, Relay, RelayNote, WHOLE_MESSAGE_CAPTION, WHOLE_MESSAGE_FILE, file_caption, from_web, relay,
        relay_note, with_answers,
    },
    sessions::{Group, Identity, Mine, RunsAs, organisation, runs_as, sessions},
    transition::{TransitionView, approval, approval_over, transition},
};

/// A message as it goes to Slack: the text that notifications show, and blocks where there are any.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// mrkdwn; with blocks, what notifications and screen readers get.
    pub text: String,
    /// Block Kit blocks.
    pub blocks: Option<serde_json::Value>,
}

impl Said {
    fn text(text: String) -> Self {
        Self { text, blocks: None }
    }
}

/// An answer with one more line below it.
pub fn with_line(said: Said, line: &Said) -> Said {
    let text = format!("{}\n\n{}", said.text, line.text);
    let blocks = said.blocks.map(|mut blocks| {
        if let Some(blocks) = blocks.as_array_mut() {
            blocks.push(serde_json::json!({
                "type": "context", "elements": [{ "type": "mrkdwn", "text": line.text, "verbatim": true }],
            }));
        }
        blocks
    });
    Said { text, blocks }
}

/// Escapes what templates put into Slack text: `&`, `<` and `>`, each once, and nothing else.
///
/// <https://docs.slack.dev/messaging/formatting-message-text#escaping>
#[derive(Debug, Clone, Copy, Default)]
pub struct Mrkdwn;

impl askama::filters::Escaper for Mrkdwn {
    fn write_escaped_str<W: fmt::Write>(&self, mut fmt: W, string: &str) -> fmt::Result {
        fmt.write_str(&text::escape(string))
    }
}

/// The text of a template, without the line breaks around it.
fn say(template: &impl Template) -> String {
    #[expect(clippy::expect_used, reason = "our templates format plain values into a string: nothing there can fail")]
    let text = template.render().expect("a template over plain values");
    text.trim().to_owned()
}

#[cfg(test)]
mod tests;
