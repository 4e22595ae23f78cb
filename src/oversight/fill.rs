//! Lists what older programs left unlisted: their threads were written without a listing, and those that are over are
//! never written again. Once a day, at the start, by one replica.

use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{Oversight, Result};
use crate::{
    domain::{link::Thread, listing, mailbox::Mailbox},
    store::Listing,
};

/// Done lately.
const DONE: &str = "links-listed";
/// How long that counts.
const DONE_FOR: Duration = Duration::from_hours(24);
/// How long one replica has the right to it without a sign of life.
const HELD_FOR: Duration = Duration::from_mins(2);
/// Mailboxes that are listed at once.
const AT_ONCE: usize = 64;
/// Between two looks, so that what people wait for goes first.
const PAUSE: Duration = Duration::from_millis(20);

impl Oversight {
    /// Lists all links that are not listed; how many that were. Somebody else may have done it, or be at it.
    pub async fn list_older(&self, holder: &str) -> Result<usize> {
        if self.store.recall(DONE).await?.is_some() {
            return Ok(0);
        }
        let (mut listed, mut from) = (0, None);
        loop {
            if !self.store.hold(DONE, holder, HELD_FOR).await? {
                return Ok(listed);
            }
            let page = self.store.unlisted(from.as_deref()).await?;
            // Several at once, so that a store that syncs each write does it once for all of them.
            let writes = page.found.into_iter().map(|(mailbox, state)| self.list(mailbox, state));
            let done: Vec<bool> = stream::iter(writes).buffer_unordered(AT_ONCE).try_collect().await?;
            listed += done.into_iter().filter(|done| *done).count();
            from = page.next;
            if from.is_none() {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.store.remember(DONE, holder, DONE_FOR).await?;
        Ok(listed)
    }

    async fn list(&self, mailbox: Mailbox, state: String) -> Result<bool> {
        let Some(listing) = listing_of(&mailbox, &state) else { return Ok(false) };
        Ok(self.store.enlist(&mailbox, &state, &listing).await?)
    }
}

fn listing_of(mailbox: &Mailbox, state: &str) -> Option<Listing> {
    let Mailbox::Thread(thread) = mailbox else { return None };
    let link = serde_json::from_str::<Thread>(state).ok()?.link?;
    Some(Listing { at: link.started_at, under: listing::words(thread, &link), ranked: listing::rank(&link) })
}
