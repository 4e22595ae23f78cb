//! The middle: a channel with its messages, and the open thread beside it.
//!
//! A reply is shown in its thread only, unless it was sent to the channel as well; ephemeral messages are woven in by
//! time, and only before the eyes they were meant for.

use askama::Template;

use super::{
    MessageView, PersonView, World, bot_name, counted,
    message::{AgentView, arrange, ephemerals},
    shown_name,
};
use crate::{
    domain::ids::Ts,
    twin::{
        playground::{
            render::{Filled, Place, Spot, blocks},
            select::{Tab, thread_tag},
        },
        slack::{Channel, ChannelKind, Message},
    },
};

/// The channel.
#[derive(Debug, Template)]
#[template(path = "playground/channel.html")]
pub(crate) struct ChannelPart {
    title: String,
    mark: &'static str,
    about: String,
    messages: Vec<MessageView>,
    composer: Option<Composer>,
    closed: &'static str,
    /// The app's Home, when it is shown in place of the messages.
    home: Option<Home>,
    /// Forms of a direct conversation that switch between messages and Home.
    tabs: Option<DirectTabs>,
    /// What the app invites people to ask, in a direct conversation.
    prompts: Option<Invitation>,
    /// Whether nothing was asked of Devin yet, so that the page says what to try.
    welcome: bool,
    bot: String,
}

/// Suggested prompts.
#[derive(Debug)]
struct Invitation {
    title: String,
    /// Title and message of each.
    prompts: Vec<(String, String)>,
    channel: String,
    keep: String,
}

#[derive(Debug)]
struct Home {
    html: String,
}

#[derive(Debug)]
struct DirectTabs {
    channel: String,
    keep: String,
}

/// The open thread; empty when none is.
#[derive(Debug, Template)]
#[template(path = "playground/thread.html")]
pub(crate) struct ThreadPart {
    open: bool,
    place: String,
    close_url: String,
    session_url: Option<String>,
    root_missing: bool,
    /// The thread's title, in a direct conversation that has one.
    title: String,
    agent: Option<AgentView>,
    messages: Vec<MessageView>,
    status: Option<String>,
    composer: Option<Composer>,
}

/// The box to write in.
#[derive(Debug)]
pub(crate) struct Composer {
    id: &'static str,
    key: String,
    keep: String,
    reply_to: String,
    channel: String,
    person: PersonView,
    hint: String,
    pub(crate) draft: String,
    /// Names that can follow `@`, one per line.
    names: String,
    /// Commands, one per line; none in threads.
    commands: String,
    /// Global shortcuts: what the app reads, and what people read.
    shortcuts: Vec<(String, String)>,
}

impl ChannelPart {
    pub(crate) fn new(world: &World<'_>, draft: Option<String>) -> Self {
        let found = world.selection.channel.as_ref().and_then(|id| world.slack.channels.get(id));
        let bot = bot_name(world.slack);
        let welcome = world.devin.sessions.is_empty();
        let Some(channel) = found else {
            let closed = "There is no conversation to show.";
            let (title, about) = (world.slack.team.name.clone(), String::new());
            return Self {
                title,
                mark: "",
                about,
                messages: Vec::new(),
                composer: None,
                closed,
                home: None,
                tabs: None,
                prompts: None,
                welcome,
                bot,
            };
        };
        let in_channel = |m: &&Message| is_root(m) || m.subtype.as_deref() == Some("thread_broadcast");
        let shown = |m: &&Message| !m.deleted || channel.replies(&m.ts).next().is_some();
        let mut messages: Vec<MessageView> = channel
            .messages
            .iter()
            .filter(in_channel)
            .filter(shown)
            .map(|m| MessageView::new(world, channel, m, false))
            .collect();
        messages.extend(ephemerals(world, &channel.id, None));
        arrange(&mut messages);
        for message in &mut messages {
            message.fill_replies(world, channel);
        }
        let direct = channel.id.is_direct();
        Self {
            title: if direct { bot.clone() } else { channel.name.clone() },
            mark: if direct { "" } else { "#" },
            about: about(channel),
            messages,
            closed: closed(world, channel),
            composer: Composer::new(world, channel, None, draft),
            home: (direct && world.selection.tab == Tab::Home).then(|| Home::new(world)),
            tabs: direct.then(|| DirectTabs { channel: channel.id.to_string(), keep: world.keep.clone() }),
            prompts: world.slack.prompts.get(&channel.id).map(|prompts| Invitation {
                title: prompts.title.clone().unwrap_or_default(),
                prompts: prompts.prompts.clone(),
                channel: channel.id.to_string(),
                keep: world.keep.clone(),
            }),
            welcome,
            bot,
        }
    }
}

