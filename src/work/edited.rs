//! A person changed a message or took it away.

use super::{changed, halt::Halt, kind::Edited, task::Task};
use crate::{
    domain::{ids::Ts, link::Link, mailbox::ThreadKey},
    store::Commit,
};

/// A message reads differently.
pub(super) async fn edited(task: &mut Task, link: Link, edit: Edited) -> Result<Commit, Halt> {
    changed::settle(task, &edit.now.thread, link).await
}

/// A message is gone.
pub(super) async fn deleted(task: &mut Task, thread: &ThreadKey, link: Link, _ts: &Ts) -> Result<Commit, Halt> {
    changed::settle(task, thread, link).await
}
