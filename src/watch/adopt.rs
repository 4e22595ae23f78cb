//! Gives a session of ours that the store does not know its mailbox back; the mailbox's next turn restores the link from
//! the thread. A session that is just being started is known, because the mention that asked for it still waits.

use jiff::Timestamp;

use crate::{
    domain::{
        ids::SessionId,
        link::Thread,
        mailbox::{Mailbox, ThreadKey},
    },
    store::{Adoption, SharedStore, StoreError},
};

/// A session without a link, and when its thread shall wake to restore it; `None`: when an input comes.
#[derive(Debug, Clone)]
pub struct Orphan {
    /// The session.
    pub session: SessionId,
    /// The thread that its tags name.
    pub thread: ThreadKey,
    /// When to restore the link.
    pub wake: Option<Timestamp>,
}

/// Adopts a session whose thread the store does not know; whether it did.
pub async fn adopt(store: &SharedStore, orphan: Orphan) -> Result<bool, StoreError> {
    let Orphan { session, thread, wake } = orphan;
    write(store, thread, &Thread::lost(session), wake, false).await
}

/// Has the link of a thread that the store does know restored all the same: what is stored may be an old copy. A thread
/// that is tied to another session is left alone.
pub async fn doubt(store: &SharedStore, orphan: Orphan) -> Result<(), StoreError> {
    let Orphan { session, thread, wake } = orphan;
    let stored = store.state(&Mailbox::Thread(thread.clone())).await?;
    let known: Option<Thread> = stored.and_then(|text| serde_json::from_str(&text).ok());
    let known = known.unwrap_or_else(Thread::empty);
    if known.link.as_ref().is_none_or(|link| link.session == session) {
        write(store, thread, &Thread { lost: Some(session), ..known }, wake, true).await?;
    }
    Ok(())
}

async fn write(
    store: &SharedStore,
    thread: ThreadKey,
    state: &Thread,
    wake: Option<Timestamp>,
    anew: bool,
) -> Result<bool, StoreError> {
    let state = serde_json::to_string(state).map_err(|e| StoreError::Corrupt(format!("a thread's state: {e}")))?;
    store.adopt(&Adoption { mailbox: Mailbox::Thread(thread), state, wake, anew }).await
}
