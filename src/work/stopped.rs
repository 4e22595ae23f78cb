//! Slack's own stop button.

use super::{changed, halt::Halt, task::Task};
use crate::{
    domain::{ids::UserId, link::Link, mailbox::ThreadKey},
    store::Commit,
};

/// In a thread with a session.
pub(super) async fn linked(
    task: &mut Task,
    thread: &ThreadKey,
    link: Link,
    _user: Option<UserId>,
) -> Result<Commit, Halt> {
    changed::settle(task, thread, link).await
}

/// In a thread without one.
pub(super) async fn free(_task: &mut Task, _thread: &ThreadKey, _user: Option<UserId>) -> Result<Commit, Halt> {
    Ok(Commit::default())
}
