//! One thread from inside: what happened there, what waits, and what is in hand.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::{LinkRow, Oversight, Result, links};
use crate::{
    domain::{
        ids::{ChannelId, Ts},
        link::Thread,
        mailbox::{Mailbox, ThreadKey},
        story::{Entry, Step, Trouble},
    },
    steps,
    store::{Inside, notes},
};

/// One thread from inside.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Its link, where it has one.
    pub link: Option<LinkRow>,
    /// Messages of people that wait until Devin takes them.
    pub held_back: usize,
    /// Effects that may have happened twice and are looked for again.
    pub doubts: usize,
    /// Where its workspace is found in a browser, as far as that is known.
    pub home: Option<String>,
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
        let state: Option<Thread> = inside.state.as_deref().and_then(|state| serde_json::from_str(state).ok());
        Ok(Some(Told {
            held_back: state.as_ref().and_then(|state| state.link.as_ref()).map_or(0, |link| link.outbox.len()),
            doubts: state.as_ref().map_or(0, |state| state.doubts.len()),
            link: state.and_then(|state| links::row(thread, state)),
            home: notes::home(&*self.store, &thread.team).await?,
            entries: inside.story.iter().filter_map(|entry| serde_json::from_str(entry).ok()).collect(),
            journal: steps::told(&inside.journal),
            trouble: trouble.and_then(|text| serde_json::from_str(&text).ok()),
            inside,
        }))
    }

    /// The thread that a message's link leads to, where anything is known of it.
    pub async fn thread_at(&self, link: &str, channel: &ChannelId, root: &Ts) -> Result<Option<ThreadKey>> {
        let Some(team) = notes::workspace_at(&*self.store, link.trim()).await? else { return Ok(None) };
        let thread = ThreadKey { team, channel: channel.clone(), root: root.clone() };
        let inside = self.store.inside(&Mailbox::Thread(thread.clone())).await?;
        Ok((inside != Inside::default()).then_some(thread))
    }

    /// Stands for all that a thread has inside: another one as soon as anything is different there.
    pub async fn fingerprint(&self, thread: &ThreadKey) -> Result<u64> {
        let inside = self.store.inside(&Mailbox::Thread(thread.clone())).await?;
        let mut hasher = DefaultHasher::new();
        format!("{inside:?}").hash(&mut hasher);
        Ok(hasher.finish())
    }
}
