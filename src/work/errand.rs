//! Sends an errand: puts what another mailbox shall do into it, once.

use super::{halt::Halt, task::Task};
use crate::{
    domain::{errand::Errand, mailbox::Mailbox},
    store::{Accepted, Admit, Door, Input, Offer, StoreError},
};

/// Puts an errand into a mailbox. Done again by another attempt at the same input, it is refused as a duplicate, so that
/// it needs no step; `name` tells the errands of one input apart.
pub(super) async fn send(
    task: &Task,
    name: &str,
    mailbox: Mailbox,
    admit: Admit,
    errand: &Errand,
) -> Result<Accepted, Halt> {
    let body = serde_json::to_vec(errand).map_err(|e| StoreError::Corrupt(e.to_string()))?;
    let input = Input { id: task.id.errand(name), ..Input::received(task.now(), Door::Errand, body) };
    let seen = vec![format!("errand:{}/{name}", task.id)];
    let accepted = task.deps.store.accept(&Offer { mailbox, input, seen, admit }).await?;
    task.deps.bell.notify_one();
    Ok(accepted)
}
