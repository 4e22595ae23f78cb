//! The slow sweep: tracked sessions are asked for by their ids, a few in each turn. It catches what the list of changes
//! missed, finds sessions that are gone, and has the messages of working ones looked at even when nothing else about
//! them moved (whether `updated_at` moves with a message is not documented).
//!
//! A turn makes at most four list calls, however many sessions there are: for 50 working sessions, 50 that wait and 100
//! that sleep, from where the last turn stopped. While something works there is a turn a minute (sooner or later
//! where it is known how much depends on it: `domain/findings.rs`), so that 50 working
//! sessions are looked at every minute, as if there were no others; 1,000 within 20 minutes, 50,000 within 17 hours.
//! While nothing works a turn takes ten minutes. That is slow on purpose: the list of changes finds nearly everything
//! within a tick, and a full round is how long the rare thing that it missed may stay unseen.
//!
//! Where a turn stopped is remembered in the store: with many sessions replicas come and go more often than a round
//! takes, and whoever began anew each time would never reach the end.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    LookError, Watch, WatchDeps,
    memory::{Memory, print},
    news,
};
use crate::{
    devin::{Session, SessionQuery},
    domain::{
        announce::{Observation, output_digest},
        ids::SessionId,
        link::Thread,
        mailbox::Mailbox,
        sighting::Sighting,
    },
    store::{Activity, StoreError, Tracked},
};

/// Sessions of one list call: the client asks for both forms of each id, which makes about five kilobytes of address.
const BATCH: usize = 50;
/// List calls of one turn. Each working session asked for costs a look at its messages, too; most sessions sleep.
const CALLS: [(Activity, usize); 3] = [(Activity::Working, 1), (Activity::Waiting, 1), (Activity::Asleep, 2)];
/// Reads of the store in one turn for one activity, where most sessions are other organisations'.
const MAX_READS: usize = 20;
/// Where it is remembered how far the sweep has come.
const PLACE: &str = "watch:sweep";
/// For how long: after that a round begins anew.
const PLACE_FOR: Duration = Duration::from_hours(7 * 24);

/// How far the sweep has come, version 1.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Place {
    v: u8,
    /// When the last turn was.
    pub(super) at: Option<Timestamp>,
    /// The session that was asked for last, of each activity whose round is not at its end.
    after: BTreeMap<Activity, SessionId>,
}

/// How far the sweep has come, whoever swept.
pub(super) async fn recall(deps: &WatchDeps) -> Result<Place, StoreError> {
    let place = deps.store.recall(&deps.scope.named(PLACE)).await?.and_then(|text| serde_json::from_str(&text).ok());
    Ok(place.unwrap_or_default())
}

/// Asks for the next sessions of each activity; how many sightings.
pub(super) async fn turn(watch: &Watch, memory: &mut Memory, now: Timestamp) -> Result<usize, LookError> {
    let place = memory.sweep.get_or_insert_default();
    let mut saw = 0;
    for (activity, calls) in CALLS {
        saw += go_on(watch, place, now, activity, calls).await?;
    }
    (place.v, place.at) = (1, Some(now));
    let text = serde_json::to_string(place).map_err(|e| StoreError::Corrupt(e.to_string()))?;
    watch.deps.store.remember(&watch.deps.scope.named(PLACE), &text, PLACE_FOR).await?;
    Ok(saw)
}

async fn go_on(
    watch: &Watch,
    place: &mut Place,
    now: Timestamp,
    activity: Activity,
    calls: usize,
) -> Result<usize, LookError> {
    let mut saw = 0;
    let mut made = 0;
    for _ in 0..MAX_READS {
        if made >= calls {
            break;
        }
        let after = place.after.get(&activity).cloned();
        let batch = watch.deps.store.tracked(activity, after.as_ref(), BATCH).await?;
        // Written before the call: a batch that Devin never takes must not keep the sweep from the others.
        match batch.last().filter(|_| batch.len() == BATCH) {
            Some(last) => place.after.insert(activity, last.session.clone()),
            None => place.after.remove(&activity),
        };
        if batch.is_empty() {
            // The end of the round: the next one begins at once, unless this turn has had its share.
            if after.is_some() && made == 0 {
                continue;
            }
            break;
        }
        let (read, ours) = (batch.len(), batch.into_iter().filter(|one| watch.deps.scope.has(&one.mailbox)));
        let ours: Vec<Tracked> = ours.collect();
        if !ours.is_empty() {
            saw += ask(watch, now, &ours, activity == Activity::Working).await?;
            made += 1;
        }
        if read < BATCH {
            break;
        }
    }
    Ok(saw)
}

/// Asks for sessions and offers what their threads were not told; with `again`, all of it.
async fn ask(watch: &Watch, now: Timestamp, batch: &[Tracked], again: bool) -> Result<usize, LookError> {
    let query =
        SessionQuery { session_ids: batch.iter().map(|t| t.session.clone()).collect(), ..SessionQuery::default() };
    let page = watch.list(&query).await?;
    let found: BTreeMap<SessionId, Session> = page.items.into_iter().map(|s| (s.id.clone(), s)).collect();
    // Part of each id: what a thread was not told is offered in each turn, whatever was offered before.
    let second = now.as_second();
    let mut saw = 0;
    for Tracked { session, mailbox } in batch {
        let (id, sighting) = match found.get(session).map(|found| found.observe(now)) {
            None => (format!("missing:{session}:{second}"), Sighting::SessionMissing { session: session.clone() }),
            Some(seen) if !again && is_told(&watch.deps, mailbox, &seen).await? => continue,
            Some(seen) => {
                (format!("look:{session}:{}:{second}", print(&seen)), Sighting::SessionChanged { seen: Box::new(seen) })
            }
        };
        saw += usize::from(news::put(&watch.deps, mailbox.clone(), &sighting, id).await?);
    }
    Ok(saw)
}

/// Whether the thread was told all that the look shows. This reads our own store and saves a call at Devin, because
/// whoever handles a look reads the session's messages first.
async fn is_told(deps: &WatchDeps, mailbox: &Mailbox, seen: &Observation) -> Result<bool, StoreError> {
    let state = deps.store.state(mailbox).await?;
    let thread: Option<Thread> = state.and_then(|text| serde_json::from_str(&text).ok());
    let Some(link) = thread.and_then(|thread| thread.link) else { return Ok(false) };
    let output = seen.about.output.as_ref().map(output_digest);
    if output.is_some() && output != link.told.output {
        return Ok(false);
    }
    // What a session has used can read low at its end, and a row can leave things out.
    let seen = seen.clone().kept(&link.seen);
    let told = link.told.at.is_some_and(|at| at.updated_at == seen.updated_at);
    Ok(told && link.session == seen.session && link.no_news_since.is_none() && print(&link.seen) == print(&seen))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored forms that exist already are read for ever: a sample is never changed, a new form gets a new one.
    const SAMPLE: &str = r#"{"v":1,"at":"2026-11-24T02:00:00Z","after":{"working":"0f3a","asleep":"77aa"}}"#;

    #[test]
    fn a_stored_place_is_read() {
        let place: Place = serde_json::from_str(SAMPLE).unwrap();
        assert_eq!(place.after.len(), 2);
        assert_eq!(serde_json::to_string(&place).unwrap(), SAMPLE);
    }
}
