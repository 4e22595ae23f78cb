//! What pressing one of our buttons asks for, and what stands in its value.
//!
//! The value is signed where it is made (`work/button.rs`); here is only its form.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    ids::{SessionId, UserId},
    mailbox::{Mailbox, ThreadKey},
    press,
};

/// The form of values written today.
const FORM: &str = "b1";
/// How long buttons of the card work.
const CARD_FOR: Duration = Duration::from_hours(7 * 24);
/// How long something that was asked about may be confirmed.
const CONFIRM_FOR: Duration = Duration::from_mins(10);
/// How long a question of Devin's may be answered by a button.
const ANSWER_FOR: Duration = Duration::from_hours(24);
/// The ends of what lives for days fall on whole days, so that a card is not written again because of them alone.
const DAY_SECONDS: i64 = 24 * 60 * 60;

/// What pressing a button asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Ask whether to end the session for good.
    AskStop,
    /// Put the session to sleep.
    Sleep,
    /// Wake the session.
    Wake,
    /// Post nothing but the card and calls for attention.
    Mute,
    /// Post everything again.
    Unmute,
    /// Put the session away.
    Archive,
    /// Take the session out again.
    Unarchive,
    /// End the session for good: the answer to [`Act::AskStop`].
    Stop,
    /// Untie the thread from its session: confirmed.
    Detach,
    /// Leave everything as it is, and take the question away.
    Keep,
    /// Say yes to what Devin waits for.
    Approve,
    /// Say no to what Devin waits for, and why.
    Reject,
    /// Say no without a reason.
    RejectPlainly,
    /// Answer Devin's question with one of its choices.
    Choose {
        /// Which, from 1.
        n: u8,
        /// Stands for its words: the message may have been edited since.
        digest: String,
    },
}

impl Act {
    /// The word in the button's `action_id`, and in logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::AskStop => "ask_stop",
            Self::Sleep => "sleep",
            Self::Wake => "wake",
            Self::Mute => "mute",
            Self::Unmute => "unmute",
            Self::Archive => "archive",
            Self::Unarchive => "unarchive",
            Self::Stop => "stop",
            Self::Detach => "detach",
            Self::Keep => "keep",
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::RejectPlainly => "reject_plainly",
            Self::Choose { .. } => "choose",
        }
    }

    /// The `action_id` of its button: unique within one message.
    pub fn action_id(&self) -> String {
        match self {
            Self::Choose { n, .. } => format!("choose_{n}"),
            Self::AskStop
            | Self::Sleep
            | Self::Wake
            | Self::Mute
            | Self::Unmute
            | Self::Archive
            | Self::Unarchive
            | Self::Stop
            | Self::Detach
            | Self::Keep
            | Self::Approve
            | Self::Reject
            | Self::RejectPlainly => self.name().to_owned(),
        }
    }

    /// Until when a button that is shown now works.
    pub fn until(&self, now: Timestamp) -> i64 {
        match self {
            Self::AskStop | Self::Sleep | Self::Wake | Self::Mute | Self::Unmute | Self::Archive | Self::Unarchive => {
                let end = after(now, CARD_FOR);
                end - end.rem_euclid(DAY_SECONDS) + DAY_SECONDS
            }
            Self::Stop | Self::Detach | Self::Keep | Self::RejectPlainly => after(now, CONFIRM_FOR),
            Self::Approve | Self::Reject | Self::Choose { .. } => after(now, ANSWER_FOR),
        }
    }
}

/// The second so much later.
fn after(now: Timestamp, time: Duration) -> i64 {
    now.saturating_add(time).unwrap_or(now).as_second()
}

/// What a value says: its short names keep it short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pressed {
    /// What is asked for.
    #[serde(rename = "a")]
    pub act: Act,
    /// The mailbox of its thread.
    #[serde(rename = "t")]
    pub mailbox: Mailbox,
    /// Of which session.
    #[serde(rename = "s")]
    pub session: SessionId,
    /// What it is about.
    #[serde(rename = "m", default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// The only person who may press it.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub only: Option<UserId>,
    /// Until when, in seconds.
    #[serde(rename = "e")]
    pub until: i64,
}

impl Pressed {
    /// A value's mark and what it is over; `None` when it has another form.
    pub fn parts(value: &str) -> Option<(&str, &str)> {
        let (_, rest) = press::split(value)?;
        rest.strip_prefix(FORM)?.strip_prefix('.')?.split_once('.')
    }

    /// The value of a button of a thread, under a mark.
    pub fn marked(thread: &ThreadKey, mark: &str, body: &str) -> String {
        press::value(&thread.root, &format!("{FORM}.{mark}.{body}"))
    }

    /// The thread that the button was made for.
    pub fn thread(&self) -> Option<&ThreadKey> {
        match &self.mailbox {
            Mailbox::Thread(thread) => Some(thread),
            Mailbox::Person { .. } | Mailbox::Workspace { .. } => None,
        }
    }
}
