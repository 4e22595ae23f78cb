//! What became of people's messages: remembered with the link, told to whoever asks.

use super::{
    answer::{self, Asked},
    halt::Halt,
    kind::Speech,
    orders::ANSWER,
    task::Task,
};
use crate::{
    domain::{
        fate::{self, Became, Fate, Later, Rule},
        ids::{Ts, UserId},
        link::Link,
    },
    voice::{self, Inbound},
};

/// How many of their messages somebody is told about at once.
const TOLD: usize = 3;

/// Remembers what became of somebody's message.
pub(super) fn note(task: &Task, link: &mut Link, (ts, user): (&Ts, &UserId), became: Became) {
    let fate = Fate { ts: ts.clone(), user: user.clone(), at: task.now(), became, later: None };
    fate::note(&mut link.fates, fate);
}

/// Remembers what was done about a message after it had gone.
pub(super) fn later(link: &mut Link, ts: &Ts, later: Later) {
    fate::note_later(&mut link.fates, ts, later);
}

/// Remembers that a message was kept from the session, by which rule.
pub(super) fn kept(task: &Task, link: &mut Link, speech: &Speech, by: Rule) {
    note(task, link, (&speech.ts, &speech.user), Became::Kept { by });
}

/// Tells somebody, and only them, what became of the last messages that they wrote in the thread.
pub(super) async fn tell(task: &mut Task, link: &Link, asked: &Asked) -> Result<(), Halt> {
    let user = &asked.to.user;
    let mut known: Vec<Inbound<'_>> = Vec::new();
    for fate in fate::last_of(&link.fates, user, TOLD) {
        let seen = matches!(&fate.became, Became::Sent { digest, .. } if !link.relayed.sent.contains(digest));
        known.push(Inbound::Became { fate, seen });
    }
    if known.is_empty() {
        known.push(Inbound::NoneKnown { requester: *user == link.requester });
    }
    answer::say(task, &asked.to, ANSWER, voice::each_inbound(&known)).await
}
