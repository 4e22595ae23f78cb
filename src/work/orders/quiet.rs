//! How much of a thread is posted, and how much of it is passed on.
//!
//! Muted means what it means in Devin's own app for whoever looks at the thread: nothing new appears, except where Devin
//! needs somebody, because a question that nobody sees would keep it waiting. The card is edited as ever, and what people
//! write is passed on: they say it on purpose.

use super::{Asked, Halt, Link, Task, look::mentions_only, tell};
use crate::{devin::MessageSource, voice::Told, work::relay};

/// Posts nothing any more but the card and calls for attention.
pub(in super::super) async fn mute(task: &mut Task, link: &mut Link, asked: &Asked) -> Result<(), Halt> {
    if link.settings.muted {
        return tell(task, asked, Told::AlreadyMuted).await;
    }
    link.settings.muted = true;
    link.settings.muted_at = Some(task.now());
    tell(task, asked, Told::Muted).await
}

/// Posts again, and says how much was not posted.
pub(in super::super) async fn unmute(task: &mut Task, link: &mut Link, asked: &Asked) -> Result<(), Halt> {
    if !link.settings.muted {
        return tell(task, asked, Told::NotMuted).await;
    }
    let held = held_back(task, link).await?;
    link.settings.muted = false;
    link.settings.muted_at = None;
    tell(task, asked, Told::Unmuted { held, url: link.seen.url.clone() }).await
}

/// How many messages of Devin's came while the thread was muted. Counted at Devin and not as they come: whoever holds
/// something back need not keep count of it.
async fn held_back(task: &Task, link: &Link) -> Result<usize, Halt> {
    let Some(since) = link.settings.muted_at else { return Ok(0) };
    let pages = relay::pages(&task.deps.devin, &link.session).await.map_err(|error| Halt::retry(&error))?;
    let messages = pages.iter().flat_map(|page| &page.messages);
    let held = messages.filter(|m| m.source == MessageSource::Devin && m.created_at >= since.as_second());
    Ok(held.count())
}

/// Passes on only mentions from now on, or everything again.
pub(super) async fn mentions(task: &mut Task, link: &mut Link, asked: &Asked) -> Result<(), Halt> {
    let only = !mentions_only(task, link, &asked.to.thread.channel);
    link.settings.mentions_only = Some(only);
    tell(task, asked, if only { Told::MentionsOnly } else { Told::EveryReply }).await
}
