//! A process that dies at a boundary: the model of a crash.
//!
//! Whatever lasts happens in one of two places: in the store, and outside, by a call that has an effect. Each such event
//! is counted as it happens, and a process can be made to die right after any of them: from then on its store answers
//! nothing and its calls get no answer, as it would be for a process that is gone, until another takes its place. Dying
//! just before an event is dying just after the one before it. The list of events is counted, not written down: a new
//! step is covered without anyone remembering.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use bobbin::{
    domain::{
        ids::{InputId, SessionId},
        mailbox::Mailbox,
    },
    store::{
        Accepted, Activity, Adoption, Backlog, Change, Commit, Cursor, Dead, Durability, Founding, Input, Inside,
        Lease, Listed, Listing, Offer, Pace, Registers, Result, Row, SharedStore, Store, StoreError, Survey, Tracked,
        Turn, Unfinished, Unlisted,
    },
    twin::FaultAction,
};
use jiff::Timestamp;

/// The ends of the names of calls that change nothing. What is not listed here counts as an effect.
const READS: [&str; 11] = [
    ".test",
    ".get",
    ".getPermalink",
    ".history",
    ".info",
    ".list",
    ".replies",
    ".users",
    ".idp-users",
    "files",
    "self",
];

/// One process, alive for as long as its plan lets it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Life(Arc<Mutex<Plan>>);

#[derive(Debug, Default)]
struct Plan {
    dead: bool,
    /// After how many events to die.
    dies_after: Option<usize>,
    /// The names of the events met, in order.
    met: Vec<String>,
    /// Every call made, those that only read included.
    calls: Vec<String>,
    /// In whose mailbox the handler panics, and how often still.
    panic_in: Option<(String, usize)>,
}

impl Life {
    /// Dies after so many events from now; at once when there are none to wait for.
    pub(crate) fn die_after(&self, events: usize) {
        *self.plan() = Plan { dead: events == 0, dies_after: Some(events), ..Plan::default() };
    }

    /// Another process takes its place, and lives on; events are counted anew.
    pub(crate) fn live_on(&self) {
        *self.plan() = Plan::default();
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

    /// The events met since the plan was made.
    pub(crate) fn met(&self) -> Vec<String> {
        self.plan().met.clone()
    }

    /// The calls made since the plan was made.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.plan().calls.clone()
    }

    /// What becomes of a call of this process.
    pub(crate) fn call(&self, operation: &str) -> Option<FaultAction> {
        if self.is_dead() {
            return Some(FaultAction::DropBefore);
        }
        self.plan().calls.push(operation.to_owned());
        let reads = READS.iter().any(|end| operation.ends_with(end));
        (!reads && self.happened(operation.to_owned())).then_some(FaultAction::DropAfter)
    }

    /// An event happens; whether the process dies of it.
    fn happened(&self, name: String) -> bool {
        let mut plan = self.plan();
        plan.met.push(name);
        plan.dead = plan.dies_after == Some(plan.met.len());
        plan.dead
    }

    fn alive(&self) -> Result<()> {
        if self.is_dead() { Err(gone()) } else { Ok(()) }
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap()
    }
}

/// A protection of the store that a test takes away, to see that it is missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sabotage {
    /// No input is known to have come before.
    IdsForgotten,
    /// What was begun is not known to whoever takes over.
    JournalForgotten,
    /// What is begun is not written down.
    BeginSkipped,
    /// Whoever held a lease once may write for whoever holds it now.
    TokensIgnored,
}

/// The store as one process sees it.
#[derive(Debug)]
pub(crate) struct CrashingStore {
    inner: SharedStore,
    life: Life,
    sabotage: Option<Sabotage>,
    /// The lease that counts for each mailbox, where tokens are ignored.
    newest: Arc<Mutex<BTreeMap<Mailbox, Lease>>>,
}

impl CrashingStore {
    pub(crate) fn new(inner: SharedStore, life: Life, sabotage: Option<Sabotage>) -> Self {
        Self { inner, life, sabotage, newest: Arc::default() }
    }

