//! A link that the store has lost, or has an old copy of, restored from outside: from what the thread shows and what
//! Devin says, under the mailbox's lease and before the input in hand is handled, so that it is one writer's work like
//! any other. It posts nothing that is there already; it can be stopped anywhere, because the next try reads anew.
//!
//! What is written nowhere is guessed: who asked is the author of the message that asked, also where somebody else had
//! used the shortcut on it.

use jiff::Timestamp;

use super::{
    card, changed,
    halt::Halt,
    kind::Speech,
    prompt, relay, room,
    start::SEEN,
    task::{self, Task},
    traces::Traces,
};
use crate::{
    devin::{DevinError, MessageSource},
    domain::{
        announce::Observation,
        ids::SessionId,
        link::{Asker, Card, Link, Thread},
        mailbox::ThreadKey,
        outbox::{Waiting, is_part},
    },
    slack::{SlackError, ThreadMessage},
};

/// What ties a thread to a session.
#[derive(Debug)]
pub(super) enum Tie {
    /// This link.
    Linked(Box<Link>),
    /// Nothing.
    Free,
    /// Nothing, although the store was told so: the session is not ours, or Devin does not know it any more.
    NotOurs(SessionId),
    /// The thread cannot be read: it is gone, or we are no longer in its channel. Somebody who writes there again makes
    /// us look again.
    OutOfReach,
}

/// Reads what ties the thread to a session, restoring a lost link.
pub(super) async fn tie(task: &mut Task, thread: &ThreadKey, state: Option<&str>) -> Result<Tie, Halt> {
    let Thread { link, lost, .. } = task::read(state).map_err(Halt::unreadable)?;
    match (lost, link) {
        (Some(session), known) => restore(task, thread, &session, known).await,
        (None, Some(link)) => Ok(Tie::Linked(Box::new(link))),
        (None, None) => Ok(Tie::Free),
    }
}

async fn restore(task: &mut Task, thread: &ThreadKey, lost: &SessionId, known: Option<Link>) -> Result<Tie, Halt> {
    let me = task.deps.me().await?.user.clone();
    let slack = task.deps.slack.clone();
    let messages = match slack.replies(&thread.channel, &thread.root, None, room::LOOK_BACK_MESSAGES).await {
        Ok(messages) => messages,
        Err(error @ SlackError::Target { .. }) => {
            tracing::info!(%error, devin.session = %lost, "a lost link can't be restored: its thread is out of reach");
            let known = known.map(|link| Tie::Linked(Box::new(Link { closed: true, ..link })));
            return Ok(known.unwrap_or(Tie::OutOfReach));
        }
        Err(error) => return Err(Halt::retry(&error)),
    };
    let traces = Traces::read(&messages, &me);
    let card = if task.thread.detached.contains(lost) || traces.is_detached(lost) {
        tracing::info!(devin.session = %lost, "untied from its thread, and left so");
        if !task.thread.detached.contains(lost) {
            task.thread.detached.push(lost.clone());
        }
        // Another may have been started here since.
        let Some(tied) = traces.tied_card() else { return Ok(Tie::NotOurs(lost.clone())) };
        Some(tied)
    } else {
        traces.card(lost)
    };
    let asked = traces.asked(card.as_ref().map(|(_, ts)| *ts), thread.channel.is_direct());
    if card.is_none() && asked.is_none() && known.is_none() {
        tracing::info!(devin.session = %lost, "nothing in its thread is ours: another installation's session");
        return Ok(Tie::NotOurs(lost.clone()));
    }
    let (session, card) = card.map_or((lost.clone(), None), |(session, ts)| (session, Some(ts.clone())));
    let found = match task.deps.devin.session(&session).await {
        Ok(found) => found,
        Err(DevinError::NotFound) => return Ok(Tie::NotOurs(lost.clone())),
        Err(error) => return Err(Halt::retry(&error)),
    };
    let now = task.now();
    let seen = found.observe(now);
    let by = asker(task, thread, asked, known.as_ref()).await?;
    let relays = traces.relays(&session);
    let was = known.as_ref().map(|link| &link.card);
    let over = changed::over(known.as_ref(), &seen.state, now);
    let told = traces.told(&session, &seen);
    let started_at = Timestamp::from_second(found.created_at).unwrap_or(now);
    let card = Card { ts: card.or_else(|| was?.ts.clone()), shows: String::new(), written_at: Timestamp::UNIX_EPOCH };
    let settings = known.as_ref().map(|link| link.settings.clone()).unwrap_or_default();
    let lately = known.as_ref().map(|link| link.lately.clone()).unwrap_or_default();
    let outbox = unsent(task, &session, known.as_ref()).await?;
    let fates = known.as_ref().map(|link| link.fates.clone()).unwrap_or_default();
    let new = Link::new(by, Observation { session, ..seen }, now);
    let kept = Link { settings, outbox, fates, lately, ..new };
    let mut link = Link { told, over, card, started_at, restored_at: Some(now), ..kept };
    if link.card.ts.is_none() && known.is_none() {
        card::open(task, thread, &mut link).await?;
    }
    relay::resume(task, &mut link, &relays).await?;
    relay::relay(task, thread, &mut link).await?;
    tracing::info!(devin.session = %link.session, "a lost link was restored from its thread");
    metrics::counter!("bobbin_links_restored_total").increment(1);
    Ok(Tie::Linked(Box::new(link)))
}

