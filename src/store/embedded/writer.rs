//! The writer thread: groups what has queued up, applies it in one transaction, answers after the fsync.
//!
//! When a group fails (a full disk, an I/O error), all of it is answered "not available", the file is closed and the
//! next group opens it again, because redb refuses everything after an I/O error until then.

use std::{sync::Arc, time::Instant};

use redb::{Database, Durability};
use tokio::sync::{mpsc, oneshot};

use super::{
    memory::Sweep,
    schedule::Schedule,
    tables::Tx,
    turns::{release_all, scheduled},
};
use crate::{
    clock::Clock,
    store::{Result, StoreError},
};

/// Most operations in one transaction: enough that the fsync is shared, few enough that a group stays short.
const GROUP_MAX: usize = 256;

/// Opens the file, the first time and after a failure.
pub(super) type Opener = Box<dyn Fn() -> Result<Database> + Send>;

/// Something queued.
pub(super) type Work = Box<dyn Operation>;

/// An operation and whoever waits for its result.
pub(super) trait Operation: Send {
    /// Does it; an error when the whole group has to be given up.
    fn apply(&mut self, tx: &Tx) -> Result<()>;

    /// Answers, after the group was committed or given up.
    fn answer(self: Box<Self>, failure: Option<&StoreError>);
}

/// The thread's state.
pub(super) struct Writer {
    queue: mpsc::Receiver<Work>,
    /// The file and whose turn it is in there; `None` after a failure.
    opened: Option<(Database, Schedule)>,
    open: Opener,
    clock: Arc<dyn Clock>,
    last: i64,
    last_read: Instant,
    sweep: Sweep,
}

struct Job<T, F> {
    work: Option<F>,
    outcome: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

/// Makes a closure an operation.
pub(super) fn job<T, F>(work: F) -> (Work, oneshot::Receiver<Result<T>>)
where
    T: Send + 'static,
    F: FnOnce(&Tx) -> Result<T> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    (Box::new(Job { work: Some(work), outcome: None, reply }), answer)
}

impl<T: Send, F: FnOnce(&Tx) -> Result<T> + Send> Operation for Job<T, F> {
    fn apply(&mut self, tx: &Tx) -> Result<()> {
        let Some(work) = self.work.take() else { return Ok(()) };
        match work(tx) {
            // Only the file itself fails like this, and then what the others wrote is in doubt too.
            Err(StoreError::Unavailable(why)) => Err(StoreError::Unavailable(why)),
            outcome => {
                self.outcome = Some(outcome);
                Ok(())
            }
        }
    }

    fn answer(self: Box<Self>, failure: Option<&StoreError>) {
        let outcome = match (failure, self.outcome) {
            (None, Some(outcome)) => outcome,
            (why, _) => Err(StoreError::Unavailable(why.map_or_else(String::new, ToString::to_string))),
        };
        // Nobody may be waiting any more: the caller gave up, which changes nothing about what was written.
        drop(self.reply.send(outcome));
    }
}

impl Writer {
    /// A writer on an opened file.
    pub(super) fn new(queue: mpsc::Receiver<Work>, open: Opener, clock: Arc<dyn Clock>) -> Result<Self> {
        let database = open()?;
        let (last_read, sweep) = (Instant::now(), Sweep::default());
        let mut writer = Self { queue, opened: None, open, clock, last: 0, last_read, sweep };
        let tx = begin(&database, writer.tick(), Schedule::default())?;
        tx.prepare()?;
        release_all(&tx)?;
        super::memory::release_holds(&tx)?;
        tx.commit()?;
        writer.opened = Some(with_schedule(database, writer.last)?);
        Ok(writer)
    }

    /// Works until the store is dropped and the queue is empty.
    pub(super) fn run(mut self) {
        while let Some(first) = self.queue.blocking_recv() {
            let mut group = vec![first];
            while group.len() < GROUP_MAX
                && let Ok(next) = self.queue.try_recv()
            {
                group.push(next);
            }
            let failure = self.handle(&mut group).err();
            if let Some(error) = &failure {
                tracing::error!(%error, operations = group.len(), "a group of writes failed; the file is opened anew");
            }
            for work in group {
                work.answer(failure.as_ref());
            }
        }
    }

    fn handle(&mut self, group: &mut [Work]) -> Result<()> {
        let (database, schedule) = match self.opened.take() {
            Some(opened) => opened,
            None => with_schedule((self.open)()?, self.last)?,
        };
        let schedule = self.apply(&database, schedule, group)?;
        // Kept only after success: see the head of this file.
        self.opened = Some((database, schedule));
        Ok(())
    }

