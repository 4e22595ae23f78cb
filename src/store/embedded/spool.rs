//! The spool: a file that takes inputs while Redis is away, and gives them back in the order in which they came.
//!
//! It has the form and the writer of the embedded store's file, so that "in the spool" means what "stored" means there:
//! on disk before the answer. How much waits is counted by the writer thread alone, within the operations themselves
//! and anew whenever it opens the file: an entry counts from before it is acknowledged until after the store has it. So
//! whoever sees an empty spool may go past it and overtakes nobody, and the door's question on every input is one atomic
//! load.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use jiff::Timestamp;
use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableError};
use serde::{Deserialize, Serialize};

use super::{
    handle::{Handle, opener},
    tables::{SPOOL, Tx},
    writer::Opener,
};
use crate::{
    clock::Clock,
    store::{
        Door, Input, Offer, Result, StoreError,
        form::{self, Versioned, encode},
    },
};

/// Inputs that are taken up together for the store.
const BATCH_INPUTS: usize = 256;
/// Bytes after which a batch ends: a body may have a mebibyte.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// How much a spool takes.
#[derive(Debug, Clone, Copy)]
pub struct SpoolBounds {
    /// Inputs.
    pub inputs: u64,
    /// Bytes of all inputs in their stored form.
    pub bytes: u64,
}

impl Default for SpoolBounds {
    /// Hours of a busy workspace, in a file that fits on any disk.
    fn default() -> Self {
        Self { inputs: 100_000, bytes: 256 * 1024 * 1024 }
    }
}

/// What the door could not give to the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpoolEntry {
    /// An input for a mailbox.
    Offer(Offer),
    /// An input to be set aside.
    Unreadable {
        /// The input.
        input: Input,
        /// Why it cannot be read.
        why: String,
    },
}

/// An entry as it is stored, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spooled {
    /// Version of this form.
    pub v: u8,
    /// The entry.
    pub entry: SpoolEntry,
}

impl Versioned for Spooled {
    const NAME: &'static str = "entry of the spool";
    const NEWEST: u8 = Self::VERSION;

    fn version(&self) -> u8 {
        self.v
    }
}

impl Spooled {
    /// The version written today.
    pub const VERSION: u8 = 1;
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Kept, in a spool that was empty.
    First,
    /// Kept behind others.
    Behind,
    /// Not kept: the bounds are reached.
    Full,
}

/// An entry that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolItem {
    /// Its place in the order; names it when it is removed.
    pub number: u64,
    /// The entry.
    pub entry: SpoolEntry,
}

/// How much waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpoolSize {
    /// Inputs.
    pub inputs: u64,
    /// Their bytes in their stored form.
    pub bytes: u64,
    /// When the oldest was received.
    pub oldest: Option<Timestamp>,
}

/// The spool.
pub struct Spool {
    path: PathBuf,
    file: Handle,
    counts: Arc<Counts>,
    bounds: SpoolBounds,
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spool").field("path", &self.path).field("bounds", &self.bounds).finish_non_exhaustive()
    }
}

impl Spool {
    /// Opens the file, making it if need be, and counts what an earlier process left. Blocks on the disk.
    ///
    /// # Errors
    /// When another process has it open, it cannot be opened or read, or a newer program wrote it.
    pub fn open(path: &Path, clock: Arc<dyn Clock>, bounds: SpoolBounds) -> Result<Self> {
        Self::on(path, opener(path)?, clock, bounds)
    }

    /// A spool on a file that `open` opens, at first and after a failure.
    pub(super) fn on(path: &Path, open: Opener, clock: Arc<dyn Clock>, bounds: SpoolBounds) -> Result<Self> {
        let counts = Arc::new(Counts::default());
        let counting = Arc::clone(&counts);
        let open: Opener = Box::new(move || {
            let database = open()?;
            counting.take_stock(&database)?;
            Ok(database)
        });
        Ok(Self { path: path.to_owned(), file: Handle::start(open, clock)?, counts, bounds })
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.counts.inputs.load(Ordering::SeqCst) == 0
    }

    /// How much waits.
    pub fn size(&self) -> SpoolSize {
        let (inputs, bytes) = (self.counts.inputs.load(Ordering::SeqCst), self.counts.bytes.load(Ordering::SeqCst));
        let oldest = form::time(self.counts.oldest.load(Ordering::SeqCst)).ok().filter(|_| inputs > 0);
        SpoolSize { inputs, bytes, oldest }
    }

    /// Puts an entry behind the others: on disk when this returns.
    pub async fn put(&self, entry: SpoolEntry) -> Result<Kept> {
        let at = entry.input().at.as_microsecond();
        let text = encode(&Spooled { v: Spooled::VERSION, entry })?;
        let bounds = self.bounds;
        self.ask(move |tx, counts| append(tx, counts, bounds, at, &text)).await
    }

