//! What people tell us about a thread or about themselves: by a word, a button or a reaction. All three end in the same
//! functions, so that they do the same.
//!
//! Whoever is linked may steer any session: they act as themselves, and what Devin does not allow them, Devin refuses.
//! What cannot be undone is asked about first, in a message that only the person sees.

mod detach;
mod look;
mod quiet;
mod rest;
mod stop;

pub(super) use self::{
    detach::{FACT as DETACHED, detach},
    look::{Look, look, mentions_only},
    quiet::{mute, unmute},
    rest::{archive, sleep, unarchive, wake},
    stop::{alive, ask_stop, stop},
};

use futures_util::future::BoxFuture;

use super::{
    answer::{self, Asked},
    button::{self, Act, Button},
    changed, fate,
    halt::Halt,
    task::Task,
};
use crate::{
    domain::{link::Link, mailbox::ThreadKey, words::Order},
    store::Commit,
    voice::{self, Aside, Offered, Told},
};

/// The step under which somebody is answered; one input answers once.
pub(super) const ANSWER: &str = "answer";

/// Does what was said in a thread with a session.
pub(super) async fn obey(task: &mut Task, mut link: Link, asked: &Asked, order: Order) -> Result<Commit, Halt> {
    let thread = asked.to.thread.clone();
    let done: BoxFuture<'_, Result<(), Halt>> = match order {
        Order::Status => Box::pin(look::status(task, &mut link, asked)),
        Order::Stop => Box::pin(ask_stop(task, &mut link, asked)),
        Order::Sleep => Box::pin(sleep(task, &mut link, asked)),
        Order::Archive => Box::pin(archive(task, &mut link, asked)),
        Order::Unarchive => Box::pin(unarchive(task, &mut link, asked)),
        Order::Mute => Box::pin(mute(task, &mut link, asked)),
        Order::Unmute => Box::pin(unmute(task, &mut link, asked)),
        Order::Mentions => Box::pin(quiet::mentions(task, &mut link, asked)),
        Order::Detach => Box::pin(detach::ask(task, &link, asked)),
        Order::Why => Box::pin(look::why(task, &link, asked)),
        Order::Help => Box::pin(say(task, asked, voice::help())),
        Order::List => Box::pin(look::list(task, asked)),
        Order::Whoami => Box::pin(say(task, asked, whoami(asked))),
    };
    done.await?;
    changed::settle(task, &thread, link).await
}

/// Answers what was said to us in a thread without a session.
pub(super) async fn obey_without(task: &mut Task, asked: &Asked, order: Order) -> Result<Commit, Halt> {
    match order {
        Order::Help => say(task, asked, voice::help()).await?,
        Order::List => look::list(task, asked).await?,
        Order::Whoami => say(task, asked, whoami(asked)).await?,
        Order::Status
        | Order::Stop
        | Order::Sleep
        | Order::Archive
        | Order::Unarchive
        | Order::Mute
        | Order::Unmute
        | Order::Mentions
        | Order::Detach
        | Order::Why => tell(task, asked, Told::NoSession).await?,
    }
    Ok(Commit::default())
}

fn whoami(asked: &Asked) -> voice::Said {
    voice::aside(&Aside::RunsAs { name: asked.person.name.clone() })
}

/// Answers whoever asked.
pub(super) async fn tell(task: &mut Task, asked: &Asked, told: Told) -> Result<(), Halt> {
    say(task, asked, voice::told(&told)).await
}

async fn say(task: &mut Task, asked: &Asked, said: voice::Said) -> Result<(), Halt> {
    answer::say(task, &asked.to, ANSWER, said).await
}

/// Buttons that only whoever asked may press.
pub(super) fn offer(task: &Task, thread: &ThreadKey, link: &Link, asked: &Asked, acts: &[Act]) -> Vec<Offered> {
    let offered = |act: &Act| {
        let button = Button { thread, session: &link.session, act, about: "", only: Some(&asked.to.user) };
        Offered { act: act.clone(), value: button::value(&task.deps.marks, task.now(), &button) }
    };
    acts.iter().map(offered).collect()
}
