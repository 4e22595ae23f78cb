//! Starts a session in a thread that was opened for it: from the modal, a command, or another thread.

use super::{changed, halt::Halt, task::Task};
use crate::{
    domain::{errand::Begin, link::Link, mailbox::ThreadKey},
    store::Commit,
};

/// The thread has no session yet.
pub(super) async fn free(_task: &mut Task, _thread: &ThreadKey, _begin: Begin) -> Result<Commit, Halt> {
    Ok(Commit::default())
}

/// The thread has one already: this was done before.
pub(super) async fn linked(task: &mut Task, thread: &ThreadKey, link: Link, _begin: Begin) -> Result<Commit, Halt> {
    changed::settle(task, thread, link).await
}
