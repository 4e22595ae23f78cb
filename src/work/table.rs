//! The table: which handler an input finds, by its kind and by what ties its thread to a session.
//!
//! Handlers stand on the heap: each may be deep, and one future that holds all of them would not fit on a thread's stack.

use super::{
    begin, changed, command, edited,
    halt::Halt,
    home, installed,
    kind::Kind,
    press, profile, reacted,
    restore::{self, Tie},
    said, shortcut, stopped, submitted, sweep,
    task::{self, Task},
};
use crate::{
    domain::{
        errand::Errand,
        link::Link,
        mailbox::{Mailbox, ThreadKey},
    },
    store::{Commit, Leased},
};

/// Lets the table find the handler of the input in hand.
pub(super) async fn dispatch(task: &mut Task, leased: &Leased) -> (&'static str, Result<Commit, Halt>) {
    let kind = match leased.input.as_ref().map(|input| Kind::read(&leased.lease.mailbox, input)).transpose() {
        Ok(kind) => kind,
        Err(error) => return ("unreadable", Err(Halt::stop(error.to_string()))),
    };
    let name = kind.as_ref().map_or("wake", Kind::name);
    task.by = kind.as_ref().and_then(Kind::by).cloned();
    task.wrote = kind.as_ref().and_then(Kind::ts).cloned();
    let handled = match &leased.lease.mailbox {
        Mailbox::Thread(thread) => Box::pin(in_thread(task, thread, leased.state.as_deref(), kind)).await,
        mailbox @ (Mailbox::Person { .. } | Mailbox::Workspace { .. }) => {
            Box::pin(elsewhere(task, mailbox, kind)).await
        }
    };
    (name, handled)
}

/// In a thread: its link is restored where it was lost, and what may have happened twice is looked for, before anything
/// else.
async fn in_thread(
    task: &mut Task,
    thread: &ThreadKey,
    state: Option<&str>,
    kind: Option<Kind>,
) -> Result<Commit, Halt> {
    let tie = restore::tie(task, thread, state).await?;
    sweep::run(task, thread).await?;
    match tie {
        Tie::Linked(link) => Box::pin(linked(task, thread, *link, kind)).await,
        Tie::Free => Box::pin(free(task, thread, kind)).await,
        Tie::OutOfReach => Ok(Commit::default()),
        Tie::NotOurs(session) => {
            let left = free(task, thread, kind).await?;
            if left.state.is_some() { Ok(left) } else { Ok(task::forsaken(task, session)?) }
        }
    }
}

/// In a thread with a session.
async fn linked(task: &mut Task, thread: &ThreadKey, link: Link, kind: Option<Kind>) -> Result<Commit, Halt> {
    if link.unaccounted {
        task.steps.look_first();
    }
    match kind {
        None => Box::pin(changed::woken(task, thread, link)).await,
        Some(Kind::Sighting(sighting)) => Box::pin(changed::seen(task, thread, link, sighting)).await,
        Some(Kind::Speech(speech)) => Box::pin(said::linked(task, link, speech)).await,
        Some(Kind::Edited(edit)) => Box::pin(edited::edited(task, link, edit)).await,
        Some(Kind::Deleted { ts }) => Box::pin(edited::deleted(task, thread, link, &ts)).await,
        Some(Kind::Pressed(press)) => Box::pin(press::linked(task, thread, link, *press)).await,
        Some(Kind::Stopped { user }) => Box::pin(stopped::linked(task, thread, link, user)).await,
        Some(Kind::SendToSession(action)) => Box::pin(shortcut::into_linked(task, thread, link, *action)).await,
        Some(Kind::Errand(Errand::Begin(begin))) => Box::pin(begin::linked(task, thread, link, begin)).await,
        Some(Kind::Errand(Errand::HandOver(handed))) => {
            Box::pin(shortcut::handed_over(task, thread, link, handed)).await
        }
        Some(Kind::Errand(reaction @ Errand::Reaction { .. })) => {
            Box::pin(reacted::linked(task, thread, link, reaction)).await
        }
        Some(
            Kind::ProfileChanged { .. }
            | Kind::Reacted(_)
            | Kind::Command(_)
            | Kind::Shortcut(_)
            | Kind::Submitted(_)
            | Kind::HomeOpened(_)
            | Kind::Ended { .. }
            | Kind::Nothing
            | Kind::Errand(Errand::RefreshHome | Errand::Welcome { .. }),
        ) => Err(misplaced()),
    }
}

