//! Buttons, shortcuts and modals: a form with one field, `payload`, that holds JSON.
//!
//! The workspace is that of the installation, which is not always the person's: a view names it, a message's payload
//! has it in `team`, and under an organisation-wide install only the person's own is left.
//! <https://docs.slack.dev/reference/interaction-payloads>

use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    WireError,
    lenient::{fitting, fitting_list},
    mend,
    objects::ThreadMessage,
};
use crate::domain::ids::{ChannelId, TeamId, Ts, UserId};

/// The message shortcut that starts a session, by its `callback_id` in the app manifest.
pub const START_HERE: &str = "start_here";
/// The message shortcut that hands a message to a session.
pub const SEND_TO_SESSION: &str = "send_to_session";
/// The global shortcut that opens the modal to start a session.
pub const START_DEVIN: &str = "start_devin";
/// The button on the Home tab that opens the form, by its `action_id` and its value.
pub const START_SESSION: &str = "start_session";

/// Who did something, and in which installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The person.
    pub user: UserId,
    /// The person's home workspace.
    pub home: Option<TeamId>,
    /// The workspace of the installation.
    pub team: TeamId,
    /// The organisation of the installation, on Enterprise Grid.
    pub enterprise: Option<TeamId>,
}

/// Something pressed, chosen or submitted.
#[derive(Debug, Clone)]
pub enum Interaction {
    /// `block_actions`: a button, a select.
    BlockActions(Box<BlockActions>),
    /// `message_action`: a shortcut on a message.
    MessageAction(Box<MessageAction>),
    /// `shortcut`: a global shortcut.
    Shortcut(Shortcut),
    /// `view_submission`: a modal was sent.
    ViewSubmission(Box<ViewEvent>),
    /// `view_closed`: a modal was dismissed.
    ViewClosed(Box<ViewEvent>),
    /// `block_suggestion`: a select asks for options.
    BlockSuggestion(BlockSuggestion),
    /// Anything else, and what lacks its essentials.
    Other {
        /// The payload's `type`; empty when it has none.
        kind: String,
    },
}

/// A button or select was used.
#[derive(Debug, Clone)]
pub struct BlockActions {
    /// By whom.
    pub actor: Actor,
    /// Where the button is.
    pub container: Container,
    /// The message that it is in.
    pub message: Option<ThreadMessage>,
    /// The view that it is in.
    pub view: Option<View>,
    /// What was used: nearly always one.
    pub actions: Vec<Action>,
    /// `state.values` by block and action.
    pub values: ViewState,
    /// Opens a modal; lives three seconds.
    pub trigger_id: Option<String>,
    /// Answers in place; a secret, lives thirty minutes.
    pub response_url: Option<String>,
}

/// A shortcut on a message was used.
#[derive(Debug, Clone)]
pub struct MessageAction {
    /// By whom.
    pub actor: Actor,
    /// Which shortcut.
    pub callback_id: String,
    /// Where.
    pub channel: ChannelId,
    /// On which message.
    pub message: ThreadMessage,
    /// Opens a modal; lives three seconds.
    pub trigger_id: Option<String>,
    /// Answers to the person alone; a secret, lives thirty minutes.
    pub response_url: Option<String>,
    /// When, unique enough to recognise a repetition.
    pub action_ts: Option<String>,
}

/// A global shortcut was used.
#[derive(Debug, Clone)]
pub struct Shortcut {
    /// By whom.
    pub actor: Actor,
    /// Which shortcut.
    pub callback_id: String,
    /// Opens a modal; lives three seconds.
    pub trigger_id: Option<String>,
    /// When, unique enough to recognise a repetition.
    pub action_ts: Option<String>,
}

/// A modal was sent or dismissed.
#[derive(Debug, Clone)]
pub struct ViewEvent {
    /// By whom.
    pub actor: Actor,
    /// The modal, with what was filled in.
    pub view: View,
    /// Opens another modal; lives three seconds.
    pub trigger_id: Option<String>,
}

/// A select asks for options.
#[derive(Debug, Clone)]
pub struct BlockSuggestion {
    /// By whom.
    pub actor: Actor,
    /// Which select.
    pub action_id: String,
    /// In which block.
    pub block_id: Option<String>,
    /// What was typed.
    pub value: String,
}

