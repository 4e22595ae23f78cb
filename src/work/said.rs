//! What is said in a thread: an order, something that is not for Devin, or words for the session.

use super::{
    answer::{self, To},
    approve, changed, fate,
    halt::Halt,
    kind::Speech,
    orders, outbox, reply, second, start, stopped,
    task::Task,
};
use crate::{
    domain::{
        fate::Rule,
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
        return kept(task, link, &speech, Rule::Aside).await;
    }
    if let Some(order) = said.order {
        return Box::pin(ordered(task, link, &speech, order)).await;
    }
    if !speech.addressed && orders::mentions_only(task, &link, speech.channel()) {
        return kept(task, link, &speech, Rule::MentionsOnly).await;
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

/// Remembers why a message did not go into the session, for whoever asks.
async fn kept(task: &mut Task, mut link: Link, speech: &Speech, by: Rule) -> Result<Commit, Halt> {
    fate::kept(task, &mut link, speech, by);
    changed::settle(task, &speech.thread, link).await
}

async fn ordered(task: &mut Task, mut link: Link, speech: &Speech, order: Order) -> Result<Commit, Halt> {
    // Somebody writes here, so the thread is there.
    link.closed = false;
    let Some(asked) = answer::who(task, To::author(speech), false).await? else {
        return changed::settle(task, &speech.thread, link).await;
    };
    if comes_after_what_was_said(order) {
        outbox::flush(task, &speech.thread, &mut link).await?;
    }
    orders::obey(task, link, &asked, order).await
}

/// Whether an order does something to the session, so that what was said before goes there before it.
fn comes_after_what_was_said(order: Order) -> bool {
    match order {
        Order::Stop | Order::Sleep | Order::Archive | Order::Unarchive | Order::Detach => true,
        Order::Status
        | Order::Mute
        | Order::Unmute
        | Order::Mentions
        | Order::Why
        | Order::Help
        | Order::List
        | Order::Whoami => false,
    }
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
