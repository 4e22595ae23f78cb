//! Events, whole: what a worker reads from the stored body.
//!
//! An event of a known kind that lacks what makes it usable (a message without a channel) is [`Event::Other`]: nothing
//! can be done for it, and refusing it would only make Slack send it again.
//! <https://docs.slack.dev/reference/events>

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    WireError,
    lenient::{fitting, fitting_list},
    mend,
    objects::{TOMBSTONE, ThreadMessage, User},
};
use crate::domain::ids::{ChannelId, TeamId, Ts, UserId};

/// One delivery: what happened, and for which installation.
#[derive(Debug, Clone)]
pub struct EventEnvelope {
    /// Unique per event, the same on every retry.
    pub event_id: Option<String>,
    /// When, in seconds.
    pub event_time: Option<i64>,
    /// The workspace; absent for events of an organisation.
    pub team_id: Option<TeamId>,
    /// The organisation, on Enterprise Grid.
    pub enterprise_id: Option<TeamId>,
    /// The workspace through which the event comes.
    pub context_team_id: Option<TeamId>,
    /// The app.
    pub api_app_id: Option<String>,
    /// Whether the channel is shared with another organisation.
    pub is_ext_shared_channel: bool,
    /// The installation for which the event comes.
    pub authorization: Option<Authorization>,
    /// What happened.
    pub event: Event,
}

/// An installation that may see an event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Authorization {
    /// Its workspace.
    #[serde(deserialize_with = "fitting")]
    pub team_id: Option<TeamId>,
    /// Its organisation.
    #[serde(deserialize_with = "fitting")]
    pub enterprise_id: Option<TeamId>,
    /// Its user: for a bot token, the bot.
    #[serde(deserialize_with = "fitting")]
    pub user_id: Option<UserId>,
    /// Whether that user is the bot.
    #[serde(deserialize_with = "fitting")]
    pub is_bot: bool,
    /// Whether it covers the organisation.
    #[serde(deserialize_with = "fitting")]
    pub is_enterprise_install: bool,
}

/// A message that was posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageEvent {
    /// Where.
    pub channel: ChannelId,
    /// `channel`, `group`, `im` or `mpim`; absent on mentions.
    pub channel_type: Option<String>,
    /// The message.
    pub message: ThreadMessage,
}

impl MessageEvent {
    /// The first message of the thread that this message is in, or could start.
    pub fn root(&self) -> &Ts {
        self.message.thread_ts.as_ref().unwrap_or(&self.message.ts)
    }
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// `app_mention`.
    Mention(Box<MessageEvent>),
    /// `message`, with any subtype that is a new message.
    Message(Box<MessageEvent>),
    /// `message_changed`: an edit, or bookkeeping that looks like one.
    MessageChanged {
        /// The message as it is now.
        now: Box<MessageEvent>,
        /// The message as it was.
        before: Option<Box<ThreadMessage>>,
    },
    /// `message_deleted`; a first message with replies leaves a placeholder (`tombstone`) and arrives as a change.
    MessageDeleted {
        /// Where.
        channel: ChannelId,
        /// Which message is gone.
        deleted: Ts,
        /// The message as it was.
        before: Option<Box<ThreadMessage>>,
    },
    /// `app_home_opened`.
    HomeOpened {
        /// By whom.
        user: UserId,
        /// The direct conversation with that person.
        channel: Option<ChannelId>,
        /// `home` or `messages`.
        tab: Option<String>,
    },
    /// `user_change`: any change of a profile, deactivation too.
    UserChanged(Box<User>),
    /// `member_joined_channel`; also when the bot itself is invited.
    MemberJoined {
        /// Where.
        channel: ChannelId,
        /// Who.
        user: UserId,
        /// Invited by whom.
        inviter: Option<UserId>,
    },
    /// `channel_id_changed`.
    ChannelIdChanged {
        /// Before.
        old: ChannelId,
        /// From now on.
        new: ChannelId,
    },
    /// `agent_session_stopped`: somebody pressed stop.
    AgentStopped {
        /// Where.
        channel: ChannelId,
        /// In which thread.
        thread: Option<Ts>,
        /// Who.
        user: Option<UserId>,
    },
    /// `reaction_added` and `reaction_removed`.
    Reaction {
        /// Who.
        user: UserId,
        /// Its name, without colons.
        name: String,
        /// Where.
        channel: ChannelId,
        /// On which message.
        ts: Ts,
        /// Whether it was put there, or taken away.
        added: bool,
    },
    /// `app_uninstalled`.
    Uninstalled,
    /// `tokens_revoked`.
    TokensRevoked {
        /// Users whose bot tokens are gone.
        bots: Vec<UserId>,
    },
    /// Anything else, and what lacks its essentials.
    Other {
        /// The event's `type`; empty when it has none.
        kind: String,
    },
}

impl EventEnvelope {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// [`WireError`], when it is not JSON, or not an object with an `event`.
    pub fn parse(body: &[u8]) -> Result<Self, WireError> {
        let body: Value = serde_json::from_slice(&mend(body)).map_err(|error| WireError::json(&error))?;
        let Value::Object(mut body) = body else { return Err(WireError::Malformed("not a JSON object".to_owned())) };
        let Some(Value::Object(event)) = body.remove("event") else { return Err(WireError::Missing("event")) };
        let outer: Outer = serde_json::from_value(Value::Object(body)).map_err(|error| WireError::json(&error))?;
        Ok(Self {
            event_id: outer.event_id,
            event_time: outer.event_time,
            team_id: outer.team_id,
            enterprise_id: outer.enterprise_id,
            context_team_id: outer.context_team_id,
            api_app_id: outer.api_app_id,
            is_ext_shared_channel: outer.is_ext_shared_channel,
            authorization: outer.authorizations.into_iter().next(),
            event: Event::read(event),
        })
    }
}

