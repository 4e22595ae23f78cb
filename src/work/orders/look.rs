//! Questions: what the session does, which sessions are mine, as whom I act.

use super::{Asked, Halt, Link, Task, changed, fate, say, tell};
use crate::{
    devin::DevinError,
    domain::{announce::Observation, ids::ChannelId},
    voice::{self, StatusView, Told},
    work::{paused, sessions, trouble::Meaning},
};

/// Attempts at asking Devin, before whoever waits is told that it cannot be reached.
const TRIES: u32 = 2;

/// What a look at the session showed. Nothing is told by it: what is done next may change it again.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Look {
    /// This.
    Seen(Box<Observation>),
    /// Devin does not know it.
    Gone,
    /// Devin cannot be reached, or does not let us look; whoever asked was told.
    Unknown,
}

/// Looks at the session; whoever asked is told when that is not possible.
pub(in super::super) async fn look(task: &mut Task, link: &Link, asked: &Asked) -> Result<Look, Halt> {
    match task.deps.devin.session(&link.session).await {
        Ok(session) => Ok(Look::Seen(Box::new(session.observe(task.now())))),
        Err(DevinError::NotFound) => Ok(Look::Gone),
        Err(error @ (DevinError::RateLimited { .. } | DevinError::Unreachable { .. } | DevinError::Unsure { .. })) => {
            if task.attempt < TRIES {
                return Err(Halt::retry(&error));
            }
            tell(task, asked, Told::DevinDown).await?;
            Ok(Look::Unknown)
        }
        Err(error) => {
            tell(task, asked, Told::DevinRefused { detail: error.to_string() }).await?;
            Ok(Look::Unknown)
        }
    }
}

/// What the session is doing, after a fresh look; what that showed is told to the thread as well.
pub(super) async fn status(task: &mut Task, link: &mut Link, asked: &Asked) -> Result<(), Halt> {
    let thread = asked.to.thread.clone();
    let stale = match changed::ask(task, &thread, link).await {
        Ok(_known) => false,
        Err(Halt::Retry { why, .. }) if task.attempt >= TRIES => {
            tracing::info!(why, "asked for the status, but Devin does not say");
            true
        }
        Err(halt) => return Err(halt),
    };
    let view = StatusView {
        seen: &link.seen,
        runs_as: &link.runs_as,
        muted: link.settings.muted,
        mentions_only: mentions_only(task, link, &thread.channel),
        stale,
    };
    let said = voice::session_status(&view);
    let said = paused::noted(task, &thread.team, said).await?;
    say(task, asked, said).await
}

/// Whether only mentions are passed on: as somebody set it for the thread, or else as its channel has it.
pub(in super::super) fn mentions_only(task: &Task, link: &Link, channel: &ChannelId) -> bool {
    link.settings.mentions_only.unwrap_or_else(|| task.rules.of(channel).mentions_only)
}

/// The sessions of whoever asked.
pub(super) async fn list(task: &mut Task, asked: &Asked) -> Result<(), Halt> {
    let said = match sessions::look(task, &asked.to.thread.team, &asked.to.user).await? {
        sessions::Look::Seen { mine, .. } => voice::sessions(&mine),
        sessions::Look::Refused(why) => voice::refusal(why),
        sessions::Look::Unknown(Meaning::Lasting(notice)) => voice::answering(&notice, &task.id),
        sessions::Look::Unknown(Meaning::Passing { halt, .. }) if task.attempt < TRIES => return Err(halt),
        sessions::Look::Unknown(Meaning::Passing { halt: Halt::Store(error), .. }) => return Err(Halt::Store(error)),
        sessions::Look::Unknown(Meaning::Passing { .. }) => voice::told(&Told::DevinDown),
    };
    say(task, asked, said).await
}

/// What became of their messages.
pub(super) async fn why(task: &mut Task, link: &Link, asked: &Asked) -> Result<(), Halt> {
    fate::tell(task, link, asked).await
}