    /// The same store as another process sees it.
    pub(crate) fn for_another(&self, life: Life) -> Self {
        Self { inner: self.inner.clone(), life, sabotage: self.sabotage, newest: self.newest.clone() }
    }

    /// The lease under which a write is made.
    fn under(&self, lease: &Lease) -> Lease {
        let ignored = self.sabotage == Some(Sabotage::TokensIgnored);
        let newest = self.newest.lock().unwrap().get(&lease.mailbox).filter(|_| ignored).cloned();
        newest.unwrap_or_else(|| lease.clone())
    }

    /// An operation that writes nothing.
    async fn read<T>(&self, read: impl Future<Output = Result<T>> + Send) -> Result<T> {
        self.life.alive()?;
        read.await
    }

    /// An operation that writes, and after which the process may die before it learns so.
    async fn write<T>(&self, name: String, write: impl Future<Output = Result<T>> + Send) -> Result<T> {
        self.life.alive()?;
        let done = write.await?;
        if self.life.happened(name) { Err(gone()) } else { Ok(done) }
    }
}

fn gone() -> StoreError {
    StoreError::Unavailable("this process is dead".to_owned())
}

#[async_trait]
impl Founding for CrashingStore {
    async fn is_founded(&self) -> Result<bool> {
        self.read(self.inner.is_founded()).await
    }

    async fn found(&self) -> Result<()> {
        self.write("found".to_owned(), self.inner.found()).await
    }

    async fn adopt(&self, adoption: &Adoption) -> Result<bool> {
        self.write(format!("adopt {}", adoption.mailbox), self.inner.adopt(adoption)).await
    }
}

#[async_trait]
impl Survey for CrashingStore {
    async fn listed(&self, under: &str, after: Option<&Cursor>, limit: usize) -> Result<Vec<Listed>> {
        self.read(self.inner.listed(under, after, limit)).await
    }

    async fn listed_counts(&self, under: &[&str]) -> Result<Vec<u64>> {
        self.read(self.inner.listed_counts(under)).await
    }

    async fn inside(&self, mailbox: &Mailbox) -> Result<Inside> {
        self.read(self.inner.inside(mailbox)).await
    }

    async fn unlisted(&self, from: Option<&str>) -> Result<Unlisted> {
        self.read(self.inner.unlisted(from)).await
    }

    async fn enlist(&self, mailbox: &Mailbox, state: &str, listing: &Listing) -> Result<bool> {
        self.write("enlist".to_owned(), self.inner.enlist(mailbox, state, listing)).await
    }

    async fn letters(&self, after: Option<&Cursor>, limit: usize) -> Result<Vec<Dead>> {
        self.read(self.inner.letters(after, limit)).await
    }

    async fn letter(&self, id: &InputId) -> Result<Option<Dead>> {
        self.read(self.inner.letter(id)).await
    }
}

#[async_trait]
impl Registers for CrashingStore {
    async fn register(&self, changes: &[Change]) -> Result<()> {
        self.write("register".to_owned(), self.inner.register(changes)).await
    }

    async fn row(&self, register: &str, name: &str) -> Result<Option<Row>> {
        self.read(self.inner.row(register, name)).await
    }

    async fn rows(&self, register: &str, after: Option<&Cursor>, limit: usize) -> Result<Vec<Row>> {
        self.read(self.inner.rows(register, after, limit)).await
    }
}

#[async_trait]
impl Store for CrashingStore {
    async fn accept(&self, offer: &Offer) -> Result<Accepted> {
        let mut offer = offer.clone();
        if self.sabotage == Some(Sabotage::IdsForgotten) {
            offer.seen.clear();
        }
        let accepted = self.read(self.inner.accept(&offer)).await?;
        // What was refused wrote nothing.
        let dies = accepted == Accepted::Stored && self.life.happened("accept".to_owned());
        if dies { Err(gone()) } else { Ok(accepted) }
    }

