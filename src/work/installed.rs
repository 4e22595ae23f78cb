//! A workspace's installation: whoever made it is told what to do next; when it ends, its tokens are forgotten and the
//! operators are told.

use jiff::Timestamp;

use super::{halt::Halt, task::Task};
use crate::{
    domain::{
        ids::{TeamId, UserId},
        mailbox::Mailbox,
    },
    steps::StepError,
    store::Commit,
    tenancy::tell_ended,
    voice::{self, Aside},
};

/// Writes to whoever installed the app, at most once: the page in their browser says the same. What passes is waited for;
/// somebody who cannot be written to is not.
pub(super) async fn welcome(task: &mut Task, mailbox: &Mailbox, missing: Vec<String>) -> Result<Commit, Halt> {
    let Mailbox::Person { user, .. } = mailbox else { return Ok(Commit::default()) };
    write_to(task, user, &Aside::Welcome { missing }).await?;
    Ok(Commit::default())
}

async fn write_to(task: &mut Task, user: &UserId, aside: &Aside) -> Result<(), Halt> {
    let (slack, text) = (task.deps.slack.clone(), voice::aside(aside).text);
    let act = async { slack.write_to(user, &text).await };
    match task.steps.at_most_once("welcome", act).await {
        Ok(()) => Ok(()),
        Err(StepError::Failed(error)) if error.is_definite() => {
            tracing::warn!(%error, "whoever installed the app could not be welcomed");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// The app was taken out of a workspace or an organisation, or its token was revoked, at that time. What waits for it stays
/// for a day, in case it is installed again.
pub(super) async fn ended(task: &Task, team: &TeamId, why: &'static str, at: Timestamp) -> Result<Commit, Halt> {
    match &task.deps.installations {
        Some(installations) => drop(installations.end(team, why, at).await?),
        None => tell_ended(team, why),
    }
    Ok(Commit::default())
}
