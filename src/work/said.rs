//! What is said in a thread: an order, something that is not for Devin, or words for the session.

use super::{
    answer::{self, To},
    approve, changed,
    halt::Halt,
    kind::Speech,
    orders, reply, second, start, stopped,
    task::Task,
};
use crate::{
    domain::{
        link::Link,
        words::{self, Order, Said},
    },
    slack::text::{self, Names},
    store::Commit,
};

/// In a thread with a session.
pub(super) async fn linked(task: &mut Task, mut link: Link, speech: Speech) -> Result<Commit, Halt> {
    // What asked for the session comes twice; a later version of a message has a handler of its own; whoever hands over
    // somebody else's message gives no order with it.
    if speech.ts == link.asked_in || speech.edited || speech.response_url.is_some() || speech.from_outside {
        return Box::pin(reply::reply(task, link, speech)).await;
    }
    let said = read(task, &speech).await?;
    if said.aside {
        return changed::settle(task, &speech.thread, link).await;
    }
    if let Some(order) = said.order {
        return Box::pin(ordered(task, link, &speech, order)).await;
    }
    if !speech.addressed && orders::mentions_only(task, &link, speech.channel()) {
        return changed::settle(task, &speech.thread, link).await;
    }
    if said.options.new_thread {
        return Box::pin(second::from_linked(task, link, speech)).await;
    }
    if link.settings.rejecting.as_ref().is_some_and(|rejecting| rejecting.by == speech.user)
        && let Some(asked) = answer::who(task, To::author(&speech), false).await?
        && Box::pin(approve::is_reason(task, &mut link, &asked, &speech)).await?
    {
        return changed::settle(task, &speech.thread, link).await;
    }
    Box::pin(reply::reply(task, link, speech)).await
}

async fn ordered(task: &mut Task, mut link: Link, speech: &Speech, order: Order) -> Result<Commit, Halt> {
    // Somebody writes here, so the thread is there.
    link.closed = false;
    let Some(asked) = answer::who(task, To::author(speech), false).await? else {
        return changed::settle(task, &speech.thread, link).await;
    };
    orders::obey(task, link, &asked, order).await
}

/// In a thread without one.
pub(super) async fn free(task: &mut Task, speech: Speech) -> Result<Commit, Halt> {
    if !speech.addressed || speech.response_url.is_some() || speech.from_outside {
        return start::start(task, speech).await;
    }
    let said = read(task, &speech).await?;
    if said.aside {
        return Ok(Commit::default());
    }
    if let Some(order) = said.order {
        return match answer::who(task, To::author(&speech), false).await? {
            Some(asked) => orders::obey_without(task, &asked, order).await,
            None => Ok(Commit::default()),
        };
    }
    if stopped::before_it_began(task, &speech).await? {
        return Ok(Commit::default());
    }
    if said.options.new_thread && speech.ts != speech.thread.root {
        return Box::pin(second::from_free(task, speech)).await;
    }
    Box::pin(start::start(task, speech)).await
}

/// What a message says. Names do not matter for that, so that nobody is looked up.
async fn read(task: &Task, speech: &Speech) -> Result<Said, Halt> {
    let names = Names { bot: Some(task.deps.me().await?.user.clone()), ..Names::default() };
    Ok(words::read(text::to_markdown(&speech.text, &names).trim()))
}
