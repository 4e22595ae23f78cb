//! The ways in which a handler ends before its end, said at the call.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    outbound::Failure,
    slack::SlackError,
    steps::StepError,
    store::{Commit, StoreError},
};

/// Why a handler stops.
#[derive(Debug)]
pub(super) enum Halt {
    /// Something passing: again, after a while that grows, or after what the other side asked for.
    Retry {
        /// For the log.
        why: String,
        /// What the other side asked for.
        after: Option<Duration>,
    },
    /// Not before a certain time.
    Later {
        /// When.
        at: Timestamp,
        /// For the log.
        why: String,
    },
    /// The place it posts into is ahead of its pace: not before a certain time, and no attempt was made.
    Paced {
        /// When.
        at: Timestamp,
    },
    /// It broke down: again after a while, but not often.
    Broke {
        /// For the log.
        why: String,
    },
    /// This process stops: somebody else goes on at once.
    GiveBack,
    /// Not at all. Whoever waits has been told, as far as that is possible; the input is set aside for an operator.
    Stop {
        /// For the log and the dead letter.
        why: String,
    },
    /// The same, with what is left behind.
    Bury {
        /// For the log and the dead letter.
        why: String,
        /// The state of the mailbox and when it wakes.
        commit: Box<Commit>,
    },
    /// The store failed, or the lease is lost: nothing can be written down.
    Store(StoreError),
}

impl Halt {
    pub(super) fn stop(why: impl Into<String>) -> Self {
        Self::Stop { why: why.into() }
    }

    /// What cannot be read today cannot be read tomorrow: it is set aside, not tried for ever.
    pub(super) fn unreadable(error: StoreError) -> Self {
        match error {
            StoreError::Corrupt(why) => Self::stop(why),
            StoreError::Unavailable(_) | StoreError::LeaseLost => Self::Store(error),
        }
    }

    /// Again later, whatever it was.
    pub(super) fn retry(error: &dyn Failure) -> Self {
        Self::Retry { why: error.to_string(), after: error.retry_after() }
    }
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<SlackError> for Halt {
    fn from(error: SlackError) -> Self {
        match error {
            // A token that is refused may be put right within the day for which inputs are kept.
            SlackError::RateLimited { .. }
            | SlackError::Unreachable { .. }
            | SlackError::Unsure { .. }
            | SlackError::InstallationGone { .. } => Self::retry(&error),
            SlackError::MissingScope { .. }
            | SlackError::Target { .. }
            | SlackError::Payload { .. }
            | SlackError::Refused { .. } => Self::stop(error.to_string()),
        }
    }
}

impl<E: Failure + Into<Self>> From<StepError<E>> for Halt {
    fn from(error: StepError<E>) -> Self {
        match error {
            StepError::Failed(error) => error.into(),
            StepError::Unsure { until, ref why, ref step } => Self::Later { at: until, why: format!("{step}: {why}") },
            StepError::Store(error) => Self::Store(error),
        }
    }
}
