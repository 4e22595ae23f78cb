//! Mailboxes and leases: from accepting an input to giving the mailbox back. Each function is one operation inside a
//! transaction that others share; whoever refuses must do so before its first write.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use redb::{ReadableTable, Table};

use super::{
    backlog, founding, letters, memory,
    schedule::Next,
    survey,
    tables::{BOXES, INPUTS, JOURNAL, SEEN, STATE, Tx},
};
use crate::{
    domain::mailbox::Mailbox,
    store::{
        Accepted, Admit, Commit, InHand, Inside, Lease, Leased, Offer, Pace, Result, SEEN_FOR, StoreError, TURN_AHEAD,
        Turn, Unfinished, WAITING_MAX,
        form::{self, encode},
    },
};

/// Nothing in hand: the mailbox only waits.
const NOTHING: u8 = 0;
/// An input is in hand.
const INPUT: u8 = 1;
/// A wake is in hand.
const WAKE: u8 = 2;

/// How long what was in hand when the process died waits at first; doubled each time.
const CUT_OFF_WAIT: Duration = Duration::from_millis(500);

/// A mailbox that waits, is leased or is deferred.
#[derive(Clone)]
struct Place {
    ready: i64,
    hand: u8,
    attempt: u32,
    cut_off: u32,
    token: String,
}

impl Place {
    /// One that only waits.
    fn waiting(ready: i64) -> Self {
        Self { ready, hand: NOTHING, attempt: 0, cut_off: 0, token: String::new() }
    }
}

/// An offer in its stored form.
pub(super) struct Entry {
    mailbox: String,
    input: String,
    seen: Vec<String>,
    admit: Admit,
}

impl Entry {
    /// The stored form of an offer.
    pub(super) fn of(offer: &Offer) -> Result<Self> {
        Ok(Self {
            mailbox: offer.mailbox.to_string(),
            input: encode(&offer.input)?,
            seen: offer.seen.clone(),
            admit: offer.admit,
        })
    }
}

/// See [`Store::accept`](crate::store::Store::accept).
pub(super) fn accept(tx: &Tx, entry: &Entry) -> Result<Accepted> {
    let now = tx.now();
    let mut seen = tx.read(SEEN)?;
    for id in &entry.seen {
        if seen.get(id.as_str())?.is_some_and(|until| until.value() > now) {
            return Ok(Accepted::Duplicate);
        }
    }
    if entry.admit == Admit::IfKnown && !known(tx, &entry.mailbox)? && founding::is_founded(tx)? {
        return Ok(Accepted::Unknown);
    }
    tx.writes();
    for id in &entry.seen {
        seen.insert(id.as_str(), after(now, SEEN_FOR))?;
    }
    append(tx, &entry.mailbox, &entry.input)?;
    Ok(Accepted::Stored)
}

/// Puts an input at the end of its mailbox and makes that ready, unless somebody has it in hand.
pub(super) fn append(tx: &Tx, mailbox: &str, input: &str) -> Result<()> {
    {
        let mut inputs = tx.write(INPUTS)?;
        let last = inputs.range((mailbox, 0)..=(mailbox, u64::MAX))?.next_back().transpose()?;
        let number = last.map_or(0, |(key, _)| key.value().1 + 1);
        inputs.insert((mailbox, number), input)?;
    }
    bring_forward(tx, mailbox, tx.now())
}

/// Makes a mailbox ready at a time, unless it is sooner or somebody has it in hand.
pub(super) fn bring_forward(tx: &Tx, mailbox: &str, ready: i64) -> Result<()> {
    match find(tx, mailbox)? {
        None => put(tx, mailbox, &Place::waiting(ready)),
        Some(place) if place.hand == NOTHING && place.ready > ready => put(tx, mailbox, &Place { ready, ..place }),
        Some(_) => Ok(()),
    }
}

