//! Puts sightings into mailboxes.

use super::WatchDeps;
use tracing::{Instrument as _, field};

use crate::{
    domain::{mailbox::Mailbox, sighting::Sighting, trace::TraceId},
    store::{Accepted, Admit, Door, Input, Offer, StoreError},
};

/// Offers a sighting to a thread that we know; whether it was taken.
pub(super) async fn put(
    deps: &WatchDeps,
    mailbox: Mailbox,
    sighting: &Sighting,
    id: String,
) -> Result<bool, StoreError> {
    let body = serde_json::to_vec(sighting).map_err(|e| StoreError::Corrupt(e.to_string()))?;
    let input = Input::received(deps.clock.now(), Door::Watch, body);
    let span = tracing::info_span!("watch", trace = %TraceId::of(&input.id), end = field::Empty);
    let offer = Offer { mailbox, input, seen: vec![id], admit: Admit::IfKnown };
    let stored = deps.store.accept(&offer).instrument(span.clone()).await? == Accepted::Stored;
    if stored {
        span.record("end", "stored");
        deps.bell.notify_one();
    }
    Ok(stored)
}
