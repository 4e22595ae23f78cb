//! `bobbin pause` and `bobbin resume`: the kill switch from the command line. With the embedded store the file is the
//! running bot's alone; there the console has the switch.

use anyhow::Context as _;

use super::dead;
use crate::{domain::ids::TeamId, oversight::Actor, store::SharedStore};

/// Pauses new sessions.
pub(super) async fn pause(
    store: &SharedStore,
    by: String,
    workspace: Option<&TeamId>,
    reason: &str,
    out: &mut impl std::io::Write,
) -> anyhow::Result<()> {
    dead::over(store)
        .pause(&Actor::command_line(by), workspace, reason)
        .await
        .context("new sessions are not paused")?;
    let place = place(workspace);
    dead::said(out, &format!("New sessions are paused in {place}. What runs goes on. `bobbin resume` ends this."))
}

/// Resumes them.
pub(super) async fn resume(
    store: &SharedStore,
    by: String,
    workspace: Option<&TeamId>,
    out: &mut impl std::io::Write,
) -> anyhow::Result<()> {
    dead::over(store).resume(&Actor::command_line(by), workspace).await.context("nothing was changed")?;
    dead::said(out, &format!("New sessions are started again in {}.", place(workspace)))
}

fn place(workspace: Option<&TeamId>) -> &str {
    workspace.map_or("all workspaces", TeamId::as_str)
}
