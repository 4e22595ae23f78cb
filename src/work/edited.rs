//! A person changed a message or took it away: what still waits is changed or withdrawn, what has gone is corrected, as
//! its author and once for each edit; and whoever deletes what Devin has learns that it is not taken back.

use super::{
    admission::{Telling, admit},
    changed, fate,
    halt::Halt,
    kind::{Edited, Speech},
    outbox, prompt, reply, room,
    task::Task,
};
use crate::{
    domain::{
        fate::{self as fates, Became, Later, Rule},
        ids::Ts,
        link::Link,
        mailbox::ThreadKey,
        outbox::Waiting,
        words,
    },
    store::Commit,
    voice::{self, Inbound},
};

/// What an edit is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// A message that waits, at this place.
    Waiting(usize),
    /// One that the session has.
    Gone,
    /// One that was kept from the session, and that now mentions us.
    NowForUs,
    /// One that is none of the session's business.
    None,
    /// One of which nothing is known any more.
    Forgotten,
}

/// A message reads differently.
pub(super) async fn edited(task: &mut Task, mut link: Link, edit: Edited) -> Result<Commit, Halt> {
    let Edited { now, before } = edit;
    let thread = now.thread.clone();
    if before.as_ref() == Some(&now.text) {
        // A preview, a counter: what the person wrote is as it was.
        return changed::settle(task, &thread, link).await;
    }
    let mut refused = Vec::new();
    match target(&link, &now) {
        Target::Waiting(at) => replace(task, &mut link, at, &now).await?,
        Target::Gone => refused = correct(task, &mut link, &now, before.as_deref()).await?,
        Target::NowForUs => return reply::reply(task, link, Speech { edited: false, ..now }).await,
        Target::None => {}
        Target::Forgotten => {
            room::whisper(task, &now, "edit too late", voice::inbound(&Inbound::EditTooLate)).await?;
        }
    }
    reply::end(task, &thread, link, (&now.ts, refused)).await
}

fn target(link: &Link, now: &Speech) -> Target {
    if let Some(at) = position(link, &now.ts) {
        return Target::Waiting(at);
    }
    match fates::of(&link.fates, &now.ts).map(|fate| &fate.became) {
        Some(Became::Sent { .. }) => Target::Gone,
        Some(Became::Kept { by: Rule::MentionsOnly }) if now.addressed => Target::NowForUs,
        Some(
            Became::Kept { .. }
            | Became::Waiting
            | Became::Withdrawn
            | Became::Refused { .. }
            | Became::Over { .. }
            | Became::NotTaken { .. }
            | Became::Empty,
        ) => Target::None,
        None if now.ts == link.asked_in => Target::Gone,
        // What was said before the session was started is no message of its, and outsiders are told nothing.
        None if now.ts < link.asked_in || now.from_outside => Target::None,
        None => Target::Forgotten,
    }
}

/// Where a message waits.
fn position(link: &Link, ts: &Ts) -> Option<usize> {
    link.outbox.iter().position(|one| one.ts == *ts && !one.corrects)
}

/// Puts new words in the place of those that wait.
async fn replace(task: &mut Task, link: &mut Link, at: usize, now: &Speech) -> Result<(), Halt> {
    let words = prompt::words(task, now).await?;
    if let Some(one) = link.outbox.get_mut(at) {
        one.words = words;
    }
    if link.outbox.get(at).is_some_and(|one| one.words.is_empty() && one.files.is_empty()) {
        withdraw(task, link, at);
    }
    Ok(())
}

fn withdraw(task: &Task, link: &mut Link, at: usize) {
    let one = link.outbox.remove(at);
    fate::note(task, link, (&one.ts, &one.user), Became::Withdrawn);
}

/// Tells the session the new words of a message that it has, behind whatever waits.
async fn correct(
    task: &mut Task,
    link: &mut Link,
    now: &Speech,
    before: Option<&str>,
) -> Result<Vec<(Ts, String)>, Halt> {
    let Ok(person) = admit(task, now, Telling::OnceInThread).await? else { return Ok(Vec::new()) };
    let words = prompt::words(task, now).await?;
    let text = before.unwrap_or_default().to_owned();
    let before = prompt::words(task, &Speech { text, ..now.clone() }).await?;
    // An aside is not for Devin, also where the message was none before.
    if words == before || words::read(&words).aside {
        return Ok(Vec::new());
    }
    link.outbox.push(Waiting {
        ts: now.ts.clone(),
        user: now.user.clone(),
        devin: person.devin,
        name: person.name,
        words: voice::correction(&before, &words),
        files: Vec::new(),
        since: task.now(),
        corrects: true,
    });
    outbox::flush(task, &now.thread, link).await
}

/// A message is gone.
pub(super) async fn deleted(task: &mut Task, thread: &ThreadKey, mut link: Link, ts: &Ts) -> Result<Commit, Halt> {
    if let Some(at) = position(&link, ts) {
        withdraw(task, &mut link, at);
        return changed::settle(task, thread, link).await;
    }
    let known = fates::of(&link.fates, ts).filter(|fate| matches!(fate.became, Became::Sent { .. }));
    let author = known.map(|fate| fate.user.clone()).or_else(|| (*ts == link.asked_in).then(|| link.requester.clone()));
    if let Some(author) = author {
        fate::later(&mut link, ts, Later::Deleted { at: task.now() });
        let said = voice::inbound(&Inbound::DeletedTooLate);
        room::whisper_to(task, (&thread.channel, Some(&thread.root)), &author, "deleted too late", said).await?;
    }
    changed::settle(task, thread, link).await
}
