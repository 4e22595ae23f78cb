//! What the templates print, made from the twins' state. Nothing here changes anything, and nothing in the templates
//! decides anything: a template that computes cannot be tested.

mod conversation;
mod devin;
mod faults;
mod message;
mod modal;
mod people;
mod sidebar;

use jiff::Timestamp;

pub(super) use self::{
    conversation::{ChannelPart, ThreadPart},
    devin::{SessionPart, SessionsPart, state_of},
    faults::{BannerPart, FaultsPart, Preset, Scope, active, preset},
    message::MessageView,
    modal::ModalPart,
    people::PersonView,
    sidebar::{SidebarPart, TabsPart},
};
use super::{render::Directory, select::Selection};
use crate::{
    domain::ids::Ts,
    twin::{devin as devin_twin, slack},
};

/// How many colours avatars have; the style sheet has as many.
const HUES: usize = 8;

/// What every part is made from.
pub(super) struct World<'a> {
    /// Slack's side.
    pub slack: &'a slack::State,
    /// Devin's side.
    pub devin: &'a devin_twin::State,
    /// What is shown.
    pub selection: &'a Selection,
    /// Names for the renderer.
    pub directory: Directory,
    /// Hidden form fields that keep the selection, as HTML.
    pub keep: String,
    /// The twins' time.
    pub now: Timestamp,
}

impl<'a> World<'a> {
    /// Gathers what the parts need.
    pub(super) fn new(
        (slack, devin): (&'a slack::State, &'a devin_twin::State),
        selection: &'a Selection,
        now: Timestamp,
    ) -> Self {
        let directory = Directory {
            users: slack.users.values().map(|u| (u.id.to_string(), shown_name(u).to_owned())).collect(),
            channels: slack.channels.values().map(|c| (c.id.to_string(), c.name.clone())).collect(),
            sessions: devin.sessions.iter().map(|s| s.id.bare().to_owned()).collect(),
            host: format!("{}.slack.com", slack.team.domain),
            viewer: selection.viewer.as_ref().map(ToString::to_string).unwrap_or_default(),
            query: Selection { session_chosen: false, edit: None, ..selection.clone() }
                .in_pane(super::select::Pane::Chat)
                .query(),
        };
        Self { slack, devin, selection, directory, keep: selection.editing(None).hidden(), now }
    }
}

/// A time for people and for machines.
#[derive(Debug, Clone)]
pub(super) struct Moment {
    /// RFC 3339, which the script turns into the reader's own time.
    pub iso: String,
    /// Hours and minutes, UTC.
    pub short: String,
    /// The day, for the lines between days.
    pub day: String,
}

impl Moment {
    fn at(timestamp: Timestamp) -> Self {
        let show = |pattern: &str| timestamp.strftime(pattern).to_string();
        Self { iso: show("%Y-%m-%dT%H:%M:%SZ"), short: show("%H:%M"), day: show("%A, %-d %B") }
    }

    fn of(ts: &Ts) -> Self {
        let seconds = ts.as_str().split('.').next().and_then(|text| text.parse().ok()).unwrap_or(0);
        Self::at(Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH))
    }
}

/// What stands in for a portrait.
#[derive(Debug, Clone)]
pub(super) struct Avatar {
    /// One or two letters.
    pub initials: String,
    /// Class of its colour.
    pub hue: String,
    /// Whether it is the bot's own mark.
    pub bot: bool,
}

impl Avatar {
    /// By the name alone, so that one person has one colour on both sides.
    fn named(name: &str) -> Self {
        let letters = name.split_whitespace().filter_map(|word| word.chars().next()).take(2);
        let sum: usize = name.bytes().map(usize::from).sum();
        Self {
            initials: letters.flat_map(char::to_uppercase).collect(),
            hue: format!("hue-{}", sum % HUES),
            bot: false,
        }
    }

    fn of(slack: &slack::State, user: &slack::User) -> Self {
        Self { bot: user.id == slack.app.bot_user, ..Self::named(shown_name(user)) }
    }
}

/// The name people see.
fn shown_name(user: &slack::User) -> &str {
    if user.real_name.is_empty() { &user.name } else { &user.real_name }
}

/// The bot's name as people see it.
fn bot_name(slack: &slack::State) -> String {
    slack.users.get(&slack.app.bot_user).map_or_else(|| slack.app.name.clone(), |user| shown_name(user).to_owned())
}

/// `1 reply`, `2 replies`.
fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
