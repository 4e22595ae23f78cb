//! What the stand-in Slack remembers.
//!
//! Everything is public: tests and the playground look at it freely through [`SlackTwin::read`](super::SlackTwin::read),
//! because a twin that hides its state can only be tested through the code it is there to test.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;
use serde_json::Value;

use super::{
    deliver::Delivery,
    oauth::OAuthApp,
    surfaces::{AgentSession, Features, Hook, Prompts, Trigger, View},
    uploads::Upload,
};
use crate::{
    domain::ids::{ChannelId, TeamId, Ts, UserId},
    twin::ledger::Call,
};

/// The one workspace of the twin with everything in it.
#[derive(Debug, Clone)]
pub struct State {
    /// The workspace.
    pub team: Team,
    /// The app that is installed in it.
    pub app: App,
    /// Bot tokens that are accepted, with their scopes.
    pub tokens: BTreeMap<String, Token>,
    /// Everybody, strangers and bots included.
    pub users: BTreeMap<UserId, User>,
    /// Conversations with their messages.
    pub channels: BTreeMap<ChannelId, Channel>,
    /// Messages only one person saw, oldest first.
    pub ephemerals: Vec<Ephemeral>,
    /// Files by id (`F…`).
    pub files: BTreeMap<String, File>,
    /// Files that the app announced, by the last part of the address that takes them.
    pub uploads: BTreeMap<String, Upload>,
    /// Tickets for sockets that were not used yet.
    pub tickets: BTreeSet<String>,
    /// `response_url`s by the last part of their path.
    pub hooks: BTreeMap<String, Hook>,
    /// Modals and Home tabs, oldest first.
    pub views: Vec<View>,
    /// `trigger_id`s, used ones included.
    pub triggers: BTreeMap<String, Trigger>,
    /// Agent sessions by channel and thread, as they were set last (`agents.sessions.setStatus`).
    pub agent_sessions: BTreeMap<(ChannelId, Ts), AgentSession>,
    /// Titles of threads in direct conversations (`assistant.threads.setTitle`).
    pub titles: BTreeMap<(ChannelId, Ts), String>,
    /// Suggested prompts of direct conversations (`assistant.threads.setSuggestedPrompts`).
    pub prompts: BTreeMap<ChannelId, Prompts>,
    /// What this workspace and app can do.
    pub features: Features,
    /// How the app is installed.
    pub oauth: OAuthApp,
    /// What waits to be sent to the app, in order.
    pub deliveries: Vec<Delivery>,
    /// Every Web API call, oldest first.
    pub ledger: Vec<Call>,
    /// Where the app can reach this twin, without a slash at the end; files and `response_url`s begin with it.
    pub base_url: String,
    /// Which of the two events of a mention in a channel is sent first.
    pub mention_order: MentionOrder,
    /// How long the app's own posts stay out of `conversations.replies`; the real one promises nothing about it.
    pub replies_lag: Duration,
    /// The last number given to an id.
    pub(super) last_id: u64,
    /// The last timestamp given to a message, in microseconds.
    pub(super) last_ts: i64,
}

/// The workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// `T…`.
    pub id: TeamId,
    /// Shown name.
    pub name: String,
    /// First part of its address.
    pub domain: String,
}

/// The installed app and its bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// `A…`.
    pub id: String,
    /// The bot as a user (`U…`).
    pub bot_user: UserId,
    /// The bot as a bot (`B…`).
    pub bot_id: String,
    /// Shown name.
    pub name: String,
    /// Signs what the twin sends.
    pub signing_secret: String,
    /// The old `token` field of every payload.
    pub verification_token: String,
}

/// A bot token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it may do.
    pub scopes: BTreeSet<String>,
    /// The error that every call answers with (`token_revoked`, `account_inactive`); `None` while it is good.
    pub refused: Option<String>,
}

/// Somebody with a user id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// `U…`.
    pub id: UserId,
    /// Home workspace.
    pub team: TeamId,
    /// Short name.
    pub name: String,
    /// Full name.
    pub real_name: String,
    /// E-mail; many have none.
    pub email: Option<Email>,
    /// What sort of member.
    pub kind: UserKind,
    /// Whether the account was deactivated.
    pub deleted: bool,
    /// Time zone name.
    pub tz: String,
    /// When the profile changed last.
    pub updated: Timestamp,
}

/// An e-mail address and whether its owner proved it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// The address as typed.
    pub address: String,
    /// `is_email_confirmed`.
    pub confirmed: bool,
}

/// What sort of member somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserKind {
    /// A full member.
    Member,
    /// A guest of several channels (`is_restricted`).
    Guest,
    /// A guest of one channel (`is_restricted` and `is_ultra_restricted`).
    SingleChannelGuest,
    /// From another workspace, through a shared channel (`is_stranger`).
    Stranger,
    /// A bot (`is_bot`).
    Bot,
}

