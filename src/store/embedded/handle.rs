//! The way to a file: opens it, starts its writer thread, hands over operations, and ends when all of them are on disk.

use std::{
    fs::{File, OpenOptions},
    path::Path,
    sync::Arc,
    thread::{self, JoinHandle},
};

use redb::{Builder, Database, DatabaseError};
use tokio::sync::mpsc;

use super::{
    tables::Tx,
    writer::{Opener, Work, Writer, job},
};
use crate::{
    clock::Clock,
    store::{Result, StoreError},
};

/// redb's cache in bytes: it would grow to 1 GiB by itself, and what is in use here is small.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// Operations that may queue; beyond that callers wait, which their own time-outs bound.
const QUEUE_OPERATIONS: usize = 4096;

/// A file with its writer.
pub(super) struct Handle {
    queue: Option<mpsc::Sender<Work>>,
    thread: Option<JoinHandle<()>>,
}

impl Handle {
    /// Opens the file and starts the writer. Blocks on the disk.
    pub(super) fn start(opener: Opener, clock: Arc<dyn Clock>) -> Result<Self> {
        let (queue, work) = mpsc::channel(QUEUE_OPERATIONS);
        let writer = Writer::new(work, opener, clock)?;
        let thread = thread::Builder::new()
            .name("bobbin-store".to_owned())
            .spawn(move || writer.run())
            .map_err(|e| StoreError::Unavailable(format!("the store's thread cannot start: {e}")))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Has an operation done: on disk when this returns.
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

impl Drop for Handle {
    /// Waits until what was queued is on disk and the file is free for another process.
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Opens a file by its name, which is made if need be.
pub(super) fn opener(path: &Path) -> Result<Opener> {
    create_private(path)?;
    let path = path.to_owned();
    Ok(Box::new(move || open(&path)))
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
