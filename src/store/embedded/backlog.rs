//! What waits: mailboxes whose turn has come, and those whose turn did not get done and is tried again.

use redb::ReadableTable as _;

use super::{
    tables::{RETRIED, Tx},
    turns,
};
use crate::store::{Backlog, Result, form};

/// See [`Store::backlog`](crate::store::Store::backlog).
pub(super) fn backlog(tx: &Tx) -> Result<Backlog> {
    let (ready, oldest) = tx.schedule().ready(tx.now());
    let (mut retried, mut since) = (0, None);
    for row in tx.read(RETRIED)?.iter()? {
        let (name, at) = row?;
        // A program that does not know of this may have finished it.
        if turns::is_in_hand(tx, name.value())? {
            (retried, since) = (retried + 1, since.into_iter().chain([at.value()]).min());
        }
    }
    let time = |at: Option<i64>| at.map(form::time).transpose();
    Ok(Backlog { ready, oldest: time(oldest)?, retried, retried_since: time(since)? })
}

/// A turn is tried again: since now, unless it has been already.
pub(super) fn retries(tx: &Tx, mailbox: &str) -> Result<()> {
    let mut retried = tx.write(RETRIED)?;
    let known = retried.get(mailbox)?.is_some();
    if !known {
        retried.insert(mailbox, tx.now())?;
    }
    Ok(())
}

/// Nothing is tried there any more.
pub(super) fn rests(tx: &Tx, mailbox: &str) -> Result<()> {
    tx.write(RETRIED)?.remove(mailbox)?;
    Ok(())
}
