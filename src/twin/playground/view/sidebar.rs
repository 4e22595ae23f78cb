//! The left column: workspace, conversations, people; and the tabs of narrow screens.

use askama::Template;

use super::{PersonView, World};
use crate::twin::{
    playground::select::{Pane, visible},
    slack::{Channel, ChannelKind},
};

/// The left column.
#[derive(Debug, Template)]
#[template(path = "playground/sidebar.html")]
pub(crate) struct SidebarPart {
    team: String,
    channels: Vec<ChannelLink>,
    people: Vec<PersonView>,
    keep: String,
}

#[derive(Debug)]
struct ChannelLink {
    name: String,
    mark: &'static str,
    mark_label: &'static str,
    note: &'static str,
    current: bool,
    url: String,
    /// The direct conversation: opening it is told to the app.
    direct: bool,
    channel: String,
}

impl SidebarPart {
    pub(crate) fn new(world: &World<'_>) -> Self {
        let Some(viewer) = &world.selection.viewer else {
            return Self {
                team: world.slack.team.name.clone(),
                channels: Vec::new(),
                people: Vec::new(),
                keep: String::new(),
            };
        };
        let mut channels: Vec<&Channel> = world.slack.channels.values().filter(|c| visible(c, viewer)).collect();
        channels.sort_by_key(|c| (c.id.is_direct(), c.archived, c.name.clone()));
        Self {
            team: world.slack.team.name.clone(),
            channels: channels.into_iter().map(|c| ChannelLink::new(world, c)).collect(),
            people: PersonView::all(world),
            keep: world.keep.clone(),
        }
    }
}

impl ChannelLink {
    fn new(world: &World<'_>, channel: &Channel) -> Self {
        let viewer = world.selection.viewer.as_ref();
        let joined = viewer.is_some_and(|id| channel.members.contains(id));
        let direct = matches!(channel.kind, ChannelKind::Direct(_));
        let (mark, mark_label) = match channel.kind {
            ChannelKind::Public => ("#", "channel"),
            ChannelKind::Private => ("lock", "private channel"),
            ChannelKind::Direct(_) => ("@", "direct message"),
        };
        let note = match channel {
            c if c.archived => "archived",
            c if !direct && !c.members.contains(&world.slack.app.bot_user) => "no bot",
            c if !c.shared_with.is_empty() => "shared",
            _ if !direct && !joined => "not joined",
            _ => "",
        };
        Self {
            name: if direct { super::bot_name(world.slack) } else { channel.name.clone() },
            mark,
            mark_label,
            note,
            current: world.selection.channel.as_ref() == Some(&channel.id),
            url: world.selection.at_channel(&channel.id).url(),
            direct,
            channel: channel.id.to_string(),
        }
    }
}

/// The tabs of narrow screens.
#[derive(Debug, Template)]
#[template(path = "playground/tabs.html")]
pub(crate) struct TabsPart {
    tabs: Vec<Tab>,
}

#[derive(Debug)]
struct Tab {
    label: &'static str,
    current: bool,
    url: String,
}

impl TabsPart {
    pub(crate) fn new(world: &World<'_>) -> Self {
        let all = [("People", Pane::People), ("Chat", Pane::Chat), ("Thread", Pane::Thread), ("Devin", Pane::Devin)];
        let tabs = all
            .into_iter()
            .filter(|(_, pane)| *pane != Pane::Thread || world.selection.thread.is_some())
            .map(|(label, pane)| Tab {
                label,
                current: world.selection.pane == pane,
                url: world.selection.in_pane(pane).url(),
            })
            .collect();
        Self { tabs }
    }
}
