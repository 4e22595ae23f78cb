//! Buttons, selects, commands and shortcuts: what people do that needs an answer within three seconds.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    acting::ActError,
    deliver::{Door, Reader},
    events::put,
    inputs::{self, Found},
    server::SlackTwin,
    state::{Channel, ChannelKind, State, UserKind},
    surfaces::{Hook, Trigger},
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

/// Where something to press or choose from is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot<'a> {
    /// In a message, an ephemeral one included.
    Message(&'a ChannelId, &'a Ts),
    /// In the modal that the person sees.
    Modal,
    /// In the person's Home tab.
    Home,
}

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
        self.choose(user, Spot::Message(channel, ts), action_id, &[])
    }

    /// Somebody presses a button, or chooses these values in a select. An element is named by its `action_id`, by its
    /// block's id, or by both with a slash between. What is written into a modal's input is kept for the submission.
    ///
    /// # Errors
    ///
    /// They don't see it, it has no such element, or the element does not take the values.
    pub fn choose(&self, user: &UserId, spot: Spot<'_>, action_id: &str, values: &[&str]) -> Result<(), ActError> {
        let now = self.now();
        self.change(|state| {
            state.active(user)?;
            match spot {
                Spot::Message(channel, ts) => state.use_message(now, user, (channel, ts), (action_id, values)),
                Spot::Modal | Spot::Home => state.use_view(now, user, spot == Spot::Home, (action_id, values)),
            }
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
            let mut payload = state.interaction(now, "message_action", user);
            // The message is not the app's to replace: its `response_url` only posts.
            state.placed_at(now, &mut payload, (user, channel), None);
            for (name, value) in [("callback_id", json!(callback_id)), ("message_ts", json!(ts)), ("message", message)]
            {
                put(&mut payload, name, value);
            }
            state.interact(now, "message_action", &payload);
            Ok(())
        })
    }

    /// Somebody uses a global shortcut.
    ///
    /// # Errors
    ///
    /// They are from another workspace.
    pub fn shortcut(&self, user: &UserId, callback_id: &str) -> Result<(), ActError> {
        let now = self.now();
        self.change(|state| {
            state.insider(user)?;
            let mut payload = state.interaction(now, "shortcut", user);
            let trigger = state.trigger(now, user, (None, None));
            put(&mut payload, "trigger_id", json!(trigger));
            put(&mut payload, "callback_id", json!(callback_id));
            state.interact(now, "shortcut", &payload);
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
            let trigger = state.trigger(now, user, (Some(channel), None));
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
            state.read_by(id, Reader::Words(hook));
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

    fn use_message(
        &mut self,
        now: Timestamp,
        user: &UserId,
        (channel, ts): (&ChannelId, &Ts),
        (action_id, values): (&str, &[&str]),
    ) -> Result<(), ActError> {
        self.member(user, channel)?;
        let origin = self.origin(user, channel, ts)?;
        let blocks = origin.message.get("blocks").and_then(Value::as_array).cloned().unwrap_or_default();
        let found = inputs::named(&blocks, action_id).ok_or_else(|| ActError::NoButton(action_id.to_owned()))?;
        let (action, value) = action(found, values, &[], now)?;
        let filled = value.map(|value| (found.key(), value)).into_iter().collect();
        let held = json!({ "values": inputs::values(&blocks, &filled, None) });
        let mut payload = self.interaction(now, "block_actions", user);
        self.placed_at(now, &mut payload, (user, channel), Some(ts));
        let container = json!({
            "type": "message", "message_ts": ts, "channel_id": channel, "thread_ts": origin.thread,
            "is_ephemeral": origin.ephemeral,
        });
        for (name, value) in [
            ("container", container),
            ("actions", json!([action])),
            ("state", held),
            ("message", if origin.ephemeral { Value::Null } else { origin.message }),
        ] {
            put(&mut payload, name, value);
        }
        self.interact(now, "block_actions", &payload);
        Ok(())
    }

    fn use_view(
        &mut self,
        now: Timestamp,
        user: &UserId,
        home: bool,
        (action_id, values): (&str, &[&str]),
    ) -> Result<(), ActError> {
        let missing = || ActError::NoButton(action_id.to_owned());
        let shown = if home { self.home(user) } else { self.modal(user) }.cloned().ok_or_else(missing)?;
        let found = inputs::named(shown.blocks(), action_id).ok_or_else(missing)?;
        let offered = shown.offered.get(found.text("action_id")).map(Vec::as_slice).unwrap_or_default();
        let (action, value) = action(found, values, offered, now)?;
        if let (Some(value), Some(view)) = (value, self.view_mut(&shown.id)) {
            view.filled.insert(found.key(), value);
        }
        if !found.tells() {
            return Ok(());
        }
        let mut payload = self.interaction(now, "block_actions", user);
        let trigger = self.trigger(now, user, (None, (!home).then_some(shown.id.as_str())));
        let view = self.views.iter().find(|view| view.id == shown.id).map(|view| view.object(self));
        for (name, value) in [
            ("trigger_id", json!(trigger)),
            ("container", json!({ "type": "view", "view_id": shown.id })),
            ("view", json!(view)),
            ("actions", json!([action])),
        ] {
            put(&mut payload, name, value);
        }
        self.interact(now, "block_actions", &payload);
        Ok(())
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

    /// What all interactions have in common.
    pub(super) fn interaction(&mut self, now: Timestamp, kind: &str, user: &UserId) -> Value {
        let person = self.users.get(user);
        let name = person.map(|person| person.name.clone());
        let home = person.map(|person| person.team.clone());
        json!({
            "type": kind, "token": self.app.verification_token, "api_app_id": self.app.id,
            "team": { "id": self.team.id, "domain": self.team.domain },
            "user": { "id": user, "username": name, "name": name, "team_id": home },
            "enterprise": null, "is_enterprise_install": false, "action_ts": self.next_ts(now),
        })
    }

    /// What an interaction in a conversation has beside: where, a trigger, and a `response_url`.
    fn placed_at(
        &mut self,
        now: Timestamp,
        payload: &mut Value,
        (user, channel): (&UserId, &ChannelId),
        message: Option<&Ts>,
    ) {
        let (hook_id, _) = self.hook(now, user, channel, message.cloned());
        let trigger = self.trigger(now, user, (Some(channel), None));
        let place = json!({ "id": channel, "name": self.channels.get(channel).map(channel_name) });
        put(payload, "channel", place);
        put(payload, "trigger_id", json!(trigger));
        put(payload, "response_url", json!(format!("{}/hooks/{hook_id}", self.base_url)));
    }

    /// Queues an interaction. Returns the delivery's id.
    pub(super) fn interact(&mut self, now: Timestamp, label: &str, payload: &Value) -> u64 {
        let body =
            url::form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish();
        self.queue(Door::Interactions, label.to_owned(), body.into_bytes(), now)
    }

    /// Says who reads the answer to a delivery.
    pub(super) fn read_by(&mut self, id: u64, reader: Reader) {
        if let Some(delivery) = self.deliveries.iter_mut().find(|delivery| delivery.id == id) {
            delivery.reader = Some(reader);
        }
    }

    /// Makes a `response_url`. Returns the last part of its path.
    pub(super) fn hook(
        &mut self,
        now: Timestamp,
        user: &UserId,
        channel: &ChannelId,
        message: Option<Ts>,
    ) -> (String, Hook) {
        let (channel, user, expires) = (channel.clone(), user.clone(), later(now, RESPONSE_LIFE));
        let hook = Hook { uses_left: RESPONSE_USES, expires, channel, user, message };
        let id = unique(now).simple().to_string();
        self.hooks.insert(id.clone(), hook.clone());
        (id, hook)
    }

    /// Makes a trigger, from a conversation or a modal.
    pub(super) fn trigger(
        &mut self,
        now: Timestamp,
        user: &UserId,
        (channel, view): (Option<&ChannelId>, Option<&str>),
    ) -> String {
        let id = format!("{}.{}", now.as_millisecond(), slack_id("", now).to_lowercase());
        let (user, expires) = (user.clone(), later(now, TRIGGER_LIFE));
        let (channel, view) = (channel.cloned(), view.map(str::to_owned));
        self.triggers.insert(id.clone(), Trigger { user, expires, used: false, view, channel });
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

/// The use of an element, as `actions[0]` shows it, and the value that the element holds afterwards.
fn action(
    found: Found<'_>,
    values: &[&str],
    offered: &[Value],
    now: Timestamp,
) -> Result<(Value, Option<Value>), ActError> {
    let refused = |why: String| ActError::Refused(why);
    let held = if found.initial(None).is_some() { Some(found.filled(values, offered).map_err(refused)?) } else { None };
    let mut action = pressed(found, values)?;
    for (name, value) in held.iter().filter_map(Value::as_object).flatten() {
        put(&mut action, name, value.clone());
    }
    put(&mut action, "block_id", json!(found.block_id()));
    put(&mut action, "action_ts", json!(format!("{}.{:06}", now.as_second(), now.subsec_microsecond())));
    Ok((action, held))
}

/// What of an element its use shows: `confirm`, `url` and the like are the message's.
fn pressed(found: Found<'_>, values: &[&str]) -> Result<Value, ActError> {
    let wanted = values.first().copied().unwrap_or_default();
    let none = || ActError::NoButton(format!("{} {wanted}", found.text("action_id")));
    let mut action = match found.text("type") {
        "feedback_buttons" => {
            let both = ["positive_button", "negative_button"].into_iter().filter_map(|name| found.element.get(name));
            let is = |button: &&Value| button.get("value").and_then(Value::as_str) == Some(wanted);
            let mut button = both.clone().find(is).ok_or_else(none)?.clone();
            put(&mut button, "type", json!("feedback_buttons"));
            put(&mut button, "action_id", json!(found.text("action_id")));
            button
        }
        "overflow" => {
            let chosen = |option: &&&Value| option.get("value").and_then(Value::as_str) == Some(wanted);
            let options = found.options();
            let option = *options.iter().find(chosen).ok_or_else(none)?;
            json!({ "type": "overflow", "action_id": found.text("action_id"), "selected_option": option })
        }
        "image" => return Err(none()),
        _ => found.element.clone(),
    };
    if let Value::Object(fields) = &mut action {
        let shown = ["type", "action_id", "text", "value", "style", "placeholder", "selected_option"];
        fields.retain(|name, _| shown.contains(&name.as_str()));
    }
    Ok(action)
}
