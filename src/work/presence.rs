//! What Slack itself shows of the session, beside our own posts: the state of an agent session, with a stop button while
//! it works. Set as soon as a mention is taken up, so that the button is there before the session is, and again with
//! every change and before it lapses. Setting it again changes nothing, so it is no step; and that it cannot be set is
//! never a reason to stop.
//!
//! Where the workspace has no agent sessions, which is asked once a day, the receipt on the message that asked takes
//! the state's place: it gives way to another reaction with every change. Where it has them, the receipt stays.

use std::time::Duration;

use jiff::Timestamp;

use super::{card::REFUSED_WAIT, halt::Halt, kind::Speech, start::SEEN, task::Task};
use crate::{
    clock::later,
    domain::{
        ids::{ChannelId, TeamId, Ts, UserId},
        link::{Ended, Link},
        mailbox::ThreadKey,
        phase::Phase,
        presence::{AgentState, Presence, Shown, reaction},
    },
    outbound::Failure as _,
    slack::{AgentStatus, SlackError},
};

/// When `processing` is said again: Slack lets it lapse after an hour.
const RENEW_AFTER: Duration = Duration::from_mins(50);
/// How long it is remembered that a workspace has no agent sessions.
const ASK_AGAIN_AFTER: Duration = Duration::from_hours(24);

/// Who asked, and for what: looked at by Slack when an agent session is new to it.
#[derive(Debug, Clone, Copy)]
struct Opening<'a> {
    title: &'a str,
    initiator: &'a UserId,
}

/// A mention was taken up: shows that somebody is at work, before there is a session.
pub(super) async fn accepted(task: &Task, speech: &Speech, title: &str) -> Result<Presence, Halt> {
    let opening = Opening { title, initiator: &speech.user };
    let set = set(task, &speech.thread, AgentState::Processing, Some(opening)).await?;
    let shown = Shown { state: AgentState::Processing, at: task.now() };
    Ok(Presence { agent: (set == Set::Done).then_some(shown), ..Presence::default() })
}

/// What was taken up came to nothing: nobody is at work any more.
pub(super) async fn let_go(task: &Task, thread: &ThreadKey) -> Result<(), Halt> {
    set(task, thread, AgentState::Closed, None).await.map(drop)
}

/// A start that halts: for good, or only for now, so that somebody is still at work.
pub(super) async fn given_up(task: &Task, thread: &ThreadKey, halt: Halt) -> Halt {
    match halt {
        Halt::Stop { .. } | Halt::Bury { .. } => let_go(task, thread).await.err().unwrap_or(halt),
        Halt::Retry { .. }
        | Halt::Later { .. }
        | Halt::Paced { .. }
        | Halt::Broke { .. }
        | Halt::GiveBack
        | Halt::Store(_) => halt,
    }
}

/// Brings what Slack shows up to date. The answer is when to come back.
pub(super) async fn follow(task: &Task, thread: &ThreadKey, link: &mut Link) -> Result<Option<Timestamp>, Halt> {
    if link.closed {
        return Ok(None);
    }
    let vanished = link.over.as_ref().is_some_and(|over| over.how == Ended::Vanished);
    let phase = if vanished { Phase::Over } else { Phase::of(&link.seen.state) };
    let (wanted, now) = (AgentState::of(&phase), task.now());
    let presence = &link.lately.presence;
    if let Some(shown) = presence.agent.filter(|shown| shown.state == wanted) {
        let due = lapse(shown);
        if due.is_none_or(|due| now < due) {
            return Ok(due);
        }
    }
    if presence.agent.is_none() && presence.reaction.is_some() && presence.reaction.as_deref() == reaction(&phase) {
        return Ok(None);
    }
    let title = link.seen.title.clone().unwrap_or_default();
    let opening = Opening { title: &title, initiator: &link.requester };
    match set(task, thread, wanted, Some(opening).filter(|_| presence.agent.is_none())).await? {
        Set::Done => {
            let shown = Shown { state: wanted, at: now };
            link.lately.presence.agent = Some(shown);
            // Agent sessions may be new here: then the receipt is only a receipt again.
            let back = swap(task, thread, link, SEEN).await;
            Ok([back, lapse(shown)].into_iter().flatten().min())
        }
        Set::Later(at) => Ok(Some(at)),
        Set::LockedOut => Ok(Some(link.lately.refused(now))),
        Set::Unavailable => {
            link.lately.presence.agent = None;
            let Some(name) = reaction(&phase) else { return Ok(None) };
            link.lately.presence.reaction.get_or_insert_with(|| SEEN.to_owned());
            Ok(swap(task, thread, link, name).await)
        }
    }
}

