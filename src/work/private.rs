//! What one person alone is told, outside of any thread.

use super::{halt::Halt, task::Task};
use crate::{domain::ids::UserId, slack::SlackError, steps::StepError, voice::Said};

/// Tells a person, at most once: in place where they did something with an address to answer to, else as a direct
/// message.
pub(super) async fn tell(
    task: &mut Task,
    step: &str,
    user: &UserId,
    response_url: Option<&str>,
    said: &Said,
) -> Result<(), Halt> {
    if let Some(address) = response_url {
        return respond(task, step, address, said).await;
    }
    let slack = task.deps.slack.clone();
    settle(task.steps.at_most_once(step, slack.write_to(user, &said.text)).await)
}

/// Tells a person in place, at most once.
pub(super) async fn respond(task: &mut Task, step: &str, address: &str, said: &Said) -> Result<(), Halt> {
    let slack = task.deps.slack.clone();
    settle(task.steps.at_most_once(step, slack.respond(address, &said.text)).await)
}

fn settle(told: Result<(), StepError<SlackError>>) -> Result<(), Halt> {
    match told {
        // The address lives for half an hour and five answers; a person who left has no conversation with us.
        Err(StepError::Failed(error @ (SlackError::Target { .. } | SlackError::Refused { .. }))) => {
            tracing::info!(%error, "there is nobody to tell any more");
            Ok(())
        }
        other => Ok(other?),
    }
}
