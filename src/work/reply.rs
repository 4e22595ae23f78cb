//! A person's message in a thread that has a session: sent into the session as that person, in order.

use super::{
    changed, files,
    halt::Halt,
    kind::Speech,
    prompt,
    relay::{self, digest},
    restore, room, start, sweep,
    task::Task,
    trouble::{self, Tried},
};
use crate::{
    devin::{CALL_TIMEOUT, DevinError, SendMessage},
    domain::{
        link::{Link, Reread},
        phase::State,
        standing::Linked,
        status::Status,
    },
    steps::StepError,
    store::Commit,
    voice::Notice,
};

/// Passes a message on.
pub(super) async fn reply(task: &mut Task, mut link: Link, speech: Speech) -> Result<Commit, Halt> {
    let thread = speech.thread.clone();
    // Somebody writes here, so the thread is there.
    link.closed = false;
    if speech.ts != link.asked_in && !speech.edited && !restore::was_passed_on(task, &link, &speech).await? {
        pass_on(task, &mut link, &speech).await?;
    }
    changed::settle(task, &thread, link).await
}

async fn pass_on(task: &mut Task, link: &mut Link, speech: &Speech) -> Result<(), Halt> {
    let Some(person) = start::admit(task, speech).await? else { return Ok(()) };
    // What is over may have been brought back in Devin since; only Devin knows.
    if link.over.is_some() {
        changed::ask(task, &speech.thread, link).await?;
    }
    if let Some(over) = &link.over {
        let notice = Notice::NotDelivered { ended: over.how, url: link.seen.url.clone() };
        room::notice(task, &speech.thread, Some(link), "notice not delivered", &notice).await?;
        return Ok(());
    }
    let words = prompt::words(task, speech).await?;
    let files = files::pass_on(task, speech).await?;
    if !(words.is_empty() && files.urls.is_empty()) {
        let message =
            SendMessage { message: words, attachment_urls: files.urls, message_as_user_id: person.devin.clone() };
        send(task, link, speech, &person, message).await?;
    }
    files::say_skipped(task, &speech.thread, Some(link), files.skipped).await
}

async fn send(
    task: &mut Task,
    link: &mut Link,
    speech: &Speech,
    person: &Linked,
    message: SendMessage,
) -> Result<(), Halt> {
    let devin = task.deps.devin.clone();
    let session = link.session.clone();
    let act = async { devin.send(&session, &message).await.map(|_session| ()) };
    let wanted = digest(&message.message);
    let known = link.relayed.sent.iter().filter(|sent| **sent == wanted).count();
    let lost = async {
        let met = relay::met(&devin, &session, &link.relayed, &wanted).await?;
        // Among what the thread has not read yet there is one more of this text than we know to have sent.
        Ok((met > known).then_some(()))
    };
    let sent = task.steps.once("send message", CALL_TIMEOUT, act, lost).await;
    sweep::note_sent(task, link, &wanted, sent.is_ok(), known + usize::from(sent.is_ok()));
    let error = match sent {
        Ok(()) => {
            trouble::recovered(task, &speech.thread).await?;
            link.relayed.sent(wanted);
            link.told.answered(task.now());
            link.reread = Reread { since: Some(task.now()), times: 0 };
            // It is at work again until a look says otherwise, so the watch looks at once and closely.
            link.seen.state = State::new(Status::Running, None);
            task.deps.nudge.notify_one();
            return Ok(());
        }
        Err(error) => error,
    };
    // Refusals of a session that is over have no code of their own: its state says whether it is.
    let definite = matches!(error, StepError::Failed(DevinError::NotFound | DevinError::Invalid { .. }));
    if definite {
        changed::ask(task, &speech.thread, link).await?;
    }
    if let Some(over) = link.over.as_ref().filter(|_| definite) {
        let notice = Notice::NotDelivered { ended: over.how, url: link.seen.url.clone() };
        room::notice(task, &speech.thread, Some(link), "notice not delivered", &notice).await?;
        return Ok(());
    }
    let tried = Tried { doing: "sending a message into a session", runs_as: &person.name };
    Err(trouble::at_devin(task, &speech.thread, tried, error).await)
}
