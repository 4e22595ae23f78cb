//! What a turn in a thread leaves for operators beside its state: where its link is listed, and an entry of its story.

use super::{
    halt::Halt,
    task::{self, Task},
};
use crate::{
    domain::{
        lately::Entered,
        link::{Link, Thread},
        listing,
        mailbox::{Mailbox, ThreadKey},
        story::{Entry, Trouble},
    },
    outbound::tally,
    store::{Commit, Leased, Listing, SharedStore, StoreError},
};

/// How long it is remembered what stands in an input's way: longer than it is tried.
const TROUBLE_FOR: std::time::Duration = std::time::Duration::from_hours(48);

/// How a turn ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct End<'a> {
    /// The kind of its input.
    pub(super) kind: &'static str,
    /// Why it was set aside, if it was.
    pub(super) buried: Option<&'a str>,
}

/// Adds both to a commit.
pub(super) async fn give(task: &Task, leased: &Leased, end: End<'_>, commit: &mut Commit) -> Result<(), StoreError> {
    let Mailbox::Thread(thread) = &leased.lease.mailbox else { return Ok(()) };
    let before = task::read(leased.state.as_deref())?;
    let after = commit.state.as_deref().map(|state| task::read(Some(state))).transpose()?;
    if let Some(after) = &after {
        commit.listing = Some(listed(thread, after, task));
    }
    let (state, since) = after.as_ref().and_then(|after| entered(&before, after)).map(|e| (e.state, e.at)).unzip();
    let input = leased.input.as_ref();
    let entry = Entry {
        v: Entry::VERSION,
        at: task.now(),
        input: input.map(|input| input.id.clone()),
        came: input.map(|input| input.at),
        kind: end.kind.to_owned(),
        by: task.by.clone(),
        ts: task.wrote.clone(),
        attempts: leased.attempt,
        steps: task.steps.told(),
        calls: tally::so_far(),
        state,
        since,
        trouble: trouble(&task.deps.store, leased).await?,
        buried: end.buried.map(str::to_owned),
    };
    if entry.is_worth_keeping() {
        let text = serde_json::to_string(&entry.bounded())
            .map_err(|e| StoreError::Corrupt(format!("an entry of a story: {e}")))?;
        commit.notes.push(text);
    }
    Ok(())
}

/// Remembers what stands in the way of an input that is tried again. That this fails is no reason to stop.
pub(super) async fn remember_trouble(store: &SharedStore, leased: &Leased, halt: &Halt) {
    let (Halt::Retry { why, .. } | Halt::Later { why, .. } | Halt::Broke { why }) = halt else { return };
    let trouble = Trouble {
        input: leased.input.as_ref().map(|input| input.id.clone()),
        at: leased.at,
        why: Trouble::clipped(why),
    };
    let Ok(text) = serde_json::to_string(&trouble) else { return };
    if let Err(error) = store.remember(&Trouble::note(&leased.lease.mailbox), &text, TROUBLE_FOR).await {
        tracing::debug!(%error, "what stands in the way could not be remembered");
    }
}

/// What stood in the way of this input last.
async fn trouble(store: &SharedStore, leased: &Leased) -> Result<Option<String>, StoreError> {
    if leased.attempt < 2 {
        return Ok(None);
    }
    let text = store.recall(&Trouble::note(&leased.lease.mailbox)).await?;
    let trouble: Option<Trouble> = text.and_then(|text| serde_json::from_str(&text).ok());
    let of_this = |trouble: &Trouble| trouble.input.as_ref() == leased.input.as_ref().map(|input| &input.id);
    Ok(trouble.filter(of_this).map(|trouble| trouble.why))
}

fn listed(thread: &ThreadKey, after: &Thread, task: &Task) -> Listing {
    match &after.link {
        Some(link) => Listing { at: link.started_at, under: listing::words(thread, link), ranked: listing::rank(link) },
        None => Listing { at: task.now(), under: Vec::new(), ranked: None },
    }
}

/// The state that the session entered in this turn.
fn entered(before: &Thread, after: &Thread) -> Option<Entered> {
    let of = |link: &Link| {
        let first = || Entered { state: link.seen.state.clone(), at: link.started_at };
        link.lately.entered.clone().unwrap_or_else(first)
    };
    let now = after.link.as_ref().map(of)?;
    (before.link.as_ref().map(of).as_ref() != Some(&now)).then_some(now)
}