/// Where a button is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Container {
    /// `message`, `message_attachment` or `view`.
    #[serde(rename = "type", deserialize_with = "fitting")]
    pub kind: String,
    /// Its channel.
    #[serde(rename = "channel_id", deserialize_with = "fitting")]
    pub channel: Option<ChannelId>,
    /// Its message.
    #[serde(deserialize_with = "fitting")]
    pub message_ts: Option<Ts>,
    /// The first message of its thread.
    #[serde(deserialize_with = "fitting")]
    pub thread_ts: Option<Ts>,
    /// Whether only one person sees it.
    #[serde(deserialize_with = "fitting")]
    pub is_ephemeral: bool,
}

/// One use of a button or select.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Action {
    /// Which one.
    pub action_id: String,
    /// In which block.
    #[serde(default, deserialize_with = "fitting")]
    pub block_id: Option<String>,
    /// `button`, `static_select` …
    #[serde(default, rename = "type", deserialize_with = "fitting")]
    pub kind: String,
    /// The button's value.
    #[serde(default, deserialize_with = "fitting")]
    pub value: Option<String>,
    /// The option that was chosen.
    #[serde(default, deserialize_with = "fitting")]
    pub selected_option: Option<SelectedOption>,
    /// The conversation that was chosen.
    #[serde(default, deserialize_with = "fitting")]
    pub selected_conversation: Option<String>,
    /// When.
    #[serde(default, deserialize_with = "fitting")]
    pub action_ts: Option<String>,
}

impl Action {
    /// What was pressed or chosen; `None` for a link, which the person's own client follows.
    pub fn chosen(&self) -> Option<&str> {
        let option = self.selected_option.as_ref().map(|option| option.value.as_str());
        self.value.as_deref().or(option).or(self.selected_conversation.as_deref())
    }
}

/// The option that was chosen in a select.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SelectedOption {
    /// Its value.
    pub value: String,
}

/// A modal or Home tab. <https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload>
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct View {
    /// Which view.
    pub id: String,
    /// `modal` or `home`.
    #[serde(default, rename = "type", deserialize_with = "fitting")]
    pub kind: String,
    /// The name that it was opened with.
    #[serde(default, deserialize_with = "fitting")]
    pub callback_id: String,
    /// What it was opened with.
    #[serde(default, deserialize_with = "fitting")]
    pub private_metadata: String,
    /// Its version, for updates.
    #[serde(default, deserialize_with = "fitting")]
    pub hash: Option<String>,
    /// What was filled in.
    #[serde(default, deserialize_with = "fitting")]
    pub state: ViewState,
    /// The workspace of the installation.
    #[serde(default, deserialize_with = "fitting")]
    pub app_installed_team_id: Option<TeamId>,
}

/// What was filled in. It may be secret, so that it is shown nowhere.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ViewState {
    /// By block, then by action.
    #[serde(deserialize_with = "fitting")]
    pub values: Map<String, Value>,
}

impl fmt::Debug for ViewState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

impl Interaction {
    /// Reads a form body.
    ///
    /// # Errors
    ///
    /// [`WireError`], when there is no `payload`, or it is not a JSON object.
    pub fn from_form(body: &[u8]) -> Result<Self, WireError> {
        let payload = url::form_urlencoded::parse(body).find(|(name, _)| name == "payload");
        let (_, payload) = payload.ok_or(WireError::Missing("payload"))?;
        Self::from_json(payload.as_bytes())
    }

