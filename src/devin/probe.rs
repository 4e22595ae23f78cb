//! What a key may do, found out without doing it.
//!
//! Permissions are checked before the request is: a write that can lead to nothing is refused for what is wrong with it
//! when the key may make it, and with 403 when it may not. Acting as a person has no such probe, because that permission
//! is looked at after everything else.

use reqwest::{Method, header::DATE};
use serde_json::json;

use super::{
    client::{CALL_TIMEOUT, Devin},
    error::{DevinError, outcome},
    lists::Directory,
    wire::{Me, Page, Session, SessionQuery},
};
use crate::outbound::Call;

/// A session that cannot exist.
const NOBODY: &str = "devin-00000000000000000000000000000000";

/// An address that nobody has: <https://www.rfc-editor.org/rfc/rfc2606>.
const NO_ADDRESS: &str = "nobody@bobbin.invalid";

/// What a key may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// Read sessions and their messages.
    ViewSessions,
    /// Create sessions.
    UseSessions,
    /// Send messages, end and archive.
    ManageSessions,
    /// Read who is a member.
    ViewMembers,
    /// Read playbooks.
    ViewPlaybooks,
    /// Read the names of secrets.
    ViewSecrets,
}

impl Permission {
    /// All that can be probed.
    pub const ALL: [Self; 6] = [
        Self::ViewSessions,
        Self::UseSessions,
        Self::ManageSessions,
        Self::ViewMembers,
        Self::ViewPlaybooks,
        Self::ViewSecrets,
    ];

    /// Devin's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ViewSessions => "ViewOrgSessions",
            Self::UseSessions => "UseDevinSessions",
            Self::ManageSessions => "ManageOrgSessions",
            Self::ViewMembers => "ViewOrgMembership",
            Self::ViewPlaybooks => "ViewOrgPlaybooks",
            Self::ViewSecrets => "ViewOrgSecrets",
        }
    }
}

impl Devin {
    /// Says who the key is, and what Devin's clock says.
    ///
    /// # Errors
    ///
    /// [`DevinError`].
    pub async fn introduce(&self) -> Result<(Me, Option<String>), DevinError> {
        let call = Call { service: "devin", method: "self.get".into(), timeout: CALL_TIMEOUT };
        let request = self.request(Method::GET, self.url("v3", &["self"]));
        let (answer, headers) = self.outbound().send_seeing(&call, request).await?;
        let date = headers.get(DATE).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Ok((outcome(&answer)?, date))
    }

    /// Whether the key may do this; nothing is done.
    ///
    /// # Errors
    ///
    /// [`DevinError`], where the answer says neither yes nor no.
    pub async fn may(&self, permission: Permission) -> Result<bool, DevinError> {
        let answer = match permission {
            Permission::ViewSessions => {
                self.sessions(&SessionQuery { first: Some(1), ..SessionQuery::default() }).await.map(drop)
            }
            Permission::UseSessions => {
                // Without a prompt there is nothing to create.
                let request = self.request(Method::POST, self.org_url(&["sessions"])).json(&json!({}));
                self.call::<Session>("probe.create", CALL_TIMEOUT, request).await.map(drop)
            }
            Permission::ManageSessions => {
                let url = self.org_url(&["sessions", NOBODY, "messages"]);
                let request = self.request(Method::POST, url).json(&json!({ "message": "Nobody reads this." }));
                self.call::<Session>("probe.send", CALL_TIMEOUT, request).await.map(drop)
            }
            Permission::ViewMembers => self.members(Directory::Users, Some(NO_ADDRESS)).await.map(drop),
            Permission::ViewPlaybooks => self.first_row("playbooks").await,
            Permission::ViewSecrets => self.first_row("secrets").await,
        };
        match answer {
            Ok(()) | Err(DevinError::NotFound | DevinError::Invalid { .. }) => Ok(true),
            Err(DevinError::Forbidden { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Lists sessions by one id, in the form that it is given in.
    ///
    /// # Errors
    ///
    /// [`DevinError`].
    pub async fn listed_as(&self, id: &str) -> Result<Page<Session>, DevinError> {
        let mut url = self.org_url(&["sessions"]);
        url.query_pairs_mut().append_pair("first", "1").append_pair("session_ids", id);
        self.call("sessions.list", CALL_TIMEOUT, self.request(Method::GET, url)).await
    }

    async fn first_row(&self, list: &'static str) -> Result<(), DevinError> {
        let mut url = self.org_url(&[list]);
        url.query_pairs_mut().append_pair("first", "1");
        let request = self.request(Method::GET, url);
        self.call::<Page<serde_json::Value>>("probe.list", CALL_TIMEOUT, request).await.map(drop)
    }
}