/// A conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// `C…` or `D…`.
    pub id: ChannelId,
    /// Name without `#`; empty for direct ones.
    pub name: String,
    /// Who can see it.
    pub kind: ChannelKind,
    /// Other workspaces it is shared with (`is_ext_shared`).
    pub shared_with: Vec<TeamId>,
    /// Whether nobody can write in it any more.
    pub archived: bool,
    /// Who is in it, the bot included.
    pub members: BTreeSet<UserId>,
    /// Messages in order of their timestamps, replies and deleted ones included.
    pub messages: Vec<Message>,
    /// Status lines of the agent per thread (`assistant.threads.setStatus`).
    pub statuses: BTreeMap<Ts, String>,
    /// When it was made.
    pub created: Timestamp,
}

/// Who can see a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelKind {
    /// Everybody in the workspace.
    Public,
    /// Its members.
    Private,
    /// The bot and one person.
    Direct(UserId),
}

/// A message.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Identity within the channel.
    pub ts: Ts,
    /// First message of its thread; equal to `ts` on a parent that has replies.
    pub thread_ts: Option<Ts>,
    /// Author; the bot user for the app's own posts.
    pub user: UserId,
    /// `bot_id` of the author when a bot posted it.
    pub bot_id: Option<String>,
    /// `app_id` of the author when an app posted it.
    pub app_id: Option<String>,
    /// Text as Slack keeps it (`<@U…>` for mentions, `&amp;` for `&`).
    pub text: String,
    /// Blocks, with `block_id`s filled in.
    pub blocks: Vec<Value>,
    /// `{event_type, event_payload}`.
    pub metadata: Option<Value>,
    /// The last edit.
    pub edited: Option<Edited>,
    /// Reactions in the order of their first use.
    pub reactions: Vec<Reaction>,
    /// Ids of files shared with it.
    pub files: Vec<String>,
    /// `subtype`, such as `file_share` or `thread_broadcast`.
    pub subtype: Option<String>,
    /// Given by the person's client; bots have none.
    pub client_msg_id: Option<String>,
    /// Whether it was deleted; kept so that a thread without its parent can be shown.
    pub deleted: bool,
}

/// An edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// Who edited.
    pub user: UserId,
    /// When, in the form of a message timestamp.
    pub ts: Ts,
}

/// An emoji under a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    /// Name without colons.
    pub name: String,
    /// Who reacted with it, in order.
    pub users: Vec<UserId>,
}

/// A message that one person saw.
#[derive(Debug, Clone, PartialEq)]
pub struct Ephemeral {
    /// Its timestamp.
    pub ts: Ts,
    /// Where.
    pub channel: ChannelId,
    /// Who saw it.
    pub user: UserId,
    /// In which thread.
    pub thread_ts: Option<Ts>,
    /// Text.
    pub text: String,
    /// Blocks.
    pub blocks: Vec<Value>,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// `F…`.
    pub id: String,
    /// File name.
    pub name: String,
    /// Media type.
    pub mimetype: String,
    /// Content.
    pub bytes: Vec<u8>,
    /// Whether it is a snippet: text that people read and edit in Slack.
    pub snippet: bool,
    /// Who shared it.
    pub user: UserId,
    /// When.
    pub created: Timestamp,
}

/// Which of the two events of a mention in a channel is sent first; Slack promises neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MentionOrder {
    /// `app_mention`, then `message`.
    #[default]
    MentionFirst,
    /// `message`, then `app_mention`.
    MessageFirst,
}

impl State {
    /// A message that exists and was not deleted.
    pub fn message(&self, channel: &ChannelId, ts: &Ts) -> Option<&Message> {
        self.channels.get(channel)?.messages.iter().find(|m| &m.ts == ts && !m.deleted)
    }

    /// A message that exists and was not deleted, to be changed.
    pub fn message_mut(&mut self, channel: &ChannelId, ts: &Ts) -> Option<&mut Message> {
        self.channels.get_mut(channel)?.messages.iter_mut().find(|m| &m.ts == ts && !m.deleted)
    }

    /// The first conversation with this name (without `#`).
    pub fn channel_named(&self, name: &str) -> Option<&Channel> {
        self.channels.values().find(|c| c.name == name)
    }

    /// The direct conversation between the bot and a person.
    pub fn direct(&self, user: &UserId) -> Option<&Channel> {
        self.channels.values().find(|c| matches!(&c.kind, ChannelKind::Direct(u) if u == user))
    }

    /// A number that was not given before, for ids.
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }
}

impl Channel {
    /// The messages of one thread that were not deleted: the parent first, then the replies in order.
    pub fn thread<'a>(&'a self, root: &'a Ts) -> impl Iterator<Item = &'a Message> {
        self.messages.iter().filter(move |m| !m.deleted && (&m.ts == root || m.thread_ts.as_ref() == Some(root)))
    }

    /// Replies under a message that were not deleted.
    pub fn replies<'a>(&'a self, root: &'a Ts) -> impl Iterator<Item = &'a Message> {
        self.thread(root).filter(move |m| &m.ts != root)
    }
}
