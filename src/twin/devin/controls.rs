//! What tests and the playground do with sessions by hand. Taking control ends the session's script.

use super::{
    attachments::address,
    server::DevinTwin,
    sessions::first_line,
    state::{Attachment, PullRequest, Session, SessionFile, Source, State},
};
use crate::{
    domain::{
        ids::SessionId,
        status::{Detail, Status},
    },
    twin::ids::unique,
};

/// There is no such session.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no session {0}")]
pub struct NoSession(pub SessionId);

impl DevinTwin {
    /// Gives a session a status, also one that the real Devin has no name for yet.
    ///
    /// # Errors
    ///
    /// There is no such session.
    pub fn set(&self, id: &SessionId, status: Status, detail: Option<Detail>) -> Result<(), NoSession> {
        let now = self.now();
        self.with(id, |session| session.become_status(now, status, detail))
    }

    /// Devin says something in a session; gives the `event_id`.
    ///
    /// # Errors
    ///
    /// There is no such session.
    pub fn say(&self, id: &SessionId, text: &str) -> Result<String, NoSession> {
        let now = self.now();
        self.with(id, |_| ())?;
        self.change(|state| state.speak(now, id, text.to_owned())).ok_or_else(|| NoSession(id.clone()))
    }

    /// Devin shows a file in a session: it is listed, and a message carries its address.
    ///
    /// # Errors
    ///
    /// There is no such session.
    pub fn attach(&self, id: &SessionId, name: &str, content_type: &str, bytes: &[u8]) -> Result<String, NoSession> {
        let now = self.now();
        let uuid = unique(now).to_string();
        self.with(id, |session| session.files.push(SessionFile { uuid: uuid.clone(), source: Source::Devin }))?;
        let file = Attachment {
            uuid: uuid.clone(),
            name: name.to_owned(),
            content_type: Some(content_type.to_owned()),
            bytes: bytes.to_vec(),
        };
        let said = self.change(|state| {
            let mark = serde_json::json!({ "url": address(state, &file), "name": name });
            state.attachments.insert(uuid, file);
            state.speak(now, id, format!("ATTACHMENT:{mark}"))
        });
        said.ok_or_else(|| NoSession(id.clone()))
    }

    /// Devin opens a pull request; gives its address.
    ///
    /// # Errors
    ///
    /// There is no such session.
    pub fn open_pr(&self, id: &SessionId) -> Result<String, NoSession> {
        let now = self.now();
        self.with(id, |_| ())?;
        self.change(|state| state.open_pr(id, now)).ok_or_else(|| NoSession(id.clone()))
    }

    /// Somebody merges a pull request.
    ///
    /// # Errors
    ///
    /// There is no such session.
    pub fn merge_pr(&self, id: &SessionId, url: &str) -> Result<(), NoSession> {
        self.settle_pr(id, url, "merged")
    }

    /// Somebody closes a pull request without merging it.
    ///
    /// # Errors
    ///
    /// There is no such session.
    pub fn close_pr(&self, id: &SessionId, url: &str) -> Result<(), NoSession> {
        self.settle_pr(id, url, "closed")
    }

    /// Devin has used so many agent compute units.
    ///
    /// # Errors
    ///
    /// There is no such session.
    pub fn use_acus(&self, id: &SessionId, acus: f64) -> Result<(), NoSession> {
        let now = self.now();
        self.with(id, |session| (session.acus, session.updated_at) = (acus, now))
    }

    /// A session stops doing things on its own.
    ///
    /// # Errors
    ///
    /// There is no such session.
    pub fn pause_script(&self, id: &SessionId) -> Result<(), NoSession> {
        self.with(id, |_| ())
    }

    fn settle_pr(&self, id: &SessionId, url: &str, to: &str) -> Result<(), NoSession> {
        let now = self.now();
        self.with(id, |session| {
            for request in session.pull_requests.iter_mut().filter(|request| request.url == url) {
                to.clone_into(&mut request.state);
                session.updated_at = now;
            }
        })
    }

    /// Takes control of a session and changes it.
    fn with<R>(&self, id: &SessionId, edit: impl FnOnce(&mut Session) -> R) -> Result<R, NoSession> {
        let now = self.now();
        self.change(|state| {
            state.advance(now);
            let session = state.session_mut(id).ok_or_else(|| NoSession(id.clone()))?;
            session.script.clear();
            session.scripted = false;
            Ok(edit(session))
        })
    }
}

impl State {
    /// Opens a pull request in the session's first repository.
    pub(super) fn open_pr(&mut self, id: &SessionId, now: jiff::Timestamp) -> Option<String> {
        let number = 40 + self.next_id();
        let session = self.session_mut(id)?;
        let repo = session.repos.first().cloned().unwrap_or_else(|| "acme/api".to_owned());
        let url = format!("https://github.com/{repo}/pull/{number}");
        session.pull_requests.push(PullRequest { url: url.clone(), state: "open".to_owned() });
        session.updated_at = now;
        Some(url)
    }

    /// What a session was asked for, in one line.
    pub(super) fn task(&self, id: &SessionId) -> String {
        self.session(id).map(|session| first_line(&session.prompt)).unwrap_or_default()
    }
}
