//! Whether an input is for us, and whose mailbox it belongs into: decided from the verified bytes alone.
//!
//! The rule is the same for both events of a mention (`app_mention` and `message`), so that it does not matter which
//! comes first; and what is not for us uses up no de-duplication id.

mod interaction;
mod message;
mod submission;

use std::borrow::Cow;

use serde_json::Value;

use crate::{
    domain::{
        ask::Ask,
        ids::{ChannelId, TeamId, Ts, UserId},
        mailbox::{Mailbox, ThreadKey},
        rules::Rules,
    },
    slack::{
        trigger::Surface,
        wire::{
            command::CommandForm,
            mend,
            peek::{Peek, PeekEvent},
        },
    },
    store::Admit,
};

pub(super) use self::interaction::interaction;

/// Events that become inputs; the app manifest subscribes to these.
pub const HANDLED_EVENTS: [&str; 12] = [
    "agent_session_stopped",
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
    "reaction_added",
    "reaction_removed",
    "tokens_revoked",
    "user_change",
];

/// What is decided about a verified body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decided {
    /// What to do with it.
    pub(super) decision: Decision,
    /// The trigger that came with it, and what that opens, at once.
    pub(super) opens: Option<(String, Surface)>,
    /// What is stored in the place of the body, where that has what must not be.
    pub(super) instead: Option<Vec<u8>>,
}

impl From<Decision> for Decided {
    fn from(decision: Decision) -> Self {
        Self { decision, opens: None, instead: None }
    }
}

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
    /// Store it, and leave a note of it for whoever is about to begin something there.
    Stop {
        /// Where.
        mailbox: Mailbox,
        /// De-duplication ids.
        seen: Vec<String>,
    },
    /// Acknowledge and count it; the word says why nothing more is done.
    Ignore(&'static str),
    /// Answer it with this, and store nothing; the word is for the metrics.
    Answer(&'static str, Value),
    /// Answer Slack's check of our address.
    Challenge(String),
    /// It cannot be read as what it should be.
    Malformed(String),
}

/// Decides about an Events API body.
pub(super) fn event(rules: &Rules, body: &[u8]) -> Decided {
    if let Ok(peek) = Peek::parse(body) {
        return envelope(rules, &peek).into();
    }
    // Half an emoji is legal JSON, but no Rust string: such a body is mended before the second try.
    match Peek::parse(&mend(body)) {
        Ok(peek) => envelope(rules, &peek).into(),
        Err(error) => Decision::Malformed(error.to_string()).into(),
    }
}

fn envelope(rules: &Rules, peek: &Peek<'_>) -> Decision {
    match (peek.kind.as_deref().unwrap_or_default(), &peek.event) {
        ("url_verification", _) => match &peek.challenge {
            Some(challenge) => Decision::Challenge(challenge.to_string()),
            None => Decision::Malformed("url_verification without a challenge".to_owned()),
        },
        ("event_callback", Some(event)) => callback(rules, peek, event),
        ("event_callback", None) => Decision::Malformed("event_callback without an event".to_owned()),
        ("app_rate_limited", _) => Decision::Ignore("rate_limited"),
        _ => Decision::Ignore("envelope_type"),
    }
}

fn callback(rules: &Rules, peek: &Peek<'_>, event: &PeekEvent<'_>) -> Decision {
    let Some(team) = workspace(peek) else { return Decision::Ignore("no_workspace") };
    match event.kind.as_deref().unwrap_or_default() {
        "app_mention" | "message" => message::message(peek, event, team),
        "user_change" | "app_home_opened" => of_a_person(peek, event, team),
        "reaction_added" | "reaction_removed" => reaction(rules, peek, event, team),
        "app_uninstalled" | "tokens_revoked" => ended(peek, team),
        "agent_session_stopped" => stopped(peek, event, team),
        _ => Decision::Ignore("event_type"),
    }
}

/// What concerns one person.
fn of_a_person(peek: &Peek<'_>, event: &PeekEvent<'_>, team: TeamId) -> Decision {
    let Some(user) = id::<UserId>(event.user.as_ref()) else { return Decision::Ignore("no_user") };
    let seen = event_id(peek).into_iter().collect();
    Decision::Offer { mailbox: Mailbox::Person { team, user }, seen, admit: Admit::Always }
}

/// A reaction that is an order. It does not say which thread its message is in, so that it waits with the person until
/// somebody has looked that up.
fn reaction(rules: &Rules, peek: &Peek<'_>, event: &PeekEvent<'_>, team: TeamId) -> Decision {
    if event.user.as_deref() == bot_user(peek) {
        return Decision::Ignore("own_reaction");
    }
    match &event.reaction {
        Some(name) if rules.reactions.contains_key(name.as_ref()) => of_a_person(peek, event, team),
        Some(_) | None => Decision::Ignore("reaction"),
    }
}

/// An installation ended: the organisation's, where it was for all of its workspaces.
fn ended(peek: &Peek<'_>, team: TeamId) -> Decision {
    let of_all = peek.authorization.as_ref().filter(|a| a.is_enterprise_install);
    let enterprise = of_all.and_then(|a| id(a.enterprise_id.as_ref()).or_else(|| id(peek.enterprise_id.as_ref())));
    let mailbox = Mailbox::Workspace { team: enterprise.unwrap_or(team) };
    Decision::Offer { mailbox, seen: event_id(peek).into_iter().collect(), admit: Admit::Always }
}

/// Somebody pressed Slack's own stop button.
fn stopped(peek: &Peek<'_>, event: &PeekEvent<'_>, team: TeamId) -> Decision {
    let (Some(channel), Some(root)) = (id::<ChannelId>(event.channel.as_ref()), id::<Ts>(event.thread_ts.as_ref()))
    else {
        return Decision::Ignore("no_thread");
    };
    let thread = ThreadKey { team, channel, root };
    let seen = event_id(peek).into_iter().collect();
    Decision::Stop { mailbox: Mailbox::Thread(thread), seen }
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
pub(super) fn command(body: &[u8]) -> Decided {
    let command = match CommandForm::parse(body) {
        Ok(CommandForm::Command(command)) => command,
        Ok(CommandForm::SslCheck) => return Decision::Ignore("ssl_check").into(),
        Err(error) => return Decision::Malformed(error.to_string()).into(),
    };
    let seen = command.trigger_id.iter().map(|id| format!("command:{id}")).collect();
    let mailbox = Mailbox::Person { team: command.team, user: command.user };
    let opens = command.trigger_id.filter(|_| Ask::read(&command.text) == Ask::Form);
    Decided {
        opens: opens.map(|trigger| (trigger, Surface::NewSession)),
        ..Decision::Offer { mailbox, seen, admit: Admit::Always }.into()
    }
}
