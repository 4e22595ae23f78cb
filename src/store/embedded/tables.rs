//! The tables of the file, and a transaction as the operations see it.
//!
//! Times are microseconds since 1970. A row in `mailboxes` exists while its mailbox waits, is leased or deferred; whose
//! turn it is among them is kept in memory, see [`Schedule`]. State is kept apart, so that accepting an input does not copy
//! it.

use std::cell::{Cell, RefCell, RefMut};

use redb::{Key, ReadableTable, Table, TableDefinition, Value, WriteTransaction};

use super::{memory, schedule::Schedule};
use crate::store::{Result, StoreError};

/// Facts about the file itself.
pub(super) const META: TableDefinition<'_, &str, i64> = TableDefinition::new("meta");
/// Mailbox: when it is ready or its lease ends, what is in hand, how often that was taken, how often that was cut off, who
/// holds it (empty: nobody).
pub(super) const BOXES: TableDefinition<'_, &str, (i64, u8, u32, u32, &str)> = TableDefinition::new("mailboxes");
/// Mailbox: state.
pub(super) const STATE: TableDefinition<'_, &str, &str> = TableDefinition::new("state");
/// Mailbox and number: a waiting input.
pub(super) const INPUTS: TableDefinition<'_, (&str, u64), &str> = TableDefinition::new("inputs");
/// Mailbox and step: record.
pub(super) const JOURNAL: TableDefinition<'_, (&str, &str), &str> = TableDefinition::new("journal");
/// Mailbox whose turn is tried again: since when.
pub(super) const RETRIED: TableDefinition<'_, &str, i64> = TableDefinition::new("retried");
/// De-duplication id: until when it is remembered.
pub(super) const SEEN: TableDefinition<'_, &str, i64> = TableDefinition::new("seen");
/// Key: until when, and the value.
pub(super) const MEMO: TableDefinition<'_, &str, (i64, &str)> = TableDefinition::new("memo");
/// Name: until when, and the holder.
pub(super) const HOLD: TableDefinition<'_, &str, (i64, &str)> = TableDefinition::new("hold");
/// Input id: when it was set aside, and the dead letter.
pub(super) const DEAD: TableDefinition<'_, &str, (i64, &str)> = TableDefinition::new("dead");
/// Dead letters by time.
pub(super) const DEAD_ORDER: TableDefinition<'_, (i64, &str), ()> = TableDefinition::new("dead_order");
/// Session that works: mailbox. One table for each activity, because a table knows how many rows it has.
pub(super) const WORKING: TableDefinition<'_, &str, &str> = TableDefinition::new("watched_working");
/// Session that waits: mailbox.
pub(super) const WAITING: TableDefinition<'_, &str, &str> = TableDefinition::new("watched_waiting");
/// Session that sleeps: mailbox.
pub(super) const ASLEEP: TableDefinition<'_, &str, &str> = TableDefinition::new("watched_asleep");
/// Until layout 2: activity and session: mailbox.
pub(super) const WATCHED_1: TableDefinition<'_, (u8, &str), &str> = TableDefinition::new("watched");
/// Session: activity.
pub(super) const TRACKED: TableDefinition<'_, &str, u8> = TableDefinition::new("tracked");
/// Word, time and mailbox: a listed mailbox.
pub(super) const LISTED: TableDefinition<'_, (&str, i64, &str), ()> = TableDefinition::new("listed");
/// Mailbox: the time and the words under which it is listed.
pub(super) const LISTING: TableDefinition<'_, &str, (i64, &str)> = TableDefinition::new("listing");
/// Word: how many mailboxes are listed under it.
pub(super) const LISTED_COUNT: TableDefinition<'_, &str, u64> = TableDefinition::new("listed_count");
/// Mailbox: until when its story is kept, and its entries, one a line.
pub(super) const STORY: TableDefinition<'_, &str, (i64, &str)> = TableDefinition::new("story");
/// Register, time and name of a row: what it says.
pub(super) const ROWS: TableDefinition<'_, (&str, i64, &str), &str> = TableDefinition::new("rows");
/// Register and name of a row: its time.
pub(super) const ROW_TIME: TableDefinition<'_, (&str, &str), i64> = TableDefinition::new("row_time");

/// Number in the order of coming: when it was received, and an entry of the spool.
pub(super) const SPOOL: TableDefinition<'_, u64, (i64, &str)> = TableDefinition::new("spool");

/// Version of these tables. Layout 1 had the watched sessions in one table, and mailboxes with their order in two.
const LAYOUT: i64 = 2;
/// Mailboxes in layout 1: without how often they were cut off.
const BOXES_1: TableDefinition<'_, &str, (i64, u8, u32, &str)> = TableDefinition::new("boxes");
/// Mailboxes by time in layout 1.
const READY_1: TableDefinition<'_, (i64, &str), ()> = TableDefinition::new("ready");

