//! Buttons under a thread's posts.

use super::{changed, halt::Halt, kind::Pressed, task::Task};
use crate::{
    domain::{link::Link, mailbox::ThreadKey},
    store::Commit,
};

/// In a thread with a session.
pub(super) async fn linked(task: &mut Task, thread: &ThreadKey, link: Link, _press: Pressed) -> Result<Commit, Halt> {
    changed::settle(task, thread, link).await
}

/// In a thread without one.
pub(super) async fn free(_task: &mut Task, _thread: &ThreadKey, _press: Pressed) -> Result<Commit, Halt> {
    Ok(Commit::default())
}
