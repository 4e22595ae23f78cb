//! How events, commands and interactions reach the app: signed, in order, and again when the app does not answer.
//!
//! The twin makes no connection itself: the caller sends, so that every outbound byte of the program leaves by one door,
//! and so that a test can deliver by calling a function.

use std::{future::Future, time::Duration};

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;

use super::{server::SlackTwin, state::State, surfaces::Hook};
use crate::{clock::later, slack::signature::sign};

/// Waits before the three retries of an event: nearly at once, after one minute, after five.
const RETRY_WAITS_SECS: [u64; 3] = [0, 60, 300];

/// Which address of the app something is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Door {
    /// `/slack/events`.
    Events,
    /// `/slack/commands`.
    Commands,
    /// `/slack/interactions`.
    Interactions,
}

/// Something that waits to be sent to the app.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Unique within the twin; a duplicate gets its own.
    pub id: u64,
    /// Where it goes.
    pub door: Door,
    /// Type of the event or interaction, or the command's name.
    pub label: String,
    /// The body, exactly as it will be signed.
    pub body: Vec<u8>,
    /// How often it was sent before.
    pub attempt: u8,
    /// Why it is sent again.
    pub reason: Option<&'static str>,
    /// When it is to be sent.
    pub due: Timestamp,
    /// Who reads the app's direct answer; events have nobody.
    pub(super) reader: Option<Reader>,
}

/// Who reads what the app answers directly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reader {
    /// Whoever gave a command sees the words.
    Words(Hook),
    /// A modal that was submitted closes, changes, or shows what is wrong.
    Modal(String),
    /// A select of a view shows the options.
    Options {
        /// Of which view.
        view: String,
        /// Which select.
        action_id: String,
    },
}

/// A request to be sent to the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Path below the app's address.
    pub path: &'static str,
    /// Headers, the signature included.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: Vec<u8>,
}

/// What the app answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answered {
    /// HTTP status.
    pub status: u16,
    /// Whether the answer carried `x-slack-no-retry: 1`.
    pub no_retry: bool,
    /// Body.
    pub body: Vec<u8>,
}

/// Why there was no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// Nothing within three seconds.
    #[error("no answer within three seconds")]
    Timeout,
    /// No connection.
    #[error("no connection")]
    Connection,
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// Which.
    pub id: u64,
    /// Where it went.
    pub door: Door,
    /// Type of the event or interaction, or the command's name.
    pub label: String,
    /// How often it was sent before.
    pub attempt: u8,
    /// The app's answer.
    pub answer: Result<Answered, Undelivered>,
    /// When it will be sent again.
    pub again: Option<Timestamp>,
}

impl Door {
    /// The path below the app's address.
    pub fn path(self) -> &'static str {
        match self {
            Self::Events => "/slack/events",
            Self::Commands => "/slack/commands",
            Self::Interactions => "/slack/interactions",
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Events => "application/json",
            Self::Commands | Self::Interactions => "application/x-www-form-urlencoded",
        }
    }
}

impl SlackTwin {
    /// What waits to be sent, in order. Reorder, drop or double it with [`SlackTwin::change`].
    pub fn pending(&self) -> Vec<Delivery> {
        self.read(|state| state.deliveries.clone())
    }

    /// Forgets a delivery.
    pub fn drop_delivery(&self, id: u64) {
        self.change(|state| state.deliveries.retain(|delivery| delivery.id != id));
    }

    /// Sends a delivery twice, byte for byte the same.
    pub fn duplicate_delivery(&self, id: u64) {
        self.change(|state| {
            let copy = state.deliveries.iter().find(|delivery| delivery.id == id).cloned();
            if let Some(mut copy) = copy {
                copy.id = state.next_id();
                state.deliveries.push(copy);
            }
        });
    }

    /// Takes the first delivery that is due out of the queue.
    pub fn take_due(&self) -> Option<Delivery> {
        let now = self.now();
        self.quietly(|state| {
            let at = state.deliveries.iter().position(|delivery| delivery.due <= now)?;
            Some(state.deliveries.remove(at))
        })
    }