    /// Reads the JSON of the field `payload`, which is also what Socket Mode delivers.
    ///
    /// # Errors
    ///
    /// [`WireError::Malformed`], when it is not a JSON object.
    pub fn from_json(payload: &[u8]) -> Result<Self, WireError> {
        if payload.trim_ascii_start().first() != Some(&b'{') {
            return Err(WireError::Malformed("not a JSON object".to_owned()));
        }
        let fields: Fields = serde_json::from_slice(&mend(payload)).map_err(|error| WireError::json(&error))?;
        let kind = fields.kind.clone();
        Ok(fields.interaction().unwrap_or(Self::Other { kind }))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    #[serde(rename = "type", deserialize_with = "fitting")]
    kind: String,
    #[serde(deserialize_with = "fitting")]
    user: Option<Person>,
    #[serde(deserialize_with = "fitting")]
    team: Option<Team>,
    #[serde(deserialize_with = "fitting")]
    enterprise: Option<Team>,
    #[serde(deserialize_with = "fitting")]
    channel: Option<Place>,
    #[serde(deserialize_with = "fitting")]
    container: Container,
    #[serde(deserialize_with = "fitting")]
    message: Option<ThreadMessage>,
    #[serde(deserialize_with = "fitting")]
    view: Option<View>,
    #[serde(deserialize_with = "fitting_list")]
    actions: Vec<Action>,
    #[serde(deserialize_with = "fitting")]
    state: ViewState,
    #[serde(deserialize_with = "fitting")]
    callback_id: String,
    #[serde(deserialize_with = "fitting")]
    action_id: String,
    #[serde(deserialize_with = "fitting")]
    block_id: Option<String>,
    #[serde(deserialize_with = "fitting")]
    value: String,
    #[serde(deserialize_with = "fitting")]
    trigger_id: Option<String>,
    #[serde(deserialize_with = "fitting")]
    response_url: Option<String>,
    #[serde(deserialize_with = "fitting")]
    action_ts: Option<String>,
}

#[derive(Deserialize)]
struct Person {
    id: UserId,
    #[serde(default, deserialize_with = "fitting")]
    team_id: Option<TeamId>,
}

#[derive(Deserialize)]
struct Team {
    id: TeamId,
}

#[derive(Deserialize)]
struct Place {
    id: ChannelId,
}

impl Fields {
    fn interaction(self) -> Option<Interaction> {
        let actor = self.actor()?;
        match self.kind.as_str() {
            "block_actions" => Some(Interaction::BlockActions(Box::new(self.block_actions(actor)))),
            "message_action" => self.message_action(actor).map(Box::new).map(Interaction::MessageAction),
            "shortcut" => Some(Interaction::Shortcut(self.shortcut(actor))),
            "view_submission" => self.view_event(actor).map(Box::new).map(Interaction::ViewSubmission),
            "view_closed" => self.view_event(actor).map(Box::new).map(Interaction::ViewClosed),
            "block_suggestion" => Some(Interaction::BlockSuggestion(self.block_suggestion(actor))),
            _ => None,
        }
    }

    fn actor(&self) -> Option<Actor> {
        let person = self.user.as_ref()?;
        let team = self
            .view
            .as_ref()
            .and_then(|view| view.app_installed_team_id.as_ref())
            .or(self.team.as_ref().map(|team| &team.id))
            .or(person.team_id.as_ref())?;
        Some(Actor {
            user: person.id.clone(),
            home: person.team_id.clone(),
            team: team.clone(),
            enterprise: self.enterprise.as_ref().map(|enterprise| enterprise.id.clone()),
        })
    }

    fn block_actions(self, actor: Actor) -> BlockActions {
        let container = Container { channel: self.container.channel.or(self.channel.map(|c| c.id)), ..self.container };
        BlockActions {
            actor,
            container,
            message: self.message,
            view: self.view,
            actions: self.actions,
            values: self.state,
            trigger_id: self.trigger_id,
            response_url: self.response_url,
        }
    }

    fn message_action(self, actor: Actor) -> Option<MessageAction> {
        Some(MessageAction {
            actor,
            callback_id: self.callback_id,
            channel: self.channel?.id,
            message: self.message?,
            trigger_id: self.trigger_id,
            response_url: self.response_url,
            action_ts: self.action_ts,
        })
    }

    fn shortcut(self, actor: Actor) -> Shortcut {
        Shortcut { actor, callback_id: self.callback_id, trigger_id: self.trigger_id, action_ts: self.action_ts }
    }

    fn view_event(self, actor: Actor) -> Option<ViewEvent> {
        Some(ViewEvent { actor, view: self.view?, trigger_id: self.trigger_id })
    }

    fn block_suggestion(self, actor: Actor) -> BlockSuggestion {
        BlockSuggestion { actor, action_id: self.action_id, block_id: self.block_id, value: self.value }
    }
}
