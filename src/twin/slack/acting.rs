//! What people do in the workspace: write, edit, delete, react, join, change their profile.
//!
//! Every method does what the person's client would do and queues the events that the real Slack would send for it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    chat, events,
    objects::{self, Metadata},
    reactions,
    server::SlackTwin,
    state::{ChannelKind, Edited, File, Message, State, User, UserKind},
    surfaces::AgentStatus,
};
use crate::{
    domain::ids::{ChannelId, Ts, UserId},
    twin::ids::{slack_id, unique},
};

/// Why somebody cannot do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    /// Nobody has this id.
    #[error("there is no user {0}")]
    NoUser(UserId),
    /// No conversation has this id.
    #[error("there is no channel {0}")]
    NoChannel(ChannelId),
    /// The person is not in the conversation.
    #[error("{0} is not in {1}")]
    NotMember(UserId, ChannelId),
    /// There is no such message, or it was deleted.
    #[error("there is no message {0}")]
    NoMessage(Ts),
    /// The message is somebody else's.
    #[error("the message {0} is not theirs")]
    NotTheirs(Ts),
    /// The message has no such button.
    #[error("there is no button {0}")]
    NoButton(String),
    /// Commands and shortcuts are not shared with other workspaces, and deactivated people do nothing.
    #[error("{0} may not do this")]
    NotAllowed(UserId),
    /// Slack's refusal, by its code.
    #[error("{0}")]
    Refused(String),
}

/// How something is said.
#[derive(Debug, Clone, Default)]
pub struct SayOptions {
    /// In which thread; `None`: a new message.
    pub thread: Option<Ts>,
    /// Files shared with it (makes it a `file_share`).
    pub files: Vec<NewFile>,
    /// Snippets shared with it, after the files.
    pub snippets: Vec<NewFile>,
    /// Whether a reply also goes to the channel.
    pub broadcast: bool,
    /// The mark of the person's client; `None`: a new one.
    pub client_msg_id: Option<String>,
    /// `subtype`, such as `me_message`; `None`: as the rest asks for.
    pub subtype: Option<String>,
}

/// A file to be shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// File name.
    pub name: String,
    /// Media type.
    pub mimetype: String,
    /// Content.
    pub bytes: Vec<u8>,
}

impl SlackTwin {
    /// Somebody says something. The text is as Slack keeps it: mentions are `<@U…>`, `& < >` are escaped.
    ///
    /// # Errors
    ///
    /// Unknown people and channels, people who are not in the channel, threads without a parent.
    pub fn say(&self, user: &UserId, channel: &ChannelId, text: &str, options: SayOptions) -> Result<Ts, ActError> {
        let now = self.now();
        self.change(|state| {
            state.active(user)?;
            state.member(user, channel)?;
            if let Some(root) = &options.thread
                && !state.channels.get(channel).is_some_and(|place| place.messages.iter().any(|m| &m.ts == root))
            {
                return Err(ActError::NoMessage(root.clone()));
            }
            let message = state.composed(now, user, text, options);
            let ts = message.ts.clone();
            let parent = message.thread_ts.clone().filter(|_| message.subtype.as_deref() == Some("thread_broadcast"));
            let before = parent.as_ref().and_then(|parent| state.seen(channel, parent));
            chat::store(state, channel, message);
            state.message_event(now, channel, &ts);
            if let (Some(parent), Some(before)) = (parent, before) {
                state.changed_event(now, channel, &parent, &before);
            }
            Ok(ts)
        })
    }

    /// Somebody edits their own message. An edit that changes nothing is no edit, as in the real client.
    ///
    /// # Errors
    ///
    /// The message is gone or somebody else's.
    pub fn edit(&self, user: &UserId, channel: &ChannelId, ts: &Ts, text: &str) -> Result<(), ActError> {
        let now = self.now();
        self.change(|state| {
            state.theirs(user, channel, ts)?;
            if state.message(channel, ts).is_some_and(|message| message.text == text) {
                return Ok(());
            }
            let before = state.seen(channel, ts).ok_or_else(|| ActError::NoMessage(ts.clone()))?;
            let edited = Edited { user: user.clone(), ts: state.next_ts(now) };
            let block = events::rich_text(text, &format!("e{}", state.next_id()));
            if let Some(message) = state.message_mut(channel, ts) {
                text.clone_into(&mut message.text);
                message.edited = Some(edited);
                message.blocks = vec![block];
            }
            state.changed_event(now, channel, ts, &before);
            Ok(())
        })
    }

    /// A link in a message is unfurled: a `message_changed` in which nobody changed anything.
    ///
    /// # Errors
    ///
    /// The message is gone.
    pub fn unfurl(&self, channel: &ChannelId, ts: &Ts) -> Result<(), ActError> {
        let now = self.now();
        self.change(|state| {
            let before = state.seen(channel, ts).ok_or_else(|| ActError::NoMessage(ts.clone()))?;
            state.changed_event(now, channel, ts, &before);
            Ok(())
        })
    }

