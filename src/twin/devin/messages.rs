//! Messages: the conversation of a session.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    api::{Asked, Given, Problem, Reply},
    check::Fields,
    objects::{self, View},
    sessions::{answer, as_user, existing, known_files, missing, over},
    state::{Session, SessionMessage, Source, State},
};
use crate::{
    clock::later,
    domain::{
        ids::{DevinUserId, SessionId},
        status::{Detail, Status},
    },
    twin::ids::unique,
};

pub(super) fn list(asked: &mut Asked<'_>) -> Reply {
    let id = existing(asked)?;
    let session = asked.state.session(&id).ok_or_else(missing)?;
    let (lag, now) = (asked.state.messages_lag, asked.now);
    let before = usize::from(!asked.state.left_open.prompt_is_message);
    let listed = session.messages.iter().skip(before).filter(|message| later(message.created_at, lag) <= now);
    let items: Vec<(String, Value)> =
        listed.map(|message| (message.event_id.clone(), objects::message(message))).collect();
    let query = asked.query.clone();
    asked.state.page(&query, &format!("messages {id}"), items).map(Given::Body)
}

pub(super) fn send(asked: &mut Asked<'_>) -> Reply {
    let body = asked.json().clone();
    let mut fields = Fields::of(&body);
    let message = fields.required("message");
    let urls = fields.urls("attachment_urls");
    let message_as = fields.text("message_as_user_id");
    fields.done()?;
    let id = existing(asked)?;
    let user = as_user(asked, message_as)?;
    let session = asked.state.session(&id).ok_or_else(missing)?;
    if session.archived {
        return Err(Problem::new(400, "Devin session is archived"));
    }
    if over(session) && !asked.state.left_open.takes_when_over {
        return Err(Problem::new(400, "Devin session already exited"));
    }
    if session.status == Status::Suspended && session.extras.resumable == Some(false) {
        return Err(Problem::new(400, "Devin session is not resumable"));
    }
    let files = known_files(asked.state, &urls);
    if let Some(session) = asked.state.session_mut(&id) {
        session.files.extend(files);
    }
    asked.state.tell(asked.now, &id, message, user, urls);
    asked.state.react(&id, asked.now);
    answer(asked.state, &id, View::Written)
}

impl State {
    /// Adds a person's message to a session.
    pub(super) fn tell(
        &mut self,
        now: Timestamp,
        id: &SessionId,
        message: String,
        as_user: Option<DevinUserId>,
        attachment_urls: Vec<String>,
    ) {
        let moves = self.messages_move_updated_at;
        let Some(session) = self.session_mut(id) else { return };
        let event_id = event_id(now);
        let source = Source::User;
        session.messages.push(SessionMessage { event_id, source, message, created_at: now, as_user, attachment_urls });
        if moves {
            session.updated_at = now;
        }
    }

    /// Adds Devin's words to a session.
    pub(super) fn speak(&mut self, now: Timestamp, id: &SessionId, message: String) -> Option<String> {
        let moves = self.messages_move_updated_at;
        let session = self.session_mut(id)?;
        let event_id = event_id(now);
        session.messages.push(SessionMessage {
            event_id: event_id.clone(),
            source: Source::Devin,
            message,
            created_at: now,
            as_user: None,
            attachment_urls: Vec::new(),
        });
        if moves {
            session.updated_at = now;
        }
        Some(event_id)
    }

    /// What a message does to a session: it wakes a sleeping one and sets a waiting one to work.
    fn react(&mut self, id: &SessionId, now: Timestamp) {
        let Some(session) = self.session_mut(id) else { return };
        let waiting = matches!(session.detail, Some(Detail::WaitingForUser | Detail::Finished));
        if session.status == Status::Suspended {
            session.wake(now);
        } else if session.status == Status::Running && waiting {
            session.become_status(now, Status::Running, Some(Detail::Working));
        }
        self.continue_script(id, now);
    }
}

impl Session {
    /// Sets the status and moves `updated_at`.
    pub(super) fn become_status(&mut self, now: Timestamp, status: Status, detail: Option<Detail>) {
        (self.status, self.detail, self.updated_at) = (status, detail, now);
    }
}

fn event_id(now: Timestamp) -> String {
    format!("event-{}", unique(now).simple())
}
