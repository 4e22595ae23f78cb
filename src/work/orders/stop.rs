//! Ending a session for good. Devin's API has no other stop, and it cannot be undone, so it is asked about first.

use super::{Act, Asked, Halt, Link, Look, Task, changed, look, offer, say, tell};
use crate::{
    devin::{CALL_TIMEOUT, DevinError},
    domain::{
        announce::Observation,
        link::Ended,
        phase::{Phase, State},
    },
    steps::StepError,
    voice::{self, Question, Told},
    work::trouble::{self, Tried},
};

const STEP: &str = "end the session";

/// Asks whether the session shall be ended.
pub(in super::super) async fn ask_stop(task: &mut Task, link: &mut Link, asked: &Asked) -> Result<(), Halt> {
    let Some(seen) = alive(task, link, asked).await? else { return Ok(()) };
    let thread = asked.to.thread.clone();
    let acts = if awake(&seen.state) { vec![Act::Stop, Act::Sleep, Act::Keep] } else { vec![Act::Stop, Act::Keep] };
    let offered = offer(task, &thread, link, asked, &acts);
    say(task, asked, voice::confirm(&Question::stop(&seen), &offered)).await
}

/// Ends the session: asked about and confirmed.
pub(in super::super) async fn stop(task: &mut Task, link: &mut Link, asked: &Asked) -> Result<(), Halt> {
    if !task.steps.met(STEP) && alive(task, link, asked).await?.is_none() {
        return Ok(());
    }
    let (devin, session) = (task.deps.devin.clone(), link.session.clone());
    let act = devin.terminate(&session, false);
    let find = async { Ok(has_ended(&devin.session(&session).await?.observe(task.clock.now())).then_some(())) };
    let ended = task.steps.once(STEP, CALL_TIMEOUT, act, find).await;
    let thread = asked.to.thread.clone();
    match ended {
        Ok(()) => tell(task, asked, Told::Stopped).await?,
        // What is over is refused without a word of its own: its state says whether it is.
        Err(StepError::Failed(DevinError::Invalid { .. } | DevinError::NotFound))
            if alive(task, link, asked).await?.is_none() => {}
        Err(error) => {
            let tried = Tried { doing: "ending a session", runs_as: &asked.person.name };
            return Err(trouble::at_devin(task, &thread, tried, error).await);
        }
    }
    task.deps.nudge.notify_one();
    changed::ask(task, &thread, link).await?;
    Ok(())
}

/// What a session that is not over does; `None` when it is over, or nobody can tell, and whoever asked was told so.
pub(in super::super) async fn alive(task: &mut Task, link: &Link, asked: &Asked) -> Result<Option<Observation>, Halt> {
    let how = match look(task, link, asked).await? {
        Look::Unknown => return Ok(None),
        Look::Gone => Ended::Vanished,
        Look::Seen(seen) => match changed::over(None, &seen.state, task.now()) {
            None => return Ok(Some(*seen)),
            Some(over) => over.how,
        },
    };
    tell(task, asked, Told::AlreadyOver { how }).await?;
    Ok(None)
}

/// Whether it is not asleep.
pub(super) fn awake(state: &State) -> bool {
    match Phase::of(state) {
        Phase::Starting
        | Phase::Working
        | Phase::Waking
        | Phase::YourTurn
        | Phase::NeedsApproval
        | Phase::Done
        | Phase::Unheard => true,
        Phase::Asleep(_) | Phase::Held(_) | Phase::FailedAsleep | Phase::Over | Phase::Failed | Phase::Archived => {
            false
        }
    }
}

/// Whether it has ended or failed, archived or not.
fn has_ended(seen: &Observation) -> bool {
    let phase = Phase::of(&State { archived: false, ..seen.state.clone() });
    matches!(phase, Phase::Over | Phase::Failed)
}
