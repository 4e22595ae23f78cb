//! A person's message in a thread that has a session: taken in as that person's, to be sent in order (`outbox`).

use super::{
    admission::{Telling, admit},
    changed, fate, files,
    halt::Halt,
    kind::Speech,
    outbox::{self, NOT_SENT},
    prompt, restore, room,
    task::Task,
};
use crate::{
    domain::{fate::Became, ids::Ts, link::Link, mailbox::ThreadKey, outbox::Waiting, standing::Linked},
    slack::SlackError,
    store::Commit,
};

/// Passes a message on.
pub(super) async fn reply(task: &mut Task, mut link: Link, speech: Speech) -> Result<Commit, Halt> {
    let thread = speech.thread.clone();
    // Somebody writes here, so the thread is there.
    link.closed = false;
    let mut refused = Vec::new();
    if speech.ts != link.asked_in && !speech.edited && !restore::was_passed_on(task, &link, &speech).await? {
        refused = pass_on(task, &mut link, &speech).await?;
    }
    end(task, &thread, link, (&speech.ts, refused)).await
}

/// Ends the turn of a message. One that Devin refused is set aside as well: an operator can have it sent again.
pub(super) async fn end(
    task: &mut Task,
    thread: &ThreadKey,
    link: Link,
    (ts, refused): (&Ts, Vec<(Ts, String)>),
) -> Result<Commit, Halt> {
    let commit = changed::settle(task, thread, link).await?;
    match refused.into_iter().find(|(refused, _)| refused == ts) {
        Some((_, why)) => Err(Halt::Bury { why, commit: Box::new(commit) }),
        None => Ok(commit),
    }
}

async fn pass_on(task: &mut Task, link: &mut Link, speech: &Speech) -> Result<Vec<(Ts, String)>, Halt> {
    let by = (&speech.ts, &speech.user);
    let person = match admit(task, speech, Telling::OnceInThread).await? {
        Ok(person) => person,
        Err(why) => {
            fate::note(task, link, by, Became::Refused { why });
            return Ok(Vec::new());
        }
    };
    if let Some(how) = outbox::over(task, &speech.thread, link).await? {
        room::react(task, speech.channel(), &speech.ts, NOT_SENT).await?;
        fate::note(task, link, by, Became::Over { how });
        return Ok(Vec::new());
    }
    let words = words(task, speech).await?;
    let files = files::pass_on(task, speech).await?;
    let mut refused = Vec::new();
    if words.is_empty() && files.urls.is_empty() {
        fate::note(task, link, by, Became::Empty);
        if !files.skipped.is_empty() {
            room::react(task, speech.channel(), &speech.ts, NOT_SENT).await?;
        }
    } else {
        fate::note(task, link, by, Became::Waiting);
        link.outbox.push(waiting(task, speech, &person, (words, files.urls)));
        refused = outbox::send_due(task, &speech.thread, link).await?;
    }
    files::say_skipped(task, &speech.thread, Some(link), files.skipped).await?;
    Ok(refused)
}

/// The message's words as Devin gets them. They are looked up once: names may change, or fail to be found, between two
/// attempts, and what is sent must be what is looked for.
async fn words(task: &mut Task, speech: &Speech) -> Result<String, Halt> {
    const STEP: &str = "words";
    if let Some(known) = task.steps.result(STEP) {
        return Ok(known);
    }
    let words = prompt::words(task, speech).await?;
    // Without a token there is nothing to look up.
    if !speech.text.contains('<') {
        return Ok(words);
    }
    Ok(task.steps.repeatable(STEP, async { Ok::<_, SlackError>(words) }).await?)
}

fn waiting(task: &Task, speech: &Speech, person: &Linked, (words, files): (String, Vec<String>)) -> Waiting {
    Waiting {
        ts: speech.ts.clone(),
        user: speech.user.clone(),
        devin: person.devin.clone(),
        name: person.name.clone(),
        words,
        files,
        since: task.now(),
        corrects: false,
    }
}