/// In a thread without one.
async fn free(task: &mut Task, thread: &ThreadKey, kind: Option<Kind>) -> Result<Commit, Halt> {
    match kind {
        Some(Kind::Speech(speech)) => Box::pin(said::free(task, speech)).await,
        Some(Kind::Pressed(press)) => Box::pin(press::free(task, thread, *press)).await,
        Some(Kind::Stopped { user }) => Box::pin(stopped::free(task, thread, user)).await,
        Some(Kind::SendToSession(action)) => Box::pin(shortcut::from_free(task, thread, *action)).await,
        Some(Kind::Errand(Errand::Begin(begin))) => Box::pin(begin::free(task, thread, begin)).await,
        Some(Kind::Errand(Errand::HandOver(handed))) => Box::pin(shortcut::handed_to_nobody(task, &handed.user)).await,
        None
        | Some(Kind::Sighting(_) | Kind::Edited(_) | Kind::Deleted { .. } | Kind::Errand(Errand::Reaction { .. })) => {
            tracing::info!("seen, but the thread has no session");
            Ok(Commit::default())
        }
        Some(
            Kind::ProfileChanged { .. }
            | Kind::Reacted(_)
            | Kind::Command(_)
            | Kind::Shortcut(_)
            | Kind::Submitted(_)
            | Kind::HomeOpened(_)
            | Kind::Ended { .. }
            | Kind::Nothing
            | Kind::Errand(Errand::RefreshHome | Errand::Welcome { .. }),
        ) => Err(misplaced()),
    }
}

/// For people and workspaces.
async fn elsewhere(task: &mut Task, mailbox: &Mailbox, kind: Option<Kind>) -> Result<Commit, Halt> {
    match kind {
        Some(Kind::ProfileChanged { team, user }) => Box::pin(profile::changed(task, &team, &user)).await,
        Some(Kind::Reacted(reaction)) => Box::pin(reacted::hand_over(task, reaction)).await,
        Some(Kind::Command(command)) => Box::pin(command::used(task, *command)).await,
        Some(Kind::Shortcut(shortcut)) => Box::pin(shortcut::global(task, shortcut)).await,
        Some(Kind::Submitted(event)) => Box::pin(submitted::submitted(task, *event)).await,
        Some(Kind::HomeOpened(opened)) => Box::pin(home::opened(task, opened)).await,
        Some(Kind::Pressed(press)) => Box::pin(home::pressed(task, *press)).await,
        Some(Kind::Errand(Errand::RefreshHome)) => Box::pin(home::refresh(task, mailbox)).await,
        Some(Kind::Errand(Errand::Welcome { missing })) => Box::pin(installed::welcome(task, mailbox, missing)).await,
        Some(Kind::Ended { team, why, at }) => Box::pin(installed::ended(task, &team, why, at)).await,
        None | Some(Kind::Nothing) => Ok(Commit::default()),
        Some(
            Kind::Speech(_)
            | Kind::Sighting(_)
            | Kind::Edited(_)
            | Kind::Deleted { .. }
            | Kind::Stopped { .. }
            | Kind::SendToSession(_)
            | Kind::Errand(Errand::Begin(_) | Errand::HandOver(_) | Errand::Reaction { .. }),
        ) => Err(misplaced()),
    }
}

fn misplaced() -> Halt {
    Halt::stop("an input in the wrong kind of mailbox")
}
