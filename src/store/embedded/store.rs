//! The contract, spelled out as operations that the writer thread does.

use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    backlog,
    handle::{Handle, opener},
    letters, memory,
    tables::Tx,
    turns,
};
use crate::{
    clock::Clock,
    domain::{
        ids::{InputId, SessionId},
        mailbox::Mailbox,
    },
    store::{
        Accepted, Activity, Backlog, Commit, Dead, Durability, Input, Lease, Offer, Pace, Result, Store, Tracked, Turn,
        Unfinished,
    },
};

/// The store in one file.
pub struct EmbeddedStore {
    pub(super) path: PathBuf,
    pub(super) file: Handle,
}

impl fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedStore").field("path", &self.path).finish_non_exhaustive()
    }
}

impl EmbeddedStore {
    /// Opens the file, making it if need be, and takes back the leases that a dead process left. Blocks on the disk.
    ///
    /// # Errors
    /// When another process has it open, it cannot be opened or read, or a newer program wrote it.
    pub fn open(path: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Result<Self> {
        let path = path.into();
        Ok(Self { file: Handle::start(opener(&path)?, clock)?, path })
    }

    pub(super) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.file.ask(work).await
    }
}

#[async_trait]
impl Store for EmbeddedStore {
    async fn accept(&self, offer: &Offer) -> Result<Accepted> {
        // Written as JSON here, on a thread of the caller: the writer's time is everybody's.
        let entry = turns::Entry::of(offer)?;
        self.ask(move |tx| turns::accept(tx, &entry)).await
    }

    async fn lease(&self, ttl: Duration) -> Result<Turn> {
        let token = Uuid::now_v7().simple().to_string();
        self.ask(move |tx| turns::lease(tx, ttl, &token)).await
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<()> {
        let lease = lease.clone();
        self.ask(move |tx| turns::renew(tx, &lease, ttl)).await
    }

    async fn begin(&self, lease: &Lease, step: &str, record: &str) -> Result<()> {
        let (lease, step, record) = (lease.clone(), step.to_owned(), record.to_owned());
        self.ask(move |tx| turns::record(tx, &lease, &step, &record)).await
    }

    async fn finish(&self, lease: &Lease, step: &str, record: &str) -> Result<()> {
        self.begin(lease, step, record).await
    }

    async fn commit(&self, lease: &Lease, commit: &Commit) -> Result<()> {
        let (lease, commit) = (lease.clone(), commit.clone());
        self.ask(move |tx| turns::end(tx, &lease, &commit, None)).await
    }

    async fn defer(&self, lease: &Lease, until: Timestamp, how: Unfinished) -> Result<()> {
        let lease = lease.clone();
        self.ask(move |tx| turns::defer(tx, &lease, until, how)).await
    }

    async fn pace(&self, mailbox: &Mailbox, pace: Pace) -> Result<Option<Timestamp>> {
        let name = mailbox.place();
        self.ask(move |tx| turns::pace(tx, &name, pace)).await
    }

    async fn bury(&self, lease: &Lease, why: &str, commit: &Commit) -> Result<()> {
        let (lease, why, commit) = (lease.clone(), why.to_owned(), commit.clone());
        self.ask(move |tx| turns::end(tx, &lease, &commit, Some(&why))).await
    }

    async fn set_aside(&self, input: &Input, why: &str) -> Result<()> {
        let (input, why) = (input.clone(), why.to_owned());
        self.ask(move |tx| letters::set_aside(tx, &input, &why)).await
    }

    async fn dead(&self, limit: usize) -> Result<Vec<Dead>> {
        self.ask(move |tx| letters::list(tx, limit)).await
    }

    async fn replay_dead(&self, id: &InputId) -> Result<bool> {
        let id = id.clone();
        self.ask(move |tx| letters::replay(tx, &id)).await
    }

    async fn drop_dead(&self, id: &InputId) -> Result<bool> {
        let id = id.clone();
        self.ask(move |tx| letters::forget(tx, &id)).await
    }

    async fn state(&self, mailbox: &Mailbox) -> Result<Option<String>> {
        let mailbox = mailbox.to_string();
        self.ask(move |tx| turns::state(tx, &mailbox)).await
    }

    async fn recall(&self, key: &str) -> Result<Option<String>> {
        let key = key.to_owned();
        self.ask(move |tx| memory::recall(tx, &key)).await
    }

    async fn remember(&self, key: &str, value: &str, ttl: Duration) -> Result<()> {
        let (key, value) = (key.to_owned(), value.to_owned());
        self.ask(move |tx| memory::remember(tx, &key, &value, ttl)).await
    }

    async fn forget(&self, key: &str) -> Result<()> {
        let key = key.to_owned();
        self.ask(move |tx| memory::forget(tx, &key)).await
    }

    async fn hold(&self, name: &str, holder: &str, ttl: Duration) -> Result<bool> {
        let (name, holder) = (name.to_owned(), holder.to_owned());
        self.ask(move |tx| memory::hold(tx, &name, &holder, ttl)).await
    }

    async fn tracked(&self, activity: Activity, after: Option<&SessionId>, limit: usize) -> Result<Vec<Tracked>> {
        let after = after.cloned();
        self.ask(move |tx| memory::tracked(tx, activity, after.as_ref(), limit)).await
    }

    async fn tracked_counts(&self) -> Result<BTreeMap<Activity, u64>> {
        self.ask(memory::counts).await
    }

    async fn backlog(&self) -> Result<Backlog> {
        self.ask(backlog::backlog).await
    }

    async fn check(&self) -> Result<()> {
        self.ask(Tx::probe).await
    }

    async fn durability(&self) -> Result<Durability> {
        let class = "E: survives a crash of this program and of its machine (fsync before the answer), not the loss of \
                     its disk";
        Ok(Durability { class: class.to_owned(), warnings: Vec::new(), server: None })
    }
}
