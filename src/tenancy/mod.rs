//! Who speaks where: which workspaces installed the app and with which token, and which Devin organisation a mailbox
//! belongs to.
//!
//! An installation is kept in the store under its workspace, or under its organisation where Enterprise Grid installed it
//! for all workspaces; of both, the workspace's own goes first. Tokens are asked for at every call, so that a
//! reinstallation, a rotation or an end holds at once for whatever is under way, in every replica. A workspace without an
//! installation has no token, and neither has one that is not [`Invited`](crate::domain::invited::Invited): its calls fail
//! as definite refusals, its inputs wait, and are set aside after a day.

mod installation;
mod installations;
mod intake;
mod renewal;
mod tokens;

use std::fmt;

use async_trait::async_trait;
use tokio::sync::OnceCell;

pub use self::{
    installation::{Gone, Installation},
    installations::{InstallError, Installations, tell_ended},
    intake::Intake,
    tokens::InstalledTokens,
};
use crate::{
    domain::ids::TeamId,
    slack::{Slack, SlackError},
};

/// Says whose threads are ours.
#[async_trait]
pub trait Workspaces: Send + Sync + fmt::Debug {
    /// Whether we are installed in this workspace.
    ///
    /// # Errors
    ///
    /// [`SlackError`] where that could not be found out now.
    async fn has(&self, team: &TeamId) -> Result<bool, SlackError>;
}

/// The workspace of a configured token; all of an organisation's, where the token is an organisation's.
#[derive(Debug)]
pub struct OneWorkspace {
    slack: Slack,
    team: OnceCell<TeamId>,
}

impl OneWorkspace {
    /// The workspace that this client speaks to.
    pub fn of(slack: Slack) -> Self {
        Self { slack, team: OnceCell::new() }
    }
}

#[async_trait]
impl Workspaces for OneWorkspace {
    async fn has(&self, team: &TeamId) -> Result<bool, SlackError> {
        let ours = self.team.get_or_try_init(async || self.slack.auth_test().await.map(|me| me.team)).await?;
        Ok(team == ours || ours.as_str().starts_with('E'))
    }
}
