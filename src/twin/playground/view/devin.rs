//! Devin's side: the list of sessions, and one of them with everything that can be done to it.

use askama::Template;

use super::{Avatar, Moment, World, counted};
use crate::{
    domain::{
        ids::DevinUserId,
        status::{Detail, Status},
    },
    twin::{
        devin::{self, Session, Source},
        playground::{
            render::{escaped, markdown},
            select::{Pane, Selection},
        },
    },
};

/// The list of sessions, newest first.
#[derive(Debug, Template)]
#[template(path = "playground/sessions.html")]
pub(crate) struct SessionsPart {
    keep: String,
    sessions: Vec<SessionRow>,
    count: String,
    scripted: bool,
}

#[derive(Debug)]
struct SessionRow {
    title: String,
    owner: String,
    chip: Chip,
    current: bool,
    archived: bool,
    url: String,
}

/// One session.
#[derive(Debug, Template)]
#[template(path = "playground/session.html")]
pub(crate) struct SessionPart {
    shown: Option<Shown>,
}

#[derive(Debug)]
struct Shown {
    id: String,
    keep: String,
    title: String,
    chip: Chip,
    owner: String,
    owner_avatar: Avatar,
    created: Moment,
    facts: Vec<(&'static str, String)>,
    thread_url: Option<String>,
    playing: bool,
    archived: bool,
    pulls: Vec<PullView>,
    messages: Vec<LineView>,
    groups: Vec<StateGroup>,
    statuses: Vec<&'static str>,
    details: Vec<&'static str>,
}

#[derive(Debug)]
struct PullView {
    url: String,
    label: String,
    state: String,
    tone: &'static str,
    open: bool,
}

#[derive(Debug)]
struct LineView {
    devin: bool,
    name: String,
    time: Moment,
    html: String,
}

#[derive(Debug)]
struct StateGroup {
    name: &'static str,
    folded: bool,
    states: Vec<StateButton>,
}

#[derive(Debug)]
struct StateButton {
    value: String,
    label: String,
    tone: &'static str,
    current: bool,
}

/// A status in colour and words.
#[derive(Debug, Clone)]
struct Chip {
    label: String,
    tone: &'static str,
    busy: bool,
}

impl SessionsPart {
    pub(crate) fn new(world: &World<'_>) -> Self {
        let row = |s: &Session| SessionRow {
            title: s.title.clone(),
            owner: owner(world.devin, s),
            chip: Chip::of(&s.status, s.detail.as_ref()),
            current: world.selection.session.as_ref() == Some(&s.id),
            archived: s.archived,
            url: world.selection.at_session(&s.id).url(),
        };
        Self {
            keep: world.keep.clone(),
            sessions: world.devin.sessions.iter().rev().map(row).collect(),
            count: counted(world.devin.sessions.len(), "session", "sessions"),
            scripted: world.devin.scripted,
        }
    }
}

impl SessionPart {
    pub(crate) fn new(world: &World<'_>) -> Self {
        let found = world.selection.session.as_ref().and_then(|id| world.devin.session(id));
        Self { shown: found.map(|session| Shown::new(world, session)) }
    }
}

impl Shown {
    fn new(world: &World<'_>, session: &Session) -> Self {
        let owner = owner(world.devin, session);
        let spoken = |m: &devin::SessionMessage| LineView {
            devin: m.source == Source::Devin,
            name: match (m.source, &m.as_user) {
                (Source::Devin, _) => "Devin".to_owned(),
                (Source::User, Some(id)) => member_name(world.devin, id),
                (Source::User, None) => owner.clone(),
            },
            time: Moment::at(m.created_at),
            html: line(world, &m.message),
        };
        // Forms on this side keep showing this session, even when it was shown for its thread only.
        let selection = Selection { session_chosen: true, pane: Pane::Devin, ..world.selection.clone() };
        Self {
            id: session.id.bare().to_owned(),
            keep: selection.hidden(),
            title: session.title.clone(),
            chip: Chip::of(&session.status, session.detail.as_ref()),
            owner_avatar: Avatar::named(&owner),
            created: Moment::at(session.created_at),
            facts: facts(session),
            thread_url: thread_url(world, session),
            playing: session.scripted,
            archived: session.archived,
            pulls: session.pull_requests.iter().map(PullView::new).collect(),
            messages: session.messages.iter().map(spoken).collect(),
            groups: groups(session),
            statuses: Status::DOCUMENTED.iter().map(Status::as_str).collect(),
            details: Detail::DOCUMENTED.iter().map(Detail::as_str).collect(),
            owner,
        }
    }
}

impl PullView {
    fn new(pull: &devin::PullRequest) -> Self {
        let tail: Vec<&str> = pull.url.rsplit('/').take(3).collect();
        let label = match tail.as_slice() {
            [number, _, repo] => format!("{repo} #{number}"),
            _ => pull.url.clone(),
        };
        let tone = match pull.state.as_str() {
            "merged" => "tone-violet",
            "open" => "tone-good",
            _ => "tone-plain",
        };
        Self { url: pull.url.clone(), label, state: pull.state.clone(), tone, open: pull.state == "open" }
    }
}

impl Chip {
    fn of(status: &Status, detail: Option<&Detail>) -> Self {
        let label = match (status, detail) {
            (Status::Running, Some(detail)) => detail.as_str().replace('_', " "),
            (_, Some(detail)) => format!("{status} · {}", detail.as_str().replace('_', " ")),
            (_, None) => status.to_string(),
        };
        let busy = matches!(status, Status::New | Status::Claimed | Status::Resuming)
            || matches!((status, detail), (Status::Running, None | Some(Detail::Working)));
        Self { label, tone: tone(status, detail), busy }
    }
}

/// A status and a detail as the buttons write them, `running/working`; the detail may be missing.
pub(crate) fn state_of(value: &str) -> (Status, Option<Detail>) {
    let (status, detail) = value.split_once('/').unwrap_or((value, ""));
    (Status::from(status.to_owned()), (!detail.is_empty()).then(|| Detail::from(detail.to_owned())))
}

fn tone(status: &Status, detail: Option<&Detail>) -> &'static str {
    match (status, detail) {
        (Status::Error, _) => "tone-bad",
        (Status::Running, Some(Detail::WaitingForUser | Detail::WaitingForApproval)) => "tone-warn",
        (Status::Running, Some(Detail::Finished)) => "tone-good",
        (Status::Running | Status::New | Status::Claimed | Status::Resuming, _) => "tone-info",
        (Status::Suspended, _) => "tone-violet",
        (Status::Exit, _) => "tone-plain",
        (Status::Other(_), _) => "tone-rose",
    }
}

