//! The contract of the store: mailboxes, leases and journals, each operation atomic and one round trip.
//!
//! Two implementations keep it, and one suite (`tests/it/store`) proves it for both: [`redis`] for replicas and
//! [`embedded`] for one process on one machine. State, inputs and journal records are JSON that the rooms above own;
//! here they are text. Time inside the store is the store's own: Redis's `TIME`, or the clock of the only process.
//!
//! Mailboxes with the same [`place`](crate::domain::mailbox::Mailbox::place) are kept together (in Redis: under one
//! hash tag), because duplicates of one input can only arrive there.

mod body;
pub mod embedded;
mod form;
mod founding;
mod input;
pub mod notes;
pub mod redis;
mod register;
pub mod seal;
mod survey;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::{
    body::Body,
    founding::{Adoption, Founding},
    input::{Door, Input},
    register::{Change, Registers, Row},
    survey::{
        Cursor, InHand, Inside, Listed, Listing, PAGE_MAX, STORY_FOR, STORY_MAX, Survey, Unlisted, WAITING_MAX,
        WaitingInput,
    },
};
use crate::domain::{
    ids::{InputId, SessionId},
    mailbox::Mailbox,
};

/// How long an input's de-duplication ids are remembered.
pub const SEEN_FOR: Duration = Duration::from_hours(24);

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Not reachable, too slow, or refusing writes. Whether a write happened is unknown.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// The lease was taken over by another worker: nothing was written.
    #[error("the lease is no longer ours")]
    LeaseLost,
    /// What is stored cannot be read.
    #[error("stored data cannot be read: {0}")]
    Corrupt(String),
}

/// The result of a store operation.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Which mailboxes an offered input may enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Admit {
    /// Any; the mailbox is made if need be.
    Always,
    /// Only one that has state or waiting inputs: a reply in a thread that we know.
    IfKnown,
}

/// An input offered to the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Where it shall wait.
    pub mailbox: Mailbox,
    /// The input.
    pub input: Input,
    /// De-duplication ids; one that was seen within [`SEEN_FOR`] makes the offer a duplicate.
    pub seen: Vec<String>,
    /// Which mailboxes it may enter.
    pub admit: Admit,
}

/// What became of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// Stored; it will be handled.
    Stored,
    /// One of its ids was seen before; nothing was written.
    Duplicate,
    /// Its mailbox is not known and it asked for a known one; nothing was written, no id was used up.
    Unknown,
}

/// The right to handle one mailbox until it runs out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The mailbox.
    pub mailbox: Mailbox,
    /// Fences off whoever held it before.
    pub token: String,
}

/// A mailbox taken for handling.
#[derive(Debug, Clone)]
pub struct Leased {
    /// The lease.
    pub lease: Lease,
    /// When it was taken, by the store's own time. Handlers live by that, so that replicas whose clocks differ agree.
    pub at: Timestamp,
    /// The mailbox's state, as the last commit left it.
    pub state: Option<String>,
    /// The oldest waiting input; `None` when the mailbox woke by itself.
    pub input: Option<Input>,
    /// The journal of that input: step name to record.
    pub journal: BTreeMap<String, String>,
    /// How often this input (or wake) was taken, this time included: 1 at first.
    pub attempt: u32,
    /// How many turns before this one, in a row, nobody ended: their process died or their lease ran out.
    pub cut_off: u32,
    /// Whether the journal may lack what was written last, because the store's server was started anew.
    pub forgetful: bool,
}

/// What asking for a lease gave.
#[derive(Debug, Clone)]
pub enum Turn {
    /// A mailbox to handle.
    Taken(Box<Leased>),
    /// Nothing is ready; `next` is when the next known mailbox will be.
    Idle {
        /// When the next known mailbox becomes ready.
        next: Option<Timestamp>,
    },
    /// Nothing is handed out: the store is new, or was emptied ([`Founding`]).
    Unfounded,
}

