//! What the stand-in Devin remembers.
//!
//! Everything is public for reading through [`DevinTwin::read`](super::DevinTwin::read), the author of each message
//! included, which the real API never tells.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    domain::{
        ids::{DevinUserId, OrgId, SessionId},
        status::{Detail, Status},
    },
    twin::ledger::Call,
};

/// What the documents leave open, and this twin answers either way.
#[derive(Debug, Clone, Copy)]
pub struct LeftOpen {
    /// Whether a conversation begins with the prompt.
    pub prompt_is_message: bool,
    /// Whether a list shows archived sessions unless it is told.
    pub shows_archived: bool,
    /// Whether a session that is over takes messages.
    pub takes_when_over: bool,
}

impl Default for LeftOpen {
    fn default() -> Self {
        Self { prompt_is_message: true, shows_archived: true, takes_when_over: false }
    }
}

/// One organisation with everything in it.
#[derive(Debug, Clone)]
pub struct State {
    /// The organisation.
    pub org: OrgId,
    /// API keys that are accepted.
    pub keys: BTreeMap<String, Key>,
    /// People with a role of their own.
    pub users: Vec<Member>,
    /// People who belong through a group of the identity provider.
    pub idp_users: Vec<Member>,
    /// Sessions in the order of their creation.
    pub sessions: Vec<Session>,
    /// Uploaded files by the unique part of their address.
    pub attachments: BTreeMap<String, Attachment>,
    /// Playbooks.
    pub playbooks: Vec<Playbook>,
    /// Secrets of the organisation; there are no values, because the API never tells them.
    pub secrets: Vec<OrgSecret>,
    /// How long a new session stays out of lists; the real API promises nothing about it.
    pub list_lag: Duration,
    /// How long a new message stays out of the list of messages.
    pub messages_lag: Duration,
    /// Whether a message moves `updated_at`, which the documents leave open.
    pub messages_move_updated_at: bool,
    /// Whether the `tags` filter of the list wants any or all of the tags, which the documents leave open.
    pub tag_filter: TagFilter,
    /// What else the documents leave open.
    pub left_open: LeftOpen,
    /// Whether new sessions play the demo's script.
    pub scripted: bool,
    /// Where clients reach this twin, without a slash at the end; attachment addresses begin with it.
    pub base_url: String,
    /// Every request, oldest first.
    pub ledger: Vec<Call>,
    /// Cursors given out, with what they continue.
    pub(super) cursors: BTreeMap<String, String>,
    /// The last number given to an id.
    pub(super) last_id: u64,
}

/// An API key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Whose it is.
    pub principal: Principal,
    /// What it may do, by the vendor's names (`ManageOrgSessions` …).
    pub permissions: BTreeSet<String>,
}

/// Whose key it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// A service user.
    ServiceUser {
        /// `service-user-…`.
        id: String,
        /// Shown name.
        name: String,
        /// Its organisation; none when it belongs to the enterprise.
        org: Option<OrgId>,
    },
    /// A person with a personal access token.
    PatUser {
        /// The person.
        id: DevinUserId,
        /// Shown name.
        name: String,
    },
}

/// A person of the organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Opaque id.
    pub id: DevinUserId,
    /// E-mail, if known.
    pub email: Option<String>,
    /// Name, if known.
    pub name: Option<String>,
}

/// A session.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// Its id; answers show it bare.
    pub id: SessionId,
    /// What it was asked first.
    pub prompt: String,
    /// Title; generated from the prompt when none was given.
    pub title: String,
    /// Status.
    pub status: Status,
    /// What is known beyond the status; shown by get and list only.
    pub detail: Option<Detail>,
    /// Tags in order, without repeats.
    pub tags: Vec<String>,
    /// Creation; answers show whole seconds.
    pub created_at: Timestamp,
    /// Last change; answers show whole seconds.
    pub updated_at: Timestamp,
    /// Agent compute units used.
    pub acus: f64,
    /// Pull requests in the order they were opened.
    pub pull_requests: Vec<PullRequest>,
    /// Result in the asked-for form; shown by get and list only.
    pub structured_output: Option<Value>,
    /// Category; shown by get and list only.
    pub category: Option<String>,
    /// The person it belongs to.
    pub user_id: Option<DevinUserId>,
    /// The service user that created it.
    pub service_user_id: Option<String>,
    /// Playbook.
    pub playbook_id: Option<String>,
    /// Mode.
    pub devin_mode: Option<String>,
    /// Whether it was archived.
    pub archived: bool,
    /// Repositories it was given.
    pub repos: Vec<String>,
    /// Addresses of files it was given at creation.
    pub attachment_urls: Vec<String>,
    /// The cap it was given.
    pub max_acu_limit: Option<i64>,
    /// Everything else it was given.
    pub extras: Extras,
    /// Conversation, oldest first; the prompt is the first message.
    pub messages: Vec<SessionMessage>,
    /// Files it was given or made.
    pub files: Vec<SessionFile>,
    /// What it will do next on its own, in order of time.
    pub script: VecDeque<Step>,
    /// Whether it goes on by itself when somebody answers; ends when a person takes control.
    pub scripted: bool,
}

