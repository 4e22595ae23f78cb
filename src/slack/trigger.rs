//! Triggers: the right to open one modal, once, within three seconds.
//!
//! An input that waits its turn in a mailbox may well wait longer than that. So a copy of what opens something goes
//! beside the mailboxes, to whoever opens a modal at once; the input itself fills it when its turn has come.

use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::domain::ids::{InputId, TeamId};

/// Triggers that wait to be used: more than can be used within the time they live.
pub const QUEUE: usize = 256;

/// What a trigger opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// The modal that starts a session.
    NewSession,
    /// The modal that sends a message into a session.
    SendToSession,
}

/// A trigger, and the input that it came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// Slack's word for it.
    pub id: String,
    /// In which workspace.
    pub team: TeamId,
    /// The input that fills what is opened; its id is the name that the modal is opened with.
    pub input: InputId,
    /// What it opens.
    pub opens: Surface,
    /// When it came.
    pub at: Timestamp,
}

/// Where triggers are put.
pub type Triggers = mpsc::Sender<Trigger>;

/// Where they come out.
pub type TriggersOut = mpsc::Receiver<Trigger>;

/// The queue between the doors and whoever opens modals.
pub fn queue() -> (Triggers, TriggersOut) {
    mpsc::channel(QUEUE)
}
