//! A clock that runs ahead by as much as a test wants, and can be set back as an operator or a time server would do it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use bobbin::clock::Clock;
use jiff::{SignedDuration, Timestamp};

/// A clock that tests move.
#[derive(Debug, Default)]
pub(crate) struct TestClock {
    ahead_ms: AtomicI64,
}

impl TestClock {
    /// A clock that is right at first.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// Moves it.
    pub(crate) fn advance(&self, by: Duration) {
        self.ahead_ms.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// Sets it back.
    pub(crate) fn set_back(&self, by: Duration) {
        self.ahead_ms.fetch_sub(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// Moves it to a time, unless that has passed.
    pub(crate) fn advance_to(&self, at: Timestamp) {
        let ahead = at.duration_since(self.now());
        // A millisecond more, because a store counts in whole ones.
        self.advance(ahead.max(SignedDuration::ZERO).unsigned_abs() + Duration::from_millis(1));
    }
}

/// The clock of a machine that is wrong by some seconds, while the store's time is right.
#[derive(Debug)]
pub(crate) struct Skewed {
    pub(crate) right: Arc<TestClock>,
    pub(crate) ahead: SignedDuration,
}

impl Clock for Skewed {
    fn offset(&self) -> SignedDuration {
        self.right.offset()
    }

    fn now(&self) -> Timestamp {
        self.right.now() + self.ahead
    }
}

impl Clock for TestClock {
    fn offset(&self) -> SignedDuration {
        SignedDuration::from_millis(self.ahead_ms.load(Ordering::SeqCst))
    }
}
