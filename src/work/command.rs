//! Answers that only the person who used a command or a shortcut sees.

use super::{halt::Halt, task::Task};
use crate::{
    slack::{SlackError, wire::command::Command},
    steps::StepError,
    store::Commit,
    voice::{self, Notice},
};

/// A slash command was used.
pub(super) async fn used(task: &mut Task, command: Command) -> Result<Commit, Halt> {
    answer(task, command.response_url.as_deref(), &Notice::CommandHelp).await
}

/// Answers at the address that came with a command or a shortcut, at most once.
pub(super) async fn answer(task: &mut Task, response_url: Option<&str>, notice: &Notice) -> Result<Commit, Halt> {
    let Some(response_url) = response_url else { return Ok(Commit::default()) };
    let slack = task.deps.slack.clone();
    let said = voice::notice(notice);
    match task.steps.at_most_once("answer", slack.respond(response_url, &said.text)).await {
        // The address lives for half an hour and five answers; nobody waits for more.
        Err(StepError::Failed(error @ (SlackError::Target { .. } | SlackError::Refused { .. }))) => {
            tracing::info!(%error, "the command's answer came too late");
            Ok(Commit::default())
        }
        other => {
            other?;
            Ok(Commit::default())
        }
    }
}
