//! Sessions: list, get, terminate, archive, tags.

use std::collections::BTreeSet;

use serde_json::json;

use super::{
    api::{Asked, Given, Problem, Reply},
    check::Fields,
    objects::{self, View},
    state::{Session, SessionFile, Source, State, TagFilter},
};
use crate::domain::{
    ids::{DevinUserId, SessionId},
    status::{Detail, Status},
};

/// Most tags of a session.
pub(super) const MAX_TAGS: usize = 50;
/// Longest title made from a prompt, in characters.
const TITLE_CHARS: usize = 60;

pub(super) fn get(asked: &mut Asked<'_>) -> Reply {
    let id = existing(asked)?;
    answer(asked.state, &id, View::Read)
}

pub(super) fn list(asked: &mut Asked<'_>) -> Reply {
    let query = asked.query.clone();
    let bounds = Bounds {
        created: (query.integer("created_after")?, query.integer("created_before")?),
        updated: (query.integer("updated_after")?, query.integer("updated_before")?),
        archived: query.flag("is_archived")?.or((!asked.state.left_open.shows_archived).then_some(false)),
    };
    let ids: BTreeSet<&str> =
        query.all("session_ids").into_iter().map(|id| id.strip_prefix("devin-").unwrap_or(id)).collect();
    let (tags, users) = (query.all("tags"), query.all("user_ids"));
    let (service_users, origins) = (query.all("service_user_ids"), query.all("origins"));
    let tag_filter = asked.state.tag_filter;
    let lag = asked.state.list_lag;
    let now = asked.now;
    let wanted = |session: &Session| {
        let has = |tag: &&str| session.tags.iter().any(|known| known == tag);
        let tagged = || match tag_filter {
            _ if tags.is_empty() => true,
            TagFilter::Any => tags.iter().any(has),
            TagFilter::All => tags.iter().all(has),
        };
        let owner = session.user_id.as_ref().map(DevinUserId::as_str);
        (ids.is_empty() || ids.contains(session.id.bare()))
            && bounds.hold(session)
            && crate::clock::later(session.created_at, lag) <= now
            && tagged()
            && (users.is_empty() || owner.is_some_and(|owner| users.contains(&owner)))
            && (service_users.is_empty()
                || session.service_user_id.as_deref().is_some_and(|id| service_users.contains(&id)))
            && (origins.is_empty() || origins.contains(&"api"))
    };
    let state = &*asked.state;
    let newest_first = state.sessions.iter().enumerate().rev().filter(|(_, session)| wanted(session));
    let rows: Vec<(String, usize)> = newest_first.map(|(at, session)| (session.id.bare().to_owned(), at)).collect();
    let write = |state: &State, at: usize| {
        state.sessions.get(at).map(|session| objects::session(state, session, View::Read)).unwrap_or_default()
    };
    asked.state.page_of(&query, "sessions", rows, write).map(Given::Body)
}

pub(super) fn terminate(asked: &mut Asked<'_>) -> Reply {
    let archive = asked.query.flag("archive")?.unwrap_or(false);
    let id = existing(asked)?;
    let now = asked.now;
    let session = asked.state.session_mut(&id).ok_or_else(missing)?;
    if over(session) {
        return Err(Problem::new(400, "Devin session already exited"));
    }
    session.archived |= archive;
    session.become_status(now, Status::Exit, None);
    session.script.clear();
    session.scripted = false;
    answer(asked.state, &id, View::Written)
}

pub(super) fn archive(asked: &mut Asked<'_>) -> Reply {
    let id = existing(asked)?;
    let now = asked.now;
    let session = asked.state.session_mut(&id).ok_or_else(missing)?;
    session.archived = true;
    session.script.clear();
    if !over(session) && session.status != Status::Suspended {
        session.become_status(now, Status::Suspended, Some(Detail::UserRequest));
    }
    session.updated_at = now;
    answer(asked.state, &id, View::Written)
}

pub(super) fn unarchive(asked: &mut Asked<'_>) -> Reply {
    let id = existing(asked)?;
    let now = asked.now;
    let session = asked.state.session_mut(&id).ok_or_else(missing)?;
    session.archived = false;
    session.updated_at = now;
    answer(asked.state, &id, View::Written)
}

pub(super) fn tags(asked: &mut Asked<'_>) -> Reply {
    let id = existing(asked)?;
    let session = asked.state.session(&id).ok_or_else(missing)?;
    Ok(Given::Body(json!({ "tags": session.tags })))
}

