//! Dead letters: kept by id, listed by time.

use std::ops::Bound;

use jiff::Timestamp;
use redb::ReadableTable;

use super::{
    tables::{DEAD, DEAD_ORDER, Tx},
    turns,
};
use crate::{
    domain::{ids::InputId, mailbox::Mailbox},
    store::{
        Cursor, Dead, Input, Result,
        form::{self, encode},
    },
};

/// Moves an input from its mailbox to the dead letters.
pub(super) fn bury(tx: &Tx, mailbox: &Mailbox, input: &str, why: &str, attempts: u32) -> Result<()> {
    keep(tx, Some(mailbox.clone()), form::decode(input)?, why, attempts)
}

/// See [`Store::set_aside`](crate::store::Store::set_aside).
pub(super) fn set_aside(tx: &Tx, input: &Input, why: &str) -> Result<()> {
    keep(tx, None, input.clone(), why, 0)
}

/// See [`Store::dead`](crate::store::Store::dead).
pub(super) fn list(tx: &Tx, limit: usize) -> Result<Vec<Dead>> {
    let (order, letters) = (tx.read(DEAD_ORDER)?, tx.read(DEAD)?);
    let mut found = Vec::new();
    for row in order.iter()?.rev().take(limit) {
        if let Some(letter) = letters.get(row?.0.value().1)? {
            found.push(form::decode(letter.value().1)?);
        }
    }
    Ok(found)
}

/// See [`Survey::letters`](crate::store::Survey::letters).
pub(super) fn page(tx: &Tx, after: Option<&Cursor>, limit: usize) -> Result<Vec<Dead>> {
    let (order, letters) = (tx.read(DEAD_ORDER)?, tx.read(DEAD)?);
    let end = after.map_or(Bound::Unbounded, |cursor| Bound::Excluded((cursor.at(), cursor.name())));
    let mut found = Vec::new();
    for row in order.range::<(i64, &str)>((Bound::Unbounded, end))?.rev().take(limit) {
        if let Some(letter) = letters.get(row?.0.value().1)? {
            found.push(form::decode(letter.value().1)?);
        }
    }
    Ok(found)
}

/// See [`Survey::letter`](crate::store::Survey::letter).
pub(super) fn one(tx: &Tx, id: &InputId) -> Result<Option<Dead>> {
    tx.read(DEAD)?.get(id.as_str())?.map(|row| form::decode(row.value().1)).transpose()
}

/// See [`Store::replay_dead`](crate::store::Store::replay_dead).
pub(super) fn replay(tx: &Tx, id: &InputId) -> Result<bool> {
    let stored = tx.read(DEAD)?.get(id.as_str())?.map(|row| row.value().1.to_owned());
    let Some(stored) = stored else { return Ok(false) };
    let letter: Dead = form::decode(&stored)?;
    let Some(mailbox) = letter.mailbox else { return Ok(false) };
    let input = encode(&letter.input)?;
    turns::append(tx, &mailbox.to_string(), &input)?;
    forget(tx, id)
}

/// See [`Store::drop_dead`](crate::store::Store::drop_dead).
pub(super) fn forget(tx: &Tx, id: &InputId) -> Result<bool> {
    let at = tx.read(DEAD)?.get(id.as_str())?.map(|row| row.value().0);
    let Some(at) = at else { return Ok(false) };
    tx.write(DEAD)?.remove(id.as_str())?;
    tx.write(DEAD_ORDER)?.remove((at, id.as_str()))?;
    Ok(true)
}

fn keep(tx: &Tx, mailbox: Option<Mailbox>, input: Input, why: &str, attempts: u32) -> Result<()> {
    let at: Timestamp = form::time(tx.now())?;
    let letter = Dead { v: form::DEAD_VERSION, mailbox, input, at, why: why.to_owned(), attempts };
    let text = encode(&letter)?;
    // The same id again (set aside twice, or buried after a replay) replaces the earlier letter.
    forget(tx, &letter.input.id)?;
    let id = letter.input.id.as_str();
    tx.write(DEAD)?.insert(id, (tx.now(), text.as_str()))?;
    tx.write(DEAD_ORDER)?.insert((tx.now(), id), ())?;
    Ok(())
}
