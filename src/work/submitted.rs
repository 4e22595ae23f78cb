//! Modals that were sent.

use super::{halt::Halt, task::Task};
use crate::slack::wire::interaction::ViewEvent;
use crate::store::Commit;

/// A modal was sent.
pub(super) async fn submitted(_task: &mut Task, _event: ViewEvent) -> Result<Commit, Halt> {
    Ok(Commit::default())
}
