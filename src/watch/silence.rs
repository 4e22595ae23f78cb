//! While Devin is silent the cards of working sessions say so, and once it answers they no longer do. Neither costs a
//! call at Devin: what changed in the meantime the list of changes shows, since it goes on from the newest one seen.
//!
//! Threads are told a few pages in each step, because a hundred thousand may work. That it was told is remembered in
//! the store, so that a replica that takes over says the end of it too. What it says a second time is refused as a
//! duplicate; what a thread missed altogether (its session stopped working in between) the sweep mends.

use std::time::Duration;

use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};

use super::{WatchDeps, memory::Memory, news};
use crate::{
    domain::{ids::SessionId, sighting::Sighting},
    store::{Activity, StoreError, Tracked},
};

/// How long Devin may be silent before cards say so.
pub(super) const STALE_AFTER: SignedDuration = SignedDuration::from_mins(2);
/// Sessions read, and threads told, at once.
const PAGE: usize = 200;
/// Pages told in one step: with a step a second, a hundred thousand threads take less than two minutes.
const PAGES_PER_STEP: usize = 5;
/// Where it is remembered since when cards say that there is no news.
const SINCE: &str = "watch:silence";
/// For how long: longer than any outage in which somebody still reads the cards.
const SINCE_FOR: Duration = Duration::from_hours(7 * 24);

/// What the threads of working sessions are being told.
#[derive(Debug)]
pub(super) struct Telling {
    news: News,
    since: Timestamp,
    /// The last session whose thread was told.
    after: Option<SessionId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    Stopped,
    Resumed,
}

/// Since when the cards say that there is no news, if they do.
pub(super) async fn recall(deps: &WatchDeps) -> Result<Option<Timestamp>, StoreError> {
    Ok(deps.store.recall(&deps.scope.named(SINCE)).await?.and_then(|text| text.parse().ok()))
}

/// Devin has been silent for long enough: the threads are told from now on.
pub(super) async fn begin(deps: &WatchDeps, memory: &mut Memory, since: Timestamp) -> Result<(), StoreError> {
    deps.store.remember(&deps.scope.named(SINCE), &since.to_string(), SINCE_FOR).await?;
    memory.silence = Some(since);
    memory.mark_told();
    memory.telling = Some(Telling { news: News::Stopped, since, after: None });
    Ok(())
}

/// Devin answered: if the threads were told that it did not, they are told that, too.
pub(super) fn end(memory: &mut Memory) {
    if let Some(since) = memory.silence.take() {
        memory.telling = Some(Telling { news: News::Resumed, since, after: None });
    }
}

/// Tells the next threads.
pub(super) async fn go_on(deps: &WatchDeps, memory: &mut Memory) -> Result<(), StoreError> {
    for _ in 0..PAGES_PER_STEP {
        let Some(telling) = &mut memory.telling else { return Ok(()) };
        let page = deps.store.tracked(Activity::Working, telling.after.as_ref(), PAGE).await?;
        let Some(last) = page.last().map(|tracked| tracked.session.clone()) else {
            // Forgotten last: whoever takes over before begins the round anew.
            if telling.news == News::Resumed {
                deps.store.forget(&deps.scope.named(SINCE)).await?;
            }
            memory.telling = None;
            return Ok(());
        };
        let ours = page.into_iter().filter(|tracked| deps.scope.has(&tracked.mailbox));
        try_join_all(ours.map(|tracked| tell(deps, telling.news, telling.since, tracked))).await?;
        telling.after = Some(last);
    }
    Ok(())
}

async fn tell(deps: &WatchDeps, news: News, since: Timestamp, to: Tracked) -> Result<bool, StoreError> {
    let Tracked { session, mailbox } = to;
    let (name, sighting) = match news {
        News::Stopped => ("stopped", Sighting::NewsStopped { session: session.clone(), since }),
        News::Resumed => ("resumed", Sighting::NewsResumed { session: session.clone() }),
    };
    news::put(deps, mailbox, &sighting, format!("{name}:{session}:{}", since.as_second())).await
}
