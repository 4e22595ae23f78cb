//! Requests and answers of the v3 API.
//!
//! Reading is forgiving, because the vendor's schema grew several times within a year: apart from a session's id, what
//! is absent, null or of another type has a neutral value. <https://docs.devin.ai/v3-openapi.yaml>

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::domain::{
    announce::{About, Observation},
    ids::{DevinUserId, OrgId, SessionId},
    mailbox::ThreadKey,
    phase::State,
    status::{Detail, Status},
};

/// Times above this many seconds (the year 5138) are taken for milliseconds: the schema does not name its unit.
const MAX_PLAUSIBLE_SECONDS: f64 = 1e11;

/// Milliseconds in a second.
const MILLIS_PER_SECOND: f64 = 1e3;

/// A session.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Session {
    /// Which session.
    #[serde(rename = "session_id")]
    pub id: SessionId,
    /// Its page in the web app.
    #[serde(default, deserialize_with = "fitting")]
    pub url: String,
    /// What it is doing.
    #[serde(default = "unknown_status", deserialize_with = "status")]
    pub status: Status,
    /// More about that; absent in answers to writes.
    #[serde(default, rename = "status_detail", deserialize_with = "fitting")]
    pub detail: Option<Detail>,
    /// Its title.
    #[serde(default, deserialize_with = "fitting")]
    pub title: Option<String>,
    /// Its tags.
    #[serde(default, deserialize_with = "fitting_list")]
    pub tags: Vec<String>,
    /// When it was created, in seconds.
    #[serde(default, deserialize_with = "seconds")]
    pub created_at: i64,
    /// When it last changed, in seconds.
    #[serde(default, deserialize_with = "seconds")]
    pub updated_at: i64,
    /// What it has used, in ACUs; lags, and can read low at the end.
    #[serde(default, rename = "acus_consumed", deserialize_with = "fitting")]
    pub acus: f64,
    /// Its pull requests.
    #[serde(default, deserialize_with = "fitting_list")]
    pub pull_requests: Vec<PullRequest>,
    /// Put away: cannot be changed until it is taken out again.
    #[serde(default, rename = "is_archived", deserialize_with = "fitting")]
    pub archived: bool,
    /// The person who owns it.
    #[serde(default, deserialize_with = "fitting")]
    pub user_id: Option<DevinUserId>,
    /// The service user that created it.
    #[serde(default, deserialize_with = "fitting")]
    pub service_user_id: Option<String>,
    /// The organisation it runs in.
    #[serde(default, deserialize_with = "fitting")]
    pub org_id: Option<OrgId>,
    /// Its result in the form that was asked for; absent in answers to writes.
    #[serde(default, deserialize_with = "fitting")]
    pub structured_output: Option<Value>,
    /// What kind of work it is, such as `bug_fixing`; absent in answers to writes.
    #[serde(default, deserialize_with = "fitting")]
    pub category: Option<String>,
    /// The kind within the category; `Other` when it has none; absent in answers to writes.
    #[serde(default, deserialize_with = "fitting")]
    pub subcategory: Option<String>,
    /// Where it was started, such as `webapp`, `slack` or `api`.
    #[serde(default, deserialize_with = "fitting")]
    pub origin: Option<String>,
    /// The playbook it follows.
    #[serde(default, deserialize_with = "fitting")]
    pub playbook_id: Option<String>,
    /// The mode it really runs in; absent for previews without an equivalent.
    #[serde(default, deserialize_with = "fitting")]
    pub devin_mode: Option<String>,
}

impl Session {
    /// The thread that its tags name.
    pub fn thread(&self) -> Option<ThreadKey> {
        self.tags.iter().find_map(|tag| ThreadKey::from_tag(tag))
    }

    /// This answer as one look at the session.
    pub fn observe(&self, seen_at: Timestamp) -> Observation {
        Observation {
            session: self.id.clone(),
            state: State { status: self.status.clone(), detail: self.detail.clone(), archived: self.archived },
            updated_at: self.updated_at,
            seen_at,
            title: self.title.clone(),
            url: self.url.clone(),
            acus: self.acus,
            pull_requests: self.pull_requests.iter().map(|pr| (pr.url.clone(), pr.state.clone())).collect(),
            about: About {
                category: self.category.clone(),
                subcategory: self.subcategory.clone(),
                origin: self.origin.clone(),
                output: self.structured_output.clone(),
            },
        }
    }
}

/// A pull request of a session.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PullRequest {
    /// Its address.
    #[serde(rename = "pr_url")]
    pub url: String,
    /// Free text, such as `open`, `merged` or `closed`.
    #[serde(default, rename = "pr_state", deserialize_with = "fitting")]
    pub state: Option<String>,
}

/// A message of a session.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Message {
    /// Which message.
    pub event_id: String,
    /// Whose words.
    #[serde(default, deserialize_with = "fitting")]
    pub source: MessageSource,
    /// The words: Markdown.
    #[serde(default, deserialize_with = "fitting")]
    pub message: String,
    /// When, in seconds.
    #[serde(default, deserialize_with = "seconds")]
    pub created_at: i64,
}

