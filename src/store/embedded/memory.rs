//! What is remembered beside the mailboxes: values for a time, who may do what, which sessions are watched; and how
//! what has expired leaves the file.

use std::{collections::BTreeMap, ops::Bound, time::Duration};

use redb::{ReadableTable, ReadableTableMetadata as _, TableDefinition, Value};

use super::tables::{ASLEEP, HOLD, MEMO, SEEN, STORY, TRACKED, Tx, WAITING, WATCHED_1, WORKING};
use crate::{
    domain::ids::SessionId,
    store::{Activity, Result, StoreError, Tracked},
};

/// Rows looked at per operation when sweeping. An input adds three and takes half a dozen operations, so the sweep goes
/// round several times within the time that ids are remembered, and garbage stays a small part of the file.
const SWEPT_PER_OPERATION: usize = 4;

/// Rows looked at per group besides: next to the group's fsync they cost nothing, and a quiet bot's file gets swept too.
const SWEPT_PER_GROUP: usize = 12;

/// See [`Store::recall`](crate::store::Store::recall).
pub(super) fn recall(tx: &Tx, key: &str) -> Result<Option<String>> {
    let memo = tx.read(MEMO)?;
    let found = memo.get(key)?;
    Ok(found.filter(|row| row.value().0 > tx.now()).map(|row| row.value().1.to_owned()))
}

/// See [`Store::remember`](crate::store::Store::remember).
pub(super) fn remember(tx: &Tx, key: &str, value: &str, ttl: Duration) -> Result<()> {
    tx.write(MEMO)?.insert(key, (deadline(tx, ttl), value))?;
    Ok(())
}

/// See [`Store::forget`](crate::store::Store::forget).
pub(super) fn forget(tx: &Tx, key: &str) -> Result<()> {
    tx.write(MEMO)?.remove(key)?;
    Ok(())
}

/// See [`Store::hold`](crate::store::Store::hold).
pub(super) fn hold(tx: &Tx, name: &str, holder: &str, ttl: Duration) -> Result<bool> {
    let taken = {
        let holds = tx.read(HOLD)?;
        let found = holds.get(name)?;
        found.is_some_and(|row| row.value().0 > tx.now() && row.value().1 != holder)
    };
    if !taken {
        tx.write(HOLD)?.insert(name, (deadline(tx, ttl), holder))?;
    }
    Ok(!taken)
}

/// Gives every hold back: the file's lock says that no other process lives, so their holders are gone.
pub(super) fn release_holds(tx: &Tx) -> Result<()> {
    if tx.read(HOLD)?.len()? > 0 {
        tx.write(HOLD)?.retain(|_, _| false)?;
    }
    Ok(())
}

/// Notes how closely a session is watched.
pub(super) fn track(tx: &Tx, session: &SessionId, activity: Activity, mailbox: &str) -> Result<()> {
    let mut tracked = tx.write(TRACKED)?;
    let was = tracked.remove(session.bare())?.map(|row| row.value());
    if let Some(before) = was.and_then(watched_by) {
        tx.write(before)?.remove(session.bare())?;
    }
    if let Some(table) = watched_by(number(activity)) {
        tracked.insert(session.bare(), number(activity))?;
        tx.write(table)?.insert(session.bare(), mailbox)?;
    }
    Ok(())
}

/// See [`Store::tracked`](crate::store::Store::tracked).
pub(super) fn tracked(tx: &Tx, activity: Activity, after: Option<&SessionId>, limit: usize) -> Result<Vec<Tracked>> {
    let Some(table) = watched_by(number(activity)) else { return Ok(Vec::new()) };
    let watched = tx.read(table)?;
    let from = after.map_or(Bound::Unbounded, |session| Bound::Excluded(session.bare()));
    let mut page = Vec::new();
    for row in watched.range::<&str>((from, Bound::Unbounded))?.take(limit) {
        let (session, mailbox) = row?;
        let corrupt = |e| StoreError::Corrupt(format!("a watched session: {e}"));
        let session = session.value().parse().map_err(corrupt)?;
        page.push(Tracked { session, mailbox: mailbox.value().parse().map_err(corrupt)? });
    }
    Ok(page)
}

/// See [`Store::tracked_counts`](crate::store::Store::tracked_counts). Asked for all the time, so nothing is counted
/// here.
pub(super) fn counts(tx: &Tx) -> Result<BTreeMap<Activity, u64>> {
    let mut counts = BTreeMap::new();
    for activity in Activity::WATCHED {
        let rows = watched_by(number(activity)).map(|table| tx.read(table)?.len().map_err(StoreError::from));
        counts.insert(activity, rows.transpose()?.unwrap_or_default());
    }
    Ok(counts)
}

/// Brings a file of layout 1 up to date: its watched sessions were in one table.
pub(super) fn split_watched(tx: &Tx) -> Result<()> {
    {
        let old = tx.read(WATCHED_1)?;
        for row in old.iter()? {
            let (key, mailbox) = row?;
            let (activity, session) = key.value();
            if let Some(table) = watched_by(activity) {
                tx.write(table)?.insert(session, mailbox.value())?;
            }
        }
    }
    tx.drop_table(WATCHED_1)
}

/// Where the sweep for expired rows has got to.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    seen: String,
    memo: String,
    story: String,
}

impl Sweep {
    /// Looks at some more rows and removes those that have expired.
    pub(super) fn step(&mut self, tx: &Tx, operations: usize) -> Result<()> {
        let rows = SWEPT_PER_GROUP + operations * SWEPT_PER_OPERATION;
        sweep(tx, SEEN, &mut self.seen, rows, |until| until)?;
        sweep(tx, MEMO, &mut self.memo, rows, |(until, _)| until)?;
        sweep(tx, STORY, &mut self.story, SWEPT_PER_GROUP, |(until, _)| until)
    }
}

fn sweep<V: Value + 'static>(
    tx: &Tx,
    table: TableDefinition<'_, &'static str, V>,
    cursor: &mut String,
    rows: usize,
    until: impl Fn(V::SelfType<'_>) -> i64,
) -> Result<()> {
    let mut expired = Vec::new();
    {
        let table = tx.read(table)?;
        let mut last = None;
        for row in table.range(cursor.as_str()..)?.take(rows) {
            let (key, value) = row?;
            if until(value.value()) <= tx.now() {
                expired.push(key.value().to_owned());
            }
            last = Some(key);
        }
        // Past the end the sweep begins anew.
        let last = last.map(|key| key.value().to_owned());
        *cursor = last.filter(|last| last != cursor).unwrap_or_default();
    }
    if !expired.is_empty() {
        let mut table = tx.write(table)?;
        for key in &expired {
            table.remove(key.as_str())?;
        }
    }
    Ok(())
}

/// How an activity is written in `tracked`.
fn number(activity: Activity) -> u8 {
    match activity {
        Activity::Working => 0,
        Activity::Waiting => 1,
        Activity::Asleep => 2,
        Activity::Over => 3,
    }
}

/// The table of an activity; none for what is not watched.
fn watched_by(number: u8) -> Option<TableDefinition<'static, &'static str, &'static str>> {
    match number {
        0 => Some(WORKING),
        1 => Some(WAITING),
        2 => Some(ASLEEP),
        _ => None,
    }
}

fn deadline(tx: &Tx, ttl: Duration) -> i64 {
    tx.now().saturating_add(i64::try_from(ttl.as_micros()).unwrap_or(i64::MAX))
}
