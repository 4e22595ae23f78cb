//! The slower sweep: every tracked session is asked for by its id. It catches what the feed missed, finds sessions
//! that are gone, and has the messages of working ones looked at even when nothing else about them moved (whether
//! `updated_at` moves with a message is not documented).

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    LookError, WatchDeps,
    memory::{Memory, print},
    news,
};
use crate::{
    devin::{Session, SessionQuery},
    domain::{ids::SessionId, sighting::Sighting},
    store::{Activity, Tracked},
};

/// Sessions of one list call: the client asks for both forms of each id, which makes about five kilobytes of address.
const BATCH: usize = 50;

/// Sweeps; `recovered` when Devin could not be reached before, so that every card is looked at again.
pub(super) async fn run(
    deps: &WatchDeps,
    memory: &mut Memory,
    now: Timestamp,
    recovered: bool,
) -> Result<usize, LookError> {
    let mut saw = 0;
    for activity in Activity::WATCHED {
        let again = activity == Activity::Working || recovered;
        let mut after: Option<SessionId> = None;
        loop {
            let batch = deps.store.tracked(activity, after.as_ref(), BATCH).await?;
            let Some(last) = batch.last() else { break };
            after = Some(last.session.clone());
            saw += one(deps, memory, now, &batch, again).await?;
        }
    }
    Ok(saw)
}

async fn one(
    deps: &WatchDeps,
    memory: &mut Memory,
    now: Timestamp,
    batch: &[Tracked],
    again: bool,
) -> Result<usize, LookError> {
    let query =
        SessionQuery { session_ids: batch.iter().map(|t| t.session.clone()).collect(), ..SessionQuery::default() };
    let page = deps.devin.sessions(&query).await?;
    let found: BTreeMap<SessionId, Session> = page.items.into_iter().map(|s| (s.id.clone(), s)).collect();
    let minute = now.as_second() / 60;
    let mut saw = 0;
    for tracked in batch {
        let mailbox = tracked.mailbox.clone();
        let Some(session) = found.get(&tracked.session) else {
            let id = format!("missing:{}:{minute}", tracked.session);
            let sighting = Sighting::SessionMissing { session: tracked.session.clone() };
            saw += usize::from(news::put(deps, mailbox, &sighting, id).await?);
            continue;
        };
        let seen = session.observe(now);
        if !memory.is_news(&seen) && !again {
            continue;
        }
        let when = if again { format!(":{minute}") } else { String::new() };
        let id = format!("look:{}:{}{when}", seen.session, print(&seen));
        let sighting = Sighting::SessionChanged { seen: seen.clone() };
        saw += usize::from(news::put(deps, mailbox, &sighting, id).await?);
        memory.handed_on(&seen);
    }
    Ok(saw)
}
