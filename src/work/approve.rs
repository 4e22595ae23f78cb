//! Answers to what Devin asks: an approval, or a choice.
//!
//! Devin's API says neither what is to be approved nor takes the decision. A decision is therefore sent as a message of
//! the person who made it, and what came of it is read from the session's state like everything else; nothing here says
//! that it was taken. Buttons of an approval stay as long as the session waits (`asking`), and while an answer is under
//! way a second one is not sent.

use std::time::Duration;

use super::{
    answer::{self, Asked},
    button::Act,
    fate,
    halt::Halt,
    kind::Speech,
    orders::{self, ANSWER, Look},
    outbox::{self, Arrived, Outgoing},
    prompt,
    relay::digest,
    room,
    start::SEEN,
    task::Task,
};
use crate::{
    clock::later,
    devin::SendMessage,
    domain::{fate::Became, link::Link, phase::Phase, settings::Rejecting},
    slack::SlackError,
    voice::{self, Question, Told},
};

/// The step under which an answer is sent; one input sends one.
pub(super) const SEND: &str = "send answer";

/// The words of a yes. Devin reads them, so they are plain.
const YES: &str = "Approved: please go ahead.";
/// The words of a no, before its reason.
const NO: &str = "Rejected: please don't do this.";

/// How long Devin is given to react to an answer before another one is sent.
const REACTS_WITHIN: Duration = Duration::from_mins(10);
/// How long somebody's next message is taken for their reason.
const REASON_WITHIN: Duration = Duration::from_mins(10);

/// Sends words into the session as the person who asked, behind what was said before; whether they got there. Otherwise the
/// thread was told.
pub(super) async fn send(task: &mut Task, link: &mut Link, asked: &Asked, words: &str) -> Result<bool, Halt> {
    let thread = &asked.to.thread;
    outbox::flush(task, thread, link).await?;
    let message = SendMessage {
        message: words.to_owned(),
        attachment_urls: Vec::new(),
        message_as_user_id: asked.person.devin.clone(),
    };
    let outgoing = Outgoing { step: SEND, name: &asked.person.name, message };
    let arrived = Box::pin(outbox::send(task, thread, link, outgoing)).await?;
    Ok(matches!(arrived, Arrived::There { .. }))
}

/// Sends a yes to what was asked under this mark.
pub(super) async fn approve(task: &mut Task, link: &mut Link, asked: &Asked, mark: &str) -> Result<(), Halt> {
    if !is_newest(task, link, asked, mark).await? {
        return Ok(());
    }
    decide(task, link, asked, YES).await
}

/// Whether this is what the session waits for, and not what it waited for before; otherwise whoever pressed was told.
async fn is_newest(task: &mut Task, link: &Link, asked: &Asked, mark: &str) -> Result<bool, Halt> {
    let newest = link.lately.asking.as_ref().is_none_or(|asking| asking.mark == mark) || task.steps.met(SEND);
    if !newest {
        orders::tell(task, asked, Told::AnsweredSince).await?;
    }
    Ok(newest)
}

/// Sends a no without a reason.
pub(super) async fn reject(task: &mut Task, link: &mut Link, asked: &Asked) -> Result<(), Halt> {
    link.settings.rejecting = None;
    decide(task, link, asked, NO).await
}

/// Asks for the reason of a no: the next message of whoever pressed is taken for it.
pub(super) async fn ask_why(task: &mut Task, link: &mut Link, asked: &Asked, mark: &str) -> Result<(), Halt> {
    if !is_newest(task, link, asked, mark).await? || !waits(task, link, asked).await? {
        return Ok(());
    }
    let until = later(task.now(), REASON_WITHIN);
    link.settings.rejecting = Some(Rejecting { by: asked.to.user.clone(), until });
    let offered = orders::offer(task, &asked.to.thread, link, asked, &[Act::RejectPlainly, Act::Keep]);
    answer::say(task, &asked.to, ANSWER, voice::confirm(&Question::Reason, &offered)).await
}

/// Takes a message for the reason of a no, if its author was asked for one and Devin still waits; whether it was taken.
pub(super) async fn is_reason(task: &mut Task, link: &mut Link, asked: &Asked, speech: &Speech) -> Result<bool, Halt> {
    let expected = link.settings.rejecting.take_if(|rejecting| rejecting.by == asked.to.user);
    if !task.steps.met(SEND) {
        let in_time = expected.is_some_and(|rejecting| task.now() <= rejecting.until);
        if !in_time || !still_waits(task, link, asked).await? {
            return Ok(false);
        }
    }
    room::react(task, speech.channel(), &speech.ts, SEEN).await?;
    let words = format!("{NO} The reason: {}", prompt::words(task, speech).await?);
    let words = task.steps.repeatable("reason", async { Ok::<_, SlackError>(words) }).await?;
    if send(task, link, asked, &words).await? {
        let sent = Became::Sent { runs_as: asked.person.name.clone(), digest: digest(&words) };
        fate::note(task, link, (&speech.ts, &speech.user), sent);
        let told = Told::Decided { words, url: link.seen.url.clone() };
        orders::tell(task, asked, told).await?;
    }
    Ok(true)
}

async fn still_waits(task: &mut Task, link: &Link, asked: &Asked) -> Result<bool, Halt> {
    Ok(match orders::look(task, link, asked).await? {
        Look::Seen(seen) => Phase::of(&seen.state) == Phase::NeedsApproval,
        Look::Gone | Look::Unknown => false,
    })
}

/// Leaves the question unanswered: the next message of whoever was asked is one like any other.
pub(super) async fn keep(task: &mut Task, link: &mut Link, asked: &Asked) -> Result<(), Halt> {
    link.settings.rejecting.take_if(|rejecting| rejecting.by == asked.to.user);
    orders::tell(task, asked, Told::Kept).await
}

async fn decide(task: &mut Task, link: &mut Link, asked: &Asked, words: &str) -> Result<(), Halt> {
    if !task.steps.met(SEND) && !waits(task, link, asked).await? {
        return Ok(());
    }
    if send(task, link, asked, words).await? {
        let told = Told::Decided { words: words.to_owned(), url: link.seen.url.clone() };
        orders::tell(task, asked, told).await?;
    }
    Ok(())
}

/// Whether the session waits for a decision that nobody has made; otherwise whoever pressed was told.
async fn waits(task: &mut Task, link: &Link, asked: &Asked) -> Result<bool, Halt> {
    let Some(seen) = orders::alive(task, link, asked).await? else { return Ok(false) };
    let told = if Phase::of(&seen.state) != Phase::NeedsApproval {
        Told::NotWaiting { status: voice::state_words(&seen) }
    } else if is_answered(task, link) {
        Told::AlreadyAnswered
    } else {
        return Ok(true);
    };
    orders::tell(task, asked, told).await?;
    Ok(false)
}

/// Whether somebody wrote a moment ago, and Devin has not reacted yet.
fn is_answered(task: &Task, link: &Link) -> bool {
    link.told.answered_at.is_some_and(|at| task.now() < later(at, REACTS_WITHIN)) && !link.told.spoken
}