/// See [`Store::lease`](crate::store::Store::lease).
pub(super) fn lease(tx: &Tx, ttl: Duration, token: &str) -> Result<Turn> {
    if !founding::is_founded(tx)? {
        return Ok(Turn::Unfounded);
    }
    loop {
        if let Some(turn) = try_lease(tx, ttl, token)? {
            return Ok(turn);
        }
    }
}

/// Takes a turn; `None` when an input was set aside instead, because it cannot be read.
fn try_lease(tx: &Tx, ttl: Duration, token: &str) -> Result<Option<Turn>> {
    let name = match tx.schedule().next(tx.now(), micros(TURN_AHEAD)) {
        Next::Mailbox(name) => name,
        Next::Nobody(next) => return Ok(Some(Turn::Idle { next: next.map(form::time).transpose()? })),
    };
    let place = find(tx, &name)?.ok_or_else(|| StoreError::Corrupt("a ready mailbox has no row".to_owned()))?;
    // A wake that was interrupted goes on as a wake, even if inputs have come since: the journal is the wake's.
    let input = if place.hand == WAKE { None } else { oldest(tx, &name)? };
    let hand = if input.is_some() { INPUT } else { WAKE };
    let attempt = place.attempt.saturating_add(1);
    let cut_off = place.cut_off;
    let until = after(tx.now(), ttl);
    write(
        tx,
        &name,
        &Place { ready: until, hand, attempt, cut_off: cut_off.saturating_add(1), token: token.to_owned() },
    )?;
    tx.schedule().serve(&name, tx.now(), until);

    // Only now, so that an input that cannot be read blocks its own mailbox and no other.
    let mailbox: Mailbox = name.parse().map_err(|e| StoreError::Corrupt(format!("a mailbox's name: {e}")))?;
    let lease = Lease { mailbox, token: token.to_owned() };
    let input = match input {
        None => None,
        Some((number, stored)) => match form::waiting(stored.as_bytes())? {
            None => return discard(tx, &lease, number, &stored).map(|()| None),
            input => input,
        },
    };
    let (state, journal) = (state(tx, &name)?, journal(tx, &name)?);
    let at = form::time(tx.now())?;
    let leased = Leased { lease, at, state, input, journal, attempt, cut_off, forgetful: false };
    Ok(Some(Turn::Taken(Box::new(leased))))
}

/// Sets aside the input in hand, which cannot be read. The mailbox is ready again; when nothing else waits in it, it
/// wakes, so that a wake that was put off for this input is not lost.
fn discard(tx: &Tx, lease: &Lease, number: u64, stored: &str) -> Result<()> {
    let (name, _) = held(tx, lease)?;
    let (input, why) = form::salvage(form::time(tx.now())?, &lease.mailbox, stored.as_bytes());
    letters::set_aside(tx, &input, &why)?;
    tx.write(INPUTS)?.remove((name.as_str(), number))?;
    clear_journal(tx, &name)?;
    backlog::rests(tx, &name)?;
    put(tx, &name, &Place::waiting(tx.now()))
}

/// See [`Store::renew`](crate::store::Store::renew).
pub(super) fn renew(tx: &Tx, lease: &Lease, ttl: Duration) -> Result<()> {
    let (name, place) = held(tx, lease)?;
    put(tx, &name, &Place { ready: after(tx.now(), ttl), ..place })
}

/// See [`Store::begin`](crate::store::Store::begin) and [`Store::finish`](crate::store::Store::finish).
pub(super) fn record(tx: &Tx, lease: &Lease, step: &str, record: &str) -> Result<()> {
    let (name, _) = held(tx, lease)?;
    tx.write(JOURNAL)?.insert((name.as_str(), step), record)?;
    Ok(())
}

