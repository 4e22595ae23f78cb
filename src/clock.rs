//! The one place that reads time.
//!
//! Everything else is handed a [`Clock`], so that a test can move time without waiting for it. Moving never means
//! freezing: a moved clock is the machine's clock plus an offset, because the Redis store lives by Redis's own `TIME`
//! and can only be told the offset.

use std::{fmt, time::Duration};

use jiff::{SignedDuration, Timestamp};

/// Where the time comes from.
pub trait Clock: Send + Sync + fmt::Debug {
    /// How far ahead of the machine's clock this one runs; zero outside tests.
    fn offset(&self) -> SignedDuration;

    /// The time now.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now() + self.offset()
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn offset(&self) -> SignedDuration {
        SignedDuration::ZERO
    }
}

/// A time later by a duration; saturates at the end of time instead of failing.
pub fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}