/// When a state has to be said again.
fn lapse(shown: Shown) -> Option<Timestamp> {
    (shown.state == AgentState::Processing).then(|| later(shown.at, RENEW_AFTER))
}

/// What became of setting a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    /// It is set, as far as that is possible here.
    Done,
    /// Not before a certain time.
    Later(Timestamp),
    /// Slack refuses our token.
    LockedOut,
    /// The workspace has no agent sessions.
    Unavailable,
}

async fn set(task: &Task, thread: &ThreadKey, state: AgentState, opening: Option<Opening<'_>>) -> Result<Set, Halt> {
    let memory = memory(&thread.team);
    if task.deps.store.recall(&memory).await?.is_some() {
        return Ok(Set::Unavailable);
    }
    let status = AgentStatus {
        channel: &thread.channel,
        thread: &thread.root,
        state,
        title: opening.map(|opening| opening.title),
        initiator: opening.map(|opening| opening.initiator),
    };
    let mut answer = task.deps.slack.set_agent_status(&status).await;
    if status.initiator.is_some() && answer.as_ref().is_err_and(|error| error.code() == Some("user_not_found")) {
        // Whoever used a shortcut need not be in the channel.
        answer = task.deps.slack.set_agent_status(&AgentStatus { initiator: None, ..status }).await;
    }
    let Err(error) = answer else { return Ok(Set::Done) };
    if error.is_unavailable() {
        tracing::info!(%error, "this workspace has no agent sessions; reactions show the state instead");
        task.deps.store.remember(&memory, error.code().unwrap_or_default(), ASK_AGAIN_AFTER).await?;
        return Ok(Set::Unavailable);
    }
    tracing::info!(%error, "Slack's own state of the session is not up to date");
    if matches!(error, SlackError::InstallationGone { .. }) {
        return Ok(Set::LockedOut);
    }
    Ok(again(task, &error).map_or(Set::Done, Set::Later))
}

/// Where it is remembered that a workspace has no agent sessions.
fn memory(team: &TeamId) -> String {
    format!("no agent sessions {team}")
}

/// Lets one reaction on the asking message give way to another. The answer is when to try again.
async fn swap(task: &Task, thread: &ThreadKey, link: &mut Link, to: &str) -> Option<Timestamp> {
    let from = link.lately.presence.reaction.clone()?;
    if from != to
        && let Err(error) = exchange(task, (&thread.channel, &link.asked_in), &from, to).await
    {
        tracing::info!(%error, "the reaction that shows the state is not up to date");
        if matches!(error, SlackError::InstallationGone { .. }) {
            return Some(link.lately.refused(task.now()));
        }
        if let Some(at) = again(task, &error) {
            return Some(at);
        }
    }
    link.lately.presence.reaction = link.lately.presence.agent.is_none().then(|| to.to_owned());
    None
}

async fn exchange(task: &Task, (channel, ts): (&ChannelId, &Ts), from: &str, to: &str) -> Result<(), SlackError> {
    task.deps.slack.unreact(channel, ts, from).await?;
    task.deps.slack.react(channel, ts, to).await
}

/// When to try again what failed; `None` where it would fail again.
fn again(task: &Task, error: &SlackError) -> Option<Timestamp> {
    match error {
        SlackError::RateLimited { .. }
        | SlackError::Unsure { .. }
        | SlackError::Unreachable { .. }
        | SlackError::InstallationGone { .. } => {
            Some(later(task.now(), error.retry_after().unwrap_or_default().max(REFUSED_WAIT)))
        }
        SlackError::MissingScope { .. }
        | SlackError::Target { .. }
        | SlackError::Payload { .. }
        | SlackError::Refused { .. } => None,
    }
}
