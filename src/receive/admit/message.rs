//! Messages: what people say to us or in a thread of ours, what they change of it and take away.

use super::{Decision, bot_user, event_id, id};
use crate::{
    domain::{
        ids::{ChannelId, TeamId, Ts, UserId},
        mailbox::{Mailbox, ThreadKey},
    },
    slack::{
        text,
        wire::{
            objects::TOMBSTONE,
            peek::{Peek, PeekEvent, PeekMessage},
        },
    },
    store::Admit,
};

/// Subtypes that are a person's words. Every other subtype is bookkeeping.
const WORDS_OF_PEOPLE: [&str; 3] = ["file_share", "thread_broadcast", "me_message"];
/// Slackbot speaks without any bot flag.
const SLACKBOT: &str = "USLACKBOT";

pub(super) fn message(peek: &Peek<'_>, event: &PeekEvent<'_>, team: TeamId) -> Decision {
    match event.subtype.as_deref() {
        Some("message_changed") => return edited(peek, event, team),
        Some("message_deleted") => return deleted(peek, event, team),
        Some(_) | None => {}
    }
    if let Some(why) = not_a_persons_words(peek, event) {
        return Decision::Ignore(why);
    }
    let (Some(channel), Some(ts)) = (id::<ChannelId>(event.channel.as_ref()), id::<Ts>(event.ts.as_ref())) else {
        return Decision::Ignore("no_message");
    };
    let reply_to = id::<Ts>(event.thread_ts.as_ref());
    let mentions_us = event.kind.as_deref() == Some("app_mention") || mentions_us(peek, event);
    let direct = channel.is_direct() || event.channel_type.as_deref() == Some("im");
    let admit = match (mentions_us || direct, &reply_to) {
        (true, _) => Admit::Always,
        (false, Some(_)) => Admit::IfKnown,
        (false, None) => return Decision::Ignore("not_for_us"),
    };
    let mut seen: Vec<String> = event_id(peek).into_iter().collect();
    seen.push(format!("message:{team}/{channel}/{ts}"));
    seen.extend(event.client_msg_id.as_ref().map(|id| format!("client:{team}/{channel}/{id}")));
    let root = reply_to.unwrap_or(ts);
    Decision::Offer { mailbox: Mailbox::Thread(ThreadKey { team, channel, root }), seen, admit }
}

/// Why an event is no person's message: our own post, another bot's, or Slack's bookkeeping.
fn not_a_persons_words(peek: &Peek<'_>, event: &PeekEvent<'_>) -> Option<&'static str> {
    if event.subtype.as_ref().is_some_and(|s| !WORDS_OF_PEOPLE.contains(&s.as_ref())) {
        return Some("subtype");
    }
    if event.hidden {
        return Some("hidden");
    }
    not_a_person(peek, event.user.as_deref(), event.bot_id.as_deref(), event.app_id.as_deref())
}

/// Why an author is no person.
fn not_a_person(
    peek: &Peek<'_>,
    user: Option<&str>,
    bot_id: Option<&str>,
    app_id: Option<&str>,
) -> Option<&'static str> {
    let ours = app_id.is_some() && app_id == peek.api_app_id.as_deref();
    let by_us = bot_user(peek).is_some() && bot_user(peek) == user;
    if ours || by_us {
        return Some("own_post");
    }
    (bot_id.is_some() || user == Some(SLACKBOT)).then_some("bot")
}

/// A person's message in a thread that we know now reads differently. Previews, counters and the like change messages,
/// too, and leave their text as it was.
fn edited(peek: &Peek<'_>, event: &PeekEvent<'_>, team: TeamId) -> Decision {
    let Some(now) = &event.message else { return Decision::Ignore("no_message") };
    if now.subtype.as_deref() == Some(TOMBSTONE) {
        return deleted(peek, event, team);
    }
    if let Some(why) = not_a_person(peek, now.user.as_deref(), now.bot_id.as_deref(), now.app_id.as_deref()) {
        return Decision::Ignore(why);
    }
    if event.previous_message.as_ref().is_some_and(|before| before.text == now.text) {
        return Decision::Ignore("not_edited");
    }
    in_known_thread(peek, event, now, team)
}

/// A person's message in a thread that we know was taken away.
fn deleted(peek: &Peek<'_>, event: &PeekEvent<'_>, team: TeamId) -> Decision {
    let Some(before) = &event.previous_message else { return Decision::Ignore("no_message") };
    let author = not_a_person(peek, before.user.as_deref(), before.bot_id.as_deref(), before.app_id.as_deref());
    match author {
        Some(why) => Decision::Ignore(why),
        None => in_known_thread(peek, event, before, team),
    }
}

fn in_known_thread(peek: &Peek<'_>, event: &PeekEvent<'_>, message: &PeekMessage<'_>, team: TeamId) -> Decision {
    let root = id::<Ts>(message.thread_ts.as_ref()).or_else(|| id(message.ts.as_ref()));
    let (Some(channel), Some(root)) = (id::<ChannelId>(event.channel.as_ref()), root) else {
        return Decision::Ignore("no_message");
    };
    let seen = event_id(peek).into_iter().collect();
    Decision::Offer { mailbox: Mailbox::Thread(ThreadKey { team, channel, root }), seen, admit: Admit::IfKnown }
}

fn mentions_us(peek: &Peek<'_>, event: &PeekEvent<'_>) -> bool {
    let Some(bot) = bot_user(peek).and_then(|bot| bot.parse::<UserId>().ok()) else { return false };
    event.text.as_ref().is_some_and(|t| text::mentions(t, &bot))
}
