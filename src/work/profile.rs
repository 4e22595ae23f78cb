//! A person's profile changed: what we knew of them is forgotten, on every replica.

use super::{halt::Halt, task::Task};
use crate::{
    domain::ids::{TeamId, UserId},
    store::Commit,
};

/// Forgets a person.
pub(super) async fn changed(task: &Task, team: &TeamId, user: &UserId) -> Result<Commit, Halt> {
    task.deps.people.forget(team, user).await?;
    Ok(Commit::default())
}
