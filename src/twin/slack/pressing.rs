//! Buttons, commands and shortcuts: what people do that needs an answer within three seconds.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    acting::ActError,
    deliver::Door,
    server::SlackTwin,
    state::{Channel, ChannelKind, Hook, State, Trigger, UserKind},
};
use crate::{
    clock::later,
    domain::ids::{ChannelId, Ts, UserId},
    twin::ids::{slack_id, unique},
};

/// How often a `response_url` may be used.
const RESPONSE_USES: u8 = 5;
/// How long a `response_url` works.
const RESPONSE_LIFE: Duration = Duration::from_mins(30);
/// How long a `trigger_id` works.
const TRIGGER_LIFE: Duration = Duration::from_secs(3);

/// The message a button or shortcut belongs to.
struct Origin {
    message: Value,
    thread: Option<Ts>,
    ephemeral: bool,
}

impl SlackTwin {
    /// Somebody presses a button of a message they can see, an ephemeral one included.
    ///
    /// # Errors
    ///
    /// They are not in the channel, or the message has no such button.
    pub fn press(&self, user: &UserId, channel: &ChannelId, ts: &Ts, action_id: &str) -> Result<(), ActError> {
        let now = self.now();
        self.change(|state| {
            state.active(user)?;
            state.member(user, channel)?;
            let origin = state.origin(user, channel, ts)?;
            let action = button(&origin.message, action_id, now)?;
            let mut payload = state.interaction(now, "block_actions", user, (channel, ts));
            let container = json!({
                "type": "message", "message_ts": ts, "channel_id": channel, "thread_ts": origin.thread,
                "is_ephemeral": origin.ephemeral,
            });
            for (name, value) in [
                ("container", container),
                ("actions", json!([action])),
                ("state", json!({ "values": {} })),
                ("message", if origin.ephemeral { Value::Null } else { origin.message }),
            ] {
                super::events::put(&mut payload, name, value);
            }
            state.interact(now, "block_actions", &payload);
            Ok(())
        })
    }

    /// Somebody uses a message shortcut.
    ///
    /// # Errors
    ///
    /// They are from another workspace, not in the channel, or the message is gone.
    pub fn message_shortcut(
        &self,
        user: &UserId,
        channel: &ChannelId,
        ts: &Ts,
        callback_id: &str,
    ) -> Result<(), ActError> {
        let now = self.now();
        self.change(|state| {
            state.insider(user)?;
            state.member(user, channel)?;
            let message = state.seen(channel, ts).ok_or_else(|| ActError::NoMessage(ts.clone()))?;
            let mut payload = state.interaction(now, "message_action", user, (channel, ts));
            for (name, value) in [("callback_id", json!(callback_id)), ("message_ts", json!(ts)), ("message", message)]
            {
                super::events::put(&mut payload, name, value);
            }
            state.interact(now, "message_action", &payload);
            Ok(())
        })
    }

    /// Somebody types a command, in any channel they are in; the bot need not be there.
    ///
    /// # Errors
    ///
    /// They are from another workspace or not in the channel.
    pub fn command(&self, user: &UserId, channel: &ChannelId, command: &str, text: &str) -> Result<(), ActError> {
        let now = self.now();
        self.change(|state| {
            state.insider(user)?;
            state.member(user, channel)?;
            let (hook_id, hook) = state.hook(now, user, channel, None);
            let trigger = state.trigger(now, user);
            let name = state.users.get(user).map(|user| user.name.clone()).unwrap_or_default();
            let place = state.channels.get(channel).map(channel_name).unwrap_or_default();
            let response_url = format!("{}/hooks/{hook_id}", state.base_url);
            let body = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("token", &state.app.verification_token)
                .append_pair("team_id", state.team.id.as_str())
                .append_pair("team_domain", &state.team.domain)
                .append_pair("channel_id", channel.as_str())
                .append_pair("channel_name", &place)
                .append_pair("user_id", user.as_str())
                .append_pair("user_name", &name)
                .append_pair("command", command)
                .append_pair("text", text)
                .append_pair("api_app_id", &state.app.id)
                .append_pair("is_enterprise_install", "false")
                .append_pair("response_url", &response_url)
                .append_pair("trigger_id", &trigger)
                .finish();
            let id = state.queue(Door::Commands, command.to_owned(), body.into_bytes(), now);
            if let Some(delivery) = state.deliveries.iter_mut().find(|delivery| delivery.id == id) {
                delivery.answer = Some(hook);
            }
            Ok(())
        })
    }
}

