//! Puts sightings into mailboxes.

use super::WatchDeps;
use crate::{
    domain::{mailbox::Mailbox, sighting::Sighting},
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
    let offer = Offer { mailbox, input, seen: vec![id], admit: Admit::IfKnown };
    let stored = deps.store.accept(&offer).await? == Accepted::Stored;
    if stored {
        deps.bell.notify_one();
    }
    Ok(stored)
}
