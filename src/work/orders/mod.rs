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

use super::{
    answer::{self, Asked},
    button::{self, Act, Button},
    changed,
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
    let link_in_hand = &mut link;
    match order {
        Order::Status => look::status(task, link_in_hand, asked).await?,
        Order::Stop => ask_stop(task, link_in_hand, asked).await?,
        Order::Sleep => sleep(task, link_in_hand, asked).await?,
        Order::Archive => archive(task, link_in_hand, asked).await?,
        Order::Unarchive => unarchive(task, link_in_hand, asked).await?,
        Order::Mute => mute(task, link_in_hand, asked).await?,
        Order::Unmute => unmute(task, link_in_hand, asked).await?,
        Order::Mentions => quiet::mentions(task, link_in_hand, asked).await?,
        Order::Detach => detach::ask(task, link_in_hand, asked).await?,
        Order::Why => look::why(task, link_in_hand, asked).await?,
        Order::Help => say(task, asked, voice::help()).await?,
        Order::List => look::list(task, asked).await?,
        Order::Whoami => say(task, asked, whoami(asked)).await?,
    }
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