impl Home {
    fn new(world: &World<'_>) -> Self {
        let view = world.selection.viewer.as_ref().and_then(|user| world.slack.home(user));
        let Some(view) = view else { return Self { html: String::new() } };
        let values = view.values();
        let filled = Filled { values: &values, errors: &view.errors, offered: &view.offered };
        let place = Place { spot: Spot::Home(filled), keep: &world.keep, prefix: "home" };
        Self { html: blocks(&world.directory, place, view.blocks()) }
    }
}

impl ThreadPart {
    pub(crate) fn new(world: &World<'_>) -> Self {
        let selection = world.selection;
        let found = selection.channel.as_ref().and_then(|id| world.slack.channels.get(id));
        let (Some(channel), Some(root)) = (found, &selection.thread) else {
            return Self::closed(selection.without_thread().url());
        };
        let mut messages: Vec<MessageView> =
            channel.thread(root).map(|m| MessageView::new(world, channel, m, true)).collect();
        messages.extend(ephemerals(world, &channel.id, Some(root)));
        arrange(&mut messages);
        let tag = thread_tag(world.slack, &channel.id, root);
        Self {
            open: true,
            place: if channel.id.is_direct() { bot_name(world.slack) } else { format!("#{}", channel.name) },
            close_url: selection.without_thread().url(),
            session_url: world.devin.tagged(&tag).map(|s| selection.at_session(&s.id).url()),
            root_missing: world.slack.message(&channel.id, root).is_none(),
            title: world.slack.titles.get(&(channel.id.clone(), root.clone())).cloned().unwrap_or_default(),
            agent: AgentView::of(world, &channel.id, root),
            messages,
            status: channel.statuses.get(root).filter(|s| !s.is_empty()).cloned(),
            composer: Composer::new(world, channel, Some(root), None),
        }
    }

    fn closed(close_url: String) -> Self {
        Self {
            open: false,
            place: String::new(),
            close_url,
            session_url: None,
            root_missing: false,
            title: String::new(),
            agent: None,
            messages: Vec::new(),
            status: None,
            composer: None,
        }
    }
}

impl Composer {
    fn new(world: &World<'_>, channel: &Channel, root: Option<&Ts>, draft: Option<String>) -> Option<Self> {
        if !closed(world, channel).is_empty() {
            return None;
        }
        let person = PersonView::current(world)?;
        let first = person.name.split(' ').next().unwrap_or_default().to_owned();
        let hint = match (root, channel.id.is_direct()) {
            (Some(_), _) => format!("Reply as {first}"),
            (None, true) => format!("Write to {} as {first}", bot_name(world.slack)),
            (None, false) => format!("Write in #{} as {first}", channel.name),
        };
        // The bot first, as it is what most sentences begin with.
        let others = world.slack.users.values().filter(|u| !u.deleted && u.id != world.slack.app.bot_user);
        let names = std::iter::once(world.slack.app.name.clone()).chain(others.map(|u| shown_name(u).to_owned()));
        let features = &world.slack.features;
        let commands = features.commands.iter().filter(|_| root.is_none()).map(|(name, _)| name.as_str());
        let shortcuts = features.shortcuts.iter().filter(|one| !one.on_message);
        Some(Self {
            id: if root.is_some() { "compose-thread" } else { "compose-channel" },
            key: format!("{}/{}", channel.id, root.map(Ts::as_str).unwrap_or_default()),
            keep: world.keep.clone(),
            reply_to: root.map(ToString::to_string).unwrap_or_default(),
            channel: channel.id.to_string(),
            person,
            hint,
            draft: draft.unwrap_or_default(),
            names: names.filter(|n| !n.is_empty()).collect::<Vec<_>>().join("\n"),
            commands: commands.collect::<Vec<_>>().join("\n"),
            shortcuts: shortcuts.map(|one| (one.callback_id.clone(), one.name.clone())).collect(),
        })
    }
}

fn about(channel: &Channel) -> String {
    match &channel.kind {
        ChannelKind::Direct(_) => "direct message".to_owned(),
        ChannelKind::Private => format!("private · {}", counted(channel.members.len(), "member", "members")),
        ChannelKind::Public if !channel.shared_with.is_empty() => "shared with another workspace".to_owned(),
        ChannelKind::Public => counted(channel.members.len(), "member", "members"),
    }
}

/// Why nobody can write here; empty when they can.
fn closed(world: &World<'_>, channel: &Channel) -> &'static str {
    let viewer = world.selection.viewer.as_ref();
    let direct = channel.id.is_direct();
    if channel.archived {
        "This channel is archived."
    } else if !direct && !viewer.is_some_and(|id| channel.members.contains(id)) {
        "This person is not in the channel and can only read."
    } else {
        ""
    }
}

fn is_root(message: &Message) -> bool {
    message.thread_ts.as_ref().is_none_or(|root| root == &message.ts)
}
