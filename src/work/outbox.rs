//! What people said, sent into the session: in order, each message as its author, several short ones as one.
//!
//! A reply is put into the link's outbox and committed with it, and the mailbox wakes a moment later to send what waits.
//! That is simpler than to hold the input itself: the thread goes on meanwhile (a stop, a sighting), the messages that
//! belong together are known by the state alone, and so every attempt at one wake sends the same under the same step. A
//! message that waits for nobody is put there as well and everything is sent in its own turn, so that the order holds.
//!
//! Nothing of it is sent twice when the turn that sent it ends without writing its state down: the journal knows what has
//! gone ([`without_gone`]).

use std::time::Duration;

use super::{
    changed, fate,
    halt::Halt,
    relay::{self, digest},
    room, sweep,
    task::Task,
    trouble::{self, Tried},
};
use crate::{
    clock::later,
    devin::{CALL_TIMEOUT, DevinError, SendMessage},
    domain::{
        fate::{Became, Later},
        ids::Ts,
        link::{Ended, Link, Reread},
        mailbox::ThreadKey,
        outbox::{self, Waiting},
        phase::State,
        status::Status,
    },
    steps::StepError,
    voice::{self, Inbound, Notice},
};

/// The sign that a message stands in the session.
pub(super) const SENT: &str = "incoming_envelope";
/// The sign that it does not, and that it is not tried any more.
pub(super) const NOT_SENT: &str = "warning";

/// How the steps begin that send what waits.
pub(super) const STEP: &str = "send ";

/// The step of programs that knew no outbox: what was begun under it is finished under it.
const SENT_ALONE: &str = "send message";

/// What could not be sent for so long is given up, and that is told.
const GIVE_UP_AFTER: Duration = Duration::from_hours(24);
/// However old, it is tried so often in one turn.
const GIVE_UP_FROM_ATTEMPT: u32 = 8;
/// Longest reason that is remembered, in characters.
const REASON_CHARS: usize = 200;

/// Words on their way into a session.
#[derive(Debug)]
pub(super) struct Outgoing<'a> {
    /// The step's name, unique within the input and the same for every attempt.
    pub(super) step: &'a str,
    /// As whom, as people read it.
    pub(super) name: &'a str,
    /// The message.
    pub(super) message: SendMessage,
}

/// Where words came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Arrived {
    /// Into the session. What stands for them is remembered until they are met there.
    There {
        /// That.
        digest: String,
    },
    /// Nowhere: the session is over, which was told.
    Over(Ended),
    /// Nowhere: Devin refused, which was told. An operator may want to know why.
    Refused(String),
}

/// Sends what waits, if it is time. The messages that Devin refused, and why.
pub(super) async fn send_due(task: &mut Task, thread: &ThreadKey, link: &mut Link) -> Result<Vec<(Ts, String)>, Halt> {
    let due = outbox::due(&link.outbox).is_some_and(|at| at <= task.now());
    if due || task.steps.met(SENT_ALONE) { flush(task, thread, link).await } else { Ok(Vec::new()) }
}

/// Sends everything that waits, before something that must come after it.
pub(super) async fn flush(task: &mut Task, thread: &ThreadKey, link: &mut Link) -> Result<Vec<(Ts, String)>, Halt> {
    let mut refused = Vec::new();
    while let Some(parcel) = take(link) {
        // On the heap, here and below: these futures are large, stand within others, and are seldom needed.
        let arrived = Box::pin(deliver(task, thread, link, &parcel)).await?;
        if let Arrived::Refused(why) = &arrived {
            refused.extend(parcel.iter().map(|one| (one.ts.clone(), why.clone())));
        }
        for one in &parcel {
            mark(task, thread, link, one, &arrived).await?;
        }
    }
    Ok(refused)
}

/// The link without what this turn has sent already, for a turn that ends without writing its own state down.
pub(super) fn without_gone(task: &Task, mut link: Link) -> Link {
    let mut left = Vec::new();
    while let Some(parcel) = take(&mut link) {
        match parcel.first().and_then(|first| task.steps.result::<String>(&step(task, first))) {
            Some(digest) => {
                link.relayed.sent(digest.clone());
                link.told.answered(task.now());
                let arrived = Arrived::There { digest };
                for one in &parcel {
                    note(task, &mut link, one, &arrived);
                }
            }
            None => left.extend(parcel),
        }
    }
    Link { outbox: left, ..link }
}

/// The first messages, which go as one.
fn take(link: &mut Link) -> Option<Vec<Waiting>> {
    let count = outbox::together(&link.outbox);
    (count > 0).then(|| link.outbox.drain(..count).collect())
}

/// The name of the step that sends a parcel, the same for every attempt and unique in its turn.
fn step(task: &Task, first: &Waiting) -> String {
    if task.steps.met(SENT_ALONE) {
        return SENT_ALONE.to_owned();
    }
    let what = if first.corrects { "correction of" } else { "message" };
    format!("{STEP}{what} {}", first.ts)
}

