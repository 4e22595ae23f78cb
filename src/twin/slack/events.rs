//! The events Slack sends, in their envelopes.
//!
//! The bot's own posts and updates come back as events too, as they do from the real Slack: a bot that answers its own
//! echo must fail here before it fails there.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    deliver::{Delivery, Door},
    objects::{self, Metadata},
    state::{Channel, ChannelKind, MentionOrder, State, User},
};
use crate::{
    domain::ids::{ChannelId, Ts, UserId},
    twin::ids::slack_id,
};

impl State {
    /// A timestamp for a message: the time, but always later than the last one.
    #[expect(clippy::expect_used, reason = "the text is made here, in the one form that a timestamp has")]
    pub(super) fn next_ts(&mut self, now: Timestamp) -> Ts {
        self.last_ts = now.as_microsecond().max(self.last_ts + 1);
        let text = format!("{}.{:06}", self.last_ts / 1_000_000, self.last_ts % 1_000_000);
        text.parse().expect("digits, a dot and digits are a timestamp")
    }

    /// Queues an event if the app is subscribed to it. `channel` says through which conversation it was seen.
    pub(super) fn event(&mut self, now: Timestamp, inner: &Value, channel: Option<&ChannelId>) {
        if self.features.hears(inner) {
            self.send(now, inner, channel);
        }
    }

    /// Queues an event with its envelope.
    pub(super) fn send(&mut self, now: Timestamp, inner: &Value, channel: Option<&ChannelId>) {
        let kind = inner.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        let shared =
            channel.and_then(|id| self.channels.get(id)).is_some_and(|channel| !channel.shared_with.is_empty());
        let place = channel.map(ToString::to_string).unwrap_or_default();
        let envelope = json!({
            "token": self.app.verification_token,
            "team_id": self.team.id,
            "context_team_id": self.team.id,
            "context_enterprise_id": null,
            "api_app_id": self.app.id,
            "event": inner,
            "type": "event_callback",
            "event_id": slack_id("Ev", now),
            "event_time": now.as_second(),
            "authorizations": [{
                "enterprise_id": self.oauth.enterprise, "team_id": self.team.id, "user_id": self.app.bot_user,
                "is_bot": true, "is_enterprise_install": self.oauth.enterprise.is_some(),
            }],
            "is_ext_shared_channel": shared,
            "event_context": format!("4-{kind}-{}-{}-{place}", self.team.id, self.app.id),
        });
        self.queue(Door::Events, kind, envelope.to_string().into_bytes(), now);
    }

    /// Queues something for one of the app's doors.
    pub(super) fn queue(&mut self, door: Door, label: String, body: Vec<u8>, now: Timestamp) -> u64 {
        let id = self.next_id();
        let (attempt, reason, reader) = (0, None, None);
        self.deliveries.push(Delivery { id, door, label, body, attempt, reason, due: now, reader });
        id
    }

    /// The events of a new message: `message` where the bot is, and `app_mention` if it mentions the bot in a channel.
    pub(super) fn message_event(&mut self, now: Timestamp, channel: &ChannelId, ts: &Ts) {
        let Some(plain) = self.inner(channel, ts) else { return };
        let by_bot = plain.get("user").and_then(Value::as_str) == Some(self.app.bot_user.as_str());
        let mention = if by_bot { None } else { self.mention(channel, &plain) };
        let message = self.placed(channel, plain, "message");
        let mut events: Vec<Value> = mention.into_iter().chain(std::iter::once(message)).collect();
        if self.mention_order == MentionOrder::MessageFirst {
            events.reverse();
        }
        for event in events {
            self.event(now, &event, Some(channel));
        }
    }

    /// `message_changed`, and another `app_mention` when a person's edit mentions the bot.
    pub(super) fn changed_event(&mut self, now: Timestamp, channel: &ChannelId, ts: &Ts, before: &Value) {
        let Some(plain) = self.inner(channel, ts) else { return };
        let by_bot = plain.get("user").and_then(Value::as_str) == Some(self.app.bot_user.as_str());
        let mention = if by_bot { None } else { self.mention(channel, &plain) };
        let stamp = self.next_ts(now);
        let changed = json!({
            "type": "message", "subtype": "message_changed", "hidden": true, "message": plain,
            "previous_message": before, "channel": channel, "channel_type": self.channel_type(channel),
            "ts": stamp, "event_ts": stamp,
        });
        self.event(now, &changed, Some(channel));
        if let Some(mut mention) = mention {
            put(&mut mention, "event_ts", json!(self.next_ts(now)));
            self.event(now, &mention, Some(channel));
        }
    }

    /// `message_deleted`; of a parent with replies a `message_changed` into a placeholder, which is deleted with the
    /// last of them.
    pub(super) fn deleted_event(&mut self, now: Timestamp, channel: &ChannelId, ts: &Ts) {
        let Some(place) = self.heard(channel) else { return };
        let Some(message) = place.messages.iter().find(|message| &message.ts == ts) else { return };
        let before = objects::message(self, place, message, Metadata::Full);
        let replies_left = |root: &Ts| place.replies(root).next().is_some();
        let buried = message.thread_ts.clone().filter(|root| {
            let parent_gone = place.messages.iter().any(|parent| parent.ts == *root && parent.deleted);
            root != ts && parent_gone && !replies_left(root)
        });
        if replies_left(ts) {
            let change = json!({ "subtype": "message_changed", "message": objects::tombstone(ts) });
            return self.gone(now, channel, change, &before);
        }
        self.gone(now, channel, json!({ "subtype": "message_deleted", "deleted_ts": ts }), &before);
        if let Some(root) = buried {
            let change = json!({ "subtype": "message_deleted", "deleted_ts": root });
            self.gone(now, channel, change, &objects::tombstone(&root));
        }
    }

