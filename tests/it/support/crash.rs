//! A store that dies at a boundary: the process model of a crash.
//!
//! Handlers touch the world only between writes to the store, so stopping at each write, once before it happened and
//! once after, stops a handler at every place where stopping can matter. Once dead, every operation fails, as it would
//! for a process that is gone, until it is revived. The list of boundaries is counted, not written down: a new step is
//! covered without anyone remembering.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use bobbin::{
    domain::{
        ids::{InputId, SessionId},
        mailbox::Mailbox,
    },
    store::{
        Accepted, Activity, Adoption, Backlog, Commit, Dead, Durability, Founding, Input, Lease, Offer, Pace, Result,
        SharedStore, Store, StoreError, Tracked, Turn, Unfinished,
    },
};
use jiff::Timestamp;

/// On which side of a write to die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The write did not happen.
    Before,
    /// The write happened.
    After,
}

/// A store that can die.
#[derive(Debug)]
pub(crate) struct CrashingStore {
    inner: SharedStore,
    plan: Mutex<Plan>,
}

#[derive(Debug, Default)]
struct Plan {
    writes: usize,
    die_at: Option<(usize, Side)>,
    dead: bool,
    /// The names of the boundaries met, in order.
    met: Vec<String>,
    /// In whose mailbox the handler panics, and how often still.
    panic_in: Option<(String, usize)>,
}

impl CrashingStore {
    pub(crate) fn new(inner: SharedStore) -> Self {
        Self { inner, plan: Mutex::default() }
    }

    /// Dies at the n-th write from now (0 is the next).
    pub(crate) fn die_at(&self, write: usize, side: Side) {
        *self.plan() = Plan { die_at: Some((write, side)), ..Plan::default() };
    }

    /// Whoever handles the mailbox whose name ends like this panics before its first step, so often.
    pub(crate) fn panic_in(&self, mailbox: &str, times: usize) {
        self.plan().panic_in = Some((mailbox.to_owned(), times));
    }

    fn perhaps_panic(&self, lease: &Lease) {
        let mut plan = self.plan();
        if let Some((mailbox, times)) = &mut plan.panic_in
            && lease.mailbox.to_string().ends_with(mailbox.as_str())
            && *times > 0
        {
            *times -= 1;
            drop(plan);
            panic!("as the test asked");
        }
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.plan().dead
    }

    /// The boundaries met since the plan was made.
    pub(crate) fn met(&self) -> Vec<String> {
        self.plan().met.clone()
    }

    /// A new process takes the place of the dead one.
    pub(crate) fn revive(&self) {
        let mut plan = self.plan();
        plan.dead = false;
        plan.die_at = None;
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap()
    }

    fn alive(&self) -> Result<()> {
        if self.plan().dead { Err(gone()) } else { Ok(()) }
    }

    /// Runs a write of a handler, unless the plan says to die on this or that side of it.
    async fn write<T>(&self, name: String, write: impl Future<Output = Result<T>> + Send) -> Result<T> {
        let side = {
            let mut plan = self.plan();
            if plan.dead {
                return Err(gone());
            }
            let here = plan.die_at.filter(|(at, _)| *at == plan.writes).map(|(_, side)| side);
            plan.writes += 1;
            plan.met.push(name);
            plan.dead = here.is_some();
            here
        };
        match side {
            None => write.await,
            Some(Side::Before) => Err(gone()),
            Some(Side::After) => {
                write.await?;
                Err(gone())
            }
        }
    }
}

fn gone() -> StoreError {
    StoreError::Unavailable("this process is dead".to_owned())
}

#[async_trait]
impl Founding for CrashingStore {
    async fn is_founded(&self) -> Result<bool> {
        self.alive()?;
        self.inner.is_founded().await
    }

    async fn found(&self) -> Result<()> {
        self.write("found".to_owned(), self.inner.found()).await
    }

    async fn adopt(&self, adoption: &Adoption) -> Result<bool> {
        self.write(format!("adopt {}", adoption.mailbox), self.inner.adopt(adoption)).await
    }
}

#[async_trait]
impl Store for CrashingStore {
    async fn accept(&self, offer: &Offer) -> Result<Accepted> {
        self.alive()?;
        self.inner.accept(offer).await
    }

    async fn lease(&self, ttl: Duration) -> Result<Turn> {
        self.alive()?;
        self.inner.lease(ttl).await
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<()> {
        self.alive()?;
        self.inner.renew(lease, ttl).await
    }

    async fn begin(&self, lease: &Lease, step: &str, record: &str) -> Result<()> {
        self.perhaps_panic(lease);
        self.write(format!("begin {step}"), self.inner.begin(lease, step, record)).await
    }

    async fn finish(&self, lease: &Lease, step: &str, record: &str) -> Result<()> {
        self.write(format!("finish {step}"), self.inner.finish(lease, step, record)).await
    }

    async fn commit(&self, lease: &Lease, commit: &Commit) -> Result<()> {
        self.write("commit".to_owned(), self.inner.commit(lease, commit)).await
    }

    async fn defer(&self, lease: &Lease, until: Timestamp, how: Unfinished) -> Result<()> {
        self.write("defer".to_owned(), self.inner.defer(lease, until, how)).await
    }

    async fn pace(&self, mailbox: &Mailbox, pace: Pace) -> Result<Option<Timestamp>> {
        self.alive()?;
        self.inner.pace(mailbox, pace).await
    }

    async fn bury(&self, lease: &Lease, why: &str, commit: &Commit) -> Result<()> {
        self.write("bury".to_owned(), self.inner.bury(lease, why, commit)).await
    }

    async fn set_aside(&self, input: &Input, why: &str) -> Result<()> {
        self.alive()?;
        self.inner.set_aside(input, why).await
    }

    async fn dead(&self, limit: usize) -> Result<Vec<Dead>> {
        self.alive()?;
        self.inner.dead(limit).await
    }

    async fn replay_dead(&self, id: &InputId) -> Result<bool> {
        self.alive()?;
        self.inner.replay_dead(id).await
    }

    async fn drop_dead(&self, id: &InputId) -> Result<bool> {
        self.alive()?;
        self.inner.drop_dead(id).await
    }

    async fn state(&self, mailbox: &Mailbox) -> Result<Option<String>> {
        self.alive()?;
        self.inner.state(mailbox).await
    }

    async fn recall(&self, key: &str) -> Result<Option<String>> {
        self.alive()?;
        self.inner.recall(key).await
    }

    async fn remember(&self, key: &str, value: &str, ttl: Duration) -> Result<()> {
        self.write(format!("remember {key}"), self.inner.remember(key, value, ttl)).await
    }

    async fn forget(&self, key: &str) -> Result<()> {
        self.write(format!("forget {key}"), self.inner.forget(key)).await
    }

    async fn hold(&self, name: &str, holder: &str, ttl: Duration) -> Result<bool> {
        self.alive()?;
        self.inner.hold(name, holder, ttl).await
    }

    async fn tracked(&self, activity: Activity, after: Option<&SessionId>, limit: usize) -> Result<Vec<Tracked>> {
        self.alive()?;
        self.inner.tracked(activity, after, limit).await
    }

    async fn tracked_counts(&self) -> Result<BTreeMap<Activity, u64>> {
        self.alive()?;
        self.inner.tracked_counts().await
    }

    async fn backlog(&self) -> Result<Backlog> {
        self.alive()?;
        self.inner.backlog().await
    }

    async fn check(&self) -> Result<()> {
        self.alive()?;
        self.inner.check().await
    }

    async fn durability(&self) -> Result<Durability> {
        self.alive()?;
        self.inner.durability().await
    }
}
