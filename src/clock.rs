//! The one place that reads time.
//!
//! Everything else is handed a [`Clock`], so that a test can move time without waiting for it. Moving never means
//! freezing: a moved clock is the machine's clock plus an offset, because the Redis store lives by Redis's own `TIME`
//! and can only be told the offset.

use std::{fmt, sync::Arc, time::Duration};

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

/// A clock that agrees with another's time, such as the store's: replicas whose own clocks differ then do not.
#[derive(Debug)]
pub struct Agreed {
    own: Arc<dyn Clock>,
    ahead: SignedDuration,
}

impl Agreed {
    /// A clock that says `at` now.
    pub fn at(own: Arc<dyn Clock>, at: Timestamp) -> Self {
        let ahead = at.duration_since(own.now());
        Self { own, ahead }
    }
}

impl Clock for Agreed {
    fn offset(&self) -> SignedDuration {
        self.own.offset().saturating_add(self.ahead)
    }

    fn now(&self) -> Timestamp {
        self.own.now().saturating_add(self.ahead).unwrap_or(Timestamp::MAX)
    }
}

/// A time later by a duration; saturates at the end of time instead of failing.
pub fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}