    /// Somebody deletes their own message. A parent with replies leaves a placeholder.
    ///
    /// # Errors
    ///
    /// The message is gone or somebody else's.
    pub fn delete(&self, user: &UserId, channel: &ChannelId, ts: &Ts) -> Result<(), ActError> {
        let now = self.now();
        self.change(|state| {
            state.theirs(user, channel, ts)?;
            chat::remove(state, channel, ts);
            state.deleted_event(now, channel, ts);
            Ok(())
        })
    }

    /// Somebody reacts to a message (name without colons).
    ///
    /// # Errors
    ///
    /// They are not in the channel, the message is gone, or they reacted so before.
    pub fn react(&self, user: &UserId, channel: &ChannelId, ts: &Ts, name: &str) -> Result<(), ActError> {
        let now = self.now();
        self.change(|state| {
            state.member(user, channel)?;
            let place = (channel, ts);
            reactions::react(state, place, user, name).map_err(|error| ActError::Refused(error.code))?;
            state.reaction_event(now, "reaction_added", place, (user, name));
            Ok(())
        })
    }

    /// Somebody takes a reaction of theirs back.
    ///
    /// # Errors
    ///
    /// They are not in the channel, the message is gone, or they did not react so.
    pub fn unreact(&self, user: &UserId, channel: &ChannelId, ts: &Ts, name: &str) -> Result<(), ActError> {
        let now = self.now();
        self.change(|state| {
            state.member(user, channel)?;
            let place = (channel, ts);
            reactions::unreact(state, place, user, name).map_err(|error| ActError::Refused(error.code))?;
            state.reaction_event(now, "reaction_removed", place, (user, name));
            Ok(())
        })
    }

    /// Somebody presses the stop button that Slack shows while an agent session is `processing`. The state stays: the
    /// app has to stop the work and to say so.
    ///
    /// # Errors
    ///
    /// They are not in the channel, or the session is not `processing`.
    pub fn stop_agent(&self, user: &UserId, channel: &ChannelId, thread: &Ts) -> Result<(), ActError> {
        let now = self.now();
        let works = self.agent_session(channel, thread).is_some_and(|s| s.status == AgentStatus::Processing);
        self.change(|state| {
            state.member(user, channel)?;
            if !works {
                return Err(ActError::NoButton("stop".to_owned()));
            }
            let stamp = state.next_ts(now);
            let inner = json!({
                "type": "agent_session_stopped", "channel": channel, "thread_ts": thread, "user": user,
                "streaming_message_ts": [], "event_ts": stamp,
            });
            state.event(now, &inner, Some(channel));
            Ok(())
        })
    }

    /// Somebody joins a channel, or is invited; the bot too.
    ///
    /// # Errors
    ///
    /// Unknown people and channels.
    pub fn join(&self, user: &UserId, channel: &ChannelId) -> Result<(), ActError> {
        self.membership(user, channel, "member_joined_channel")
    }

    /// Somebody leaves a channel, or is removed; the bot too.
    ///
    /// # Errors
    ///
    /// Unknown people and channels.
    pub fn leave(&self, user: &UserId, channel: &ChannelId) -> Result<(), ActError> {
        self.membership(user, channel, "member_left_channel")
    }

    /// A profile or its rights change.
    ///
    /// # Errors
    ///
    /// Nobody has this id.
    pub fn change_user(&self, user: &UserId, edit: impl FnOnce(&mut User)) -> Result<(), ActError> {
        let now = self.now();
        self.change(|state| {
            let person = state.users.get_mut(user).ok_or_else(|| ActError::NoUser(user.clone()))?;
            edit(person);
            person.updated = now;
            let person = person.clone();
            let stamp = state.next_ts(now);
            let shown = objects::user(state, &person, true);
            let inner = json!({ "type": "user_change", "user": shown, "cache_ts": now.as_second(), "event_ts": stamp });
            state.event(now, &inner, None);
            Ok(())
        })
    }

    /// Somebody opens the app's Home (`home`) or its direct conversation (`messages`).
    ///
    /// # Errors
    ///
    /// Nobody has this id, or they have no direct conversation with the bot.
    pub fn open_home(&self, user: &UserId, tab: &str) -> Result<(), ActError> {
        let now = self.now();
        self.change(|state| {
            state.active(user)?;
            let channel = state.direct(user).map(|channel| channel.id.clone());
            let channel = channel.ok_or_else(|| ActError::NotAllowed(user.clone()))?;
            let stamp = state.next_ts(now);
            let mut inner =
                json!({ "type": "app_home_opened", "user": user, "channel": channel, "tab": tab, "event_ts": stamp });
            if let Some(view) = state.home(user).filter(|_| tab == "home") {
                events::put(&mut inner, "view", view.object(state));
            }
            state.event(now, &inner, Some(&channel));
            Ok(())
        })
    }