    fn apply(&mut self, database: &Database, schedule: Schedule, group: &mut [Work]) -> Result<Schedule> {
        let tx = begin(database, self.tick(), schedule)?;
        for work in &mut *group {
            tx.set_now(self.tick());
            work.apply(&tx)?;
        }
        if tx.wrote() {
            self.sweep.step(&tx, group.len())?;
        }
        tx.commit()
    }

    /// The time, later than any before: what came first is ready first. When the clock is set back, time goes on from
    /// where it was, as fast as it passes.
    fn tick(&mut self) -> i64 {
        let passed = i64::try_from(self.last_read.elapsed().as_micros()).unwrap_or(0).max(1);
        self.last_read = Instant::now();
        self.last = self.clock.now().as_microsecond().max(self.last + passed);
        self.last
    }
}

fn begin(database: &Database, now: i64, schedule: Schedule) -> Result<Tx> {
    let mut txn = database.begin_write()?;
    txn.set_durability(Durability::Immediate).map_err(|e| StoreError::Unavailable(format!("the store's file: {e}")))?;
    Ok(Tx::new(txn, now, schedule))
}

/// Reads from a file whose turn it is.
fn with_schedule(database: Database, now: i64) -> Result<(Database, Schedule)> {
    let tx = begin(&database, now, Schedule::default())?;
    scheduled(&tx)?;
    let schedule = tx.commit()?;
    Ok((database, schedule))
}

/// A disk that fails: the group is refused, nothing of it is kept, and the writer goes on.
#[cfg(test)]
mod tests {
    use std::{
        fs::OpenOptions,
        io,
        path::Path,
        sync::atomic::{AtomicBool, Ordering},
        thread,
    };

    use redb::{Builder, ReadableTable, StorageBackend, backends::FileBackend};

    use super::*;
    use crate::{clock::SystemClock, store::embedded::tables::META};

    #[derive(Debug)]
    struct Flaky {
        file: FileBackend,
        broken: Arc<AtomicBool>,
    }

    impl Flaky {
        fn check(&self) -> io::Result<()> {
            if self.broken.load(Ordering::SeqCst) { Err(io::Error::other("no space left")) } else { Ok(()) }
        }
    }

    impl StorageBackend for Flaky {
        fn len(&self) -> io::Result<u64> {
            self.file.len()
        }

        fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            self.file.read(offset, out)
        }

        fn set_len(&self, len: u64) -> io::Result<()> {
            self.check()?;
            self.file.set_len(len)
        }

        fn sync_data(&self) -> io::Result<()> {
            self.check()?;
            self.file.sync_data()
        }

        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            self.check()?;
            self.file.write(offset, data)
        }

        fn close(&self) -> io::Result<()> {
            self.file.close()
        }
    }

    fn opener(path: &Path, broken: &Arc<AtomicBool>) -> Opener {
        let (path, broken) = (path.to_owned(), Arc::clone(broken));
        Box::new(move || {
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).unwrap();
            let backend = Flaky { file: FileBackend::new(file).unwrap(), broken: Arc::clone(&broken) };
            Builder::new().create_with_backend(backend).map_err(|e| StoreError::Unavailable(e.to_string()))
        })
    }

    async fn ask<T: Send + 'static>(
        queue: &mpsc::Sender<Work>,
        work: impl FnOnce(&Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (work, answer) = job(work);
        queue.send(work).await.unwrap_or_else(|_| panic!("the writer is gone"));
        answer.await.unwrap()
    }

    #[tokio::test]
    async fn after_a_failed_commit_the_writer_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let broken = Arc::new(AtomicBool::new(false));
        let (queue, work) = mpsc::channel(8);
        let opener = opener(&folder.path().join("flaky.db"), &broken);
        let writer = Writer::new(work, opener, Arc::new(SystemClock)).unwrap();
        let thread = thread::spawn(move || writer.run());
        let probe = |value| ask(&queue, move |tx| Ok(tx.write(META)?.insert("probe", value)?.is_some()));

        probe(1).await.unwrap();
        broken.store(true, Ordering::SeqCst);
        assert!(matches!(probe(2).await, Err(StoreError::Unavailable(_))));
        assert!(matches!(probe(3).await, Err(StoreError::Unavailable(_))));
        broken.store(false, Ordering::SeqCst);
        let kept = ask(&queue, |tx| Ok(tx.read(META)?.get("probe")?.map(|row| row.value())));
        assert_eq!(kept.await.unwrap(), Some(1));
        probe(4).await.unwrap();

        drop(queue);
        thread.join().unwrap();
    }
}
