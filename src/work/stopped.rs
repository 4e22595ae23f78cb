//! Slack's own stop button.
//!
//! Whoever presses it wants Devin to stop what it is doing, now, and may well go on with it afterwards. Ending the session
//! for good would take more than that away, and cannot be undone, so it is put to sleep: at once, without a question, and
//! the next message wakes it.
//!
//! The button is there from the moment at which somebody asks, before there is a session. The stop then waits behind the
//! message that asked, in the same mailbox, and is carried out as soon as there is a session. Where the session cannot be
//! made yet and that is tried again, the doors have left a note of the stop, and whoever tries finds it and starts
//! nothing.

use super::{
    answer::{self, To},
    changed,
    halt::Halt,
    kind::Speech,
    orders, outbox, presence, room,
    task::Task,
};
use crate::{
    domain::{
        ids::UserId,
        link::Link,
        mailbox::{Mailbox, ThreadKey},
    },
    store::Commit,
    voice::{self, Told},
};

/// The step that must not have taken effect for a start to be taken back.
const CREATE: &str = "create session";

/// In a thread with a session.
pub(super) async fn linked(
    task: &mut Task,
    thread: &ThreadKey,
    mut link: Link,
    user: Option<UserId>,
) -> Result<Commit, Halt> {
    // Slack shows the button pressed until it is told what the session does.
    link.lately.presence.agent = None;
    if let Some(user) = user
        && let Some(asked) = answer::who(task, To::somebody(thread, &user), true).await?
    {
        outbox::flush(task, thread, &mut link).await?;
        orders::sleep(task, &mut link, &asked).await?;
    }
    changed::settle(task, thread, link).await
}

/// In a thread without one: what was asked for came to nothing before.
pub(super) async fn free(task: &mut Task, thread: &ThreadKey, _user: Option<UserId>) -> Result<Commit, Halt> {
    tracing::info!(%thread.channel, "stopped, but the thread has no session");
    presence::let_go(task, thread).await?;
    Ok(Commit::default())
}

/// Whether somebody pressed stop after a message asked for a session and before anything was begun for it; the thread
/// was then told.
pub(super) async fn before_it_began(task: &mut Task, speech: &Speech) -> Result<bool, Halt> {
    if task.steps.may_have_happened(CREATE) {
        return Ok(false);
    }
    let mailbox = Mailbox::Thread(speech.thread.clone());
    let stopped = task.deps.store.recall(&mailbox.stop_note()).await?;
    // Ids sort by the time at which the doors took them.
    if stopped.is_none_or(|stop| stop.as_str() < task.id.as_str()) {
        return Ok(false);
    }
    // An earlier attempt may have said that somebody is at work.
    presence::let_go(task, &speech.thread).await?;
    room::say(task, &speech.thread, None, "stopped early", voice::told(&Told::AskedToStopEarly)).await?;
    Ok(true)
}