/// How a turn ended that gave its mailbox back unfinished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfinished {
    /// It was tried.
    Tried,
    /// It only had to wait for its place's pace: that counts as no attempt.
    Paced,
    /// It broke down; counted like a turn that nobody ended, see [`Leased::cut_off`].
    Broke,
}

impl Unfinished {
    /// The word used in scripts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tried => "tried",
            Self::Paced => "paced",
            Self::Broke => "broke",
        }
    }
}

/// How posts into one place are spaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// One post in so much time on average.
    pub every: Duration,
    /// How far a burst may go beyond the average.
    pub ahead: Duration,
}

/// How far ahead of its pace a place may be and still get a turn: while it is further, its mailboxes wait, and other
/// places have the workers to themselves.
pub const TURN_AHEAD: Duration = Duration::from_secs(2);

/// How closely a session has to be watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// It works: fast.
    Working,
    /// It waits for a person: slowly.
    Waiting,
    /// It sleeps: very slowly.
    Asleep,
    /// It is over: not at all.
    Over,
}

impl Activity {
    /// The activities that are watched.
    pub const WATCHED: [Self; 3] = [Self::Working, Self::Waiting, Self::Asleep];

    /// The word used in keys and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Waiting => "waiting",
            Self::Asleep => "asleep",
            Self::Over => "over",
        }
    }
}

/// Tells the watch about a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    /// The session.
    pub session: SessionId,
    /// How closely to watch it.
    pub activity: Activity,
}

/// What a handled input leaves behind.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// The mailbox's new state; `None` leaves the old one.
    pub state: Option<String>,
    /// When the mailbox shall wake by itself; `None` not at all. Replaces an earlier wake.
    pub wake: Option<Timestamp>,
    /// Change of how a session is watched.
    pub track: Option<Track>,
    /// Under which words the mailbox is listed from now on; `None` leaves it where it is.
    pub listing: Option<Listing>,
    /// What is added to the mailbox's story: each is one line.
    pub notes: Vec<String>,
}

/// A session under watch and the mailbox its changes go to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tracked {
    /// The session.
    pub session: SessionId,
    /// The mailbox of its thread.
    pub mailbox: Mailbox,
}

/// An input set aside, with its bytes: visible and replayable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dead {
    /// Version of this form.
    pub v: u8,
    /// The mailbox it was taken from; `None` when its body could not be read at the door.
    pub mailbox: Option<Mailbox>,
    /// The input; its id names the dead letter.
    pub input: Input,
    /// When it was set aside.
    pub at: Timestamp,
    /// Why.
    pub why: String,
    /// How often it was tried.
    pub attempts: u32,
}

/// What "stored" survives, in the classes that operators can choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Durability {
    /// One line for the start-up log: the class and what it survives.
    pub class: String,
    /// What is wrong with the settings, each naming the setting and the remedy.
    pub warnings: Vec<String>,
    /// What a server tells about itself; `None` for a file.
    pub server: Option<ServerFacts>,
}

/// What a store's server tells about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFacts {
    /// Its version.
    pub version: String,
    /// Memory that its data takes, in bytes.
    pub used_bytes: u64,
    /// Memory that it may take; zero: as much as there is.
    pub most_bytes: u64,
    /// Its time when it answered, where it tells.
    pub at: Option<Timestamp>,
}

/// The store. Every operation is atomic; every write under a [`Lease`] fails with [`StoreError::LeaseLost`] once
/// somebody else holds it.
#[async_trait]
pub trait Store: Founding + Survey + Registers + Send + Sync + std::fmt::Debug {
    /// Refuses what was seen, else remembers its ids, appends the input and makes the mailbox ready. When this returns
    /// [`Accepted::Stored`] the input is as durable as the store's class promises.
    async fn accept(&self, offer: &Offer) -> Result<Accepted>;