/// What a session can be given and never shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Extras {
    /// Playbook of the sessions that it starts.
    pub child_playbook_id: Option<String>,
    /// Knowledge notes; none means all.
    pub knowledge_ids: Option<Vec<String>>,
    /// Secrets of the organisation; none means all.
    pub secret_ids: Option<Vec<String>>,
    /// Secrets of its own.
    pub session_secrets: Vec<SessionSecret>,
    /// Machine.
    pub platform: Option<String>,
    /// Whether approvals are skipped.
    pub bypass_approval: Option<bool>,
    /// Whether it can be woken.
    pub resumable: Option<bool>,
    /// Form of the result.
    pub structured_output_schema: Option<Value>,
    /// Whether the result must be delivered.
    pub structured_output_required: Option<bool>,
    /// Other sessions that it knows of.
    pub session_links: Vec<String>,
}

/// A secret of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionSecret {
    /// Name.
    pub key: String,
    /// Value.
    pub value: String,
    /// Whether it is hidden in what Devin shows.
    pub sensitive: bool,
}

/// A secret of the organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgSecret {
    /// `secret-…`.
    pub id: String,
    /// Name.
    pub key: String,
}

/// A pull request of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Address.
    pub url: String,
    /// `open`, `merged` or `closed`.
    pub state: String,
}

/// A message of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionMessage {
    /// Unique and opaque.
    pub event_id: String,
    /// Who spoke.
    pub source: Source,
    /// Text.
    pub message: String,
    /// When; answers show whole seconds.
    pub created_at: Timestamp,
    /// As whom it was sent; never shown by the API.
    pub as_user: Option<DevinUserId>,
    /// Addresses of files sent with it; never shown by the API.
    pub attachment_urls: Vec<String>,
}

/// Who spoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Devin.
    Devin,
    /// A person, in the web app or through the API.
    User,
}

/// An uploaded file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Unique part of its address.
    pub uuid: String,
    /// File name.
    pub name: String,
    /// Media type, if the upload gave one.
    pub content_type: Option<String>,
    /// Content.
    pub bytes: Vec<u8>,
}

/// A file of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionFile {
    /// Unique part of its address.
    pub uuid: String,
    /// Who brought it.
    pub source: Source,
}

/// What the `tags` filter of the list means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TagFilter {
    /// Sessions with at least one of the tags.
    #[default]
    Any,
    /// Sessions with all of them.
    All,
}

/// A playbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Playbook {
    /// `playbook-…`.
    pub id: String,
    /// Title.
    pub title: String,
    /// Text.
    pub body: String,
    /// Short name such as `!pr_review`.
    pub macro_name: Option<String>,
}

/// One thing a scripted session does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When it does it.
    pub due: Timestamp,
    /// What it does.
    pub act: Act,
}

/// What a scripted session can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Change its status.
    Become(Status, Option<Detail>),
    /// Say something.
    Say(String),
    /// Open a pull request.
    OpenPullRequest,
}

impl State {
    /// A session by its id.
    pub fn session(&self, id: &SessionId) -> Option<&Session> {
        self.sessions.iter().find(|s| &s.id == id)
    }

    /// A session by its id, to be changed.
    pub fn session_mut(&mut self, id: &SessionId) -> Option<&mut Session> {
        self.sessions.iter_mut().find(|s| &s.id == id)
    }

    /// The session with this tag that was created first.
    pub fn tagged(&self, tag: &str) -> Option<&Session> {
        self.sessions.iter().find(|s| s.tags.iter().any(|t| t == tag))
    }

    /// A number that was not given before, for ids.
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }
}
