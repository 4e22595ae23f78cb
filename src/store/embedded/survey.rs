//! Looking inside: lists by word and time, stories, and what older programs left unlisted.

use std::ops::Bound;

use async_trait::async_trait;
use redb::ReadableTable;

use super::{
    letters,
    store::EmbeddedStore,
    tables::{LISTED, LISTED_COUNT, LISTING, STATE, STORY, Tx},
    turns,
};
use crate::{
    domain::{ids::InputId, mailbox::Mailbox},
    store::{
        Cursor, Dead, Inside, Listed, Listing, PAGE_MAX, Result, STORY_FOR, STORY_MAX, StoreError, Survey, Unlisted,
        form, survey::places,
    },
};

/// Mailboxes that one call looks at when it looks for those that are not listed.
const LOOKED_AT: usize = 500;

#[async_trait]
impl Survey for EmbeddedStore {
    async fn listed(&self, under: &str, after: Option<&Cursor>, limit: usize) -> Result<Vec<Listed>> {
        let (under, after) = (under.to_owned(), after.cloned());
        self.ask(move |tx| page(tx, &under, after.as_ref(), limit.min(PAGE_MAX))).await
    }

    async fn listed_counts(&self, under: &[&str]) -> Result<Vec<u64>> {
        let under: Vec<String> = under.iter().map(|word| (*word).to_owned()).collect();
        self.ask(move |tx| under.iter().map(|word| count(tx, word)).collect()).await
    }

    async fn inside(&self, mailbox: &Mailbox) -> Result<Inside> {
        let name = mailbox.to_string();
        self.ask(move |tx| turns::inside(tx, &name)).await
    }

    async fn unlisted(&self, from: Option<&str>) -> Result<Unlisted> {
        let from = from.map(str::to_owned);
        self.ask(move |tx| unlisted(tx, from.as_deref())).await
    }

    async fn enlist(&self, mailbox: &Mailbox, state: &str, listing: &Listing) -> Result<bool> {
        let (name, state, listing) = (mailbox.to_string(), state.to_owned(), listing.clone());
        self.ask(move |tx| {
            let due = tx.read(LISTING)?.get(name.as_str())?.is_none() && turns::state(tx, &name)? == Some(state);
            if due {
                enlist(tx, &name, &listing)?;
            }
            Ok(due)
        })
        .await
    }

    async fn letters(&self, after: Option<&Cursor>, limit: usize) -> Result<Vec<Dead>> {
        let after = after.cloned();
        self.ask(move |tx| letters::page(tx, after.as_ref(), limit.min(PAGE_MAX))).await
    }

    async fn letter(&self, id: &InputId) -> Result<Option<Dead>> {
        let id = id.clone();
        self.ask(move |tx| letters::one(tx, &id)).await
    }
}

/// Lists a mailbox, in the place of where it was listed before.
pub(super) fn enlist(tx: &Tx, name: &str, listing: &Listing) -> Result<()> {
    let (at, words) = (listing.at.as_microsecond(), listing.words());
    let before = tx.read(LISTING)?.get(name)?.map(|row| (row.value().0, row.value().1.to_owned()));
    if before.as_ref().is_some_and(|(was_at, were)| *was_at == at && *were == words) {
        return Ok(());
    }
    if let Some((at, words)) = before {
        for (word, at) in places(&words, at) {
            tx.write(LISTED)?.remove((word, at, name))?;
            let left = count(tx, word)?.saturating_sub(1);
            tx.write(LISTED_COUNT)?.insert(word, left)?;
        }
        tx.write(LISTING)?.remove(name)?;
    }
    for (word, at) in places(&words, at) {
        tx.write(LISTED)?.insert((word, at, name), ())?;
        let more = count(tx, word)?.saturating_add(1);
        tx.write(LISTED_COUNT)?.insert(word, more)?;
    }
    if !words.is_empty() {
        tx.write(LISTING)?.insert(name, (at, words.as_str()))?;
    }
    Ok(())
}

/// Adds to a mailbox's story.
pub(super) fn narrate(tx: &Tx, name: &str, notes: &[String]) -> Result<()> {
    if notes.is_empty() {
        return Ok(());
    }
    let mut lines = story(tx, name)?;
    lines.extend_from_slice(notes);
    let surplus = lines.len().saturating_sub(STORY_MAX);
    let text = lines.split_off(surplus).join("\n");
    let until = tx.now().saturating_add(i64::try_from(STORY_FOR.as_micros()).unwrap_or(i64::MAX));
    tx.write(STORY)?.insert(name, (until, text.as_str()))?;
    Ok(())
}

/// The story of a mailbox.
pub(super) fn story(tx: &Tx, name: &str) -> Result<Vec<String>> {
    let stories = tx.read(STORY)?;
    let found = stories.get(name)?;
    Ok(found.map(|row| row.value().1.lines().map(str::to_owned).collect()).unwrap_or_default())
}

fn count(tx: &Tx, word: &str) -> Result<u64> {
    Ok(tx.read(LISTED_COUNT)?.get(word)?.map(|row| row.value()).unwrap_or_default())
}

fn page(tx: &Tx, word: &str, after: Option<&Cursor>, limit: usize) -> Result<Vec<Listed>> {
    let listed = tx.read(LISTED)?;
    let end = after
        .map_or(Bound::Included((word, i64::MAX, "")), |cursor| Bound::Excluded((word, cursor.at(), cursor.name())));
    let mut page = Vec::new();
    for row in listed.range::<(&str, i64, &str)>((Bound::Included((word, i64::MIN, "")), end))?.rev().take(limit) {
        let key = row?.0;
        let (_, at, name) = key.value();
        page.push(Listed { at: form::time(at)?, mailbox: parse(name)?, state: turns::state(tx, name)? });
    }
    Ok(page)
}

fn unlisted(tx: &Tx, from: Option<&str>) -> Result<Unlisted> {
    let (states, listing) = (tx.read(STATE)?, tx.read(LISTING)?);
    let begin = from.map_or(Bound::Unbounded, Bound::Excluded);
    let (mut found, mut last, mut seen) = (Vec::new(), None, 0);
    for row in states.range::<&str>((begin, Bound::Unbounded))?.take(LOOKED_AT) {
        let (name, state) = row?;
        seen += 1;
        if listing.get(name.value())?.is_none() {
            found.push((parse(name.value())?, state.value().to_owned()));
        }
        last = Some(name.value().to_owned());
    }
    Ok(Unlisted { found, next: last.filter(|_| seen == LOOKED_AT) })
}

fn parse(name: &str) -> Result<Mailbox> {
    name.parse().map_err(|e| StoreError::Corrupt(format!("a mailbox's name: {e}")))
}