impl State {
    /// Somebody of this workspace: commands and shortcuts are not shared with others.
    fn insider(&self, user: &UserId) -> Result<(), ActError> {
        let person = self.active(user)?;
        let inside = person.team == self.team.id && person.kind != UserKind::Bot;
        if inside { Ok(()) } else { Err(ActError::NotAllowed(user.clone())) }
    }

    fn origin(&self, user: &UserId, channel: &ChannelId, ts: &Ts) -> Result<Origin, ActError> {
        if let Some(shown) = self.ephemerals.iter().find(|shown| &shown.ts == ts && &shown.user == user) {
            let message = json!({ "text": shown.text, "blocks": shown.blocks, "ts": shown.ts });
            return Ok(Origin { message, thread: shown.thread_ts.clone(), ephemeral: true });
        }
        let missing = || ActError::NoMessage(ts.clone());
        let thread = self.message(channel, ts).ok_or_else(missing)?.thread_ts.clone();
        let message = self.seen(channel, ts).ok_or_else(missing)?;
        Ok(Origin { message, thread, ephemeral: false })
    }

    /// What all interactions with a message have in common.
    fn interaction(&mut self, now: Timestamp, kind: &str, user: &UserId, (channel, ts): (&ChannelId, &Ts)) -> Value {
        let (hook_id, _) = self.hook(now, user, channel, Some(ts.clone()));
        let trigger = self.trigger(now, user);
        let person = self.users.get(user);
        let name = person.map(|person| person.name.clone());
        let home = person.map(|person| person.team.clone());
        json!({
            "type": kind, "token": self.app.verification_token, "api_app_id": self.app.id,
            "team": { "id": self.team.id, "domain": self.team.domain },
            "user": { "id": user, "username": name, "name": name, "team_id": home },
            "channel": { "id": channel, "name": self.channels.get(channel).map(channel_name) },
            "enterprise": null, "is_enterprise_install": false, "trigger_id": trigger, "action_ts": self.next_ts(now),
            "response_url": format!("{}/hooks/{hook_id}", self.base_url),
        })
    }

    fn interact(&mut self, now: Timestamp, label: &str, payload: &Value) {
        let body =
            url::form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish();
        self.queue(Door::Interactions, label.to_owned(), body.into_bytes(), now);
    }

    fn hook(&mut self, now: Timestamp, user: &UserId, channel: &ChannelId, message: Option<Ts>) -> (String, Hook) {
        let (channel, user, expires) = (channel.clone(), user.clone(), later(now, RESPONSE_LIFE));
        let hook = Hook { uses_left: RESPONSE_USES, expires, channel, user, message };
        let id = unique(now).simple().to_string();
        self.hooks.insert(id.clone(), hook.clone());
        (id, hook)
    }

    fn trigger(&mut self, now: Timestamp, user: &UserId) -> String {
        let id = format!("{}.{}", now.as_millisecond(), slack_id("", now).to_lowercase());
        self.triggers.insert(id.clone(), Trigger { user: user.clone(), expires: later(now, TRIGGER_LIFE) });
        id
    }
}

fn channel_name(channel: &Channel) -> String {
    match channel.kind {
        ChannelKind::Direct(_) => "directmessage".to_owned(),
        ChannelKind::Private => "privategroup".to_owned(),
        ChannelKind::Public => channel.name.clone(),
    }
}

/// The action of a button, as `actions[0]` shows it.
fn button(message: &Value, action_id: &str, now: Timestamp) -> Result<Value, ActError> {
    let blocks = message.get("blocks").and_then(Value::as_array).into_iter().flatten();
    for block in blocks {
        let elements = block.get("elements").and_then(Value::as_array).into_iter().flatten();
        let found = elements
            .chain(block.get("accessory"))
            .find(|element| element.get("action_id").and_then(Value::as_str) == Some(action_id));
        if let Some(element) = found {
            let mut action = element.clone();
            if let Value::Object(fields) = &mut action {
                // `confirm`, `url` and the like are the message's; the action says which one was pressed.
                fields.retain(|name, _| matches!(name.as_str(), "type" | "action_id" | "text" | "value" | "style"));
            }
            super::events::put(&mut action, "block_id", block.get("block_id").cloned().unwrap_or_default());
            let stamp = format!("{}.{:06}", now.as_second(), now.subsec_microsecond());
            super::events::put(&mut action, "action_ts", json!(stamp));
            return Ok(action);
        }
    }
    Err(ActError::NoButton(action_id.to_owned()))
}
