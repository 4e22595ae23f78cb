//! What is said in a thread: an order, or words for the session.

use super::{halt::Halt, kind::Speech, reply, start, task::Task};
use crate::{domain::link::Link, store::Commit};

/// In a thread with a session.
pub(super) async fn linked(task: &mut Task, link: Link, speech: Speech) -> Result<Commit, Halt> {
    reply::reply(task, link, speech).await
}

/// In a thread without one.
pub(super) async fn free(task: &mut Task, speech: Speech) -> Result<Commit, Halt> {
    start::start(task, speech).await
}
