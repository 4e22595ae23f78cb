//! Whether an input is for us, and whose mailbox it belongs into: decided from the verified bytes alone.
//!
//! The rule is the same for both events of a mention (`app_mention` and `message`), so that it does not matter which
//! comes first; and what is not for us uses up no de-duplication id.

use std::borrow::Cow;

use crate::{
    domain::{
        ids::{ChannelId, TeamId, Ts, UserId},
        mailbox::{Mailbox, ThreadKey},
    },
    slack::{
        text,
        wire::{
            command::CommandForm,
            interaction::{Interaction, MessageAction},
            mend,
            peek::{Peek, PeekEvent},
        },
    },
    store::Admit,
};

/// Events that become inputs; the app manifest subscribes to these.
pub const HANDLED_EVENTS: [&str; 6] =
    ["app_mention", "message.channels", "message.groups", "message.im", "message.mpim", "user_change"];
/// The message shortcut that becomes an input, by its `callback_id` in the app manifest.
pub const START_HERE: &str = "start_here";
/// Subtypes that are a person's words. Every other subtype is bookkeeping.
const WORDS_OF_PEOPLE: [&str; 3] = ["file_share", "thread_broadcast", "me_message"];
/// Slackbot speaks without any bot flag.
const SLACKBOT: &str = "USLACKBOT";

/// What to do with a verified body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Store it.
    Offer {
        /// Where.
        mailbox: Mailbox,
        /// De-duplication ids.
        seen: Vec<String>,
        /// Which mailboxes it may enter.
        admit: Admit,
    },
    /// Acknowledge and count it; the word says why nothing more is done.
    Ignore(&'static str),
    /// Answer Slack's check of our address.
    Challenge(String),
    /// It cannot be read as what it should be.
    Malformed(String),
}

/// Decides about an Events API body.
pub(super) fn event(body: &[u8]) -> Decision {
    if let Ok(peek) = Peek::parse(body) {
        return envelope(&peek);
    }
    // Half an emoji is legal JSON, but no Rust string: such a body is mended before the second try.
    match Peek::parse(&mend(body)) {
        Ok(peek) => envelope(&peek),
        Err(error) => Decision::Malformed(error.to_string()),
    }
}

fn envelope(peek: &Peek<'_>) -> Decision {
    match (peek.kind.as_deref().unwrap_or_default(), &peek.event) {
        ("url_verification", _) => match &peek.challenge {
            Some(challenge) => Decision::Challenge(challenge.to_string()),
            None => Decision::Malformed("url_verification without a challenge".to_owned()),
        },
        ("event_callback", Some(event)) => callback(peek, event),
        ("event_callback", None) => Decision::Malformed("event_callback without an event".to_owned()),
        ("app_rate_limited", _) => Decision::Ignore("rate_limited"),
        _ => Decision::Ignore("envelope_type"),
    }
}

fn callback(peek: &Peek<'_>, event: &PeekEvent<'_>) -> Decision {
    let Some(team) = workspace(peek) else { return Decision::Ignore("no_workspace") };
    match event.kind.as_deref().unwrap_or_default() {
        "app_mention" | "message" => message(peek, event, team),
        "user_change" => match id::<UserId>(event.user.as_ref()) {
            Some(user) => Decision::Offer {
                mailbox: Mailbox::Person { team, user },
                seen: event_id(peek).into_iter().collect(),
                admit: Admit::Always,
            },
            None => Decision::Ignore("no_user"),
        },
        _ => Decision::Ignore("event_type"),
    }
}

fn message(peek: &Peek<'_>, event: &PeekEvent<'_>, team: TeamId) -> Decision {
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
    let ours = event.app_id.is_some() && event.app_id == peek.api_app_id;
    let by_us = bot_user(peek).is_some() && bot_user(peek) == event.user.as_deref();
    if ours || by_us {
        return Some("own_post");
    }
    if event.bot_id.is_some() || event.user.as_deref() == Some(SLACKBOT) {
        return Some("bot");
    }
    None
}

fn mentions_us(peek: &Peek<'_>, event: &PeekEvent<'_>) -> bool {
    let Some(bot) = bot_user(peek).and_then(|bot| bot.parse::<UserId>().ok()) else { return false };
    event.text.as_ref().is_some_and(|t| text::mentions(t, &bot))
}

/// Our own user in the workspace, as the envelope names it.
fn bot_user<'a>(peek: &'a Peek<'_>) -> Option<&'a str> {
    let authorization = peek.authorization.as_ref().filter(|a| a.is_bot)?;
    authorization.user_id.as_deref()
}

/// The workspace whose installation this is for.
fn workspace(peek: &Peek<'_>) -> Option<TeamId> {
    let authorized = peek.authorization.as_ref().and_then(|a| id::<TeamId>(a.team_id.as_ref()));
    authorized.or_else(|| id(peek.team_id.as_ref())).or_else(|| id(peek.enterprise_id.as_ref()))
}

fn event_id(peek: &Peek<'_>) -> Option<String> {
    peek.event_id.as_ref().map(|id| format!("event:{id}"))
}

fn id<T: std::str::FromStr>(text: Option<&Cow<'_, str>>) -> Option<T> {
    text?.parse().ok()
}

/// Decides about a slash command.
pub(super) fn command(body: &[u8]) -> Decision {
    let command = match CommandForm::parse(body) {
        Ok(CommandForm::Command(command)) => command,
        Ok(CommandForm::SslCheck) => return Decision::Ignore("ssl_check"),
        Err(error) => return Decision::Malformed(error.to_string()),
    };
    let seen = command.trigger_id.iter().map(|id| format!("command:{id}")).collect();
    Decision::Offer { mailbox: Mailbox::Person { team: command.team, user: command.user }, seen, admit: Admit::Always }
}

/// Decides about an interaction.
pub(super) fn interaction(body: &[u8]) -> Decision {
    if super::form::field(body, "ssl_check").as_deref() == Some("1") {
        return Decision::Ignore("ssl_check");
    }
    match Interaction::from_form(body) {
        Ok(Interaction::MessageAction(action)) if action.callback_id == START_HERE => start_here(*action),
        Ok(Interaction::MessageAction(_) | Interaction::Shortcut(_)) => Decision::Ignore("shortcut"),
        // Our only buttons are links, which the person's own client follows.
        Ok(Interaction::BlockActions(_)) => Decision::Ignore("link_button"),
        Ok(Interaction::ViewSubmission(_) | Interaction::ViewClosed(_) | Interaction::BlockSuggestion(_)) => {
            Decision::Ignore("view")
        }
        Ok(Interaction::Other { .. }) => Decision::Ignore("interaction_type"),
        Err(error) => Decision::Malformed(error.to_string()),
    }
}

fn start_here(action: MessageAction) -> Decision {
    let root = action.message.thread_ts.unwrap_or(action.message.ts);
    let thread = ThreadKey { team: action.actor.team, channel: action.channel, root };
    let seen = action.trigger_id.iter().map(|id| format!("action:{id}")).collect();
    Decision::Offer { mailbox: Mailbox::Thread(thread), seen, admit: Admit::Always }
}
