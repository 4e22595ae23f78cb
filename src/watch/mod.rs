//! The tick: finds out at Devin which sessions changed, and puts what it saw into the mailboxes of their threads.
//!
//! Devin sends no events, so its list is read: one call a tick finds what changed, however many sessions are linked; a
//! slower sweep by id catches what that missed. Replicas share the right to look, so that together they call as often
//! as one would. What is seen is a hint to the mailbox's one writer, which compares it with what was told: a look that
//! is lost or doubled costs a delay, never a wrong post.

mod feed;
mod memory;
mod news;
mod pace;
mod sweep;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::sync::Mutex;

use self::memory::Memory;
use crate::{
    clock::{Clock, later},
    devin::{Devin, DevinError},
    outbound::Failure as _,
    store::{Activity, Bell, SharedStore, StoreError},
};

/// The single right that replicas share.
const RIGHT: &str = "watch";

/// What the watch needs.
#[derive(Debug)]
pub struct WatchDeps {
    /// Mailboxes, the right to look, and the tracked sessions.
    pub store: SharedStore,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where it looks.
    pub devin: Devin,
    /// Rung when something was put into a mailbox.
    pub bell: Bell,
}

/// What one step of the watch came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked {
    /// Another replica has the right to look.
    NotOurs,
    /// It is not time yet.
    NotDue,
    /// It looked and put this many sightings into mailboxes.
    Saw(usize),
    /// Devin did not answer.
    Failed,
}

/// Looks at Devin.
#[derive(Debug)]
pub struct Watch {
    deps: WatchDeps,
    interval: Duration,
    /// Names this process among the replicas.
    holder: String,
    memory: Mutex<Memory>,
}

/// Why a look ended early.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Devin(#[from] DevinError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Watch {
    /// A watch whose fastest tick is `interval`; `holder` names this process among the replicas.
    pub fn new(deps: WatchDeps, interval: Duration, holder: String) -> Self {
        Self { deps, interval, holder, memory: Mutex::new(Memory::default()) }
    }

    /// Makes the next step look, whatever the pace: something was sent to Devin. While looking fails, the wait that the
    /// failures (or Devin itself) ask for stands.
    pub async fn hurry(&self) {
        let mut memory = self.memory.lock().await;
        if memory.failing.is_none() {
            memory.next_look = None;
        }
    }

    /// Looks once, if it is time and this replica has the right to.
    pub async fn step(&self) -> Result<Looked, StoreError> {
        let mut memory = self.memory.lock().await;
        if !self.deps.store.hold(RIGHT, &self.holder, pace::right_for(self.interval)).await? {
            memory.lose_right();
            return Ok(Looked::NotOurs);
        }
        let now = self.deps.clock.now();
        let counts = self.deps.store.tracked_counts().await?;
        let tick = pace::tick(&counts, self.interval);
        if !memory.is_due(now, tick) {
            return Ok(Looked::NotDue);
        }
        memory.last_look = Some(now);
        match self.look(&mut memory, now).await {
            Ok(saw) => {
                memory.next_look = Some(later(now, tick));
                Ok(Looked::Saw(saw))
            }
            Err(LookError::Store(error)) => Err(error),
            Err(LookError::Devin(error)) => {
                self.failed(&mut memory, now, &error).await?;
                Ok(Looked::Failed)
            }
        }
    }

    async fn look(&self, memory: &mut Memory, now: Timestamp) -> Result<usize, LookError> {
        let mut saw = feed::read(&self.deps, memory, now).await?;
        let recovered = memory.failing.is_some();
        let working = self.deps.store.tracked_counts().await?.get(&Activity::Working).copied().unwrap_or(0);
        if recovered || memory.sweep_is_due(now, working) {
            saw += sweep::run(&self.deps, memory, now, recovered).await?;
            memory.last_sweep = Some(now);
        }
        // Only now: a sweep that fails every time is a failure that lasts, although the list answers.
        memory.failing = None;
        metrics::gauge!("bobbin_watch_lag_seconds").set(0.0);
        Ok(saw)
    }

    /// Devin did not answer: wait longer each time, and once it has lasted, let the cards say so.
    async fn failed(&self, memory: &mut Memory, now: Timestamp, error: &DevinError) -> Result<(), StoreError> {
        let failing = memory.fail(now);
        let wait = pace::after_failure(failing.times, self.interval).max(error.retry_after().unwrap_or_default());
        memory.next_look = Some(later(now, wait));
        tracing::warn!(%error, times = failing.times, wait_s = wait.as_secs(), "looking at Devin failed");
        let lasted = now.duration_since(failing.since);
        metrics::gauge!("bobbin_watch_lag_seconds").set(lasted.as_secs_f64());
        if !failing.told && lasted >= news::STALE_AFTER {
            news::stopped(&self.deps, failing.since).await?;
            memory.mark_told();
        }
        Ok(())
    }
}
