//! The later look: an effect whose outcome was not known for a while may have happened twice, when the other side acted on a
//! request that we had given up. Minutes afterwards it is looked for again, and what is there too much is withdrawn and
//! counted.
//!
//! The one that stays is the one that the thread knows (its link, the card that is edited), even if it is not the oldest:
//! people have seen that one. A message inside a session cannot be withdrawn; the thread is told.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    changed,
    halt::Halt,
    relay,
    room::{self, PostKind, Say},
    task::Task,
};
use crate::{
    clock::later,
    devin::{DevinError, SessionQuery},
    domain::{
        ids::{SessionId, Ts},
        link::{Doubt, Effect, Link, Relayed},
        mailbox::ThreadKey,
    },
    slack::SlackError,
    voice::{self, Notice},
};

/// When to look, counted from when the effect was finished.
const LOOKS: [Duration; 2] = [Duration::from_mins(1), Duration::from_mins(10)];
/// How long to wait when a look fails.
const FAILED_WAIT: Duration = Duration::from_mins(2);
/// After so long without an answer it is given up.
const GIVE_UP_AFTER: Duration = Duration::from_hours(24);
/// Messages of a thread that are looked through: Slack's largest page.
const PAGE_MESSAGES: usize = 999;

/// When the next look is due.
pub(super) fn due(doubts: &[Doubt]) -> Option<Timestamp> {
    doubts.iter().filter_map(next).min()
}

fn next(doubt: &Doubt) -> Option<Timestamp> {
    let planned = later(doubt.since, *LOOKS.get(doubt.looks)?);
    Some(doubt.again.unwrap_or(planned))
}

/// Puts off a look that failed; not when it has failed for a day.
fn put_off(doubt: &mut Doubt, now: Timestamp) -> bool {
    doubt.again = Some(later(now, FAILED_WAIT));
    later(doubt.since, GIVE_UP_AFTER) > now
}

/// Takes the looks that are due. One that fails is taken later and stops nothing else.
pub(super) async fn run(task: &mut Task, thread: &ThreadKey) -> Result<(), Halt> {
    let now = task.now();
    for mut doubt in std::mem::take(&mut task.thread.doubts) {
        if next(&doubt).is_some_and(|at| at > now) {
            task.thread.doubts.push(doubt);
            continue;
        }
        match look(task, thread, &doubt).await {
            Ok(()) => {
                doubt.looks += 1;
                doubt.again = None;
            }
            Err(Halt::Store(error)) => return Err(Halt::Store(error)),
            Err(halt) if put_off(&mut doubt, now) => {
                tracing::info!(?halt, "the later look failed; once more in a while");
            }
            Err(halt) => {
                tracing::error!(?halt, "the later look was given up");
                continue;
            }
        }
        if next(&doubt).is_some() {
            task.thread.doubts.push(doubt);
        }
    }
    Ok(())
}

async fn look(task: &mut Task, thread: &ThreadKey, doubt: &Doubt) -> Result<(), Halt> {
    match &doubt.of {
        Effect::Session { tag, ours } => {
            for extra in sessions(task, tag, ours.as_ref()).await? {
                withdraw_session(task, &extra).await?;
            }
        }
        Effect::Post { mark, ours } => {
            for extra in posts(task, thread, mark, ours.as_ref()).await? {
                task.deps.slack.delete(&thread.channel, &extra).await?;
                withdrawn("post");
            }
        }
        Effect::Message { session, digest, after, passed, known } => {
            let from = Relayed { cursor: after.clone(), seen: passed.clone(), ..Relayed::default() };
            let met = relay::met(&task.deps.devin, session, &from, digest).await.map_err(|e| Halt::retry(&e))?;
            if met > *known {
                tracing::warn!(devin.session = %session, "a message stands twice in its session");
                let step = format!("notice sent twice {digest} {}", doubt.since);
                let facts = vec![("session_id", session.to_string())];
                let said = voice::notice(&Notice::SentTwice);
                let say = Say { step: &step, mark: task.mark(&step), kind: PostKind::Notice, facts, said };
                room::post(task, thread, say).await?;
                metrics::counter!("bobbin_doubles_total", "what" => "message", "end" => "told").increment(1);
            }
        }
    }
    Ok(())
}

