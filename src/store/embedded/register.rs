//! Registers: rows by register, time and name.

use std::ops::Bound;

use async_trait::async_trait;
use redb::ReadableTable;

use super::{
    store::EmbeddedStore,
    tables::{ROW_TIME, ROWS, Tx},
};
use crate::store::{Change, Cursor, PAGE_MAX, Registers, Result, Row, form};

/// Old rows that one change takes out at most.
const FORGOTTEN_AT_ONCE: usize = 100;

#[async_trait]
impl Registers for EmbeddedStore {
    async fn register(&self, changes: &[Change]) -> Result<()> {
        let changes = changes.to_vec();
        self.ask(move |tx| changes.iter().try_for_each(|change| make(tx, change))).await
    }

    async fn row(&self, register: &str, name: &str) -> Result<Option<Row>> {
        let (register, name) = (register.to_owned(), name.to_owned());
        self.ask(move |tx| row(tx, &register, &name)).await
    }

    async fn rows(&self, register: &str, after: Option<&Cursor>, limit: usize) -> Result<Vec<Row>> {
        let (register, after) = (register.to_owned(), after.cloned());
        self.ask(move |tx| page(tx, &register, after.as_ref(), limit.min(PAGE_MAX))).await
    }
}

fn make(tx: &Tx, change: &Change) -> Result<()> {
    match change {
        Change::Put { register, name, value, keep } => {
            remove(tx, register, name)?;
            tx.write(ROW_TIME)?.insert((register.as_str(), name.as_str()), tx.now())?;
            tx.write(ROWS)?.insert((register.as_str(), tx.now(), name.as_str()), value.as_str())?;
            if let Some(keep) = keep {
                let micros = i64::try_from(keep.as_micros()).unwrap_or(i64::MAX);
                forget_before(tx, register, tx.now().saturating_sub(micros))?;
            }
            Ok(())
        }
        Change::Remove { register, name } => remove(tx, register, name),
    }
}

fn remove(tx: &Tx, register: &str, name: &str) -> Result<()> {
    let at = tx.write(ROW_TIME)?.remove((register, name))?.map(|row| row.value());
    if let Some(at) = at {
        tx.write(ROWS)?.remove((register, at, name))?;
    }
    Ok(())
}

fn forget_before(tx: &Tx, register: &str, before: i64) -> Result<()> {
    let mut old = Vec::new();
    for row in tx.read(ROWS)?.range((register, i64::MIN, "")..(register, before, ""))?.take(FORGOTTEN_AT_ONCE) {
        old.push(row?.0.value().2.to_owned());
    }
    old.iter().try_for_each(|name| remove(tx, register, name))
}

fn row(tx: &Tx, register: &str, name: &str) -> Result<Option<Row>> {
    let Some(at) = tx.read(ROW_TIME)?.get((register, name))?.map(|row| row.value()) else { return Ok(None) };
    let value = tx.read(ROWS)?.get((register, at, name))?.map(|row| row.value().to_owned());
    value.map(|value| Ok(Row { at: form::time(at)?, name: name.to_owned(), value })).transpose()
}

fn page(tx: &Tx, register: &str, after: Option<&Cursor>, limit: usize) -> Result<Vec<Row>> {
    let rows = tx.read(ROWS)?;
    let end = after.map_or(Bound::Included((register, i64::MAX, "")), |cursor| {
        Bound::Excluded((register, cursor.at(), cursor.name()))
    });
    let mut page = Vec::new();
    for row in rows.range::<(&str, i64, &str)>((Bound::Included((register, i64::MIN, "")), end))?.rev().take(limit) {
        let (key, value) = row?;
        let (_, at, name) = key.value();
        page.push(Row { at: form::time(at)?, name: name.to_owned(), value: value.value().to_owned() });
    }
    Ok(page)
}
