//! Starts a session in a thread that was opened for it: from the modal, a command, or another thread.

use super::{changed, halt::Halt, kind::Speech, private, start, task::Task};
use crate::{
    devin::SessionSecret,
    domain::{errand::Begin, link::Link, mailbox::ThreadKey},
    slack::brief,
    store::{Commit, seal::session_secrets_of},
    voice::{self, Aside},
};

/// The thread has no session yet.
pub(super) async fn free(task: &mut Task, thread: &ThreadKey, begin: Begin) -> Result<Commit, Halt> {
    let Some(secrets) = opened(task, thread, &begin) else {
        private::tell(task, "unreadable", &begin.user, None, &voice::aside(&Aside::UnreadableSecrets)).await?;
        return Ok(Commit::default());
    };
    start::start_with(task, speech(thread, begin), secrets).await
}

/// The thread has one already: this was done before.
pub(super) async fn linked(task: &mut Task, thread: &ThreadKey, link: Link, _begin: Begin) -> Result<Commit, Halt> {
    changed::settle(task, thread, link).await
}

/// The secrets for the session, in clear from here to the call that needs them; `None` when they can't be opened, because
/// the key that they were sealed under is another one by now.
fn opened(task: &Task, thread: &ThreadKey, begin: &Begin) -> Option<Vec<SessionSecret>> {
    let Some(sealed) = &begin.sealed else { return Some(Vec::new()) };
    let typed = task.deps.seal.open(&session_secrets_of(&thread.team, &begin.user), sealed)?;
    let secrets = brief::session_secrets(&typed).ok()?;
    Some(secrets.into_iter().map(|one| SessionSecret { key: one.key, value: one.value, sensitive: true }).collect())
}

/// What was asked for, as if the message that opened the thread had said it.
fn speech(thread: &ThreadKey, begin: Begin) -> Speech {
    Speech {
        thread: thread.clone(),
        user: begin.user,
        ts: begin.asked_in,
        text: begin.text,
        addressed: true,
        response_url: None,
        files: Some(Vec::new()),
        edited: false,
        from_outside: false,
    }
}
