//! What changed since the last look: one list call, whatever the number of sessions.
//!
//! How the list is sorted and whether its bounds are inclusive is not documented, so every page is read and each list
//! begins a little before the newest change that the last one showed.
//! <https://docs.devin.ai/api-reference/v3/sessions/organizations-sessions>

use std::time::Duration;

use jiff::Timestamp;

use super::{
    LookError, Watch, WatchDeps,
    adopt::{Orphan, adopt},
    memory::{Memory, print},
    news,
};
use crate::{
    clock::later,
    devin::{DevinError, Session, SessionQuery},
    domain::{
        mailbox::{Mailbox, ThreadKey},
        sighting::Sighting,
    },
};

/// The tag that every session of ours carries.
pub const OUR_TAG: &str = "bobbin";
/// How far lists overlap, in seconds: clocks differ, and a change may be listed late.
const OVERLAP_SECONDS: i64 = 60;
/// How far back the very first list goes, in seconds.
const FIRST_SECONDS: i64 = 3_600;
/// Where the newest change is remembered for the replica that looks after us.
const NEWEST: &str = "watch:newest";
/// For how long: after a longer silence the first list goes back as far as ever.
const NEWEST_FOR: Duration = Duration::from_hours(7 * 24);
/// When an adopted mailbox wakes by itself, should the sighting that follows not get into it.
const ADOPTED_WAKES_AFTER: Duration = Duration::from_secs(5);
/// Pages of one look: a list that is longer (many sessions changed while Devin could not be reached) is read on in the
/// next looks, from where this one stopped.
const MAX_PAGES: usize = 20;

/// A list of changes that is being read.
#[derive(Debug, Clone)]
pub(super) struct List {
    /// It shows changes from a little before this second.
    since: i64,
    /// When it was begun. What changes later may be on a page that was read already: the next list begins here at the
    /// latest.
    begun: i64,
    /// The newest change met, no later than that.
    newest: i64,
    /// The cursor of the next page; `None` for the first.
    after: Option<String>,
}

/// Reads the list and puts what is news into the mailboxes; how many sightings.
pub(super) async fn read(watch: &Watch, memory: &mut Memory, now: Timestamp) -> Result<usize, LookError> {
    let mut list = match memory.list.take() {
        Some(list) => list,
        None => begin(&watch.deps, memory, now).await?,
    };
    let mut saw = 0;
    for _ in 0..MAX_PAGES {
        // Whatever fails from here on, the next look goes on with this page.
        memory.list = list.after.is_some().then(|| list.clone());
        let page = match watch.list(&list.query()).await {
            Ok(page) => page,
            Err(error) => {
                if !passes(&error) {
                    memory.list = None;
                }
                return Err(error);
            }
        };
        let next = page.next().map(str::to_owned);
        for session in page.items {
            list.newest = list.newest.max(session.updated_at.min(list.begun));
            saw += usize::from(offer(&watch.deps, memory, now, &session).await?);
        }
        list.after = next;
        if list.after.is_none() {
            memory.list = None;
            end(&watch.deps, memory, &list).await?;
            return Ok(saw);
        }
    }
    tracing::info!(pages = MAX_PAGES, "many sessions changed; the next look reads on");
    memory.list = Some(list);
    Ok(saw)
}

async fn begin(deps: &WatchDeps, memory: &Memory, now: Timestamp) -> Result<List, LookError> {
    let begun = now.as_second();
    let since = match memory.newest {
        Some(newest) => newest,
        None => remembered(deps).await?.unwrap_or(begun - FIRST_SECONDS),
    };
    // Never later than now: one wrong time at Devin, or a clock that was ahead, would hide every change until that time.
    let since = since.min(begun);
    Ok(List { since, begun, newest: since, after: None })
}

async fn end(deps: &WatchDeps, memory: &mut Memory, list: &List) -> Result<(), LookError> {
    if memory.newest != Some(list.newest) {
        deps.store.remember(&deps.scope.named(NEWEST), &list.newest.to_string(), NEWEST_FOR).await?;
        memory.newest = Some(list.newest);
    }
    Ok(())
}

impl List {
    fn query(&self) -> SessionQuery {
        SessionQuery {
            tags: vec![OUR_TAG.to_owned()],
            updated_after: Some(self.since - OVERLAP_SECONDS),
            after: self.after.clone(),
            ..SessionQuery::default()
        }
    }
}

/// Whether the same page can be asked for again. A cursor that Devin no longer takes is not: the list begins anew.
fn passes(error: &LookError) -> bool {
    match error {
        LookError::Store(_) | LookError::NotOurs => true,
        LookError::Devin(error) => match error {
            DevinError::RateLimited { .. } | DevinError::Unsure { .. } | DevinError::Unreachable { .. } => true,
            DevinError::Unauthorized
            | DevinError::Forbidden { .. }
            | DevinError::NotFound
            | DevinError::Invalid { .. }
            | DevinError::Billing { .. } => false,
        },
    }
}

async fn remembered(deps: &WatchDeps) -> Result<Option<i64>, LookError> {
    Ok(deps.store.recall(&deps.scope.named(NEWEST)).await?.and_then(|text| text.parse().ok()))
}

/// Offers a look, where it shows something new; the session's tag names its thread.
async fn offer(deps: &WatchDeps, memory: &mut Memory, now: Timestamp, session: &Session) -> Result<bool, LookError> {
    let Some(thread) = session.thread().filter(|thread| deps.scope.has(&Mailbox::Thread(thread.clone()))) else {
        return Ok(false);
    };
    let seen = session.observe(now);
    if !memory.is_news(&seen) {
        return Ok(false);
    }
    let id = format!("look:{}:{}", seen.session, print(&seen));
    let sighting = Sighting::SessionChanged { seen: Box::new(seen.clone()) };
    let mailbox = Mailbox::Thread(thread.clone());
    let mut stored = news::put(deps, mailbox.clone(), &sighting, id.clone()).await?;
    if !stored {
        // Not known, most likely refused as seen before; the store tells the two apart.
        let Some(ours) = is_ours(deps, &thread).await else { return Ok(false) };
        let orphan = Orphan { session: session.id.clone(), thread, wake: Some(later(now, ADOPTED_WAKES_AFTER)) };
        if ours && adopt(&deps.store, orphan).await? {
            tracing::warn!(
                devin.session = %session.id,
                "a session of ours was not known: its link is restored. If the store is an old copy, stop every replica, \
                 run `bobbin rebuild --all` and start again"
            );
            metrics::counter!("bobbin_sessions_adopted_total").increment(1);
            stored = news::put(deps, mailbox, &sighting, id).await?;
        }
    }
    memory.handed_on(&seen);
    Ok(stored)
}

/// Whether a thread is of a workspace of ours; `None` when that can't be found out just now.
async fn is_ours(deps: &WatchDeps, thread: &ThreadKey) -> Option<bool> {
    let known = deps.workspaces.has(&thread.team).await;
    known.inspect_err(|error| tracing::warn!(%error, "not known whether a session is ours; it is looked at again")).ok()
}