    fn gone(&mut self, now: Timestamp, channel: &ChannelId, mut change: Value, before: &Value) {
        let stamp = self.next_ts(now);
        for (name, value) in [
            ("type", json!("message")),
            ("hidden", json!(true)),
            ("channel", json!(channel)),
            ("previous_message", before.clone()),
            ("channel_type", json!(self.channel_type(channel))),
            ("ts", json!(stamp)),
            ("event_ts", json!(stamp)),
        ] {
            put(&mut change, name, value);
        }
        self.event(now, &change, Some(channel));
    }

    /// `reaction_added` or `reaction_removed`.
    pub(super) fn reaction_event(
        &mut self,
        now: Timestamp,
        kind: &str,
        (channel, ts): (&ChannelId, &Ts),
        (user, name): (&UserId, &str),
    ) {
        if self.heard(channel).is_none() {
            return;
        }
        let author = self.message(channel, ts).map(|message| message.user.clone());
        let stamp = self.next_ts(now);
        let inner = json!({
            "type": kind, "user": user, "reaction": name, "item_user": author, "event_ts": stamp,
            "item": { "type": "message", "channel": channel, "ts": ts },
        });
        self.event(now, &inner, Some(channel));
    }

    /// The conversation, if the bot hears what is said in it.
    fn heard(&self, channel: &ChannelId) -> Option<&Channel> {
        self.channels.get(channel).filter(|channel| channel.members.contains(&self.app.bot_user))
    }

    /// A message as events carry it, without what depends on the event; `None` where the bot hears nothing.
    fn inner(&self, channel: &ChannelId, ts: &Ts) -> Option<Value> {
        let place = self.heard(channel)?;
        let message = self.message(channel, ts)?;
        let mut value = objects::message(self, place, message, Metadata::Full);
        let home = self.users.get(&message.user).map(|user: &User| user.team.clone());
        if !place.shared_with.is_empty()
            && let Some(home) = home
        {
            put(&mut value, "user_team", json!(home));
            put(&mut value, "source_team", json!(home));
        }
        let root = message.thread_ts.as_ref().filter(|_| message.subtype.as_deref() == Some("thread_broadcast"));
        let root = root.and_then(|root| place.messages.iter().find(|parent| &parent.ts == root));
        if let Some(root) = root {
            put(&mut value, "root", objects::message(self, place, root, Metadata::Full));
        }
        if let Value::Object(fields) = &mut value {
            // Counters and reactions belong to what is read, not to what is sent.
            fields.retain(|name, _| !name.starts_with("reply_") && name != "latest_reply" && name != "reactions");
        }
        Some(value)
    }

    /// The `app_mention` of a message that mentions the bot in a channel; never in a direct conversation.
    fn mention(&self, channel: &ChannelId, plain: &Value) -> Option<Value> {
        let place = self.channels.get(channel)?;
        let text = plain.get("text").and_then(Value::as_str)?;
        let direct = matches!(place.kind, ChannelKind::Direct(_));
        if direct || !text.contains(&format!("<@{}>", self.app.bot_user)) {
            return None;
        }
        let mut event = self.placed(channel, plain.clone(), "app_mention");
        if let Value::Object(fields) = &mut event {
            fields.remove("channel_type");
            fields.remove("subtype");
        }
        Some(event)
    }

    fn placed(&self, channel: &ChannelId, mut plain: Value, kind: &str) -> Value {
        let ts = plain.get("ts").cloned().unwrap_or_default();
        put(&mut plain, "type", json!(kind));
        put(&mut plain, "channel", json!(channel));
        put(&mut plain, "event_ts", ts);
        put(&mut plain, "channel_type", json!(self.channel_type(channel)));
        plain
    }

    fn channel_type(&self, channel: &ChannelId) -> &'static str {
        match self.channels.get(channel).map(|channel| &channel.kind) {
            Some(ChannelKind::Direct(_)) => "im",
            Some(ChannelKind::Private) => "group",
            Some(ChannelKind::Public) | None => "channel",
        }
    }
}

/// Sets a field of an object.
pub(super) fn put(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(fields) = object {
        fields.insert(name.to_owned(), value);
    }
}

/// The `rich_text` block a person's client makes of a text: plain parts, mentions, and fenced code.
pub(super) fn rich_text(text: &str, block_id: &str) -> Value {
    let mut elements = Vec::new();
    for (at, part) in text.split("```").enumerate() {
        if part.is_empty() {
            continue;
        }
        if at % 2 == 1 {
            let code = json!([{ "type": "text", "text": unescape(part.trim_matches('\n')) }]);
            elements.push(json!({ "type": "rich_text_preformatted", "elements": code, "border": 0 }));
        } else {
            elements.push(json!({ "type": "rich_text_section", "elements": inline(part) }));
        }
    }
    json!({ "type": "rich_text", "block_id": block_id, "elements": elements })
}

fn inline(text: &str) -> Vec<Value> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<@") {
        let Some((user, tail)) = after.split_once('>') else { break };
        if !before.is_empty() {
            parts.push(plain_text(before));
        }
        let user = user.split('|').next().unwrap_or_default();
        parts.push(json!({ "type": "user", "user_id": user }));
        rest = tail;
    }
    if !rest.is_empty() {
        parts.push(plain_text(rest));
    }
    parts
}

fn plain_text(text: &str) -> Value {
    let fields: Map<String, Value> =
        [("type".to_owned(), json!("text")), ("text".to_owned(), json!(unescape(text)))].into_iter().collect();
    Value::Object(fields)
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}
