//! Buttons under a thread's posts, and under what only one person sees there.
//!
//! A press is believed in this order: the value is ours, of this thread, and has not run out; whoever pressed is somebody
//! we act for, looked up anew; the session is still this thread's. What it asks for is then compared with what the
//! session does by now, by the same functions that do it for a word, so that what is stale, or was pressed twice, is
//! answered and not done.

use futures_util::future::BoxFuture;

use super::{
    answer::{self, Asked, To},
    approve,
    button::{self, Act, Why},
    changed, choose,
    halt::Halt,
    kind::Pressed,
    orders::{self, ANSWER},
    outbox,
    task::Task,
};
use crate::{
    domain::{link::Link, mailbox::ThreadKey},
    store::Commit,
    voice::{self, Told},
};

/// In a thread with a session.
pub(super) async fn linked(
    task: &mut Task,
    thread: &ThreadKey,
    mut link: Link,
    press: Pressed,
) -> Result<Commit, Halt> {
    let to = To::presser(thread, &press);
    // What counts is when somebody pressed, not when their press has its turn.
    let pressed = match button::read(&task.deps.marks, task.came, thread, &to.user, &press.value) {
        Ok(pressed) => pressed,
        Err(why) => {
            refuse(task, &to, why).await?;
            return changed::settle(task, thread, link).await;
        }
    };
    let Some(asked) = answer::who(task, to, true).await? else {
        return changed::settle(task, thread, link).await;
    };
    tracing::info!(act = pressed.act.name(), slack.user = %asked.to.user, "a button was pressed");
    metrics::counter!("bobbin_buttons_pressed_total", "act" => pressed.act.name()).increment(1);
    if pressed.session != link.session {
        orders::tell(task, &asked, Told::OtherSession).await?;
        return changed::settle(task, thread, link).await;
    }
    // What was said before goes before.
    outbox::flush(task, thread, &mut link).await?;
    if pressed.act == Act::Detach {
        return Box::pin(orders::detach(task, link, &asked)).await;
    }
    Box::pin(act(task, &mut link, &asked, &pressed)).await?;
    Box::pin(changed::settle(task, thread, link)).await
}

/// In a thread without one.
pub(super) async fn free(task: &mut Task, thread: &ThreadKey, press: Pressed) -> Result<Commit, Halt> {
    if let Some(asked) = answer::who(task, To::presser(thread, &press), true).await? {
        orders::tell(task, &asked, Told::NoSession).await?;
    }
    Ok(Commit::default())
}

fn act<'a>(
    task: &'a mut Task,
    link: &'a mut Link,
    asked: &'a Asked,
    pressed: &'a button::Pressed,
) -> BoxFuture<'a, Result<(), Halt>> {
    match &pressed.act {
        Act::AskStop => Box::pin(orders::ask_stop(task, link, asked)),
        Act::Stop => Box::pin(orders::stop(task, link, asked)),
        Act::Sleep => Box::pin(orders::sleep(task, link, asked)),
        Act::Wake => Box::pin(orders::wake(task, link, asked)),
        Act::Mute => Box::pin(orders::mute(task, link, asked)),
        Act::Unmute => Box::pin(orders::unmute(task, link, asked)),
        Act::Archive => Box::pin(orders::archive(task, link, asked)),
        Act::Unarchive => Box::pin(orders::unarchive(task, link, asked)),
        Act::Keep | Act::Detach => Box::pin(approve::keep(task, link, asked)),
        Act::Approve => Box::pin(approve::approve(task, link, asked, &pressed.about)),
        Act::Reject => Box::pin(approve::ask_why(task, link, asked, &pressed.about)),
        Act::RejectPlainly => Box::pin(approve::reject(task, link, asked)),
        Act::Choose { .. } => Box::pin(choose::choose(task, link, asked, pressed)),
    }
}

/// Says why a button does nothing, to whoever pressed it alone.
async fn refuse(task: &mut Task, to: &To, why: Why) -> Result<(), Halt> {
    tracing::warn!(why = why.name(), slack.user = %to.user, "a button was not believed");
    metrics::counter!("bobbin_buttons_refused_total", "why" => why.name()).increment(1);
    let told = match why {
        Why::Forged | Why::Elsewhere => Told::Unbelievable,
        Why::SomebodyElses => Told::NotYours,
        Why::Expired => Told::Expired,
    };
    answer::say(task, to, ANSWER, voice::told(&told)).await
}
