//! What changed since the last look: one list call, whatever the number of sessions.
//!
//! How the list is sorted and whether its bounds are inclusive is not documented, so every page is read and each list
//! begins a little before the newest change that the last one showed.
//! <https://docs.devin.ai/api-reference/v3/sessions/organizations-sessions>

use std::time::Duration;

use jiff::Timestamp;

use super::{
    LookError, WatchDeps,
    memory::{Memory, print},
    news,
};
use crate::{
    devin::{DevinError, Page, Session, SessionQuery},
    domain::{
        mailbox::{Mailbox, ThreadKey},
        sighting::Sighting,
    },
};

/// The tag that every session of ours carries.
const OUR_TAG: &str = "bobbin";
/// How far lists overlap, in seconds: clocks differ, and a change may be listed late.
const OVERLAP_SECONDS: i64 = 60;
/// How far back the very first list goes, in seconds.
const FIRST_SECONDS: i64 = 3_600;
/// Where the newest change is remembered for the replica that looks after us.
const NEWEST: &str = "watch:newest";
/// For how long: after a longer silence the first list goes back as far as ever.
const NEWEST_FOR: Duration = Duration::from_hours(7 * 24);
/// Pages of one list. A longer one is cut here, and the next look begins where this one did: what stands behind the cut
/// is then found by the sweep only, which is late but never lost.
const MAX_PAGES: usize = 50;

/// Reads the list and puts what is news into the mailboxes; how many sightings.
pub(super) async fn read(deps: &WatchDeps, memory: &mut Memory, now: Timestamp) -> Result<usize, LookError> {
    // Never later than now: one wrong time at Devin would hide every change until that time.
    let latest = now.as_second();
    let since = match memory.newest {
        Some(newest) => newest,
        None => remembered(deps).await?.unwrap_or(latest - FIRST_SECONDS).min(latest),
    };
    let mut newest = since;
    let mut saw = 0;
    let mut after = None;
    let mut ended = false;
    for _ in 0..MAX_PAGES {
        let page = page(deps, since, after.take()).await?;
        let next = page.next().map(str::to_owned);
        for session in page.items {
            newest = newest.max(session.updated_at.min(latest));
            saw += usize::from(offer(deps, memory, now, &session).await?);
        }
        ended = next.is_none();
        if ended {
            break;
        }
        after = next;
    }
    if !ended {
        tracing::warn!(pages = MAX_PAGES, "the list of changed sessions was cut");
        return Ok(saw);
    }
    if memory.newest != Some(newest) {
        deps.store.remember(NEWEST, &newest.to_string(), NEWEST_FOR).await?;
        memory.newest = Some(newest);
    }
    Ok(saw)
}

async fn page(deps: &WatchDeps, since: i64, after: Option<String>) -> Result<Page<Session>, DevinError> {
    let query = SessionQuery {
        tags: vec![OUR_TAG.to_owned()],
        updated_after: Some(since - OVERLAP_SECONDS),
        after,
        ..SessionQuery::default()
    };
    deps.devin.sessions(&query).await
}

async fn remembered(deps: &WatchDeps) -> Result<Option<i64>, LookError> {
    Ok(deps.store.recall(NEWEST).await?.and_then(|text| text.parse().ok()))
}

/// Offers a look, where it shows something new; the session's tag names its thread.
async fn offer(deps: &WatchDeps, memory: &mut Memory, now: Timestamp, session: &Session) -> Result<bool, LookError> {
    let Some(thread) = session.tags.iter().find_map(|tag| ThreadKey::from_tag(tag)) else { return Ok(false) };
    let seen = session.observe(now);
    if !memory.is_news(&seen) {
        return Ok(false);
    }
    let id = format!("look:{}:{}", seen.session, print(&seen));
    let sighting = Sighting::SessionChanged { seen: seen.clone() };
    let stored = news::put(deps, Mailbox::Thread(thread), &sighting, id).await?;
    memory.handed_on(&seen);
    Ok(stored)
}
