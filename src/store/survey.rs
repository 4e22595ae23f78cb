//! What an operator looks at: links in pages, one mailbox from inside, dead letters in pages. Nothing here is needed to
//! handle an input, and nothing here takes a mailbox out of anybody's hand.
//!
//! A mailbox is listed by the same commit that writes its state, under words that the rooms above choose (a phase, a
//! person), so that no list can disagree with the states. What older programs wrote is found by
//! [`unlisted`](Survey::unlisted) and listed afterwards.

use std::{collections::BTreeMap, fmt, str::FromStr, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Dead, Door, Input, Result, StoreError, form};
use crate::domain::{ids::InputId, mailbox::Mailbox};

/// Most rows of one page.
pub const PAGE_MAX: usize = 100;
/// Most entries of one story; older ones give way.
pub const STORY_MAX: usize = 200;
/// How long a story is kept after its last entry.
pub const STORY_FOR: Duration = Duration::from_hours(24 * 90);
/// Waiting inputs of one mailbox that are looked at; the others are only counted.
pub const WAITING_MAX: usize = 50;

/// Under which words a mailbox is listed, and where in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The time that orders the lists.
    pub at: Timestamp,
    /// The words, without line breaks and tabs; without any the mailbox is taken out of all lists.
    pub under: Vec<String>,
    /// One more word, in whose list a rank takes the place of the time: the highest comes first.
    pub ranked: Option<(String, i64)>,
}

impl Listing {
    /// The words as they are stored, one a line, the ranked one with its rank behind a tab.
    pub(super) fn words(&self) -> String {
        let ranked = self.ranked.as_ref().map(|(word, rank)| format!("{word}\t{rank}"));
        self.under.iter().cloned().chain(ranked).collect::<Vec<_>>().join("\n")
    }
}

/// The stored words of a mailbox that is listed by this time, each with its place in its list.
pub(super) fn places(words: &str, at: i64) -> impl Iterator<Item = (&str, i64)> {
    words.lines().map(move |line| {
        let ranked = line.split_once('\t').and_then(|(word, rank)| Some((word, rank.parse().ok()?)));
        ranked.unwrap_or((line, at))
    })
}

/// Where a page ended: the next begins after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The time of the last row, in microseconds.
    at: i64,
    /// Its name, which orders rows of one time.
    name: String,
}

impl Cursor {
    /// After a row of this time and name.
    pub fn new(at: Timestamp, name: impl fmt::Display) -> Self {
        Self { at: at.as_microsecond(), name: name.to_string() }
    }

    pub(super) fn at(&self) -> i64 {
        self.at
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at, self.name)
    }
}

impl FromStr for Cursor {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self> {
        let parts = text.split_once('.').and_then(|(at, name)| Some((at.parse().ok()?, name)));
        let (at, name) = parts.ok_or_else(|| StoreError::Corrupt("a page's mark is not in its form".to_owned()))?;
        Ok(Self { at, name: name.to_owned() })
    }
}

/// A listed mailbox with its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The time under which it is listed; its rank, in microseconds, where the list goes by that.
    pub at: Timestamp,
    /// The mailbox.
    pub mailbox: Mailbox,
    /// Its state.
    pub state: Option<String>,
}

impl Listed {
    /// Where a page ends that has this as its last row.
    pub fn cursor(&self) -> Cursor {
        Cursor::new(self.at, &self.mailbox)
    }
}

/// An input that waits, without what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingInput {
    /// Its id.
    pub id: InputId,
    /// When it was received.
    pub at: Timestamp,
    /// Through which door.
    pub door: Door,
    /// How long its body is.
    pub bytes: usize,
}

/// What is being done with a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InHand {
    /// Whether it woke by itself; otherwise its oldest input is in hand.
    pub woke: bool,
    /// How often that was taken.
    pub attempt: u32,
    /// How many turns in a row nobody ended.
    pub cut_off: u32,
    /// Whether somebody has it now; otherwise it was deferred.
    pub held: bool,
}

/// One mailbox from inside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inside {
    /// Its state.
    pub state: Option<String>,
    /// Its waiting inputs, oldest first, at most [`WAITING_MAX`].
    pub waiting: Vec<WaitingInput>,
    /// How many there are.
    pub waits: u64,
    /// When it is ready, or when the lease of whoever has it ends.
    pub ready: Option<Timestamp>,
    /// What is in hand.
    pub in_hand: Option<InHand>,
    /// The journal of that.
    pub journal: BTreeMap<String, String>,
    /// Its story, oldest entry first.
    pub story: Vec<String>,
}

/// Mailboxes that are not listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unlisted {
    /// Each with its state.
    pub found: Vec<(Mailbox, String)>,
    /// Where to go on; `None` at the end.
    pub next: Option<String>,
}

/// Looks into the store.
#[async_trait]
pub trait Survey {
    /// Mailboxes listed under a word, newest first, after the cursor; at most `limit`, which is at most [`PAGE_MAX`].
    async fn listed(&self, under: &str, after: Option<&Cursor>, limit: usize) -> Result<Vec<Listed>>;

    /// How many mailboxes are listed under each of the words.
    async fn listed_counts(&self, under: &[&str]) -> Result<Vec<u64>>;

    /// A mailbox from inside.
    async fn inside(&self, mailbox: &Mailbox) -> Result<Inside>;

    /// Some mailboxes that have a state and are not listed, from where an earlier call ended.
    async fn unlisted(&self, from: Option<&str>) -> Result<Unlisted>;

    /// Lists a mailbox that is not listed, if its state still is the given one; whether that was done.
    async fn enlist(&self, mailbox: &Mailbox, state: &str, listing: &Listing) -> Result<bool>;

    /// Dead letters, newest first, after the cursor; at most `limit`, which is at most [`PAGE_MAX`].
    async fn letters(&self, after: Option<&Cursor>, limit: usize) -> Result<Vec<Dead>>;

    /// One dead letter.
    async fn letter(&self, id: &InputId) -> Result<Option<Dead>>;
}

/// What may be shown of a stored input that waits; nothing of one that cannot be read.
pub(super) fn waiting(stored: &[u8]) -> Option<WaitingInput> {
    let Input { id, at, door, body, .. } = form::waiting(stored).ok().flatten()?;
    Some(WaitingInput { id, at, door, bytes: body.bytes().len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_has_its_place() {
        let at = Timestamp::from_microsecond(7).unwrap();
        let plain = Listing { at, under: vec!["all".to_owned(), "odd".to_owned()], ranked: None };
        assert_eq!(places(&plain.words(), 7).collect::<Vec<_>>(), [("all", 7), ("odd", 7)]);
        let ranked = Listing { ranked: Some(("waiting".to_owned(), -3)), ..plain };
        assert_eq!(places(&ranked.words(), 7).collect::<Vec<_>>(), [("all", 7), ("odd", 7), ("waiting", -3)]);
        assert_eq!(places("", 7).count(), 0);
    }

    #[test]
    fn a_cursor_prints_and_reads_back() {
        let cursor = Cursor::new(Timestamp::from_microsecond(1_795_640_420_000_001).unwrap(), "thread:T1/C1/1.5");
        assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
        assert!("thread:T1".parse::<Cursor>().is_err());
    }
}