/// Whose words a message is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum MessageSource {
    /// Devin's.
    Devin,
    /// A person's, or ours on behalf of one.
    User,
    /// A value that is newer than this program, as it came.
    Other(String),
}

impl Default for MessageSource {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

impl From<String> for MessageSource {
    fn from(text: String) -> Self {
        match text.as_str() {
            "devin" => Self::Devin,
            "user" => Self::User,
            _ => Self::Other(text),
        }
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
pub struct Page<T> {
    /// The rows. A session or message that cannot be read makes the page unreadable: it must not pass for absent.
    pub items: Vec<T>,
    /// Where the next page begins; the only thing that `after` takes.
    #[serde(default, deserialize_with = "fitting")]
    pub end_cursor: Option<String>,
    /// Whether there is a next page.
    #[serde(default, deserialize_with = "fitting")]
    pub has_next_page: bool,
}

impl<T> Page<T> {
    /// Where to go on; `None` at the end.
    pub fn next(&self) -> Option<&str> {
        self.end_cursor.as_deref().filter(|cursor| self.has_next_page && !cursor.is_empty())
    }
}

/// Who the key is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Me {
    /// `service_user`, `pat_user` …
    #[serde(rename = "principal_type")]
    pub kind: String,
    /// The service user's id.
    #[serde(default, deserialize_with = "fitting")]
    pub service_user_id: Option<String>,
    /// The service user's name.
    #[serde(default, deserialize_with = "fitting")]
    pub service_user_name: Option<String>,
    /// The person's id, for a personal key.
    #[serde(default, deserialize_with = "fitting")]
    pub user_id: Option<DevinUserId>,
    /// The person's name, for a personal key.
    #[serde(default, deserialize_with = "fitting")]
    pub user_name: Option<String>,
    /// The organisation; absent for principals of an enterprise.
    #[serde(default, deserialize_with = "fitting")]
    pub org_id: Option<OrgId>,
}

/// A member of the organisation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Member {
    /// Who.
    pub user_id: DevinUserId,
    /// Address, as the organisation spells it.
    #[serde(default, deserialize_with = "fitting")]
    pub email: Option<String>,
    /// Name.
    #[serde(default, deserialize_with = "fitting")]
    pub name: Option<String>,
}

/// A file that was uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Attachment {
    /// Which file.
    #[serde(default, deserialize_with = "fitting")]
    pub attachment_id: String,
    /// Its name.
    #[serde(default, deserialize_with = "fitting")]
    pub name: String,
    /// What to name in `attachment_urls`.
    pub url: String,
}

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SendMessage {
    /// The words.
    pub message: String,
    /// Files, as uploads answered them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachment_urls: Vec<String>,
    /// The person it is from.
    pub message_as_user_id: DevinUserId,
}

/// A playbook.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Playbook {
    /// Which.
    #[serde(rename = "playbook_id")]
    pub id: String,
    /// Its name.
    #[serde(default, deserialize_with = "fitting")]
    pub title: String,
    /// Its short name, `!name`, where it has one.
    #[serde(default, rename = "macro", deserialize_with = "fitting")]
    pub macro_name: Option<String>,
}

/// A secret that Devin keeps for the organisation. Its value is never told.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct OrgSecret {
    /// Which.
    #[serde(rename = "secret_id")]
    pub id: String,
    /// Its name, where it has one.
    #[serde(default, deserialize_with = "fitting")]
    pub key: Option<String>,
}

/// Which sessions to list. Empty means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionQuery {
    /// Carrying these tags. Whether one or all of them is not documented: look at the rows.
    pub tags: Vec<String>,
    /// These sessions.
    pub session_ids: Vec<SessionId>,
    /// Of these people.
    pub user_ids: Vec<DevinUserId>,
    /// Changed after, in seconds; keep an overlap, the bound is not documented.
    pub updated_after: Option<i64>,
    /// Created after, in seconds.
    pub created_after: Option<i64>,
    /// Rows per page, 1 to 200; `None` asks for 200.
    pub first: Option<u32>,
    /// Where the page begins: an `end_cursor`.
    pub after: Option<String>,
}

pub(super) fn fitting<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(input: D) -> Result<T, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(input)?).unwrap_or_default())
}

fn fitting_list<'de, D: Deserializer<'de>, T: DeserializeOwned>(input: D) -> Result<Vec<T>, D::Error> {
    let Value::Array(items) = Value::deserialize(input)? else { return Ok(Vec::new()) };
    Ok(items.into_iter().filter_map(|item| serde_json::from_value(item).ok()).collect())
}

fn unknown_status() -> Status {
    Status::Other(String::new())
}

fn status<'de, D: Deserializer<'de>>(input: D) -> Result<Status, D::Error> {
    fitting(input).map(|status: Option<Status>| status.unwrap_or_else(unknown_status))
}

