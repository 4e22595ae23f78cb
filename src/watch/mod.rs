//! The tick: finds out at Devin which sessions changed, and puts what it saw into the mailboxes of their threads.
//!
//! Devin sends no events, so its list is read: one call a tick finds what changed, however many sessions are linked; a
//! slow sweep by id, a few calls a minute, catches what that missed. Replicas share the right to look, so that together
//! they call as often as one would. What is seen is a hint to the mailbox's one writer, which compares it with what was
//! told: a look that is lost or doubled costs a delay, never a wrong post.

mod adopt;
mod feed;
mod memory;
mod news;
mod pace;
mod scope;
mod silence;
mod sweep;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::sync::Mutex;

pub use self::{
    adopt::{Orphan, adopt, doubt},
    feed::OUR_TAG,
    scope::Scope,
};

use self::memory::Memory;
use crate::{
    clock::{Clock, later},
    devin::{Devin, DevinError, Page, Session, SessionQuery},
    outbound::Failure as _,
    store::{Bell, SharedStore, StoreError, notes},
    tenancy::Workspaces,
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
    /// Says which workspaces are ours.
    pub workspaces: Arc<dyn Workspaces>,
    /// Whose threads it looks after.
    pub scope: Scope,
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
    #[error("another replica has the right to look")]
    NotOurs,
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
        if !self.keep_right().await? {
            memory.lose_right();
            // Whoever looks in our place tells how late it is.
            self.lags(0.0);
            return Ok(Looked::NotOurs);
        }
        let now = self.deps.clock.now();
        memory.notice(now);
        self.take_up(&mut memory).await?;
        let looked = self.look_if_due(&mut memory, now).await?;
        silence::go_on(&self.deps, &mut memory).await?;
        Ok(looked)
    }

    /// Gives the right back, so that another replica need not wait until it runs out.
    pub async fn retire(&self) -> Result<(), StoreError> {
        let mut memory = self.memory.lock().await;
        memory.lose_right();
        // Held for no time at all: without effect where another replica has it.
        self.deps.store.hold(&self.deps.scope.named(RIGHT), &self.holder, Duration::ZERO).await.map(drop)
    }

    async fn keep_right(&self) -> Result<bool, StoreError> {
        self.deps.store.hold(&self.deps.scope.named(RIGHT), &self.holder, pace::right_for(self.interval)).await
    }

    /// Reads once what the replica that looked before us left behind.
    async fn take_up(&self, memory: &mut Memory) -> Result<(), StoreError> {
        if memory.sweep.is_none() {
            memory.silence = silence::recall(&self.deps).await?;
            memory.sweep = Some(sweep::recall(&self.deps).await?);
        }
        Ok(())
    }

    async fn look_if_due(&self, memory: &mut Memory, now: Timestamp) -> Result<Looked, StoreError> {
        // Nobody need count sessions when even the fastest tick has not passed.
        if !memory.is_due(now, self.interval) {
            return Ok(Looked::NotDue);
        }
        let counts = self.deps.store.tracked_counts().await?;
        let tick = pace::tick(&counts, self.interval);
        if !memory.is_due(now, tick) {
            return Ok(Looked::NotDue);
        }
        memory.last_look = Some(now);
        let known = notes::findings(&*self.deps.store).await?;
        match self.look(memory, now, pace::sweep_every(&counts, &known)).await {
            Ok(saw) => {
                let tick = if memory.list.is_some() { self.interval } else { tick };
                memory.next_look = Some(later(now, tick));
                Ok(Looked::Saw(saw))
            }
            Err(LookError::Store(error)) => Err(error),
            Err(LookError::NotOurs) => {
                memory.lose_right();
                Ok(Looked::NotOurs)
            }
            Err(LookError::Devin(error)) => {
                self.failed(memory, now, &error).await?;
                Ok(Looked::Failed)
            }
        }
    }

    async fn look(&self, memory: &mut Memory, now: Timestamp, sweep_every: Duration) -> Result<usize, LookError> {
        let mut saw = feed::read(self, memory, now).await?;
        if memory.sweep_is_due(now, sweep_every) {
            saw += sweep::turn(self, memory, now).await?;
        }
        // Only now: a sweep that fails every time is a failure that lasts, although the list answers.
        memory.failing = None;
        silence::end(memory);
        self.lags(0.0);
        Ok(saw)
    }

    /// One list call. The right to look is taken anew for each, and outlasts it: a look of many calls, or one that was
    /// paused, does not go on beside another replica's.
    async fn list(&self, query: &SessionQuery) -> Result<Page<Session>, LookError> {
        if !self.keep_right().await? {
            return Err(LookError::NotOurs);
        }
        Ok(self.deps.devin.sessions(query).await?)
    }

    fn lags(&self, seconds: f64) {
        let organisation = self.deps.scope.organisation.clone().unwrap_or_else(|| "default".to_owned());
        metrics::gauge!("bobbin_watch_lag_seconds", "organisation" => organisation).set(seconds);
    }

    /// Devin did not answer: wait longer each time, and once it has lasted, let the cards say so.
    async fn failed(&self, memory: &mut Memory, now: Timestamp, error: &DevinError) -> Result<(), StoreError> {
        let failing = memory.fail(now);
        let wait = pace::after_failure(failing.times, self.interval).max(error.retry_after().unwrap_or_default());
        memory.next_look = Some(later(now, wait));
        tracing::warn!(%error, times = failing.times, wait_s = wait.as_secs(), "looking at Devin failed");
        let lasted = now.duration_since(failing.since);
        self.lags(lasted.as_secs_f64());
        if !failing.told && lasted >= silence::STALE_AFTER {
            silence::begin(&self.deps, memory, failing.since).await?;
        }
        Ok(())
    }
}
