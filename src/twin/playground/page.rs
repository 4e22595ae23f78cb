//! The page and its parts. The page is its parts in a frame: what the live stream refreshes is rendered by the same
//! code as what was there first.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
};

use askama::Template;
use axum::{
    extract::{Path, Query as UrlQuery, State},
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};

use super::{
    Playground,
    select::{Pane, Query, Selection},
    view::{
        BannerPart, ChannelPart, FaultsPart, ModalPart, SessionPart, SessionsPart, SidebarPart, TabsPart, ThreadPart,
        World, active,
    },
};

/// The sentence that the welcome card offers.
const SUGGESTION: &str = "@bobbin fix the flaky login test";

/// One part of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Banner,
    Sidebar,
    Channel,
    Thread,
    Sessions,
    Session,
    Faults,
    Tabs,
    Modal,
}

impl Part {
    /// All of them, in the order of the page.
    pub(super) const ALL: [Self; 9] = [
        Self::Banner,
        Self::Sidebar,
        Self::Channel,
        Self::Thread,
        Self::Sessions,
        Self::Session,
        Self::Faults,
        Self::Tabs,
        Self::Modal,
    ];

    /// As it stands in addresses and in the elements' ids.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Banner => "banner",
            Self::Sidebar => "sidebar",
            Self::Channel => "channel",
            Self::Thread => "thread",
            Self::Sessions => "sessions",
            Self::Session => "session",
            Self::Faults => "faults",
            Self::Tabs => "tabs",
            Self::Modal => "modal",
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "playground/page.html")]
struct Page {
    team: String,
    pane: &'static str,
    thread_open: bool,
    notice: &'static str,
    banner: String,
    sidebar: String,
    channel: String,
    thread: String,
    sessions: String,
    session: String,
    faults: String,
    tabs: String,
    modal: String,
}

/// `GET /playground`.
pub(super) async fn page(State(playground): State<Playground>, UrlQuery(query): UrlQuery<Query>) -> Response {
    finish(whole(&playground, &query))
}

/// `GET /playground/part/{name}`.
pub(super) async fn part(
    State(playground): State<Playground>,
    Path(name): Path<String>,
    UrlQuery(query): UrlQuery<Query>,
) -> Response {
    match Part::ALL.into_iter().find(|part| part.name() == name) {
        Some(part) => finish(playground.look(&query, |view| view.render(part))),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// What each part looks like now, as numbers to compare.
pub(super) fn fingerprints(playground: &Playground, query: &Query) -> Vec<(&'static str, u64)> {
    playground.look(query, |view| {
        let print = |part: Part| {
            let mut hasher = DefaultHasher::new();
            view.render(part).unwrap_or_default().hash(&mut hasher);
            (part.name(), hasher.finish())
        };
        Part::ALL.into_iter().map(print).collect()
    })
}

/// The twins while they are looked at.
pub(super) struct View<'a> {
    world: World<'a>,
    broken: Vec<(super::view::Preset, super::view::Scope)>,
    draft: Option<String>,
}

impl Playground {
    /// Looks at both twins under one selection.
    pub(super) fn look<R>(&self, query: &Query, look: impl FnOnce(&View<'_>) -> R) -> R {
        let broken = active(self.slack.faults(), self.devin.faults());
        let now = self.slack.now();
        // Always Slack first, so that two looks can never wait for each other.
        self.slack.read(|slack| {
            self.devin.read(|devin| {
                let selection = Selection::resolve(query, slack, devin);
                let draft = query.draft.as_ref().map(|_| SUGGESTION.to_owned());
                look(&View { world: World::new((slack, devin), &selection, now), broken, draft })
            })
        })
    }
}

impl View<'_> {
    fn render(&self, part: Part) -> askama::Result<String> {
        let world = &self.world;
        match part {
            Part::Banner => BannerPart::new(world, &self.broken).render(),
            Part::Sidebar => SidebarPart::new(world).render(),
            Part::Channel => ChannelPart::new(world, self.draft.clone()).render(),
            Part::Thread => ThreadPart::new(world).render(),
            Part::Sessions => SessionsPart::new(world).render(),
            Part::Session => SessionPart::new(world).render(),
            Part::Faults => FaultsPart::new(world, &self.broken).render(),
            Part::Tabs => TabsPart::new(world).render(),
            Part::Modal => ModalPart::new(world).render(),
        }
    }
}

fn whole(playground: &Playground, query: &Query) -> askama::Result<String> {
    playground.look(query, |view| {
        let selection: &Selection = view.world.selection;
        let page = Page {
            team: view.world.slack.team.name.clone(),
            pane: selection.pane.as_str(),
            thread_open: selection.thread.is_some(),
            notice: notice(query.notice.as_deref()),
            banner: view.render(Part::Banner)?,
            sidebar: view.render(Part::Sidebar)?,
            channel: view.render(Part::Channel)?,
            thread: view.render(Part::Thread)?,
            sessions: view.render(Part::Sessions)?,
            session: view.render(Part::Session)?,
            faults: view.render(Part::Faults)?,
            tabs: view.render(Part::Tabs)?,
            modal: view.render(Part::Modal)?,
        };
        debug_assert!(selection.thread.is_some() || selection.pane != Pane::Thread, "a closed thread in front");
        page.render()
    })
}

/// What a remark in the address says; the address names it only, so that nobody can put words on the page by a link.
fn notice(name: Option<&str>) -> &'static str {
    match name {
        Some("empty") => "There was nothing to send.",
        Some("member") => "This person is not in that channel.",
        Some("gone") => "That message, button or session is not there any more.",
        Some("refused") => "Slack does not let this person do that.",
        Some("command") => "Slack takes no commands in threads.",
        Some(_) => "That did not work.",
        None => "",
    }
}

fn finish(rendered: askama::Result<String>) -> Response {
    match rendered {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!(%error, "the playground page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