    /// The app is removed from the workspace: its tokens stop working, and both events of it are sent.
    pub fn uninstall(&self) {
        let now = self.now();
        self.change(|state| {
            for token in state.tokens.values_mut() {
                token.refused = Some("account_inactive".to_owned());
            }
            let (stamp, bot) = (state.next_ts(now), state.app.bot_user.clone());
            let tokens = json!({ "oauth": [], "bot": [bot] });
            state.event(now, &json!({ "type": "tokens_revoked", "tokens": tokens, "event_ts": stamp }), None);
            let stamp = state.next_ts(now);
            state.event(now, &json!({ "type": "app_uninstalled", "event_ts": stamp }), None);
        });
    }

    /// Queues any other event, in an envelope, whether the app is subscribed to it or not.
    pub fn emit(&self, inner: &Value, channel: Option<&ChannelId>) {
        let now = self.now();
        self.change(|state| state.send(now, inner, channel));
    }

    fn membership(&self, user: &UserId, channel: &ChannelId, kind: &str) -> Result<(), ActError> {
        let now = self.now();
        self.change(|state| {
            let team = state.users.get(user).ok_or_else(|| ActError::NoUser(user.clone()))?.team.clone();
            let bot = state.app.bot_user.clone();
            let place = state.channels.get_mut(channel).ok_or_else(|| ActError::NoChannel(channel.clone()))?;
            let heard = place.members.contains(&bot) || user == &bot;
            if kind == "member_joined_channel" {
                place.members.insert(user.clone());
            } else {
                place.members.remove(user);
            }
            let letter = if place.kind == ChannelKind::Private { "G" } else { "C" };
            if heard {
                let stamp = state.next_ts(now);
                let inner = json!({
                    "type": kind, "user": user, "channel": channel, "channel_type": letter, "team": team,
                    "event_ts": stamp,
                });
                state.event(now, &inner, Some(channel));
            }
            Ok(())
        })
    }
}

impl State {
    /// Somebody who exists and was not deactivated.
    pub(super) fn active(&self, user: &UserId) -> Result<&User, ActError> {
        let person = self.users.get(user).ok_or_else(|| ActError::NoUser(user.clone()))?;
        if person.deleted { Err(ActError::NotAllowed(user.clone())) } else { Ok(person) }
    }

    /// Refuses somebody who is not in the conversation.
    pub(super) fn member(&self, user: &UserId, channel: &ChannelId) -> Result<(), ActError> {
        let place = self.channels.get(channel).ok_or_else(|| ActError::NoChannel(channel.clone()))?;
        let inside = place.members.contains(user);
        if inside { Ok(()) } else { Err(ActError::NotMember(user.clone(), channel.clone())) }
    }

    /// A message as JSON.
    pub(super) fn seen(&self, channel: &ChannelId, ts: &Ts) -> Option<Value> {
        let place = self.channels.get(channel)?;
        Some(objects::message(self, place, self.message(channel, ts)?, Metadata::Full))
    }

    fn theirs(&self, user: &UserId, channel: &ChannelId, ts: &Ts) -> Result<(), ActError> {
        let message = self.message(channel, ts).ok_or_else(|| ActError::NoMessage(ts.clone()))?;
        if &message.user == user { Ok(()) } else { Err(ActError::NotTheirs(ts.clone())) }
    }

    fn composed(&mut self, now: Timestamp, user: &UserId, text: &str, options: SayOptions) -> Message {
        let given = options.files.into_iter().map(|file| (file, false));
        let given = given.chain(options.snippets.into_iter().map(|file| (file, true)));
        let files: Vec<String> = given.map(|(file, snippet)| self.share(now, user, file, snippet)).collect();
        let broadcast = options.broadcast && options.thread.is_some();
        let subtype = match options.subtype {
            Some(subtype) => Some(subtype),
            None if !files.is_empty() => Some("file_share".to_owned()),
            None if broadcast => Some("thread_broadcast".to_owned()),
            None => None,
        };
        let person = self.users.get(user);
        let bot_id = person.and_then(User::bot_id);
        let client_msg_id = match person.map(|person| person.kind) {
            Some(UserKind::Bot) => None,
            _ => Some(options.client_msg_id.unwrap_or_else(|| unique(now).to_string())),
        };
        let block = events::rich_text(text, &format!("r{}", self.next_id()));
        Message {
            ts: self.next_ts(now),
            thread_ts: options.thread,
            user: user.clone(),
            bot_id,
            app_id: None,
            text: text.to_owned(),
            blocks: if text.is_empty() { Vec::new() } else { vec![block] },
            metadata: None,
            edited: None,
            reactions: Vec::new(),
            files,
            subtype,
            client_msg_id,
            deleted: false,
        }
    }

    fn share(&mut self, now: Timestamp, user: &UserId, file: NewFile, snippet: bool) -> String {
        let id = slack_id("F0", now);
        let NewFile { name, mimetype, bytes } = file;
        let stored = File { id: id.clone(), name, mimetype, bytes, snippet, user: user.clone(), created: now };
        self.files.insert(id.clone(), stored);
        id
    }
}