/// Every documented status with every detail it can have.
fn groups(session: &Session) -> Vec<StateGroup> {
    let running = |d: &Detail| {
        matches!(d, Detail::Working | Detail::WaitingForUser | Detail::WaitingForApproval | Detail::Finished)
    };
    let button = |status: &Status, detail: Option<&Detail>| StateButton {
        value: format!("{status}/{}", detail.map(Detail::as_str).unwrap_or_default()),
        label: detail.map_or_else(|| status.to_string(), |d| d.as_str().replace('_', " ")),
        tone: tone(status, detail),
        current: &session.status == status && session.detail.as_ref() == detail,
    };
    let with = |status: Status, wanted: &dyn Fn(&Detail) -> bool| -> Vec<StateButton> {
        Detail::DOCUMENTED.iter().filter(|d| wanted(d)).map(|d| button(&status, Some(d))).collect()
    };
    let others = Status::DOCUMENTED.iter().filter(|s| !matches!(s, Status::Running | Status::Suspended));
    let asleep = session.status == Status::Suspended;
    vec![
        StateGroup { name: "Running", folded: false, states: with(Status::Running, &running) },
        StateGroup { name: "Other", folded: false, states: others.map(|s| button(s, None)).collect() },
        StateGroup { name: "Suspended", folded: !asleep, states: with(Status::Suspended, &|d| !running(d)) },
    ]
}

fn facts(session: &Session) -> Vec<(&'static str, String)> {
    let mut facts = vec![("Session", session.id.bare().to_owned())];
    if session.acus > 0.0 {
        facts.push(("ACUs", format!("{:.1}", session.acus)));
    }
    if let Some(playbook) = &session.playbook_id {
        facts.push(("Playbook", playbook.clone()));
    }
    if let Some(mode) = &session.devin_mode {
        facts.push(("Mode", mode.clone()));
    }
    if !session.repos.is_empty() {
        facts.push(("Repositories", session.repos.join(", ")));
    }
    if !session.attachment_urls.is_empty() {
        facts.push(("Files", session.attachment_urls.len().to_string()));
    }
    facts
}

/// The thread that a session's tag names, if the viewer can open it.
fn thread_url(world: &World<'_>, session: &Session) -> Option<String> {
    let place = session.tags.iter().find_map(|tag| tag.strip_prefix("bobbin-thread:"))?;
    let (_, place) = place.split_once('/')?;
    let (channel, root) = place.split_once('/')?;
    let (channel, root) = (channel.parse().ok()?, root.parse().ok()?);
    world.slack.channels.get(&channel)?;
    Some(world.selection.at_thread(&channel, &root).url())
}

/// What somebody said; a file is announced by a line of its own that only programs like to read.
fn line(world: &World<'_>, message: &str) -> String {
    let file = message
        .strip_prefix("ATTACHMENT:")
        .and_then(|mark| serde_json::from_str::<serde_json::Value>(mark).ok())
        .and_then(|mark| Some(mark.get("name")?.as_str()?.to_owned()));
    match file {
        Some(name) => format!("<p>📎 {}</p>", escaped(&name)),
        None => markdown(&world.directory, message),
    }
}

/// As whom a session runs.
fn owner(devin: &devin::State, session: &Session) -> String {
    match (&session.user_id, &session.service_user_id) {
        (Some(id), _) => member_name(devin, id),
        (None, Some(_)) => "the service user".to_owned(),
        (None, None) => "nobody".to_owned(),
    }
}

fn member_name(devin: &devin::State, id: &DevinUserId) -> String {
    let found = devin.users.iter().chain(&devin.idp_users).find(|m| &m.id == id);
    found.and_then(|m| m.name.clone().or_else(|| m.email.clone())).unwrap_or_else(|| id.to_string())
}
