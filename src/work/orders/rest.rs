//! Sleeping, waking, and the archive.
//!
//! Devin's API cannot put a session to sleep; it can only archive one, which puts it to sleep on the way and leaves it
//! deaf. What people mean by *sleep* is that it stops using up anything now and that the next message wakes it, as in
//! Devin's own app. So sleeping is archiving and, once the session sleeps, taking it out of the archive again: it stays
//! asleep, and listens. Between the two nothing is told, and whoever goes on after a crash ends at the same place.

use std::time::Duration;

use super::{
    ANSWER, Act, Asked, Halt, Link, Look, Task, changed, look, offer,
    stop::{alive, awake},
    tell,
};
use crate::{
    clock::later,
    devin::{CALL_TIMEOUT, DevinError, Session},
    domain::phase::Phase,
    steps::StepError,
    voice::{self, Told},
    work::{
        answer, approve, outbox,
        trouble::{self, Tried},
    },
};

/// The words that wake a session: it takes some, and these ask for nothing new.
const WAKING_WORDS: &str = "Please go on.";
/// How long to wait for a session to fall asleep before looking again.
const FALLS_ASLEEP_IN: Duration = Duration::from_secs(3);
/// Attempts after which it is taken out of the archive, asleep or not: rather awake than deaf.
const FALLS_ASLEEP_WITHIN: u32 = 10;

const ARCHIVE: &str = "archive";
const UNARCHIVE: &str = "unarchive";

/// Puts the session to sleep.
pub(in super::super) async fn sleep(task: &mut Task, link: &mut Link, asked: &Asked) -> Result<(), Halt> {
    if !task.steps.met(ARCHIVE) {
        let Some(seen) = alive(task, link, asked).await? else { return Ok(()) };
        if !awake(&seen.state) {
            return tell(task, asked, Told::AlreadyAsleep).await;
        }
    }
    put_away(task, link, asked).await?;
    if !task.steps.met(UNARCHIVE)
        && task.attempt < FALLS_ASLEEP_WITHIN
        && let Ok(session) = task.deps.devin.session(&link.session).await
        && awake_but_for_the_archive(session)
    {
        let at = later(task.now(), FALLS_ASLEEP_IN);
        return Err(Halt::Later { at, why: "the session falls asleep".to_owned() });
    }
    take_out(task, link, asked).await?;
    let thread = asked.to.thread.clone();
    changed::ask(task, &thread, link).await?;
    tell(task, asked, Told::Asleep).await
}

fn awake_but_for_the_archive(session: Session) -> bool {
    awake(&crate::domain::phase::State::new(session.status, session.detail))
}

/// Wakes the session, which only a message can do.
pub(in super::super) async fn wake(task: &mut Task, link: &mut Link, asked: &Asked) -> Result<(), Halt> {
    if !task.steps.met(approve::SEND) {
        let Some(seen) = alive(task, link, asked).await? else { return Ok(()) };
        let status = voice::state_words(&seen);
        match Phase::of(&seen.state) {
            Phase::Asleep(_) | Phase::FailedAsleep => {}
            Phase::Held(_) => return tell(task, asked, Told::CannotBeWoken { status }).await,
            Phase::Starting
            | Phase::Working
            | Phase::Waking
            | Phase::YourTurn
            | Phase::NeedsApproval
            | Phase::Done
            | Phase::Over
            | Phase::Failed
            | Phase::Archived
            | Phase::Unheard => return tell(task, asked, Told::AlreadyAwake { status }).await,
        }
    }
    if approve::send(task, link, asked, WAKING_WORDS).await? {
        tell(task, asked, Told::Woken { words: WAKING_WORDS.to_owned() }).await?;
    }
    Ok(())
}

/// Puts the session away. It can be taken out again, so that nobody is asked first.
pub(in super::super) async fn archive(task: &mut Task, link: &mut Link, asked: &Asked) -> Result<(), Halt> {
    if !task.steps.met(ARCHIVE) {
        match look(task, link, asked).await? {
            Look::Unknown => return Ok(()),
            Look::Gone => return gone(task, asked).await,
            Look::Seen(seen) if seen.state.archived => return tell(task, asked, Told::AlreadyArchived).await,
            Look::Seen(_) => {}
        }
    }
    put_away(task, link, asked).await?;
    let thread = asked.to.thread.clone();
    changed::ask(task, &thread, link).await?;
    let said =
        voice::with_buttons(voice::told(&Told::Archived).text, &offer(task, &thread, link, asked, &[Act::Unarchive]));
    answer::say(task, &asked.to, ANSWER, said).await
}

/// Takes the session out of the archive.
pub(in super::super) async fn unarchive(task: &mut Task, link: &mut Link, asked: &Asked) -> Result<(), Halt> {
    if !task.steps.met(UNARCHIVE) {
        match look(task, link, asked).await? {
            Look::Unknown => return Ok(()),
            Look::Gone => return gone(task, asked).await,
            Look::Seen(seen) if !seen.state.archived => return tell(task, asked, Told::NotArchived).await,
            Look::Seen(_) => {}
        }
    }
    take_out(task, link, asked).await?;
    let thread = asked.to.thread.clone();
    changed::ask(task, &thread, link).await?;
    match &link.over {
        Some(over) => tell(task, asked, Told::AlreadyOver { how: over.how }).await,
        None => tell(task, asked, Told::Unarchived).await,
    }
}

async fn gone(task: &mut Task, asked: &Asked) -> Result<(), Halt> {
    tell(task, asked, Told::AlreadyOver { how: crate::domain::link::Ended::Vanished }).await
}

/// Archives, once: whoever goes on after a crash must not take what this order did for somebody else's doing.
async fn put_away(task: &mut Task, link: &mut Link, asked: &Asked) -> Result<(), Halt> {
    // What was said before goes there before; later it would wake the session, or find it deaf.
    outbox::flush(task, &asked.to.thread, link).await?;
    let (devin, session) = (task.deps.devin.clone(), link.session.clone());
    let act = async { devin.archive(&session).await.map(|_session| ()) };
    let find = async { Ok(devin.session(&session).await?.archived.then_some(())) };
    let done = task.steps.once(ARCHIVE, CALL_TIMEOUT, act, find).await;
    finish(task, asked, "archiving a session", done).await
}

async fn take_out(task: &mut Task, link: &Link, asked: &Asked) -> Result<(), Halt> {
    let (devin, session) = (task.deps.devin.clone(), link.session.clone());
    let act = async { devin.unarchive(&session).await.map(|_session| ()) };
    let find = async { Ok((!devin.session(&session).await?.archived).then_some(())) };
    let done = task.steps.once(UNARCHIVE, CALL_TIMEOUT, act, find).await;
    finish(task, asked, "taking a session out of the archive", done).await
}

async fn finish(
    task: &mut Task,
    asked: &Asked,
    doing: &'static str,
    done: Result<(), StepError<DevinError>>,
) -> Result<(), Halt> {
    task.deps.nudge.notify_one();
    match done {
        Ok(()) => trouble::recovered(task, &asked.to.thread.clone()).await,
        Err(error) => {
            let tried = Tried { doing, runs_as: &asked.person.name };
            Err(trouble::at_devin(task, &asked.to.thread.clone(), tried, error).await)
        }
    }
}
