//! Whether new sessions may be started in a workspace: the kill switch, kept in the store, so that it holds for all
//! replicas at once and over a restart. An emptied store forgets it.

use super::installations::{enterprise_of, installed};
use crate::{
    domain::{
        ids::TeamId,
        pause::{Pause, PauseWords},
    },
    store::{Change, PAGE_MAX, Row, SharedStore, StoreError},
};

/// The register of what is paused.
const REGISTER: &str = "paused";
/// The row that means all workspaces.
const ALL: &str = "*";

/// The switch.
#[derive(Debug, Clone)]
pub struct Intake {
    store: SharedStore,
}

impl Intake {
    /// The switch of this store.
    pub fn new(store: SharedStore) -> Self {
        Self { store }
    }

    /// What is paused, newest first.
    pub async fn pauses(&self) -> Result<Vec<Pause>, StoreError> {
        self.store.rows(REGISTER, None, PAGE_MAX).await?.iter().map(read).collect()
    }

    /// Whether new sessions are paused in a workspace, and by whom; a pause of all of them goes first, that of the
    /// organisation at Slack which the workspace is of, last.
    pub async fn paused(&self, team: &TeamId) -> Result<Option<Pause>, StoreError> {
        for name in [ALL, team.as_str()] {
            if let Some(row) = self.store.row(REGISTER, name).await? {
                return read(&row).map(Some);
            }
        }
        let Some(enterprise) = enterprise_of(&*self.store, team).await? else { return Ok(None) };
        self.store.row(REGISTER, enterprise.as_str()).await?.as_ref().map(read).transpose()
    }

    /// Whether a pause in this workspace, or this organisation at Slack, would pause anything: where workspaces install,
    /// it has to be one of them.
    pub async fn reaches(&self, workspace: &TeamId) -> Result<bool, StoreError> {
        let installed = installed(&*self.store).await?;
        if installed.is_empty() || installed.contains(workspace) {
            return Ok(true);
        }
        Ok(enterprise_of(&*self.store, workspace).await?.is_some_and(|enterprise| installed.contains(&enterprise)))
    }

    /// The change that pauses.
    ///
    /// # Errors
    /// When the words cannot be written.
    pub fn pause(workspace: Option<&TeamId>, said: &PauseWords) -> Result<Change, StoreError> {
        let said = serde_json::to_string(said).map_err(|e| StoreError::Corrupt(format!("a pause: {e}")))?;
        Ok(Change::put(REGISTER, name(workspace), said))
    }

    /// The change that lets new sessions be started again.
    pub fn resume(workspace: Option<&TeamId>) -> Change {
        Change::remove(REGISTER, name(workspace))
    }
}

fn name(workspace: Option<&TeamId>) -> &str {
    workspace.map_or(ALL, TeamId::as_str)
}

fn read(row: &Row) -> Result<Pause, StoreError> {
    let corrupt = |why: String| StoreError::Corrupt(format!("a pause: {why}"));
    let workspace = match row.name.as_str() {
        ALL => None,
        team => Some(team.parse().map_err(|e: crate::domain::ids::InvalidId| corrupt(e.to_string()))?),
    };
    // What cannot be read still pauses: the switch fails to the safe side.
    let said = serde_json::from_str(&row.value).unwrap_or_else(|_| PauseWords {
        v: 0,
        by: "an operator".to_owned(),
        reason: String::new(),
    });
    Ok(Pause { workspace, since: row.at, said })
}
