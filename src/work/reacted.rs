//! Reactions that are orders.

use super::{changed, halt::Halt, kind::Reacted, task::Task};
use crate::{
    domain::{errand::Errand, link::Link, mailbox::ThreadKey},
    store::Commit,
};

/// Finds the thread of a message that somebody reacted to, and hands the reaction over to it.
pub(super) async fn hand_over(_task: &mut Task, _reaction: Reacted) -> Result<Commit, Halt> {
    Ok(Commit::default())
}

/// Carries the order out.
pub(super) async fn linked(task: &mut Task, thread: &ThreadKey, link: Link, _reaction: Errand) -> Result<Commit, Halt> {
    changed::settle(task, thread, link).await
}
