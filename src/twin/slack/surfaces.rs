//! What people see beside messages: modals and the Home tab, what opens and answers them, agent sessions and prompts.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{inputs, server::SlackTwin, state::State};
use crate::{
    clock::later,
    domain::ids::{ChannelId, Ts, UserId},
};

/// How long an agent session stays `processing` unless it is said again.
const PROCESSING_LIFE: Duration = Duration::from_hours(1);

/// What this workspace and app can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Features {
    /// Whether the app's Home tab is on (`not_enabled` otherwise).
    pub home_tab: bool,
    /// Whether the app is an agent (`agent_view` in its manifest; `not_agent_app` otherwise).
    pub agent_view: bool,
    /// Whether sockets can be opened, and what is due comes over them.
    pub socket_mode: bool,
    /// The error that `agents.sessions.*` answers with (`feature_disabled`, `not_authorized`); `None` where it works.
    pub agents_refused: Option<String>,
    /// What the app is subscribed to, in the manifest's words (`message.channels`); `None`: everything.
    pub subscribed: Option<BTreeSet<String>>,
    /// Shortcuts of the app.
    pub shortcuts: Vec<AppShortcut>,
    /// Commands of the app, with the slash, and what each is for.
    pub commands: Vec<(String, String)>,
}

/// A shortcut as the manifest declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppShortcut {
    /// What people read.
    pub name: String,
    /// Whether it is used on a message, or from anywhere.
    pub on_message: bool,
    /// What the app reads.
    pub callback_id: String,
}

/// A `response_url`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// How often it may still be used.
    pub uses_left: u8,
    /// When it stops working.
    pub expires: Timestamp,
    /// Where its posts go.
    pub channel: ChannelId,
    /// Who caused it, and sees its ephemeral answers.
    pub user: UserId,
    /// The message that was pressed; commands and shortcuts have none.
    pub message: Option<Ts>,
}

/// A `trigger_id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// Who caused it, and will see the modal.
    pub user: UserId,
    /// When it stops working.
    pub expires: Timestamp,
    /// Whether it was used.
    pub used: bool,
    /// The modal that it comes from; only such a trigger can put another one on top.
    pub view: Option<String>,
    /// The conversation that it comes from.
    pub channel: Option<ChannelId>,
}

/// A modal that is open, or a Home tab.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// `V…`.
    pub id: String,
    /// Who sees it.
    pub user: UserId,
    /// The view as it was given (`type` is `modal` or `home`), its blocks with ids.
    pub view: Value,
    /// Its version (`hash`).
    pub hash: String,
    /// The lowest modal of its stack; itself for a Home tab.
    pub root: String,
    /// The modal under it.
    pub previous: Option<String>,
    /// What the person has filled in, by block and action.
    pub filled: BTreeMap<(String, String), Value>,
    /// What the app found wrong, by block.
    pub errors: BTreeMap<String, String>,
    /// Whether the last submission found no good answer; the person reads that something went wrong.
    pub trouble: bool,
    /// Options that the app gave for a select that asks for them, by action.
    pub offered: BTreeMap<String, Vec<Value>>,
    /// The conversation that it was opened from.
    pub channel: Option<ChannelId>,
}

/// What Slack shows of an agent's work in a thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentSession {
    /// Its state.
    pub status: AgentStatus,
    /// Its title.
    pub title: Option<String>,
    /// Who asked for it.
    pub initiator: Option<UserId>,
    /// When the state was said last.
    pub said: Timestamp,
}

/// State of an agent session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentStatus {
    /// Open, nothing runs.
    Active,
    /// Works; people see a stop button.
    Processing,
    /// Waits for a person.
    Suspended,
    /// Over.
    Closed,
}

/// Suggested prompts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompts {
    /// Shown above them.
    pub title: Option<String>,
    /// Title and message of each.
    pub prompts: Vec<(String, String)>,
}

impl Default for Features {
    fn default() -> Self {
        Self {
            home_tab: true,
            agent_view: true,
            socket_mode: true,
            agents_refused: None,
            subscribed: None,
            shortcuts: Vec::new(),
            commands: Vec::new(),
        }
    }
}

impl Features {
    /// Whether the app is subscribed to an event.
    pub(super) fn hears(&self, inner: &Value) -> bool {
        let Some(subscribed) = &self.subscribed else { return true };
        let kind = inner.get("type").and_then(Value::as_str).unwrap_or_default();
        let place = match inner.get("channel_type").and_then(Value::as_str).unwrap_or_default() {
            "channel" => "channels",
            "group" => "groups",
            other => other,
        };
        let name = if kind == "message" { format!("message.{place}") } else { kind.to_owned() };
        subscribed.contains(&name)
    }
}

