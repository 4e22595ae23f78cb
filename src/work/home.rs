//! The Home tab, and the conversation with us.

use super::{
    halt::Halt,
    kind::{HomeOpened, Pressed},
    task::Task,
};
use crate::store::Commit;

/// Somebody opened a tab of ours.
pub(super) async fn opened(_task: &mut Task, _opened: HomeOpened) -> Result<Commit, Halt> {
    Ok(Commit::default())
}

/// Somebody pressed a button that belongs to no thread.
pub(super) async fn pressed(_task: &mut Task, _press: Pressed) -> Result<Commit, Halt> {
    Ok(Commit::default())
}

/// What the Home tab shows is out of date.
pub(super) async fn refresh(_task: &mut Task) -> Result<Commit, Halt> {
    Ok(Commit::default())
}