    /// Takes the mailbox whose turn it is and counts the attempt. Workspaces take turns, within one its places (channels,
    /// persons), within one of those the mailbox that has been ready longest comes first; a place that is further ahead
    /// of its pace than [`TURN_AHEAD`] is passed over. A lease that is neither renewed nor given back within `ttl` makes
    /// its mailbox ready again.
    async fn lease(&self, ttl: Duration) -> Result<Turn>;

    /// Prolongs a lease by `ttl` from now.
    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<()>;

    /// Writes a step's record into the journal, before its side effect.
    async fn begin(&self, lease: &Lease, step: &str, record: &str) -> Result<()>;

    /// Writes a step's record into the journal, after its side effect.
    async fn finish(&self, lease: &Lease, step: &str, record: &str) -> Result<()>;

    /// Drops the input (if one was taken) and its journal, writes the state, gives the lease back. The mailbox is ready
    /// at once when more inputs wait, else at its wake.
    async fn commit(&self, lease: &Lease, commit: &Commit) -> Result<()>;

    /// Gives the lease back, keeping input and journal, to be taken again at `until`.
    async fn defer(&self, lease: &Lease, until: Timestamp, how: Unfinished) -> Result<()>;

    /// Asks to post into the place of a mailbox: `None` when it may be done now (and is counted), else when to ask again.
    async fn pace(&self, mailbox: &Mailbox, pace: Pace) -> Result<Option<Timestamp>>;

    /// Like [`commit`](Store::commit), but the input goes to the dead letters.
    async fn bury(&self, lease: &Lease, why: &str, commit: &Commit) -> Result<()>;

    /// Sets aside an input that never had a mailbox, because its body could not be read.
    async fn set_aside(&self, input: &Input, why: &str) -> Result<()>;

    /// The dead letters, newest first, at most `limit`.
    async fn dead(&self, limit: usize) -> Result<Vec<Dead>>;

    /// Puts a dead letter back at the end of its mailbox; false when there is none of that id, or it has no mailbox.
    async fn replay_dead(&self, id: &InputId) -> Result<bool>;

    /// Forgets a dead letter; false when there is none of that id.
    async fn drop_dead(&self, id: &InputId) -> Result<bool>;

    /// The state of a mailbox, without taking it.
    async fn state(&self, mailbox: &Mailbox) -> Result<Option<String>>;

    /// A remembered value, unless it has expired.
    async fn recall(&self, key: &str) -> Result<Option<String>>;

    /// Remembers a value for a time.
    async fn remember(&self, key: &str, value: &str, ttl: Duration) -> Result<()>;

    /// Forgets a value.
    async fn forget(&self, key: &str) -> Result<()>;

    /// Takes or keeps the single right to do `name`; true when `holder` has it for `ttl` from now.
    async fn hold(&self, name: &str, holder: &str, ttl: Duration) -> Result<bool>;

    /// Sessions of one activity, in a stable order, after the given session; at most `limit`.
    async fn tracked(&self, activity: Activity, after: Option<&SessionId>, limit: usize) -> Result<Vec<Tracked>>;

    /// How many sessions there are of each watched activity.
    async fn tracked_counts(&self) -> Result<BTreeMap<Activity, u64>>;

    /// How many mailboxes are ready or in hand now, and since when the oldest has been ready.
    async fn backlog(&self) -> Result<Backlog>;

    /// Whether the store answers and takes writes.
    async fn check(&self) -> Result<()>;

    /// What "stored" survives with the store's present settings.
    async fn durability(&self) -> Result<Durability>;
}

/// What waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    /// Mailboxes that are ready and not in hand.
    pub ready: u64,
    /// Since when the one that waits longest has been ready.
    pub oldest: Option<Timestamp>,
    /// Mailboxes whose turn did not get done and is tried again.
    pub retried: u64,
    /// Since when the one that is tried longest has been.
    pub retried_since: Option<Timestamp>,
}

/// A shared store.
pub type SharedStore = Arc<dyn Store>;

/// Rung by whoever put an input in, so that a worker of the same process need not wait for its next slow scan.
pub type Bell = Arc<tokio::sync::Notify>;
