//! One message with everything under it.
//!
//! Ephemeral messages are drawn by the same code, because a person cannot tell where Slack keeps them apart.

use super::{Avatar, Moment, World, bot_name, counted, shown_name};
use crate::{
    domain::ids::{ChannelId, Ts, UserId},
    twin::{
        playground::{
            act::is_picture,
            compose::typed,
            render::{self, PICKER, Place, Spot, blocks, escaped, mrkdwn},
        },
        slack::{AgentStatus, Channel, Ephemeral, File, Message, Reaction},
    },
};

/// How close two messages of one person are to be shown under one name, in seconds.
const GROUP_SECONDS: i64 = 300;
/// How many faces stand before "3 replies".
const FACES: usize = 4;
/// How many lines of a snippet are shown.
const PREVIEW_LINES: usize = 6;

/// A message as it is drawn.
#[derive(Debug)]
pub(crate) struct MessageView {
    pub(super) id: String,
    pub(super) channel: String,
    pub(super) ts: String,
    pub(super) keep: String,
    pub(super) name: String,
    pub(super) avatar: Avatar,
    pub(super) app: bool,
    pub(super) time: Moment,
    pub(super) lead: Lead,
    pub(super) deleted: bool,
    pub(super) only_you: Option<String>,
    pub(super) edited: bool,
    pub(super) kind: String,
    pub(super) html: String,
    pub(super) files: Vec<FileView>,
    pub(super) reactions: Vec<ReactionView>,
    pub(super) replies: Option<RepliesView>,
    /// The thread that the reply button opens.
    pub(super) thread_url: String,
    pub(super) picker: Vec<(&'static str, String)>,
    /// Message shortcuts: what the app reads, and what people read.
    pub(super) shortcuts: Vec<(String, String)>,
    /// The address at which its author can edit it; nobody else can.
    pub(super) edit_url: Option<String>,
    /// The text to edit, while its author does.
    pub(super) editing: Option<String>,
    /// Where to go when the edit is given up.
    pub(super) keep_url: String,
    /// What Slack shows of the agent's work in its thread.
    pub(super) agent: Option<AgentView>,
}

/// The state of an agent session.
#[derive(Debug, Clone)]
pub(super) struct AgentView {
    pub(super) label: &'static str,
    pub(super) tone: &'static str,
    pub(super) busy: bool,
    pub(super) title: String,
    pub(super) channel: String,
    pub(super) thread: String,
    pub(super) keep: String,
}

/// How a message follows the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lead {
    /// After a line with the day.
    Day,
    /// With its author's name.
    Head,
    /// Under the name above it.
    Run,
}

#[derive(Debug)]
pub(super) struct FileView {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) url: String,
    pub(super) picture: bool,
    /// The beginning of a snippet.
    pub(super) preview: Option<String>,
}

#[derive(Debug)]
pub(super) struct ReactionView {
    pub(super) name: String,
    pub(super) glyph: String,
    pub(super) count: usize,
    pub(super) mine: bool,
    pub(super) who: String,
}

#[derive(Debug)]
pub(super) struct RepliesView {
    pub(super) label: String,
    pub(super) url: String,
    pub(super) faces: Vec<Avatar>,
    pub(super) last: Moment,
    pub(super) current: bool,
    pub(super) working: bool,
}

impl MessageView {
    /// A message of a conversation.
    pub(super) fn new(world: &World<'_>, channel: &Channel, message: &Message, in_thread: bool) -> Self {
        let prefix = format!("{}-{}", if in_thread { "t" } else { "m" }, message.ts);
        let spot = Spot::Message { channel: channel.id.as_str(), ts: message.ts.as_str() };
        let place = Place { spot, keep: &world.keep, prefix: &prefix };
        let viewer = world.selection.viewer.as_ref();
        let mine = viewer == Some(&message.user) && !message.deleted;
        let editing = mine && world.selection.edit.as_ref() == Some(&message.ts);
        let shortcuts = world.slack.features.shortcuts.iter().filter(|one| one.on_message);
        // The stand-in's rich text of a person is their text in one piece, without its emphasis.
        let drawn = if message.bot_id.is_some() { message.blocks.as_slice() } else { &[] };
        let root = message.thread_ts.as_ref().unwrap_or(&message.ts);
        Self {
            thread_url: world.selection.at_thread(&channel.id, root).url(),
            app: message.bot_id.is_some(),
            edited: message.edited.is_some(),
            deleted: message.deleted,
            kind: event_type(message),
            html: body(world, place, &message.text, drawn),
            files: message.files.iter().filter_map(|id| world.slack.files.get(id)).map(FileView::new).collect(),
            reactions: message.reactions.iter().map(|r| ReactionView::new(world, r)).collect(),
            shortcuts: shortcuts.map(|one| (one.callback_id.clone(), one.name.clone())).collect(),
            edit_url: mine.then(|| world.selection.editing(Some(&message.ts)).url()),
            editing: editing.then(|| typed(world.slack, &message.text)),
            agent: AgentView::of(world, &channel.id, &message.ts),
            ..Self::bare(world, &channel.id, &message.ts, &message.user)
        }
    }

