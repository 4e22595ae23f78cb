//! The kill switch.

use super::{Actor, Oversight, OversightError, Result};
use crate::{
    domain::{
        ids::TeamId,
        pause::{Pause, PauseWords},
    },
    tenancy::Intake,
};

/// Longest reason, in characters: people read it in Slack.
const REASON_MAX: usize = 200;

impl Oversight {
    /// Pauses new sessions in a workspace, in all of an organisation at Slack, or in all.
    pub async fn pause(&self, actor: &Actor, workspace: Option<&TeamId>, reason: &str) -> Result<()> {
        let reason = reason.trim();
        if reason.chars().count() > REASON_MAX || reason.contains(char::is_control) {
            return Err(OversightError::Refused(format!(
                "The reason is read in Slack: one line of at most {REASON_MAX} characters."
            )));
        }
        if let Some(id) = workspace
            && !Intake::new(self.store.clone()).reaches(id).await?
        {
            return Err(OversightError::Refused(format!(
                "{id} is no workspace or organisation that installed the app. Leave it out for all."
            )));
        }
        let said = PauseWords { v: PauseWords::VERSION, by: actor.name.clone(), reason: reason.to_owned() };
        let change = Intake::pause(workspace, &said)?;
        self.act(actor, ("intake.pause", target(workspace)), reason, vec![change]).await
    }

    /// Lets new sessions be started again.
    pub async fn resume(&self, actor: &Actor, workspace: Option<&TeamId>) -> Result<()> {
        if !self.pauses().await?.iter().any(|pause| pause.workspace.as_ref() == workspace) {
            return Err(OversightError::Refused(format!("{}: new sessions are not paused.", target(workspace))));
        }
        self.act(actor, ("intake.resume", target(workspace)), "", vec![Intake::resume(workspace)]).await
    }

    /// What is paused, newest first.
    pub async fn pauses(&self) -> Result<Vec<Pause>> {
        Ok(Intake::new(self.store.clone()).pauses().await?)
    }
}

fn target(workspace: Option<&TeamId>) -> &str {
    workspace.map_or("all workspaces", TeamId::as_str)
}
