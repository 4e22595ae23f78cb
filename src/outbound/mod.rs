//! Everything that leaves: one client factory, one traced send, time-outs, and the one question that matters after a
//! failure: did it happen?
//!
//! Nothing here tries again: whether a second attempt is safe is known only to the step that made the first.

mod download;
mod send;
pub mod tally;
mod upgrade;

use std::time::Duration;

pub use download::{Download, DownloadError, DownloadRequest, Hosts, Incoming, Redirects};
pub use send::{Answer, Call, Outbound, OutboundError, OutboundOptions, SendError};

/// Whether a call that failed may have taken effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// It certainly had no effect: refused before a byte went out, or answered with a definite refusal. Trying again
    /// is safe.
    NotDone,
    /// It may have had an effect: a time-out, a reset, a 5xx, an answer that cannot be read. Look before trying again.
    Unknown,
}

/// What a failed call means for whoever wants to try again.
pub trait Failure: std::error::Error + Send + Sync {
    /// Whether the call may have taken effect.
    fn certainty(&self) -> Certainty;

    /// How long the other side asked us to wait.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}