    fn ephemeral(world: &World<'_>, message: &Ephemeral) -> Self {
        let prefix = format!("e-{}", message.ts);
        let spot = Spot::Message { channel: message.channel.as_str(), ts: message.ts.as_str() };
        let place = Place { spot, keep: &world.keep, prefix: &prefix };
        let bot = &world.slack.app.bot_user;
        Self {
            app: true,
            only_you: world.slack.users.get(&message.user).map(|u| shown_name(u).to_owned()),
            html: body(world, place, &message.text, &message.blocks),
            picker: Vec::new(),
            ..Self::bare(world, &message.channel, &message.ts, bot)
        }
    }

    /// A message with an author and nothing in it.
    fn bare(world: &World<'_>, channel: &ChannelId, ts: &Ts, user: &UserId) -> Self {
        let author = world.slack.users.get(user);
        let is_bot = user == &world.slack.app.bot_user;
        let unknown = if is_bot { bot_name(world.slack) } else { user.to_string() };
        let name = author.map_or(unknown, |u| shown_name(u).to_owned());
        let avatar = author.map_or_else(|| Avatar::named(&name), |u| Avatar::of(world.slack, u));
        Self {
            id: ts.as_str().replace('.', "-"),
            channel: channel.to_string(),
            ts: ts.to_string(),
            keep: world.keep.clone(),
            avatar: Avatar { bot: is_bot, ..avatar },
            name,
            app: false,
            time: Moment::of(ts),
            lead: Lead::Head,
            deleted: false,
            only_you: None,
            edited: false,
            kind: String::new(),
            html: String::new(),
            files: Vec::new(),
            reactions: Vec::new(),
            replies: None,
            thread_url: world.selection.at_thread(channel, ts).url(),
            picker: PICKER.iter().filter_map(|name| Some((*name, render::emoji(name)?))).collect(),
            shortcuts: Vec::new(),
            edit_url: None,
            editing: None,
            keep_url: world.selection.editing(None).url(),
            agent: None,
        }
    }

    /// Whether a line with the day stands before it.
    pub(super) fn new_day(&self) -> bool {
        self.lead == Lead::Day
    }

    /// Whether it stands under the name above it.
    pub(super) fn continued(&self) -> bool {
        self.lead == Lead::Run
    }

    /// Says how many replies are under it.
    pub(super) fn fill_replies(&mut self, world: &World<'_>, channel: &Channel) {
        let Ok(root) = self.ts.parse::<Ts>() else { return };
        let replies: Vec<&Message> = channel.replies(&root).collect();
        let Some(last) = replies.last() else { return };
        let mut faces: Vec<&UserId> = Vec::new();
        for reply in &replies {
            if !faces.contains(&&reply.user) {
                faces.push(&reply.user);
            }
        }
        let users = faces.into_iter().take(FACES).filter_map(|id| world.slack.users.get(id));
        self.replies = Some(RepliesView {
            label: counted(replies.len(), "reply", "replies"),
            url: world.selection.at_thread(&channel.id, &root).url(),
            faces: users.map(|u| Avatar::of(world.slack, u)).collect(),
            last: Moment::of(&last.ts),
            current: world.selection.thread.as_ref() == Some(&root),
            working: channel.statuses.get(&root).is_some_and(|s| !s.is_empty()),
        });
    }
}

