//! The glance at an event that the acknowledgement path takes: what it is, where it belongs, whether it is our own.
//!
//! Borrowed from the body and free of the newtypes, because nine of ten events are dropped after this glance; whoever
//! keeps one parses the identifiers it needs. A worker reads the stored body again with
//! [`event`](super::event).

use std::borrow::Cow;

use serde::Deserialize;

use super::{
    WireError,
    lenient::{first, object, present, text, text_or_id},
};

/// A string inside the body.
pub type Text<'a> = Option<Cow<'a, str>>;

/// An Events API body. <https://docs.slack.dev/apis/events-api/#event-type-structure>
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Peek<'a> {
    /// `event_callback`, `url_verification` or `app_rate_limited`.
    #[serde(borrow, rename = "type", deserialize_with = "text")]
    pub kind: Text<'a>,
    /// What to answer a `url_verification` with.
    #[serde(borrow, deserialize_with = "text")]
    pub challenge: Text<'a>,
    /// The workspace; absent for events of an organisation.
    #[serde(borrow, deserialize_with = "text")]
    pub team_id: Text<'a>,
    /// The organisation, on Enterprise Grid.
    #[serde(borrow, deserialize_with = "text")]
    pub enterprise_id: Text<'a>,
    /// The app.
    #[serde(borrow, deserialize_with = "text")]
    pub api_app_id: Text<'a>,
    /// Unique per event, the same on every retry.
    #[serde(borrow, deserialize_with = "text")]
    pub event_id: Text<'a>,
    /// The workspace through which the event comes.
    #[serde(borrow, deserialize_with = "text")]
    pub context_team_id: Text<'a>,
    /// Whether the channel is shared with another organisation.
    #[serde(deserialize_with = "present")]
    pub is_ext_shared_channel: bool,
    /// The installation for which the event comes: the first and only element of `authorizations`.
    #[serde(borrow, rename = "authorizations", deserialize_with = "first")]
    pub authorization: Option<PeekAuthorization<'a>>,
    /// What happened.
    #[serde(borrow, deserialize_with = "object")]
    pub event: Option<PeekEvent<'a>>,
}

/// An installation that may see the event.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PeekAuthorization<'a> {
    /// Its workspace.
    #[serde(borrow, deserialize_with = "text")]
    pub team_id: Text<'a>,
    /// Its organisation.
    #[serde(borrow, deserialize_with = "text")]
    pub enterprise_id: Text<'a>,
    /// Its user: for a bot token, the bot.
    #[serde(borrow, deserialize_with = "text")]
    pub user_id: Text<'a>,
    /// Whether that user is the bot.
    #[serde(deserialize_with = "present")]
    pub is_bot: bool,
    /// Whether it covers the organisation; then `team_id` does not name the installation.
    #[serde(deserialize_with = "present")]
    pub is_enterprise_install: bool,
}

/// What happened.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PeekEvent<'a> {
    /// `app_mention`, `message` …
    #[serde(borrow, rename = "type", deserialize_with = "text")]
    pub kind: Text<'a>,
    /// Subtype of a message.
    #[serde(borrow, deserialize_with = "text")]
    pub subtype: Text<'a>,
    /// Who; `user_change` puts a whole object here.
    #[serde(borrow, deserialize_with = "text_or_id")]
    pub user: Text<'a>,
    /// The bot that posted.
    #[serde(borrow, deserialize_with = "text")]
    pub bot_id: Text<'a>,
    /// The app that posted.
    #[serde(borrow, deserialize_with = "text")]
    pub app_id: Text<'a>,
    /// Where; `channel_rename` puts a whole object here.
    #[serde(borrow, deserialize_with = "text_or_id")]
    pub channel: Text<'a>,
    /// `channel`, `group`, `im` or `mpim`.
    #[serde(borrow, deserialize_with = "text")]
    pub channel_type: Text<'a>,
    /// The message, within its channel.
    #[serde(borrow, deserialize_with = "text")]
    pub ts: Text<'a>,
    /// The first message of its thread.
    #[serde(borrow, deserialize_with = "text")]
    pub thread_ts: Text<'a>,
    /// The message that a `message_deleted` took away.
    #[serde(borrow, deserialize_with = "text")]
    pub deleted_ts: Text<'a>,
    /// The same for one gesture that arrives with two time stamps.
    #[serde(borrow, deserialize_with = "text")]
    pub client_msg_id: Text<'a>,
    /// What was written.
    #[serde(borrow, deserialize_with = "text")]
    pub text: Text<'a>,
    /// The tab of `app_home_opened`: `home` or `messages`.
    #[serde(borrow, deserialize_with = "text")]
    pub tab: Text<'a>,
    /// The name of a reaction, without colons.
    #[serde(borrow, deserialize_with = "text")]
    pub reaction: Text<'a>,
    /// Whether the message was edited since.
    #[serde(deserialize_with = "present")]
    pub edited: bool,
    /// Whether clients show nothing for it.
    #[serde(deserialize_with = "present")]
    pub hidden: bool,
    /// The message of a `message_changed`, as it is now.
    #[serde(borrow, deserialize_with = "object")]
    pub message: Option<PeekMessage<'a>>,
    /// The message of a `message_changed` or `message_deleted`, as it was.
    #[serde(borrow, deserialize_with = "object")]
    pub previous_message: Option<PeekMessage<'a>>,
}

/// A message inside an event.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PeekMessage<'a> {
    /// Who posted it.
    #[serde(borrow, deserialize_with = "text_or_id")]
    pub user: Text<'a>,
    /// The bot that posted it.
    #[serde(borrow, deserialize_with = "text")]
    pub bot_id: Text<'a>,
    /// The app that posted it.
    #[serde(borrow, deserialize_with = "text")]
    pub app_id: Text<'a>,
    /// Its subtype.
    #[serde(borrow, deserialize_with = "text")]
    pub subtype: Text<'a>,
    /// Which message.
    #[serde(borrow, deserialize_with = "text")]
    pub ts: Text<'a>,
    /// The first message of its thread.
    #[serde(borrow, deserialize_with = "text")]
    pub thread_ts: Text<'a>,
    /// What is written there.
    #[serde(borrow, deserialize_with = "text")]
    pub text: Text<'a>,
}

impl<'a> Peek<'a> {
    /// Reads a body. One that fails may still be readable after [`mend`](super::mend()), which this cannot do itself
    /// because it borrows.
    ///
    /// # Errors
    ///
    /// [`WireError::Malformed`], when it is not a JSON object.
    pub fn parse(body: &'a [u8]) -> Result<Self, WireError> {
        // An array would fit the struct as well, by position.
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Err(WireError::Malformed("not a JSON object".to_owned()));
        }
        serde_json::from_slice(body).map_err(|error| WireError::json(&error))
    }
}