pub(super) fn append_tags(asked: &mut Asked<'_>) -> Reply {
    change_tags(asked, add_tags)
}

pub(super) fn replace_tags(asked: &mut Asked<'_>) -> Reply {
    change_tags(asked, |session, tags| {
        session.tags.clear();
        add_tags(session, tags);
    })
}

/// The session that the path names.
pub(super) fn existing(asked: &Asked<'_>) -> Result<SessionId, Problem> {
    let id: SessionId = asked.param("session").parse().map_err(|_| missing())?;
    asked.state.session(&id).map(|session| session.id.clone()).ok_or_else(missing)
}

/// 404 for a session.
pub(super) fn missing() -> Problem {
    Problem::new(404, "Session not found")
}

/// Whether a session came to its end.
pub(super) fn over(session: &Session) -> bool {
    matches!(session.status, Status::Exit | Status::Error)
}

/// A session as an answer.
pub(super) fn answer(state: &State, id: &SessionId, view: View) -> Reply {
    let session = state.session(id).ok_or_else(missing)?;
    Ok(Given::Body(objects::session(state, session, view)))
}

/// As whom something is done: the key must be allowed to, and the person must belong to the organisation.
pub(super) fn as_user(asked: &Asked<'_>, wanted: Option<String>) -> Result<Option<DevinUserId>, Problem> {
    let Some(wanted) = wanted else { return Ok(None) };
    asked.need("ImpersonateOrgSessions")?;
    let mut members = asked.state.users.iter().chain(&asked.state.idp_users);
    let member = members.find(|member| member.id.as_str() == wanted);
    member.map(|member| Some(member.id.clone())).ok_or_else(|| Problem::new(404, "User not found in organization"))
}

/// The uploaded files that addresses point to.
pub(super) fn known_files(state: &State, urls: &[String]) -> Vec<SessionFile> {
    let uuids = urls.iter().filter_map(|url| url.rsplit('/').nth(1));
    let known = uuids.filter(|uuid| state.attachments.contains_key(*uuid));
    known.map(|uuid| SessionFile { uuid: uuid.to_owned(), source: Source::User }).collect()
}

fn change_tags(asked: &mut Asked<'_>, change: fn(&mut Session, Vec<String>)) -> Reply {
    let body = asked.json().clone();
    let mut fields = Fields::of(&body);
    let tags = fields.texts_up_to("tags", MAX_TAGS);
    fields.done()?;
    let tags = tags.ok_or_else(|| super::check::invalid("body", "tags", "Field required", "missing"))?;
    let id = existing(asked)?;
    let now = asked.now;
    let session = asked.state.session_mut(&id).ok_or_else(missing)?;
    if session.archived {
        return Err(Problem::new(400, "Devin session is archived"));
    }
    let before = session.tags.clone();
    change(session, tags);
    if session.tags.len() > MAX_TAGS {
        session.tags = before;
        return Err(super::check::invalid("body", "tags", "List should have at most 50 items", "too_long"));
    }
    session.updated_at = now;
    Ok(Given::Body(json!({ "tags": session.tags })))
}

pub(super) fn add_tags(session: &mut Session, tags: Vec<String>) {
    for tag in tags {
        if !session.tags.contains(&tag) {
            session.tags.push(tag);
        }
    }
}

/// A prompt's first line, short enough for a title.
pub(super) fn first_line(prompt: &str) -> String {
    let line = prompt.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("Untitled");
    if line.chars().count() <= TITLE_CHARS {
        return line.to_owned();
    }
    let cut: String = line.chars().take(TITLE_CHARS).collect();
    format!("{}…", cut.trim_end())
}

/// Bounds of the list's filters; they exclude themselves.
struct Bounds {
    created: (Option<i64>, Option<i64>),
    updated: (Option<i64>, Option<i64>),
    archived: Option<bool>,
}

impl Bounds {
    fn hold(&self, session: &Session) -> bool {
        let within = |(after, before): (Option<i64>, Option<i64>), at: i64| {
            after.is_none_or(|after| at > after) && before.is_none_or(|before| at < before)
        };
        within(self.created, session.created_at.as_second())
            && within(self.updated, session.updated_at.as_second())
            && self.archived.is_none_or(|archived| session.archived == archived)
    }
}