async fn deliver(task: &mut Task, thread: &ThreadKey, link: &mut Link, parcel: &[Waiting]) -> Result<Arrived, Halt> {
    let Some(first) = parcel.first() else { return Ok(Arrived::Refused(String::new())) };
    let message = SendMessage {
        message: outbox::words(parcel),
        attachment_urls: parcel.iter().flat_map(|one| one.files.clone()).collect(),
        message_as_user_id: first.devin.clone(),
    };
    let step = step(task, first);
    let outgoing = Outgoing { step: &step, name: &first.name, message };
    match Box::pin(send(task, thread, link, outgoing)).await {
        Err(Halt::Retry { why, .. } | Halt::Later { why, .. }) if is_tired(task, first) => {
            let notice = voice::inbound(&Inbound::GivenUp { name: &first.name });
            room::say(task, thread, Some(link), "notice given up", notice).await?;
            Ok(Arrived::Refused(why))
        }
        other => other,
    }
}

fn is_tired(task: &Task, first: &Waiting) -> bool {
    task.attempt >= GIVE_UP_FROM_ATTEMPT && later(first.since, GIVE_UP_AFTER) < task.now()
}

/// Sends words into the session, once. Whatever keeps them from getting there for good is told in the thread.
pub(super) async fn send(
    task: &mut Task,
    thread: &ThreadKey,
    link: &mut Link,
    outgoing: Outgoing<'_>,
) -> Result<Arrived, Halt> {
    let Outgoing { step, name, message } = outgoing;
    if !task.steps.finished(step)
        && let Some(how) = over(task, thread, link).await?
    {
        return Ok(Arrived::Over(how));
    }
    let devin = task.deps.devin.clone();
    let session = link.session.clone();
    let wanted = digest(&message.message);
    let act = async { devin.send(&session, &message).await.map(|_session| Some(wanted.clone())) };
    let known = link.relayed.sent.iter().filter(|sent| **sent == wanted).count();
    let lost = async {
        let met = relay::met(&devin, &session, &link.relayed, &wanted).await?;
        // Among what the thread has not read yet there is one more of this text than we know to have sent.
        Ok((met > known).then(|| Some(wanted.clone())))
    };
    let sent = task.steps.once(step, CALL_TIMEOUT, act, lost).await;
    sweep::note_sent(task, link, (step, &wanted), sent.is_ok(), known + usize::from(sent.is_ok()));
    match sent {
        Ok(digest) => {
            let digest = digest.unwrap_or(wanted);
            trouble::recovered(task, thread).await?;
            link.relayed.sent(digest.clone());
            link.told.answered(task.now());
            link.reread = Reread { since: Some(task.now()), times: 0 };
            // It is at work again until a look says otherwise, so the watch looks at once and closely.
            link.seen.state = State::new(Status::Running, None);
            task.deps.nudge.notify_one();
            Ok(Arrived::There { digest })
        }
        Err(error) => Box::pin(not_sent(task, thread, link, name, error)).await,
    }
}

async fn not_sent(
    task: &mut Task,
    thread: &ThreadKey,
    link: &mut Link,
    name: &str,
    error: StepError<DevinError>,
) -> Result<Arrived, Halt> {
    // Refusals of a session that is over have no code of their own: its state says whether it is.
    if matches!(error, StepError::Failed(DevinError::NotFound | DevinError::Invalid { .. })) {
        Box::pin(changed::ask(task, thread, link)).await?;
        if let Some(how) = over(task, thread, link).await? {
            return Ok(Arrived::Over(how));
        }
    }
    let tried = Tried { doing: "sending a message into a session", runs_as: name };
    match trouble::at_devin(task, thread, tried, error).await {
        Halt::Stop { why } => Ok(Arrived::Refused(why)),
        halt @ (Halt::Retry { .. }
        | Halt::Later { .. }
        | Halt::Paced { .. }
        | Halt::Broke { .. }
        | Halt::GiveBack
        | Halt::Bury { .. }
        | Halt::Store(_)) => Err(halt),
    }
}

/// How the session ended, if it did, and says that nothing goes there any more. What is over may have been brought back
/// in Devin since; only Devin knows.
pub(super) async fn over(task: &mut Task, thread: &ThreadKey, link: &mut Link) -> Result<Option<Ended>, Halt> {
    if link.over.is_some() {
        Box::pin(changed::ask(task, thread, link)).await?;
    }
    let Some(how) = link.over.as_ref().map(|over| over.how) else { return Ok(None) };
    let notice = Notice::NotDelivered { ended: how, url: link.seen.url.clone() };
    room::notice(task, thread, Some(link), "notice not delivered", &notice).await?;
    Ok(Some(how))
}

/// Shows under a message where it came to, and remembers it.
async fn mark(task: &Task, thread: &ThreadKey, link: &mut Link, one: &Waiting, arrived: &Arrived) -> Result<(), Halt> {
    let sign = match arrived {
        Arrived::There { .. } => SENT,
        Arrived::Over(_) | Arrived::Refused(_) => NOT_SENT,
    };
    room::react(task, &thread.channel, &one.ts, sign).await?;
    note(task, link, one, arrived);
    Ok(())
}

fn note(task: &Task, link: &mut Link, one: &Waiting, arrived: &Arrived) {
    let became = match arrived {
        Arrived::There { .. } if one.corrects => {
            return fate::later(link, &one.ts, Later::Corrected { at: task.now() });
        }
        Arrived::Over(_) | Arrived::Refused(_) if one.corrects => return,
        Arrived::There { digest } => Became::Sent { runs_as: one.name.clone(), digest: digest.clone() },
        Arrived::Over(how) => Became::Over { how: *how },
        Arrived::Refused(why) => Became::NotTaken { why: why.chars().take(REASON_CHARS).collect() },
    };
    fate::note(task, link, (&one.ts, &one.user), became);
}
