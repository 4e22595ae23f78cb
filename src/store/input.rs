//! One input as it waits in a mailbox.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Body;
use crate::domain::ids::InputId;

/// The door an input came through; tells `work` how to read its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// Slack's Events API.
    Events,
    /// A slash command.
    Commands,
    /// A button, a shortcut, a modal.
    Interactions,
    /// What our own watch saw at Devin.
    Watch,
    /// What the handler of another mailbox asks for.
    Errand,
}

impl Door {
    /// The word used in logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Commands => "commands",
            Self::Interactions => "interactions",
            Self::Watch => "watch",
            Self::Errand => "errand",
        }
    }
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One input as it is stored, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// Version of this form.
    pub v: u8,
    /// Unique; part of every mark that handling this input leaves outside.
    pub id: InputId,
    /// When it was received.
    pub at: Timestamp,
    /// How to read the body.
    pub door: Door,
    /// The body, byte for byte.
    pub body: Body,
}

impl Input {
    /// The version written today.
    pub const VERSION: u8 = 1;

    /// A new input, with an id that sorts by time.
    pub fn received(at: Timestamp, door: Door, body: Vec<u8>) -> Self {
        let seconds = u64::try_from(at.as_second()).unwrap_or(0);
        let nanos = u32::try_from(at.subsec_nanosecond()).unwrap_or(0);
        let uuid = Uuid::new_v7(uuid::Timestamp::from_unix_time(seconds, nanos, 0, 0));
        Self { v: Self::VERSION, id: uuid.into(), at, door, body: body.into() }
    }
}
