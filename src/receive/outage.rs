//! While the store is away: what it would not take goes into the spool, and from there into the store once that answers.
//!
//! The order of a conversation holds: as long as anything waits in the spool, later inputs wait behind it, the last entry
//! on its way included. A crash between the store's answer and the removal offers an input a second time, and its ids
//! refuse it; the same holds for one whose first try timed out but happened. What holds across replicas is less: each
//! has its own spool, and one that never saw the store away does not wait for the other. And inputs that are all on
//! their way at the moment when the store goes come in the order in which they fail, within a second.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, stream};

use super::{
    Receive,
    accept::{end, within},
};
use crate::store::{
    Offer, Result, StoreError,
    embedded::{Kept, SpoolEntry, SpoolItem},
};

/// Conversations whose inputs go into the store at the same time.
const CONVERSATIONS: usize = 32;

/// What a step of emptying the spool came to.
#[derive(Debug, Default)]
pub struct Drained {
    /// Entries that the store has now.
    pub moved: usize,
    /// Why it did not go on.
    pub failure: Option<StoreError>,
}

/// Asks the store, unless earlier inputs wait in the spool.
pub(super) async fn behind_the_spool<T>(
    receive: &Receive,
    operation: impl Future<Output = Result<T>> + Send,
) -> Result<T> {
    if receive.spool.as_ref().is_some_and(|spool| !spool.is_empty()) {
        return Err(StoreError::Unavailable("earlier inputs wait in the spool".to_owned()));
    }
    within(operation).await
}

/// Keeps what the store would not take; the store's error when there is no spool, else the spool's.
pub(super) async fn keep(receive: &Receive, entry: SpoolEntry, error: StoreError) -> Result<()> {
    let (Some(spool), StoreError::Unavailable(_)) = (&receive.spool, &error) else { return Err(error) };
    match within(spool.put(entry)).await? {
        Kept::First => tracing::warn!(%error, "inputs go into the spool until the store takes them"),
        Kept::Behind => tracing::debug!(%error, "spooled"),
        Kept::Full => return Err(StoreError::Unavailable(format!("{error}; and the spool is full"))),
    }
    Ok(())
}

impl Receive {
    /// Moves the oldest entries of the spool into the store: those of one conversation in order, up to the first that
    /// the store does not take.
    pub async fn drain(&self) -> Drained {
        let mut drained = Drained::default();
        if let Err(error) = self.drain_into(&mut drained).await {
            drained.failure = Some(error);
        }
        drained
    }

    async fn drain_into(&self, drained: &mut Drained) -> Result<()> {
        let Some(spool) = self.spool.as_ref().filter(|spool| !spool.is_empty()) else { return Ok(()) };
        let mut conversations: BTreeMap<String, Vec<SpoolItem>> = BTreeMap::new();
        for item in spool.oldest().await? {
            conversations.entry(place(&item.entry)).or_default().push(item);
        }
        let moving = stream::iter(conversations.into_values()).map(|items| self.deliver(items));
        let ends: Vec<_> = moving.buffer_unordered(CONVERSATIONS).collect().await;
        let (moved, failures): (Vec<_>, Vec<_>) = ends.into_iter().unzip();
        let moved = moved.concat();
        drained.moved = moved.len();
        if !moved.is_empty() {
            spool.remove(moved).await?;
        }
        failures.into_iter().flatten().next().map_or(Ok(()), Err)
    }

    /// Gives the inputs of one conversation to the store; those it has now, and why it did not go on.
    async fn deliver(&self, items: Vec<SpoolItem>) -> (Vec<u64>, Option<StoreError>) {
        let mut moved = Vec::new();
        for SpoolItem { number, entry } in items {
            let end = match self.offer(&entry).await {
                Ok(end) => end,
                Err(error) => return (moved, Some(error)),
            };
            metrics::counter!("bobbin_spool_drained_total", "end" => end).increment(1);
            moved.push(number);
        }
        (moved, None)
    }

    async fn offer(&self, entry: &SpoolEntry) -> Result<&'static str> {
        match entry {
            SpoolEntry::Offer(offer) => Ok(end(self, within(self.store.accept(offer)).await?)),
            SpoolEntry::Unreadable { input, why } => {
                within(self.store.set_aside(input, why)).await.map(|()| "malformed")
            }
        }
    }
}

/// What entries whose order matters have in common.
fn place(entry: &SpoolEntry) -> String {
    match entry {
        SpoolEntry::Offer(Offer { mailbox, .. }) => mailbox.place(),
        SpoolEntry::Unreadable { .. } => String::new(),
    }
}
