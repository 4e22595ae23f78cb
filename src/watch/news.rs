//! Puts sightings into mailboxes; also the one that there are none.

use jiff::{SignedDuration, Timestamp};

use super::WatchDeps;
use crate::{
    domain::{ids::SessionId, mailbox::Mailbox, sighting::Sighting},
    store::{Accepted, Activity, Admit, Door, Input, Offer, StoreError},
};

/// How long Devin may be silent before cards say so.
pub(super) const STALE_AFTER: SignedDuration = SignedDuration::from_mins(2);
/// Tracked sessions read at once.
const BATCH: usize = 200;

/// Offers a sighting to a thread that we know; whether it was taken.
pub(super) async fn put(
    deps: &WatchDeps,
    mailbox: Mailbox,
    sighting: &Sighting,
    id: String,
) -> Result<bool, StoreError> {
    let body = serde_json::to_vec(sighting).map_err(|e| StoreError::Corrupt(e.to_string()))?;
    let input = Input::received(deps.clock.now(), Door::Watch, body);
    let offer = Offer { mailbox, input, seen: vec![id], admit: Admit::IfKnown };
    let stored = deps.store.accept(&offer).await? == Accepted::Stored;
    if stored {
        deps.bell.notify_one();
    }
    Ok(stored)
}

/// Tells every thread whose session works that there is no news. Sessions that wait or sleep are not out of date.
pub(super) async fn stopped(deps: &WatchDeps, since: Timestamp) -> Result<(), StoreError> {
    let mut after: Option<SessionId> = None;
    loop {
        let batch = deps.store.tracked(Activity::Working, after.as_ref(), BATCH).await?;
        let Some(last) = batch.last() else { return Ok(()) };
        after = Some(last.session.clone());
        for tracked in batch {
            let id = format!("stopped:{}:{}", tracked.session, since.as_second());
            let sighting = Sighting::NewsStopped { session: tracked.session, since };
            put(deps, tracked.mailbox, &sighting, id).await?;
        }
    }
}
