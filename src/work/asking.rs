//! The post that asks for an approval: with buttons while Devin waits, without them as soon as it does not.
//!
//! Devin's API neither says what is asked nor takes the decision, so the buttons only send an answer into the session.
//! Whether it was taken is read back from the status: the buttons stay until a look shows another state, whoever
//! pressed one, because a session that still waits has to be answered again.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    button::{self, Act},
    card::{self, Edited},
    changed,
    halt::Halt,
    room::{self, Outcome},
    task::Task,
};
use crate::{
    clock::later,
    domain::{announce::Observation, lately::Asking, link::Link, mailbox::ThreadKey, phase::Phase},
    slack::Message,
    voice::{self, Offered},
};

/// When the buttons are made anew: they work for a day.
const RENEW_AFTER: Duration = Duration::from_hours(12);

/// Asks for an approval, and remembers the post.
pub(super) async fn ask(
    task: &mut Task,
    thread: &ThreadKey,
    link: &mut Link,
    step: &str,
    seen: &Observation,
) -> Result<(), Halt> {
    if link.closed {
        return Ok(());
    }
    let mark = changed::news_mark(task, link, step);
    let said = voice::approval(&link.requester, &seen.url, &buttons(task, thread, link, &mark));
    let say = changed::transition(task, link, step, &seen.state, said);
    match room::post(task, thread, say).await? {
        Outcome::Made(ts) => link.lately.asking = Some(Asking { ts, mark, made_at: task.now() }),
        Outcome::Refused => {}
        Outcome::Closed => link.closed = true,
    }
    Ok(())
}

/// Takes the buttons away once the session does not wait any more, and makes them anew while it does. The answer is when
/// to come back.
pub(super) async fn refresh(task: &Task, thread: &ThreadKey, link: &mut Link) -> Result<Option<Timestamp>, Halt> {
    let Some(Asking { ts, mark, made_at }) = link.lately.asking.clone().filter(|_| !link.closed) else {
        return Ok(None);
    };
    // What was told last is what a look showed; the newest look may hold our own guess.
    let told = link.told.state.as_ref().map(Phase::of);
    let waits = told == Some(Phase::NeedsApproval) && link.over.is_none();
    let now = task.now();
    let due = later(made_at, RENEW_AFTER);
    if waits && now < due {
        return Ok(Some(due));
    }
    let said = if waits {
        voice::approval(&link.requester, &link.seen.url, &buttons(task, thread, link, &mark))
    } else {
        voice::approval_over(&link.requester, &link.seen.url)
    };
    // Without metadata a post keeps what it has.
    let message = Message { text: said.text, blocks: said.blocks, metadata: None };
    match card::edit(task, thread, &ts, message).await? {
        Edited::Done if waits => {
            link.lately.asking = Some(Asking { ts, mark, made_at: now });
            return Ok(Some(later(now, RENEW_AFTER)));
        }
        Edited::Done | Edited::Gone => link.lately.asking = None,
        Edited::Closed => link.closed = true,
        Edited::Later(at) => return Ok(Some(at)),
        Edited::LockedOut => return Ok(Some(link.lately.refused(now))),
    }
    Ok(None)
}

fn buttons(task: &Task, thread: &ThreadKey, link: &Link, mark: &str) -> Vec<Offered> {
    let (marks, now, session) = (&task.deps.marks, task.now(), &link.session);
    let of = |act: Act| {
        let value = button::value(marks, now, &button::Button { thread, session, act: &act, about: mark, only: None });
        Offered { act, value }
    };
    [Act::Approve, Act::Reject].map(of).into()
}
