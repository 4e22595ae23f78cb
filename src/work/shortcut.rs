//! Shortcuts: the global one, and the one that hands a message to a session.

use super::{changed, halt::Halt, task::Task};
use crate::slack::wire::interaction::{MessageAction, Shortcut};
use crate::{
    domain::{link::Link, mailbox::ThreadKey},
    store::Commit,
};

/// The global shortcut.
pub(super) async fn global(_task: &mut Task, _shortcut: Shortcut) -> Result<Commit, Halt> {
    Ok(Commit::default())
}

/// A message of a thread with a session.
pub(super) async fn into_linked(
    task: &mut Task,
    thread: &ThreadKey,
    link: Link,
    _action: MessageAction,
) -> Result<Commit, Halt> {
    changed::settle(task, thread, link).await
}

/// A message of any other thread.
pub(super) async fn from_free(_task: &mut Task, _thread: &ThreadKey, _action: MessageAction) -> Result<Commit, Halt> {
    Ok(Commit::default())
}