    /// The oldest entries, in order; some hundreds at most.
    pub async fn oldest(&self) -> Result<Vec<SpoolItem>> {
        let rows = self.ask(oldest).await?;
        rows.into_iter().map(|(number, at, text)| Ok(SpoolItem { number, entry: read(at, text)? })).collect()
    }

    /// Removes entries that the store has.
    pub async fn remove(&self, numbers: Vec<u64>) -> Result<()> {
        self.ask(move |tx, counts| remove(tx, counts, &numbers)).await
    }

    /// Whether it takes inputs.
    pub async fn check(&self) -> Result<()> {
        let SpoolSize { inputs, bytes, .. } = self.size();
        let SpoolBounds { inputs: most, bytes: most_bytes } = self.bounds;
        if inputs >= most || bytes >= most_bytes {
            return Err(StoreError::Unavailable(format!(
                "it is full with {inputs} inputs of {bytes} bytes; it takes {most} inputs of {most_bytes} bytes"
            )));
        }
        self.ask(|tx, _| tx.probe()).await
    }

    async fn ask<T: Send + 'static>(&self, work: impl FnOnce(&Tx, &Counts) -> Result<T> + Send + 'static) -> Result<T> {
        let counts = Arc::clone(&self.counts);
        self.file.ask(move |tx| work(tx, &counts)).await
    }
}

impl SpoolEntry {
    /// The input.
    pub fn input(&self) -> &Input {
        match self {
            Self::Offer(Offer { input, .. }) | Self::Unreadable { input, .. } => input,
        }
    }
}

/// How much waits; written by the writer thread alone.
#[derive(Debug, Default)]
struct Counts {
    inputs: AtomicU64,
    bytes: AtomicU64,
    oldest: AtomicI64,
}

impl Counts {
    fn set(&self, inputs: u64, bytes: u64) {
        self.bytes.store(bytes, Ordering::SeqCst);
        self.inputs.store(inputs, Ordering::SeqCst);
    }

    /// Counts the rows of a file that was just opened.
    fn take_stock(&self, database: &Database) -> Result<()> {
        let spool = match database.begin_read()?.open_table(SPOOL) {
            Ok(spool) => spool,
            Err(TableError::TableDoesNotExist(_)) => {
                self.set(0, 0);
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let mut bytes = 0;
        for row in spool.iter()? {
            bytes += row?.1.value().1.len() as u64;
        }
        self.set(spool.len()?, bytes);
        self.note_oldest(&spool)
    }

    fn note_oldest(&self, spool: &impl ReadableTable<u64, (i64, &'static str)>) -> Result<()> {
        if let Some((_, row)) = spool.first()? {
            self.oldest.store(row.value().0, Ordering::SeqCst);
        }
        Ok(())
    }
}

fn append(tx: &Tx, counts: &Counts, bounds: SpoolBounds, at: i64, text: &str) -> Result<Kept> {
    let inputs = counts.inputs.load(Ordering::SeqCst);
    let bytes = counts.bytes.load(Ordering::SeqCst) + text.len() as u64;
    if inputs >= bounds.inputs || bytes > bounds.bytes {
        return Ok(Kept::Full);
    }
    let mut spool = tx.write(SPOOL)?;
    let number = spool.last()?.map_or(0, |(number, _)| number.value() + 1);
    spool.insert(number, (at, text))?;
    counts.set(inputs + 1, bytes);
    counts.note_oldest(&spool)?;
    Ok(if inputs == 0 { Kept::First } else { Kept::Behind })
}

fn oldest(tx: &Tx, counts: &Counts) -> Result<Vec<(u64, i64, String)>> {
    let spool = tx.read(SPOOL)?;
    let (mut rows, mut bytes) = (Vec::new(), 0);
    for row in spool.iter()?.take(BATCH_INPUTS) {
        let (number, row) = row?;
        let (at, text) = row.value();
        bytes += text.len();
        if bytes > BATCH_BYTES && !rows.is_empty() {
            break;
        }
        rows.push((number.value(), at, text.to_owned()));
    }
    if rows.is_empty() {
        // An entry whose group failed was counted, and nobody may have waited for the answer.
        counts.set(0, 0);
    }
    Ok(rows)
}

fn remove(tx: &Tx, counts: &Counts, numbers: &[u64]) -> Result<()> {
    let mut spool = tx.write(SPOOL)?;
    let mut bytes = counts.bytes.load(Ordering::SeqCst);
    for number in numbers {
        bytes = bytes.saturating_sub(spool.remove(number)?.map_or(0, |row| row.value().1.len() as u64));
    }
    counts.set(spool.len()?, bytes);
    counts.note_oldest(&spool)
}

/// An entry from its stored form. A damaged one is set aside as it is, so that those behind it need not wait.
fn read(at: i64, text: String) -> Result<SpoolEntry> {
    if let Some(Spooled { entry, .. }) = form::waiting(text.as_bytes())? {
        return Ok(entry);
    }
    let input = Input::received(form::time(at)?, Door::Events, text.into_bytes());
    Ok(SpoolEntry::Unreadable { input, why: "this entry of the spool cannot be read".to_owned() })
}