/// What an old copy of the link says, or else the author of the message that asked, under the name that sessions are
/// started with; in a thread where nobody's message is left, nobody but ourselves.
async fn asker(
    task: &Task,
    thread: &ThreadKey,
    asked: Option<&ThreadMessage>,
    known: Option<&Link>,
) -> Result<Asker, Halt> {
    if let Some(Link { asked_in, requester, runs_as, .. }) = known.cloned() {
        return Ok(Asker { asked_in, requester, runs_as });
    }
    let asked_in = asked.map_or_else(|| thread.root.clone(), |message| message.ts.clone());
    let author = asked.and_then(|message| message.user.clone());
    let requester = match author {
        Some(author) => author,
        None => task.deps.me().await?.user.clone(),
    };
    let runs_as = match task.deps.slack.user(&requester).await {
        Ok(person) => person.display_name().to_owned(),
        Err(SlackError::Target { .. }) => requester.to_string(),
        Err(error) => return Err(Halt::retry(&error)),
    };
    Ok(Asker { asked_in, requester, runs_as })
}

/// Whether a message of before the link was restored was passed on then: Slack sends again what it thinks we did not
/// take, and the ids that would refuse it are lost with the store. Our receipt under it says that we had it in hand, its
/// words in the session that Devin has it. Found out once, because from then on the receipt may be of this time.
pub(super) async fn was_passed_on(task: &mut Task, link: &Link, speech: &Speech) -> Result<bool, Halt> {
    const STEP: &str = "look whether it was passed on";
    if link.restored_at.is_none_or(|at| speech.ts.second() > at.as_second()) {
        return Ok(false);
    }
    if let Some(known) = task.steps.result(STEP) {
        return Ok(known);
    }
    let passed_on = stands_in_session(task, link, speech).await?;
    Ok(task.steps.repeatable(STEP, async { Ok::<_, SlackError>(passed_on) }).await?)
}

async fn stands_in_session(task: &Task, link: &Link, speech: &Speech) -> Result<bool, Halt> {
    let me = task.deps.me().await?.user.clone();
    let message = match task.deps.slack.message(speech.channel(), &speech.ts).await {
        Ok(message) => message,
        Err(SlackError::Target { .. }) => None,
        Err(error) => return Err(Halt::retry(&error)),
    };
    if !message.is_some_and(|message| message.has_reaction(SEEN, &me)) {
        return Ok(false);
    }
    let words = prompt::words(task, speech).await?;
    Ok(said_in(task, &link.session).await?.iter().any(|said| is_part(&words, said)))
}

/// What waited to be sent in an old copy of the link, without what has gone since.
async fn unsent(task: &Task, session: &SessionId, known: Option<&Link>) -> Result<Vec<Waiting>, Halt> {
    let Some(waiting) = known.map(|link| &link.outbox).filter(|waiting| !waiting.is_empty()) else {
        return Ok(Vec::new());
    };
    let said = said_in(task, session).await?;
    let has_gone = |one: &&Waiting| said.iter().any(|said| is_part(&one.words, said));
    Ok(waiting.iter().filter(|one| !has_gone(one)).cloned().collect())
}

/// What people said in a session.
async fn said_in(task: &Task, session: &SessionId) -> Result<Vec<String>, Halt> {
    let pages = relay::pages(&task.deps.devin, session).await.map_err(|error| Halt::retry(&error))?;
    let said = pages.into_iter().flat_map(|page| page.messages).filter(|m| m.source == MessageSource::User);
    Ok(said.map(|message| message.message).collect())
}
