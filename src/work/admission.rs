//! Who speaks, and as whom we may act for them: the receipt, the look-up, and the refusal, which only they see.

use super::{
    halt::Halt,
    kind::Speech,
    room,
    start::{REFUSED, SEEN},
    task::Task,
    trouble,
};
use crate::{
    domain::{
        ids::UserId,
        standing::{Linked, Refusal, Standing},
    },
    voice,
};

/// People remembered as told in one thread; of more, the first are told again.
const MAX_TOLD: usize = 100;

/// How often somebody is told that nobody acts for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Telling {
    /// Whenever they ask.
    EachTime,
    /// Once in a thread: they talk there, and every message of theirs has the sign of it.
    OnceInThread,
}

/// Gives the receipt and finds out as whom to act, or why nobody does, which was then told.
pub(super) async fn admit(task: &mut Task, speech: &Speech, telling: Telling) -> Result<Result<Linked, Refusal>, Halt> {
    if speech.from_outside {
        note_refused(&speech.user, Refusal::Outside);
        return Ok(Err(Refusal::Outside));
    }
    room::react(task, speech.channel(), &speech.ts, SEEN).await?;
    let why = match task.deps.people.clone().who(&speech.thread.team, &speech.user).await {
        Ok(Standing::Linked(person)) => {
            metrics::counter!("bobbin_people_admitted_total", "source" => person.source.name()).increment(1);
            return Ok(Ok(person));
        }
        Ok(Standing::Refused { why }) => why,
        Err(error) => return Err(trouble::at_look_up(task, &speech.thread, error).await),
    };
    note_refused(&speech.user, why);
    if !why.is_told() {
        room::unreact(task, speech.channel(), &speech.ts, SEEN).await?;
        return Ok(Err(why));
    }
    room::react(task, speech.channel(), &speech.ts, REFUSED).await?;
    if telling == Telling::EachTime || !task.thread.strangers.contains(&speech.user) {
        room::whisper(task, speech, "refusal", voice::refusal(why)).await?;
        remember(&mut task.thread.strangers, &speech.user);
    }
    Ok(Err(why))
}

/// Logs and counts that nobody acts for somebody.
pub(super) fn note_refused(user: &UserId, why: Refusal) {
    tracing::info!(slack.user = %user, refused = why.name(), "not acting for a person");
    metrics::counter!("bobbin_people_refused_total", "why" => why.name()).increment(1);
}

fn remember(strangers: &mut Vec<UserId>, user: &UserId) {
    if !strangers.contains(user) {
        strangers.push(user.clone());
        let surplus = strangers.len().saturating_sub(MAX_TOLD);
        strangers.drain(..surplus);
    }
}
