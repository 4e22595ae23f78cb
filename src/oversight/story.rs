//! One thread from inside: what happened there, what waits, and what is in hand.

use super::{LinkRow, Oversight, Result, links};
use crate::{
    domain::{
        mailbox::{Mailbox, ThreadKey},
        story::{Entry, Step, Trouble},
    },
    steps,
    store::Inside,
};

/// One thread from inside.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Its link, where it has one.
    pub link: Option<LinkRow>,
    /// What happened, oldest first.
    pub entries: Vec<Entry>,
    /// What the input in hand has done.
    pub journal: Vec<Step>,
    /// What stands in the way of the input in hand.
    pub trouble: Option<Trouble>,
    /// Its mailbox.
    pub inside: Inside,
}

impl Oversight {
    /// One thread from inside; `None` when nothing is known of it.
    pub async fn story(&self, thread: &ThreadKey) -> Result<Option<Told>> {
        let mailbox = Mailbox::Thread(thread.clone());
        let inside = self.store.inside(&mailbox).await?;
        if inside == Inside::default() {
            return Ok(None);
        }
        let again = inside.in_hand.as_ref().is_some_and(|hand| hand.attempt > 0);
        let trouble = if again { self.store.recall(&Trouble::note(&mailbox)).await? } else { None };
        Ok(Some(Told {
            link: inside.state.as_deref().and_then(|state| links::row(thread, state)),
            entries: inside.story.iter().filter_map(|entry| serde_json::from_str(entry).ok()).collect(),
            journal: steps::told(&inside.journal),
            trouble: trouble.and_then(|text| serde_json::from_str(&text).ok()),
            inside,
        }))
    }
}