impl AgentStatus {
    /// As calls write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Processing => "processing",
            Self::Suspended => "suspended",
            Self::Closed => "closed",
        }
    }

    /// Reads what a call wrote.
    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Active, Self::Processing, Self::Suspended, Self::Closed].into_iter().find(|one| one.as_str() == name)
    }
}

impl AgentSession {
    /// The state at a time: `processing` falls back to `active` after an hour.
    pub fn status_at(&self, now: Timestamp) -> AgentStatus {
        let lapsed = self.status == AgentStatus::Processing && later(self.said, PROCESSING_LIFE) < now;
        if lapsed { AgentStatus::Active } else { self.status }
    }
}

impl View {
    /// A view that nobody has touched.
    pub fn new(id: &str, user: UserId, view: Value) -> Self {
        Self {
            id: id.to_owned(),
            user,
            view,
            hash: format!("0.{id}"),
            root: id.to_owned(),
            previous: None,
            filled: BTreeMap::new(),
            errors: BTreeMap::new(),
            trouble: false,
            offered: BTreeMap::new(),
            channel: None,
        }
    }

    /// Whether it is a Home tab.
    pub fn is_home(&self) -> bool {
        self.text("type") == "home"
    }

    /// A text field of the view, empty when missing: `callback_id`, `private_metadata`, `external_id`.
    pub fn text(&self, name: &str) -> &str {
        self.view.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Its title; a Home tab has none.
    pub fn title(&self) -> &str {
        self.view.pointer("/title/text").and_then(Value::as_str).unwrap_or_default()
    }

    /// Its blocks.
    pub fn blocks(&self) -> &[Value] {
        self.view.get("blocks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    /// `state.values`: what is filled in, initial values included.
    pub fn values(&self) -> Value {
        inputs::values(self.blocks(), &self.filled, self.channel.as_ref())
    }

    /// The view as payloads and answers show it.
    pub(super) fn object(&self, state: &State) -> Value {
        let mut object = self.view.clone();
        let flag = |name: &str| self.view.get(name).and_then(Value::as_bool).unwrap_or(false);
        for (name, value) in [
            ("id", json!(self.id)),
            ("team_id", json!(state.team.id)),
            ("app_id", json!(state.app.id)),
            ("bot_id", json!(state.app.bot_id)),
            ("app_installed_team_id", json!(state.team.id)),
            ("hash", json!(self.hash)),
            ("root_view_id", json!(self.root)),
            ("previous_view_id", json!(self.previous)),
            ("callback_id", json!(self.text("callback_id"))),
            ("external_id", json!(self.text("external_id"))),
            ("private_metadata", json!(self.text("private_metadata"))),
            ("clear_on_close", json!(flag("clear_on_close"))),
            ("notify_on_close", json!(flag("notify_on_close"))),
            ("submit", self.view.get("submit").cloned().unwrap_or_default()),
            ("close", self.view.get("close").cloned().unwrap_or_default()),
            ("state", json!({ "values": self.values() })),
        ] {
            super::events::put(&mut object, name, value);
        }
        object
    }
}

impl State {
    /// The modal that a person sees: the topmost of the stack.
    pub fn modal(&self, user: &UserId) -> Option<&View> {
        self.views.iter().rev().find(|view| &view.user == user && !view.is_home())
    }

    /// A person's Home tab, if it was ever published.
    pub fn home(&self, user: &UserId) -> Option<&View> {
        self.views.iter().find(|view| &view.user == user && view.is_home())
    }

    /// A view by its id.
    pub(super) fn view_mut(&mut self, id: &str) -> Option<&mut View> {
        self.views.iter_mut().find(|view| view.id == id)
    }
}

impl SlackTwin {
    /// The modal that a person sees.
    pub fn modal(&self, user: &UserId) -> Option<View> {
        self.read(|state| state.modal(user).cloned())
    }

    /// A person's Home tab, if it was ever published.
    pub fn home(&self, user: &UserId) -> Option<View> {
        self.read(|state| state.home(user).cloned())
    }

    /// The agent session of a thread, `processing` that has lapsed shown as `active`.
    pub fn agent_session(&self, channel: &ChannelId, thread: &Ts) -> Option<AgentSession> {
        let now = self.now();
        let found = self.read(|state| state.agent_sessions.get(&(channel.clone(), thread.clone())).cloned());
        found.map(|session| AgentSession { status: session.status_at(now), ..session })
    }

    /// The title of a thread in a direct conversation.
    pub fn title(&self, channel: &ChannelId, thread: &Ts) -> Option<String> {
        self.read(|state| state.titles.get(&(channel.clone(), thread.clone())).cloned())
    }

    /// The suggested prompts of a direct conversation.
    pub fn prompts(&self, channel: &ChannelId) -> Option<Prompts> {
        self.read(|state| state.prompts.get(channel).cloned())
    }
}
