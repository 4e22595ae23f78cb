//! What a script answers, as Rust values, and what the crate's errors mean here. An answer of an unexpected form is
//! reported without its content, which may be a person's words.

use std::collections::BTreeMap;

use jiff::Timestamp;
use redis::{FromRedisValue, RedisError, Value};

use crate::{
    domain::mailbox::Mailbox,
    store::{
        Accepted, Backlog, Dead, InHand, Inside, Lease, Leased, Listed, Result, Row, StoreError, Turn, form, survey,
    },
};

type Number = i64;
type TurnRow =
    (Option<String>, Number, Option<String>, Option<Vec<u8>>, BTreeMap<String, String>, u32, u32, Option<Number>);
type InsideRow = (
    Option<String>,
    Option<String>,
    Option<String>,
    Option<u32>,
    Option<u32>,
    Option<Number>,
    BTreeMap<String, String>,
    Vec<Vec<u8>>,
    u64,
    Vec<String>,
);
type DeadRow = (Number, u8, Option<String>, String, String, u32);

/// Reads an answer.
pub(super) fn read<T: FromRedisValue>(value: Value) -> Result<T> {
    T::from_redis_value(value).map_err(|_| StoreError::Corrupt("a script's answer is not in its form".to_owned()))
}

/// What the crate's error means to the rooms above.
pub(super) fn unavailable(error: &RedisError) -> StoreError {
    let remedy = match error.code() {
        Some("OOM") => " (its memory is full: raise maxmemory)",
        Some("READONLY") => " (READONLY: this is a replica)",
        _ => "",
    };
    // Redis quotes the arguments of a command it does not know (one that was renamed or forbidden).
    let text = error.to_string();
    let text = text.split(", with args").next().unwrap_or_default();
    StoreError::Unavailable(format!("Redis: {text}{remedy}"))
}

/// 0 is a lost lease.
pub(super) fn held(value: Value) -> Result<()> {
    match read::<Number>(value)? {
        0 => Err(StoreError::LeaseLost),
        _ => Ok(()),
    }
}

/// 0 is no.
pub(super) fn yes(value: Value) -> Result<bool> {
    Ok(read::<Number>(value)? != 0)
}

/// What became of an offer.
pub(super) fn accepted(value: Value) -> Result<Accepted> {
    match read::<Number>(value)? {
        0 => Ok(Accepted::Stored),
        1 => Ok(Accepted::Duplicate),
        _ => Ok(Accepted::Unknown),
    }
}

/// What asking for a turn gave.
pub(super) enum Took {
    /// A turn, or none.
    Turn(Turn),
    /// A lease whose input cannot be read, and what is stored of that.
    Damaged(Lease, Vec<u8>),
}

/// A turn, taken with this token.
pub(super) fn turn(value: Value, token: String) -> Result<Took> {
    if value == Value::Nil {
        return Ok(Took::Turn(Turn::Unfounded));
    }
    let (mailbox, at, state, input, journal, attempt, cut_off, next): TurnRow = read(value)?;
    let Some(mailbox) = mailbox else {
        return Ok(Took::Turn(Turn::Idle { next: next.map(form::time).transpose()? }));
    };
    let lease = Lease { mailbox: parse(&mailbox)?, token };
    let input = match input {
        None => None,
        Some(stored) => match form::waiting(&stored)? {
            None => return Ok(Took::Damaged(lease, stored)),
            input => input,
        },
    };
    let at = form::time(at)?;
    let leased = Leased { lease, at, state, input, journal, attempt, cut_off, forgetful: false };
    Ok(Took::Turn(Turn::Taken(Box::new(leased))))
}

/// Dead letters.
pub(super) fn dead(value: Value) -> Result<Vec<Dead>> {
    read::<Vec<DeadRow>>(value)?.into_iter().map(letter).collect()
}

/// When to ask again for a post; 0 is now.
pub(super) fn pace(value: Value) -> Result<Option<Timestamp>> {
    match read::<Number>(value)? {
        0 => Ok(None),
        at => form::time(at).map(Some),
    }
}

/// What waits in one shard.
pub(super) fn backlog(value: Value) -> Result<Backlog> {
    let (ready, oldest, retried, since): (u64, Option<Number>, u64, Option<Number>) = read(value)?;
    let time = |at: Option<Number>| at.map(form::time).transpose();
    Ok(Backlog { ready, oldest: time(oldest)?, retried, retried_since: time(since)? })
}

/// A mailbox's name.
pub(super) fn parse(mailbox: &str) -> Result<Mailbox> {
    mailbox.parse().map_err(|e| StoreError::Corrupt(format!("a mailbox's name: {e}")))
}

/// The earlier of two times that may be missing.
pub(super) fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    a.into_iter().chain(b).min()
}

/// A mailbox from inside.
pub(super) fn inside(value: Value) -> Result<Inside> {
    let (state, token, hand, attempt, cut_off, ready, journal, waiting, waits, story): InsideRow = read(value)?;
    let in_hand = hand.map(|hand| InHand {
        woke: hand == "w",
        attempt: attempt.unwrap_or_default(),
        cut_off: cut_off.unwrap_or_default(),
        held: token.is_some(),
    });
    let waiting = waiting.iter().filter_map(|stored| survey::waiting(stored)).collect();
    let ready = ready.map(form::time).transpose()?;
    Ok(Inside { state, waiting, waits, ready, in_hand, journal, story })
}

/// Listed mailboxes.
pub(super) fn listed(value: Value) -> Result<Vec<Listed>> {
    let rows: Vec<(String, Number, Option<String>)> = read(value)?;
    let listed =
        |(name, at, state): (String, Number, _)| Ok(Listed { at: form::time(at)?, mailbox: parse(&name)?, state });
    rows.into_iter().map(listed).collect()
}

/// Mailboxes with their states, and where to go on in this shard.
pub(super) fn unlisted(value: Value) -> Result<(String, Vec<(Mailbox, String)>)> {
    let (next, rows): (String, Vec<(String, String)>) = read(value)?;
    let found = rows.into_iter().map(|(name, state)| Ok((parse(&name)?, state))).collect::<Result<_>>()?;
    Ok((next, found))
}

/// Rows of a register.
pub(super) fn rows(value: Value) -> Result<Vec<Row>> {
    let rows: Vec<(String, Number, String)> = read(value)?;
    rows.into_iter().map(|(name, at, value)| Ok(Row { at: form::time(at)?, name, value })).collect()
}

fn letter((at, v, mailbox, input, why, attempts): DeadRow) -> Result<Dead> {
    if v > form::DEAD_VERSION {
        return Err(StoreError::Corrupt(format!("a dead letter has version {v}, newer than this program")));
    }
    let mailbox = mailbox.as_deref().map(parse).transpose()?;
    Ok(Dead { v, mailbox, input: form::decode(&input)?, at: form::time(at)?, why, attempts })
}