#[expect(clippy::cast_possible_truncation, reason = "times are far below 2^53, and the cast saturates")]
fn seconds<'de, D: Deserializer<'de>>(input: D) -> Result<i64, D::Error> {
    let time: f64 = fitting(input)?;
    Ok(if time > MAX_PLAUSIBLE_SECONDS { time / MILLIS_PER_SECOND } else { time } as i64)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use serde_json::json;

    use super::*;
    use crate::devin::CreateSession;

    fn fixture<T: DeserializeOwned>(name: &str) -> T {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/devin").join(format!("{name}.json"));
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    }

    #[test]
    fn a_session_is_read_whole() {
        let session: Session = fixture("session");
        assert_eq!(session.id.bare(), "4be1c0ffee5a4f0d9a7b6c5d4e3f2a1b");
        assert_eq!((&session.status, session.detail.as_ref()), (&Status::Running, Some(&Detail::WaitingForUser)));
        assert_eq!((session.created_at, session.updated_at), (1_795_640_002, 1_795_640_420));
        assert!((session.acus - 1.35).abs() < f64::EPSILON);
        assert_eq!(session.pull_requests[0].state.as_deref(), Some("open"));
        assert_eq!(session.pull_requests[1].state, None);
        assert_eq!(session.user_id.unwrap().as_str(), "okta|u3");
        assert_eq!(session.tags.len(), 3);
        assert_eq!((session.category.as_deref(), session.subcategory.as_deref()), (Some("bug_fixing"), Some("Other")));
        assert_eq!((session.origin.as_deref(), session.devin_mode.as_deref()), (Some("api"), Some("normal")));
        assert_eq!((session.structured_output, session.playbook_id), (None, None));
        assert!(!session.archived);
    }

    #[test]
    fn a_created_session_is_the_same_session_without_detail() {
        let created: Session = fixture("session.created");
        assert_eq!(created.id, fixture::<Session>("session").id);
        assert_eq!((created.status, created.detail), (Status::New, None));
    }

    #[test]
    fn a_newer_schema_is_read_with_what_fits() {
        let session: Session = fixture("session.newer");
        assert_eq!(session.status, Status::Other("hibernating".to_owned()));
        assert_eq!(session.detail, Some(Detail::Other("dreaming".to_owned())));
        assert_eq!((session.created_at, session.updated_at), (1_795_640_002, 1_795_640_420));
        assert_eq!(session.pull_requests.len(), 1);
        assert!(session.tags.is_empty() && session.title.is_none() && !session.archived && session.acus == 0.0);
    }

    #[test]
    fn pages_say_where_to_go_on() {
        let page: Page<Session> = fixture("sessions");
        assert_eq!((page.items.len(), page.next()), (2, Some("eyJrIjoxfQ==")));
        assert!(page.items[1].archived);
        let last: Page<Session> = fixture("sessions.last");
        assert_eq!((last.items.len(), last.next()), (1, None));
    }

    #[test]
    fn a_row_without_id_does_not_pass_for_absent() {
        assert!(serde_json::from_value::<Page<Session>>(json!({ "items": [{ "status": "running" }] })).is_err());
        assert!(serde_json::from_value::<Page<Session>>(json!({ "data": [] })).is_err());
    }

    #[test]
    fn messages_say_whose_words_they_are() {
        let page: Page<Message> = fixture("messages");
        let sources: Vec<_> = page.items.into_iter().map(|message| message.source).collect();
        assert_eq!(sources, [MessageSource::User, MessageSource::Devin, MessageSource::Other("loom".to_owned())]);
    }

    #[test]
    fn members_principals_and_files_are_read() {
        let users: Page<Member> = fixture("members.users");
        assert_eq!(users.items[0].email.as_deref(), Some("Ada@loom.example"));
        let idp: Page<Member> = fixture("members.idp_users");
        assert_eq!((idp.items[0].user_id.as_str(), &idp.items[0].email), ("okta|u3", &None));
        let service: Me = fixture("self.service_user");
        assert_eq!(service.org_id.unwrap().as_str(), "org-10om");
        let person: Me = fixture("self.pat_user");
        assert_eq!((person.kind.as_str(), person.org_id), ("pat_user", None));
        assert!(fixture::<Attachment>("attachment").url.ends_with("/trace.log"));
    }

    #[test]
    fn what_is_not_asked_for_is_left_out() {
        let create = CreateSession::new("Fix it".to_owned(), "okta|u3".parse().unwrap());
        let expected = json!({ "prompt": "Fix it", "create_as_user_id": "okta|u3" });
        assert_eq!(serde_json::to_value(create).unwrap(), expected);
        let as_user = "user-77".parse().unwrap();
        let send = SendMessage { message: "go".to_owned(), attachment_urls: Vec::new(), message_as_user_id: as_user };
        assert_eq!(serde_json::to_value(send).unwrap(), json!({ "message": "go", "message_as_user_id": "user-77" }));
    }
}
