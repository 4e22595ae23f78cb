//! Devin's questions with choices: the buttons under them, and what pressing one sends.
//!
//! A button stands for an option of one message. The words that it sends are read from that message again, as Devin has
//! it, and only while it is the newest thing said in the session: an answer that came in between, by a button, a reply or
//! in Devin's web app, makes all of its buttons stale.

use super::{
    answer::Asked,
    approve,
    button::{self, Act, Button},
    halt::Halt,
    orders,
    relay::{self, digest},
    room,
    task::Task,
};
use crate::{
    devin::Message,
    domain::{
        choices::{self, Choice},
        link::Link,
        mailbox::ThreadKey,
    },
    voice::{self, Told},
};

/// Most characters of a choice where it is said who made it.
const MAX_SHOWN_CHARS: usize = 300;
/// Most characters on a button.
const MAX_LABEL_CHARS: usize = 75;

/// The buttons of a message; none where it offers nothing.
pub(super) fn answers(task: &Task, thread: &ThreadKey, link: &Link, message: &Message) -> Vec<voice::Answer> {
    let answer = |(n, choice): (u8, Choice)| {
        let act = Act::Choose { n, digest: digest(&choice.answer()) };
        let (session, about) = (&link.session, message.event_id.as_str());
        let button = Button { thread, session, act: &act, about, only: None };
        voice::Answer {
            label: choice.label(MAX_LABEL_CHARS),
            action_id: act.action_id(),
            value: button::value(&task.deps.marks, task.now(), &button),
        }
    };
    (1..).zip(choices::read(&message.message)).map(answer).collect()
}

/// Answers Devin's question with one of its choices, as whoever pressed; what was chosen is said in the thread.
pub(super) async fn choose(
    task: &mut Task,
    link: &mut Link,
    asked: &Asked,
    pressed: &button::Pressed,
) -> Result<(), Halt> {
    let Act::Choose { n, digest: wanted } = &pressed.act else { return Ok(()) };
    let under_way = task.steps.met(approve::SEND);
    if !under_way && orders::alive(task, link, asked).await?.is_none() {
        return Ok(());
    }
    let messages = relay::unread_and_last(&task.deps.devin, link).await?;
    let at = messages.iter().position(|message| message.event_id == pressed.about);
    let open = under_way || at.is_some_and(|at| at + 1 == messages.len());
    let question = at.filter(|_| open).and_then(|at| messages.get(at)).map(|m| m.message.as_str()).unwrap_or_default();
    let chosen = usize::from(*n).checked_sub(1).and_then(|at| choices::read(question).get(at).cloned());
    let Some(choice) = chosen.filter(|choice| digest(&choice.answer()) == *wanted) else {
        return orders::tell(task, asked, Told::AnsweredSince).await;
    };
    if !approve::send(task, link, asked, &choice.answer()).await? {
        return Ok(());
    }
    let (name, words) = (asked.person.name.clone(), choice.label(MAX_SHOWN_CHARS));
    let said = voice::told(&Told::ChosenBy { name, words });
    room::say(task, &asked.to.thread, Some(link), "notice chosen", said).await.map(drop)
}