/// Sessions with the tag beside the thread's own.
async fn sessions(task: &Task, tag: &str, ours: Option<&SessionId>) -> Result<Vec<SessionId>, Halt> {
    let query = SessionQuery { tags: vec![tag.to_owned()], ..SessionQuery::default() };
    let page = task.deps.devin.sessions(&query).await.map_err(|e| Halt::retry(&e))?;
    let tagged = page.items.into_iter().filter(|s| s.tags.iter().any(|t| t == tag));
    Ok(tagged.map(|s| s.id).filter(|id| Some(id) != ours).collect())
}

async fn withdraw_session(task: &Task, session: &SessionId) -> Result<(), Halt> {
    match task.deps.devin.terminate(session, false).await {
        Ok(()) => {
            withdrawn("session");
            Ok(())
        }
        Err(error) if is_over(task, session).await => {
            tracing::info!(%error, devin.session = %session, "a double was over already");
            Ok(())
        }
        Err(error) => Err(Halt::retry(&error)),
    }
}

/// Whether nothing can be expected of a session any more: a refusal to end it has no code of its own for that.
async fn is_over(task: &Task, session: &SessionId) -> bool {
    match task.deps.devin.session(session).await {
        Ok(session) => changed::over(None, &session.observe(task.now()).state, task.now()).is_some(),
        Err(error) => matches!(error, DevinError::NotFound),
    }
}

/// Our posts with the mark in the thread beside the one that stays.
async fn posts(task: &Task, thread: &ThreadKey, mark: &str, ours: Option<&Ts>) -> Result<Vec<Ts>, Halt> {
    let me = task.deps.me().await?.user.clone();
    let messages = match task.deps.slack.replies(&thread.channel, &thread.root, None, PAGE_MESSAGES).await {
        Ok(messages) => messages,
        // The thread is gone, and with it whatever stood in it.
        Err(SlackError::Target { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let marked = messages.into_iter().filter(|m| m.user.as_ref() == Some(&me) && room::carries(m, mark));
    Ok(marked.map(|m| m.ts).filter(|ts| Some(ts) != ours).collect())
}

/// A message was sent into the session, or was refused in the end; so many of this text should now stand there unread.
pub(super) fn note_sent(task: &mut Task, link: &Link, (step, wanted): (&str, &str), sent: bool, known: usize) {
    for doubt in &mut task.thread.doubts {
        match &mut doubt.of {
            // The same words again, by somebody: one more of them is no double.
            Effect::Message { digest, known, .. } if sent && digest == wanted => *known += 1,
            Effect::Message { .. } | Effect::Session { .. } | Effect::Post { .. } => {}
        }
    }
    if task.steps.doubted(step) {
        let Relayed { cursor, seen, .. } = link.relayed.clone();
        let (session, digest) = (link.session.clone(), wanted.to_owned());
        task.doubt(Effect::Message { session, digest, after: cursor, passed: seen, known });
    }
}

fn withdrawn(what: &'static str) {
    tracing::warn!(what, "a double was withdrawn");
    metrics::counter!("bobbin_doubles_total", "what" => what, "end" => "withdrawn").increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_that_always_fails_is_given_up_after_a_day() {
        let since = Timestamp::UNIX_EPOCH;
        let of = Effect::Post { mark: "00ff".to_owned(), ours: None };
        let mut doubt = Doubt { of, since, looks: 0, again: None };
        assert_eq!(next(&doubt), Some(later(since, LOOKS[0])));
        let (mut looks, mut now) = (1, next(&doubt).unwrap());
        while put_off(&mut doubt, now) {
            looks += 1;
            now = next(&doubt).unwrap();
        }
        assert_eq!(doubt.since, since, "when the effect was finished does not move");
        assert_eq!(looks, 721, "one every two minutes of a day");
    }
}
