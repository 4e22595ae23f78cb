//! `!new` in a thread: a second session, in a thread of its own. Each thread is one session's room, so the new one is
//! opened in the channel; the two link to each other.

use super::{
    answer::{self, Asked, To},
    changed,
    halt::Halt,
    kind::Speech,
    opening::{self, Opened},
    orders, paused, room,
    start::SEEN,
    submitted::{self, Asker, Order},
    task::Task,
};
use crate::{
    domain::{link::Link, mailbox::ThreadKey, words},
    slack::text::{self, Names},
    store::Commit,
    voice::{self, Told},
};

/// The step that says where the session starts.
const STEP: &str = "say where";

/// The thread has a session.
pub(super) async fn from_linked(task: &mut Task, mut link: Link, speech: Speech) -> Result<Commit, Halt> {
    // Somebody writes here, so the thread is there.
    link.closed = false;
    start(task, Some(&link), &speech).await?;
    changed::settle(task, &speech.thread, link).await
}

/// The thread has none.
pub(super) async fn from_free(task: &mut Task, speech: Speech) -> Result<Commit, Halt> {
    start(task, None, &speech).await?;
    Ok(Commit::default())
}

async fn start(task: &mut Task, link: Option<&Link>, speech: &Speech) -> Result<(), Halt> {
    let Some(asked) = answer::who(task, To::author(speech), false).await? else { return Ok(()) };
    room::react(task, speech.channel(), &speech.ts, SEEN).await?;
    let names = Names { bot: Some(task.deps.me().await?.user.clone()), ..Names::default() };
    let wanted = words::read(text::to_markdown(&speech.text, &names).trim()).task;
    if wanted.trim().is_empty() {
        return orders::tell(task, &asked, Told::NothingNew).await;
    }
    if let Some(said) = paused::answer(task, &speech.thread.team, opening::STEP).await? {
        room::unreact(task, speech.channel(), &speech.ts, SEEN).await?;
        return answer::say(task, &asked.to, orders::ANSWER, said).await;
    }
    // Without an address the message simply has no link.
    let from = task.deps.slack.permalink(speech.channel(), &speech.ts).await.unwrap_or_default();
    let said = voice::second(&asked.person.name, &from, wanted.trim());
    match opening::open(task, &speech.thread.team, speech.channel(), said).await? {
        Opened::NotInside | Opened::Refused => orders::tell(task, &asked, Told::CannotNew).await,
        Opened::In(thread) => begin(task, link, speech, (&asked, thread)).await,
    }
}

async fn begin(
    task: &mut Task,
    link: Option<&Link>,
    speech: &Speech,
    (asked, thread): (&Asked, ThreadKey),
) -> Result<(), Halt> {
    let by = Asker { team: &thread.team, user: &asked.to.user, response_url: None };
    let order = Order { text: speech.text.clone(), sealed: None };
    submitted::begin(task, by, &thread, order).await?;
    let url = task.deps.slack.permalink(&thread.channel, &thread.root).await?;
    let files = speech.files.as_ref().is_some_and(|files| !files.is_empty());
    let said = voice::told(&Told::NewThread { url, files });
    room::say(task, &speech.thread, link, STEP, said).await.map(drop)
}
