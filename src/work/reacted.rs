//! Reactions that are orders: on the card of a session, or on the message that asked for it.
//!
//! A reaction does not say which thread its message is in, so it comes to the person, whose mailbox finds that out and
//! hands it over; in the thread it is the same as the word.

use super::{
    answer::{self, To},
    changed, errand,
    halt::Halt,
    kind::Reacted,
    orders,
    room::PostKind,
    task::Task,
};
use crate::{
    domain::{
        errand::Errand,
        ids::UserId,
        link::Link,
        mailbox::{Mailbox, ThreadKey},
        rules::ReactionOrder,
    },
    slack::{SlackError, ThreadMessage},
    store::{Admit, Commit},
};

/// Finds the thread of a message that somebody reacted to, and hands the reaction over to it.
pub(super) async fn hand_over(task: &mut Task, reaction: Reacted) -> Result<Commit, Halt> {
    let Reacted { team, user, channel, ts, name, added } = reaction;
    let me = task.deps.me().await?.user.clone();
    let found = match task.deps.slack.message(&channel, &ts).await {
        Ok(found) => found,
        Err(error @ (SlackError::Target { .. } | SlackError::MissingScope { .. })) => {
            tracing::info!(%error, "somebody reacted to what we cannot read");
            None
        }
        Err(error) => return Err(error.into()),
    };
    // Orders are given on the card and on what people said; the thread knows which of those it was.
    let Some(message) = found.filter(|message| is_card(message, &me) || message.user.as_ref() != Some(&me)) else {
        return Ok(Commit::default());
    };
    let thread = ThreadKey { team, channel, root: message.thread_ts.unwrap_or_else(|| message.ts.clone()) };
    let reaction = Errand::Reaction { user, ts: message.ts, name, added };
    errand::send(task, "reaction", Mailbox::Thread(thread), Admit::IfKnown, &reaction).await?;
    Ok(Commit::default())
}

fn is_card(message: &ThreadMessage, me: &UserId) -> bool {
    let kind = message.metadata.as_ref().map(|metadata| metadata.event_type.as_str());
    message.user.as_ref() == Some(me) && kind == Some(PostKind::Card.event_type())
}

/// Carries the order out.
pub(super) async fn linked(
    task: &mut Task,
    thread: &ThreadKey,
    mut link: Link,
    reaction: Errand,
) -> Result<Commit, Halt> {
    let Errand::Reaction { user, ts, name, added } = reaction else {
        return changed::settle(task, thread, link).await;
    };
    let meant = link.card.ts.as_ref() == Some(&ts) || link.asked_in == ts;
    let order = task.rules.reactions.get(&name).copied().filter(|_| meant);
    let does = match order {
        Some(ReactionOrder::Stop) => added,
        Some(ReactionOrder::Mute) => true,
        None => false,
    };
    if does && let Some(asked) = answer::who(task, To::somebody(thread, &user), false).await? {
        match order {
            Some(ReactionOrder::Stop) => orders::ask_stop(task, &mut link, &asked).await?,
            Some(ReactionOrder::Mute) if added => orders::mute(task, &mut link, &asked).await?,
            Some(ReactionOrder::Mute) => orders::unmute(task, &mut link, &asked).await?,
            None => {}
        }
    }
    changed::settle(task, thread, link).await
}