impl Event {
    fn read(event: Map<String, Value>) -> Self {
        // Every field is forgiving, so this does not fail.
        let field: Fields = serde_json::from_value(Value::Object(event.clone())).unwrap_or_default();
        let kind = field.kind.clone();
        let known = match (kind.as_str(), field.subtype.as_str()) {
            ("message", "message_changed") => field.changed(),
            ("message", "message_deleted") => field.deleted(),
            ("message", _) => field.message(event).map(Self::Message),
            ("app_mention", _) => field.message(event).map(Self::Mention),
            ("app_home_opened", _) => {
                field.user.map(|user| Self::HomeOpened { user, channel: field.channel, tab: field.tab })
            }
            ("user_change", _) => user(&event).map(Self::UserChanged),
            ("member_joined_channel", _) => field.joined(),
            ("channel_id_changed", _) => field.moved(),
            ("agent_session_stopped", _) => {
                field.channel.map(|channel| Self::AgentStopped { channel, thread: field.thread_ts, user: field.user })
            }
            ("reaction_added" | "reaction_removed", _) => field.reaction(),
            ("app_uninstalled", _) => Some(Self::Uninstalled),
            ("tokens_revoked", _) => Some(Self::TokensRevoked { bots: field.tokens.bot }),
            _ => None,
        };
        known.unwrap_or(Self::Other { kind })
    }
}

/// The whole person that `user_change` carries where other events have an identifier.
fn user(event: &Map<String, Value>) -> Option<Box<User>> {
    event.get("user").cloned().and_then(|user| serde_json::from_value(user).ok())
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Outer {
    #[serde(deserialize_with = "fitting")]
    event_id: Option<String>,
    #[serde(deserialize_with = "fitting")]
    event_time: Option<i64>,
    #[serde(deserialize_with = "fitting")]
    team_id: Option<TeamId>,
    #[serde(deserialize_with = "fitting")]
    enterprise_id: Option<TeamId>,
    #[serde(deserialize_with = "fitting")]
    context_team_id: Option<TeamId>,
    #[serde(deserialize_with = "fitting")]
    api_app_id: Option<String>,
    #[serde(deserialize_with = "fitting")]
    is_ext_shared_channel: bool,
    #[serde(deserialize_with = "fitting_list")]
    authorizations: Vec<Authorization>,
}

/// Every field that some event needs.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    #[serde(rename = "type", deserialize_with = "fitting")]
    kind: String,
    #[serde(deserialize_with = "fitting")]
    subtype: String,
    #[serde(deserialize_with = "fitting")]
    channel: Option<ChannelId>,
    #[serde(deserialize_with = "fitting")]
    channel_type: Option<String>,
    #[serde(deserialize_with = "fitting")]
    user: Option<UserId>,
    #[serde(deserialize_with = "fitting")]
    thread_ts: Option<Ts>,
    #[serde(deserialize_with = "fitting")]
    deleted_ts: Option<Ts>,
    #[serde(deserialize_with = "fitting")]
    message: Option<Box<ThreadMessage>>,
    #[serde(deserialize_with = "fitting")]
    previous_message: Option<Box<ThreadMessage>>,
    #[serde(deserialize_with = "fitting")]
    tab: Option<String>,
    #[serde(deserialize_with = "fitting")]
    inviter: Option<UserId>,
    #[serde(deserialize_with = "fitting")]
    old_channel_id: Option<ChannelId>,
    #[serde(deserialize_with = "fitting")]
    new_channel_id: Option<ChannelId>,
    #[serde(deserialize_with = "fitting")]
    tokens: Tokens,
    #[serde(deserialize_with = "fitting")]
    reaction: String,
    #[serde(deserialize_with = "fitting")]
    item: Item,
}

/// What a reaction is on; only messages have a channel and a time stamp.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Item {
    #[serde(deserialize_with = "fitting")]
    channel: Option<ChannelId>,
    #[serde(deserialize_with = "fitting")]
    ts: Option<Ts>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tokens {
    #[serde(deserialize_with = "fitting_list")]
    bot: Vec<UserId>,
}

impl Fields {
    fn message(self, event: Map<String, Value>) -> Option<Box<MessageEvent>> {
        let message = serde_json::from_value(Value::Object(event)).ok()?;
        Some(Box::new(MessageEvent { channel: self.channel?, channel_type: self.channel_type, message }))
    }

    fn changed(self) -> Option<Event> {
        let (channel, message) = (self.channel?, *self.message?);
        if message.subtype.as_deref() == Some(TOMBSTONE) {
            return Some(Event::MessageDeleted { channel, deleted: message.ts, before: self.previous_message });
        }
        let now = MessageEvent { channel, channel_type: self.channel_type, message };
        Some(Event::MessageChanged { now: Box::new(now), before: self.previous_message })
    }

    fn deleted(self) -> Option<Event> {
        let before = self.previous_message;
        let deleted = self.deleted_ts.or_else(|| before.as_ref().map(|message| message.ts.clone()))?;
        Some(Event::MessageDeleted { channel: self.channel?, deleted, before })
    }

    fn reaction(self) -> Option<Event> {
        let added = self.kind == "reaction_added";
        let (channel, ts) = (self.item.channel?, self.item.ts?);
        Some(Event::Reaction { user: self.user?, name: self.reaction, channel, ts, added })
    }

    fn joined(self) -> Option<Event> {
        Some(Event::MemberJoined { channel: self.channel?, user: self.user?, inviter: self.inviter })
    }

    fn moved(self) -> Option<Event> {
        Some(Event::ChannelIdChanged { old: self.old_channel_id?, new: self.new_channel_id? })
    }
}