    async fn lease(&self, ttl: Duration) -> Result<Turn> {
        let mut turn = self.read(self.inner.lease(ttl)).await?;
        if let Turn::Taken(leased) = &mut turn {
            self.newest.lock().unwrap().insert(leased.lease.mailbox.clone(), leased.lease.clone());
            if self.sabotage == Some(Sabotage::JournalForgotten) {
                leased.journal.clear();
            }
        }
        let dies = matches!(turn, Turn::Taken(_)) && self.life.happened("lease".to_owned());
        if dies { Err(gone()) } else { Ok(turn) }
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<()> {
        self.read(self.inner.renew(lease, ttl)).await
    }

    async fn begin(&self, lease: &Lease, step: &str, record: &str) -> Result<()> {
        self.life.perhaps_panic(lease);
        if self.sabotage == Some(Sabotage::BeginSkipped) {
            return self.write(format!("begin {step}"), async { Ok(()) }).await;
        }
        self.write(format!("begin {step}"), self.inner.begin(&self.under(lease), step, record)).await
    }

    async fn finish(&self, lease: &Lease, step: &str, record: &str) -> Result<()> {
        self.write(format!("finish {step}"), self.inner.finish(&self.under(lease), step, record)).await
    }

    async fn commit(&self, lease: &Lease, commit: &Commit) -> Result<()> {
        self.write("commit".to_owned(), self.inner.commit(&self.under(lease), commit)).await
    }

    async fn defer(&self, lease: &Lease, until: Timestamp, how: Unfinished) -> Result<()> {
        self.write("defer".to_owned(), self.inner.defer(&self.under(lease), until, how)).await
    }

    async fn pace(&self, mailbox: &Mailbox, pace: Pace) -> Result<Option<Timestamp>> {
        self.read(self.inner.pace(mailbox, pace)).await
    }

    async fn bury(&self, lease: &Lease, why: &str, commit: &Commit) -> Result<()> {
        self.write("bury".to_owned(), self.inner.bury(&self.under(lease), why, commit)).await
    }

    async fn set_aside(&self, input: &Input, why: &str) -> Result<()> {
        self.write("set aside".to_owned(), self.inner.set_aside(input, why)).await
    }

    async fn dead(&self, limit: usize) -> Result<Vec<Dead>> {
        self.read(self.inner.dead(limit)).await
    }

    async fn replay_dead(&self, id: &InputId) -> Result<bool> {
        self.write("replay".to_owned(), self.inner.replay_dead(id)).await
    }

    async fn drop_dead(&self, id: &InputId) -> Result<bool> {
        self.write("drop".to_owned(), self.inner.drop_dead(id)).await
    }

    async fn state(&self, mailbox: &Mailbox) -> Result<Option<String>> {
        self.read(self.inner.state(mailbox)).await
    }

    async fn recall(&self, key: &str) -> Result<Option<String>> {
        self.read(self.inner.recall(key)).await
    }

    async fn remember(&self, key: &str, value: &str, ttl: Duration) -> Result<()> {
        self.write(format!("remember {key}"), self.inner.remember(key, value, ttl)).await
    }

    async fn forget(&self, key: &str) -> Result<()> {
        self.write(format!("forget {key}"), self.inner.forget(key)).await
    }

    async fn hold(&self, name: &str, holder: &str, ttl: Duration) -> Result<bool> {
        self.write(format!("hold {name}"), self.inner.hold(name, holder, ttl)).await
    }

    async fn tracked(&self, activity: Activity, after: Option<&SessionId>, limit: usize) -> Result<Vec<Tracked>> {
        self.read(self.inner.tracked(activity, after, limit)).await
    }

    async fn tracked_counts(&self) -> Result<BTreeMap<Activity, u64>> {
        self.read(self.inner.tracked_counts()).await
    }

    async fn backlog(&self) -> Result<Backlog> {
        self.read(self.inner.backlog()).await
    }

    async fn check(&self) -> Result<()> {
        self.read(self.inner.check()).await
    }

    async fn durability(&self) -> Result<Durability> {
        self.read(self.inner.durability()).await
    }
}
