//! The kill switch, as people meet it: while an operator has paused new sessions, whoever asks for one is told so, and
//! what runs goes on.

use super::{
    halt::Halt,
    kind::Speech,
    room,
    start::{REFUSED, SEEN},
    task::Task,
};
use crate::{
    domain::{ids::TeamId, pause::Pause},
    tenancy::Intake,
    voice::{self, Notice, Said},
};

/// The step that says so in a thread.
const STEP: &str = "notice paused";

/// Whether new sessions are paused in a workspace.
pub(super) async fn here(task: &Task, team: &TeamId) -> Result<Option<Pause>, Halt> {
    Ok(Intake::new(task.deps.store.clone()).paused(team).await?)
}

/// Refuses in the thread what somebody asked for there; false when nothing is paused, or the session was begun before.
pub(super) async fn refused(task: &mut Task, speech: &Speech) -> Result<bool, Halt> {
    // What was said is final: a switch that is turned in between starts nothing behind a refusal.
    let said = task.steps.met(STEP);
    if !said && task.steps.met("create session") {
        return Ok(false);
    }
    let reason = match here(task, &speech.thread.team).await? {
        Some(pause) => pause.said.reason,
        None if said => String::new(),
        None => return Ok(false),
    };
    room::unreact(task, speech.channel(), &speech.ts, SEEN).await?;
    room::react(task, speech.channel(), &speech.ts, REFUSED).await?;
    room::notice(task, &speech.thread, None, STEP, &Notice::Paused { reason }).await?;
    count(task, speech.user.as_str());
    Ok(true)
}

/// What to answer whoever asks for a session from outside of a thread, while none is begun (`step`).
pub(super) async fn answer(task: &Task, team: &TeamId, step: &str) -> Result<Option<Said>, Halt> {
    if task.steps.met(step) {
        return Ok(None);
    }
    let Some(pause) = here(task, team).await? else { return Ok(None) };
    Ok(Some(voice::notice(&Notice::Paused { reason: pause.said.reason })))
}

/// Adds to an answer that new sessions are paused, while that is so.
pub(super) async fn noted(task: &Task, team: &TeamId, said: Said) -> Result<Said, Halt> {
    let Some(pause) = here(task, team).await? else { return Ok(said) };
    Ok(voice::with_line(said, &voice::notice(&Notice::PausedNow { reason: pause.said.reason })))
}

/// The same on the Home tab.
pub(super) async fn on_home(task: &Task, team: &TeamId, view: &mut serde_json::Value) -> Result<(), Halt> {
    if let Some(pause) = here(task, team).await? {
        voice::home_banner(view, &voice::notice(&Notice::PausedNow { reason: pause.said.reason }));
    }
    Ok(())
}

fn count(task: &Task, user: &str) {
    tracing::info!(input = %task.id, slack.user = user, "new sessions are paused: a session was refused");
    metrics::counter!("bobbin_sessions_refused_paused_total").increment(1);
}