impl FileView {
    fn new(file: &File) -> Self {
        let size = file.bytes.len();
        let size = if size < 1024 { format!("{size} bytes") } else { format!("{} KB", size / 1024) };
        let text = String::from_utf8_lossy(&file.bytes);
        let lines = || text.lines().take(PREVIEW_LINES).collect::<Vec<_>>().join("\n");
        let kind = if file.snippet { "snippet" } else { &file.mimetype };
        Self {
            name: file.name.clone(),
            about: format!("{kind} · {size}"),
            url: format!("/playground/file/{}", file.id),
            picture: is_picture(&file.mimetype),
            preview: file.snippet.then(lines),
        }
    }
}

impl AgentView {
    pub(super) fn of(world: &World<'_>, channel: &ChannelId, thread: &Ts) -> Option<Self> {
        let session = world.slack.agent_sessions.get(&(channel.clone(), thread.clone()))?;
        let (label, tone, busy) = match session.status_at(world.now) {
            AgentStatus::Active => ("Ready", "tone-good", false),
            AgentStatus::Processing => ("Working", "tone-info", true),
            AgentStatus::Suspended => ("Waiting for you", "tone-warn", false),
            AgentStatus::Closed => ("Closed", "tone-plain", false),
        };
        Some(Self {
            label,
            tone,
            busy,
            title: session.title.clone().unwrap_or_default(),
            channel: channel.to_string(),
            thread: thread.to_string(),
            keep: world.keep.clone(),
        })
    }
}

impl ReactionView {
    fn new(world: &World<'_>, reaction: &Reaction) -> Self {
        let names: Vec<&str> =
            reaction.users.iter().filter_map(|id| world.slack.users.get(id)).map(shown_name).collect();
        Self {
            name: reaction.name.clone(),
            glyph: render::emoji(&reaction.name).unwrap_or_else(|| escaped(&format!(":{}:", reaction.name))),
            count: reaction.users.len(),
            mine: world.selection.viewer.as_ref().is_some_and(|id| reaction.users.contains(id)),
            who: names.join(", "),
        }
    }
}

/// Blocks are what people see; the text beside them is for notifications.
fn body(world: &World<'_>, place: Place<'_>, text: &str, list: &[serde_json::Value]) -> String {
    if list.is_empty() {
        format!(r#"<div class="bk-text">{}</div>"#, mrkdwn(&world.directory, text))
    } else {
        blocks(&world.directory, place, list)
    }
}

/// The mark in the metadata of the bot's posts, for the curious: `card`, `transition`, `relay`, `notice`.
fn event_type(message: &Message) -> String {
    let name = message.metadata.as_ref().and_then(|m| m.get("event_type")).and_then(serde_json::Value::as_str);
    name.and_then(|n| n.strip_prefix("bobbin_")).unwrap_or_default().to_owned()
}

/// What only the viewer sees in a channel or thread.
pub(super) fn ephemerals(world: &World<'_>, channel: &ChannelId, root: Option<&Ts>) -> Vec<MessageView> {
    let viewer = world.selection.viewer.as_ref();
    let meant = |e: &&Ephemeral| &e.channel == channel && Some(&e.user) == viewer && e.thread_ts.as_ref() == root;
    world.slack.ephemerals.iter().filter(meant).map(|e| MessageView::ephemeral(world, e)).collect()
}

/// Orders messages by time and marks days and runs of one person.
pub(super) fn arrange(messages: &mut [MessageView]) {
    messages.sort_by_key(|m| m.ts.parse::<Ts>().ok());
    let mut before: Option<(String, i64, String, bool)> = None;
    for message in messages {
        let seconds: i64 = message.ts.split('.').next().and_then(|s| s.parse().ok()).unwrap_or(0);
        message.lead = match &before {
            Some((.., day, _)) if day != &message.time.day => Lead::Day,
            None => Lead::Day,
            Some((name, at, _, special)) => {
                let near = seconds - at < GROUP_SECONDS && !special && message.only_you.is_none();
                if near && name == &message.name && message.kind != "card" { Lead::Run } else { Lead::Head }
            }
        };
        let special = message.only_you.is_some() || message.deleted;
        before = Some((message.name.clone(), seconds, message.time.day.clone(), special));
    }
}
