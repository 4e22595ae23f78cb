//! The words people type: what of a text is the task, what asks for something else, and what was probably meant.
//!
//! The text is what somebody wrote, with Slack's entities decoded and our mention removed. Within code nothing is a word:
//! that is also the way to write one without meaning it.
//!
//! Nothing is started while there is a [`Problem`]: a session costs money and is seen by everybody, and to say it again
//! is quick. So a value that a word does not take, a word that is near one of ours, and a word of Devin's own app that
//! its API has nothing for are all answered first. A reply in a session's thread is passed on as it was typed, whatever
//! words are in it: only an [`Order`], `!new` and `!aside` mean something there.

mod near;
mod options;
mod read;
mod vocabulary;

pub(in crate::domain) use self::vocabulary::vocabulary;
pub use self::{
    near::nearest,
    options::{Invalid, MAX_TAGS, Options, Schema},
    read::{read, read_knowing},
    vocabulary::{AppWord, Bang, Mode, Order, Word},
};

/// What somebody said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// The task: the text without its options. What is left keeps every character, code untouched.
    pub task: String,
    /// What was asked for besides it.
    pub options: Options,
    /// The order, when the whole text is one.
    pub order: Option<Order>,
    /// Whether it says that it is not for Devin.
    pub aside: bool,
    /// Words behind an exclamation mark that are none of ours, without it; they stay in the task. Perhaps a playbook's
    /// macro: [`read_knowing`] takes those.
    pub bangs: Vec<String>,
    /// What has to be answered before anything starts.
    pub problems: Vec<Problem>,
}

/// Why something is not started as it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// A value that its word does not take.
    Value(Invalid),
    /// A word that is near one of ours.
    Near {
        /// What was written.
        found: String,
        /// What was probably meant.
        meant: String,
    },
    /// A word of Devin's own app that its API has nothing for.
    AppOnly(AppWord),
}
