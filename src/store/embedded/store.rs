//! The handle: opens the file, starts the writer thread, and hands it every operation.

use std::{
    collections::BTreeMap,
    fmt,
    fs::{File, OpenOptions},
    path::{Path, PathBuf},
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use redb::{Builder, Database, DatabaseError};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    letters, memory,
    tables::{META, Tx},
    turns,
    writer::{Work, Writer, job},
};
use crate::{
    clock::Clock,
    domain::{
        ids::{InputId, SessionId},
        mailbox::Mailbox,
    },
    store::{
        Accepted, Activity, Backlog, Commit, Dead, Durability, Input, Lease, Offer, Pace, Result, Store, StoreError,
        Tracked, Turn, Unfinished,
    },
};

/// redb's cache in bytes: it would grow to 1 GiB by itself, and what is in use here is small.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// Operations that may queue; beyond that callers wait, which their own time-outs bound.
const QUEUE_OPERATIONS: usize = 4096;

/// The store in one file.
pub struct EmbeddedStore {
    path: PathBuf,
    queue: Option<mpsc::Sender<Work>>,
    thread: Option<JoinHandle<()>>,
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
        create_private(&path)?;
        let (queue, work) = mpsc::channel(QUEUE_OPERATIONS);
        let opener = path.clone();
        let writer = Writer::new(work, Box::new(move || open(&opener)), clock)?;
        let thread = thread::Builder::new()
            .name("bobbin-store".to_owned())
            .spawn(move || writer.run())
            .map_err(|e| StoreError::Unavailable(format!("the store's thread cannot start: {e}")))?;
        Ok(Self { path, queue: Some(queue), thread: Some(thread) })
    }

    pub(super) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let gone = || StoreError::Unavailable("the store's thread has ended".to_owned());
        let (work, answer) = job(work);
        self.queue.as_ref().ok_or_else(gone)?.send(work).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

impl Drop for EmbeddedStore {
    /// Waits until what was queued is on disk and the file is free for another process.
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
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
        self.ask(turns::backlog).await
    }

    async fn check(&self) -> Result<()> {
        self.ask(|tx| {
            tx.write(META)?.insert("checked", tx.now())?;
            Ok(())
        })
        .await
    }

    async fn durability(&self) -> Result<Durability> {
        let class = "E: survives a crash of this program and of its machine (fsync before the answer), not the loss of \
                     its disk";
        Ok(Durability { class: class.to_owned(), warnings: Vec::new() })
    }
}

fn open(path: &Path) -> Result<Database> {
    Builder::new().set_cache_size(CACHE_BYTES).create(path).map_err(|error| {
        let file = path.display();
        StoreError::Unavailable(if matches!(error, DatabaseError::DatabaseAlreadyOpen) {
            format!("{file} is already open in another process: stop it, or give this one another file")
        } else {
            format!("{file} cannot be opened: {error}")
        })
    })
}

/// Makes the file readable by its owner only (it holds what people wrote), and its name durable.
fn create_private(path: &Path) -> Result<()> {
    let failed = |e: std::io::Error| StoreError::Unavailable(format!("{} cannot be made: {e}", path.display()));
    if path.exists() {
        return Ok(());
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(failed)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}