/// Commits; with a reason, buries.
pub(super) fn end(tx: &Tx, lease: &Lease, commit: &Commit, why: Option<&str>) -> Result<()> {
    let (name, place) = held(tx, lease)?;
    if place.hand == INPUT
        && let Some((number, input)) = oldest(tx, &name)?
    {
        if let Some(why) = why {
            letters::bury(tx, &lease.mailbox, &input, why, place.attempt)?;
        }
        tx.write(INPUTS)?.remove((name.as_str(), number))?;
    }
    clear_journal(tx, &name)?;
    if place.attempt > 1 {
        backlog::rests(tx, &name)?;
    }
    if let Some(state) = &commit.state {
        tx.write(STATE)?.insert(name.as_str(), state.as_str())?;
    }
    if let Some(track) = &commit.track {
        memory::track(tx, &track.session, track.activity, &name)?;
    }
    if let Some(listing) = &commit.listing {
        survey::enlist(tx, &name, listing)?;
    }
    survey::narrate(tx, &name, &commit.notes)?;
    let next = if oldest(tx, &name)?.is_some() {
        Some(tx.now())
    } else {
        commit.wake.map(|wake| wake.as_microsecond().max(tx.now()))
    };
    if let Some(ready) = next {
        return put(tx, &name, &Place::waiting(ready));
    }
    tx.schedule().remove(&name, tx.now());
    tx.write(BOXES)?.remove(name.as_str())?;
    Ok(())
}

/// See [`Store::defer`](crate::store::Store::defer). What is in hand stays noted: it keeps new inputs from bringing
/// the mailbox forward.
pub(super) fn defer(tx: &Tx, lease: &Lease, until: Timestamp, how: Unfinished) -> Result<()> {
    let (name, place) = held(tx, lease)?;
    let ready = until.as_microsecond().max(tx.now());
    let attempt = place.attempt.saturating_sub(u32::from(how == Unfinished::Paced));
    let cut_off = if how == Unfinished::Broke { place.cut_off } else { 0 };
    if how != Unfinished::Paced {
        backlog::retries(tx, &name)?;
    }
    put(tx, &name, &Place { ready, attempt, cut_off, token: String::new(), ..place })
}

/// See [`Store::pace`](crate::store::Store::pace).
pub(super) fn pace(tx: &Tx, place: &str, Pace { every, ahead }: Pace) -> Result<Option<Timestamp>> {
    let again = tx.schedule().pace(place, tx.now(), micros(every), micros(ahead));
    again.map(form::time).transpose()
}

/// The state of a mailbox.
pub(super) fn state(tx: &Tx, mailbox: &str) -> Result<Option<String>> {
    Ok(tx.read(STATE)?.get(mailbox)?.map(|row| row.value().to_owned()))
}

/// See [`Survey::inside`](crate::store::Survey::inside).
pub(super) fn inside(tx: &Tx, name: &str) -> Result<Inside> {
    let inputs = tx.read(INPUTS)?;
    let (mut waiting, mut waits) = (Vec::new(), 0);
    for row in inputs.range((name, 0)..=(name, u64::MAX))? {
        let input = row?.1;
        waits += 1;
        if waiting.len() < WAITING_MAX {
            waiting.extend(crate::store::survey::waiting(input.value().as_bytes()));
        }
    }
    let place = find(tx, name)?;
    let in_hand = place.as_ref().filter(|place| place.hand != NOTHING).map(|place| InHand {
        woke: place.hand == WAKE,
        attempt: place.attempt,
        cut_off: place.cut_off,
        held: !place.token.is_empty(),
    });
    let ready = place.map(|place| form::time(place.ready)).transpose()?;
    let (state, journal, story) = (state(tx, name)?, journal(tx, name)?, survey::story(tx, name)?);
    Ok(Inside { state, waiting, waits, ready, in_hand, journal, story })
}

/// Fills the schedule of a file that was opened.
pub(super) fn scheduled(tx: &Tx) -> Result<()> {
    for row in tx.read(BOXES)?.iter()? {
        let (name, place) = row?;
        tx.schedule().set(name.value(), Place::from(place.value()).ready, tx.now());
    }
    Ok(())
}