/// A transaction that several operations share.
pub(super) struct Tx {
    txn: WriteTransaction,
    now: Cell<i64>,
    wrote: Cell<bool>,
    schedule: RefCell<Schedule>,
}

impl Tx {
    /// Wraps a transaction. The schedule comes back from [`commit`](Self::commit): after a failure it is not to be
    /// trusted any more.
    pub(super) fn new(txn: WriteTransaction, now: i64, schedule: Schedule) -> Self {
        Self { txn, now: Cell::new(now), wrote: Cell::new(false), schedule: RefCell::new(schedule) }
    }

    /// Whose turn it is.
    pub(super) fn schedule(&self) -> RefMut<'_, Schedule> {
        self.schedule.borrow_mut()
    }

    /// The time of the operation at work.
    pub(super) fn now(&self) -> i64 {
        self.now.get()
    }

    /// Begins another operation.
    pub(super) fn set_now(&self, now: i64) {
        self.now.set(now);
    }

    /// Whether anything was opened for writing.
    pub(super) fn wrote(&self) -> bool {
        self.wrote.get()
    }

    /// A table that is only looked at.
    pub(super) fn read<'t, K: Key + 'static, V: Value + 'static>(
        &'t self,
        table: TableDefinition<'_, K, V>,
    ) -> Result<Table<'t, K, V>> {
        Ok(self.txn.open_table(table)?)
    }

    /// A table that is written.
    pub(super) fn write<'t, K: Key + 'static, V: Value + 'static>(
        &'t self,
        table: TableDefinition<'_, K, V>,
    ) -> Result<Table<'t, K, V>> {
        self.writes();
        self.read(table)
    }

    /// Notes that a table opened with [`read`](Self::read) is written after all.
    pub(super) fn writes(&self) {
        self.wrote.set(true);
    }

    /// Removes a table with all its rows.
    pub(super) fn drop_table<K: Key + 'static, V: Value + 'static>(
        &self,
        table: TableDefinition<'_, K, V>,
    ) -> Result<()> {
        self.writes();
        self.txn.delete_table(table)?;
        Ok(())
    }

    /// Writes something, to see whether that works.
    pub(super) fn probe(&self) -> Result<()> {
        self.write(META)?.insert("checked", self.now())?;
        Ok(())
    }

    /// Ends the transaction: on disk when this returns.
    pub(super) fn commit(self) -> Result<Schedule> {
        if self.wrote.get() {
            self.txn.commit()?;
        } else {
            self.txn.abort()?;
        }
        Ok(self.schedule.into_inner())
    }

    /// Makes the tables of a new file and brings an older file up to date; refuses one that a newer program wrote.
    pub(super) fn prepare(&self) -> Result<()> {
        let found = self.read(META)?.get("layout")?.map(|row| row.value());
        match found {
            Some(found) if found > LAYOUT => {
                return Err(StoreError::Corrupt(format!(
                    "the file has layout {found}, this program knows up to {LAYOUT}: use the program that wrote it"
                )));
            }
            Some(LAYOUT) => return Ok(()),
            Some(_) => self.upgrade()?,
            None => {}
        }
        self.write(META)?.insert("layout", LAYOUT)?;
        self.read(BOXES)?;
        self.read(STATE)?;
        self.read(INPUTS)?;
        self.read(JOURNAL)?;
        self.read(SEEN)?;
        self.read(MEMO)?;
        self.read(HOLD)?;
        self.read(DEAD)?;
        self.read(DEAD_ORDER)?;
        self.read(WORKING)?;
        self.read(WAITING)?;
        self.read(ASLEEP)?;
        self.read(TRACKED)?;
        Ok(())
    }

    /// Brings a file of layout 1 up to date.
    fn upgrade(&self) -> Result<()> {
        {
            let mut boxes = self.write(BOXES)?;
            for row in self.read(BOXES_1)?.iter()? {
                let (name, row) = row?;
                let (ready, hand, attempt, token) = row.value();
                boxes.insert(name.value(), (ready, hand, attempt, 0, token))?;
            }
        }
        self.drop_table(BOXES_1)?;
        self.drop_table(READY_1)?;
        memory::split_watched(self)
    }
}

macro_rules! unavailable {
    ($($error:ty),+) => {
        $(impl From<$error> for StoreError {
            fn from(error: $error) -> Self {
                Self::Unavailable(format!("the store's file: {error}"))
            }
        })+
    };
}

unavailable!(redb::StorageError, redb::TableError, redb::TransactionError, redb::CommitError);