    /// A delivery as a signed request.
    pub fn outgoing(&self, delivery: &Delivery) -> Outgoing {
        let seconds = self.now().as_second();
        let signature =
            self.read(|state| sign(&SecretString::from(state.app.signing_secret.as_str()), seconds, &delivery.body));
        let mut headers = vec![
            ("content-type", delivery.door.content_type().to_owned()),
            ("user-agent", "Slackbot 1.0 (+https://api.slack.com/robots)".to_owned()),
            ("x-slack-request-timestamp", seconds.to_string()),
            ("x-slack-signature", signature),
        ];
        if delivery.attempt > 0 {
            headers.push(("x-slack-retry-num", delivery.attempt.to_string()));
            headers.push(("x-slack-retry-reason", delivery.reason.unwrap_or("unknown_error").to_owned()));
        }
        Outgoing { path: delivery.door.path(), headers, body: delivery.body.clone() }
    }

    /// Notes the app's answer: an event that was not taken is queued again, the words a command answers are shown.
    pub fn settle(&self, delivery: Delivery, answer: Result<Answered, Undelivered>) -> Delivered {
        let now = self.now();
        let failed = match &answer {
            Ok(answer) if (200..300).contains(&answer.status) => None,
            Ok(answer) if answer.no_retry => None,
            Ok(_) => Some("http_error"),
            Err(Undelivered::Timeout) => Some("http_timeout"),
            Err(Undelivered::Connection) => Some("connection_failed"),
        };
        let wait = RETRY_WAITS_SECS.get(usize::from(delivery.attempt)).filter(|_| delivery.door == Door::Events);
        let again = failed.and(wait).map(|seconds| later(now, Duration::from_secs(*seconds)));
        let Delivery { id, door, attempt, .. } = delivery;
        let label = delivery.label.clone();
        self.change(|state| {
            state.read_answer(now, delivery.reader.as_ref(), answer.as_ref().ok());
            if let Some(due) = again {
                state.deliveries.push(Delivery { attempt: attempt + 1, reason: failed, due, ..delivery });
            }
        });
        Delivered { id, door, label, attempt, answer, again }
    }

    /// Sends the first delivery that is due; `None` when nothing is due.
    ///
    /// `send` posts to the app and gives up after three seconds.
    pub async fn deliver_next<S, F>(&self, send: S) -> Option<Delivered>
    where
        S: FnOnce(Outgoing) -> F + Send,
        F: Future<Output = Result<Answered, Undelivered>> + Send,
    {
        let delivery = self.take_due()?;
        let answer = send(self.outgoing(&delivery)).await;
        Some(self.settle(delivery, answer))
    }
}

impl State {
    /// Shows the app's direct answer to whoever reads it; `None`: there was none.
    fn read_answer(&mut self, now: Timestamp, reader: Option<&Reader>, answer: Option<&Answered>) {
        match (reader, answer) {
            (Some(Reader::Words(hook)), Some(answer)) => self.show_answer(now, hook, answer),
            (Some(Reader::Modal(view)), answer) => self.settle_modal(now, view, answer),
            (Some(Reader::Options { view, action_id }), Some(answer)) => self.offer(view, action_id, answer),
            (Some(Reader::Words(_) | Reader::Options { .. }), None) | (None, _) => {}
        }
    }

    /// Shows what a command was answered with directly.
    fn show_answer(&mut self, now: Timestamp, hook: &Hook, answer: &Answered) {
        if answer.status != 200 || answer.body.is_empty() {
            return;
        }
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let given = serde_json::from_str::<Value>(&text).ok().filter(Value::is_object);
        let given = given.unwrap_or_else(|| serde_json::json!({ "text": text }));
        // A malformed answer shows nothing, as in the real client.
        self.answer(now, hook, &given).unwrap_or_default();
    }
}