/// Takes every lease back: the file's lock says that no other process lives, so their holders are gone. What was in hand
/// more than once when they died may be why, so that it waits a little and lets others go first.
pub(super) fn release_all(tx: &Tx) -> Result<()> {
    let mut left = Vec::new();
    for row in tx.read(BOXES)?.iter()? {
        let (name, place) = row?;
        let place = Place::from(place.value());
        if !place.token.is_empty() {
            left.push((name.value().to_owned(), place));
        }
    }
    for (name, place) in left {
        let wait = if place.cut_off > 1 { CUT_OFF_WAIT * (1 << place.cut_off.min(6)) } else { Duration::ZERO };
        put(tx, &name, &Place { ready: after(tx.now(), wait), token: String::new(), ..place })?;
    }
    Ok(())
}

impl From<(i64, u8, u32, u32, &str)> for Place {
    fn from((ready, hand, attempt, cut_off, token): (i64, u8, u32, u32, &str)) -> Self {
        Self { ready, hand, attempt, cut_off, token: token.to_owned() }
    }
}

fn known(tx: &Tx, mailbox: &str) -> Result<bool> {
    Ok(tx.read(STATE)?.get(mailbox)?.is_some() || waits(tx, mailbox)?)
}

/// Whether a mailbox is leased, or its turn is to be tried again.
pub(super) fn is_in_hand(tx: &Tx, mailbox: &str) -> Result<bool> {
    Ok(find(tx, mailbox)?.is_some_and(|place| place.hand != NOTHING))
}

/// Whether inputs wait in a mailbox.
pub(super) fn waits(tx: &Tx, mailbox: &str) -> Result<bool> {
    Ok(oldest(tx, mailbox)?.is_some())
}

fn find(tx: &Tx, mailbox: &str) -> Result<Option<Place>> {
    Ok(tx.read(BOXES)?.get(mailbox)?.map(|row| Place::from(row.value())))
}

fn held(tx: &Tx, lease: &Lease) -> Result<(String, Place)> {
    let name = lease.mailbox.to_string();
    match find(tx, &name)? {
        Some(place) if place.token == lease.token && !place.token.is_empty() => Ok((name, place)),
        _ => Err(StoreError::LeaseLost),
    }
}

/// Writes a mailbox and when it is ready.
fn put(tx: &Tx, mailbox: &str, place: &Place) -> Result<()> {
    write(tx, mailbox, place)?;
    tx.schedule().set(mailbox, place.ready, tx.now());
    Ok(())
}

fn write(tx: &Tx, mailbox: &str, place: &Place) -> Result<()> {
    let row = (place.ready, place.hand, place.attempt, place.cut_off, place.token.as_str());
    tx.write(BOXES)?.insert(mailbox, row)?;
    Ok(())
}

fn oldest(tx: &Tx, mailbox: &str) -> Result<Option<(u64, String)>> {
    let inputs: Table<'_, (&str, u64), &str> = tx.read(INPUTS)?;
    let first = inputs.range((mailbox, 0)..=(mailbox, u64::MAX))?.next().transpose()?;
    Ok(first.map(|(key, input)| (key.value().1, input.value().to_owned())))
}

fn journal(tx: &Tx, mailbox: &str) -> Result<BTreeMap<String, String>> {
    let table = tx.read(JOURNAL)?;
    let mut records = BTreeMap::new();
    for row in table.range((mailbox, "")..)? {
        let (key, record) = row?;
        let (of, step) = key.value();
        if of != mailbox {
            break;
        }
        records.insert(step.to_owned(), record.value().to_owned());
    }
    Ok(records)
}

fn clear_journal(tx: &Tx, mailbox: &str) -> Result<()> {
    let steps: Vec<String> = journal(tx, mailbox)?.into_keys().collect();
    if !steps.is_empty() {
        let mut journal = tx.write(JOURNAL)?;
        for step in &steps {
            journal.remove((mailbox, step.as_str()))?;
        }
    }
    Ok(())
}

fn after(now: i64, by: Duration) -> i64 {
    now.saturating_add(micros(by))
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
