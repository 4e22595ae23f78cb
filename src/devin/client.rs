//! One method per call of the v3 API, each made once.
//!
//! Neither creating nor sending has an idempotency key: a lost answer is looked for (by tag, by message) before anyone
//! tries again, and that is for the step above to do.

use std::{borrow::Cow, sync::Arc, time::Duration};

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{
    Method, RequestBuilder,
    multipart::{Form, Part},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use url::Url;

use super::{
    create::CreateSession,
    error::{DevinError, outcome},
    wire::{Attachment, Me, Message, Page, SendMessage, Session, SessionQuery},
};
use crate::{
    domain::ids::{OrgId, SessionId},
    outbound::{Call, Hosts, Outbound},
};

/// Time for creating a session and for uploads: creating waits for a machine to be found.
pub const CREATE_TIMEOUT: Duration = Duration::from_mins(1);

/// Time for every other call.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// What Devin says to somebody who ends a session that is over.
const ALREADY_EXITED: &str = "already exited";

/// Rows per page: the most that the vendor gives.
pub(super) const MAX_PAGE_ROWS: u32 = 200;

/// What stands in a path as it is; everything else, such as the bar in `okta|u3`, is encoded.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The API as one key in one organisation. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Devin {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    outbound: Outbound,
    base: Url,
    key: SecretString,
    org: OrgId,
    /// The API itself, as the one host that the key goes to.
    hosts: Hosts,
}

impl Devin {
    /// A client for one service user's key. `base` is `https://api.devin.ai`, or a dedicated deployment's address.
    pub fn new(outbound: Outbound, base: Url, key: SecretString, org: OrgId) -> Self {
        let own = base.host_str().unwrap_or_default();
        let hosts = Hosts::new([base.port().map_or_else(|| own.to_owned(), |port| format!("{own}:{port}"))]);
        Self { inner: Arc::new(Inner { outbound, base, key, org, hosts }) }
    }

    pub(super) fn base(&self) -> &Url {
        &self.inner.base
    }

    pub(super) fn key(&self) -> &SecretString {
        &self.inner.key
    }

    pub(super) fn hosts(&self) -> &Hosts {
        &self.inner.hosts
    }

    pub(super) fn outbound(&self) -> &Outbound {
        &self.inner.outbound
    }

    /// Says who the key is; the cheapest sign of life.
    ///
    /// <https://docs.devin.ai/api-reference/v3/overview>
    ///
    /// # Errors
    ///
    /// [`DevinError`].
    pub async fn me(&self) -> Result<Me, DevinError> {
        let request = self.request(Method::GET, self.url("v3", &["self"]));
        self.call("self.get", CALL_TIMEOUT, request).await
    }

    /// Creates a session. Its `detail` is not to be believed; read the session for that.
    ///
    /// <https://docs.devin.ai/api-reference/v3/sessions/post-organizations-sessions>
    ///
    /// # Errors
    ///
    /// [`DevinError`]; when the outcome is unknown, look for the session by its unique tag.
    pub async fn create(&self, session: &CreateSession) -> Result<Session, DevinError> {
        let request = self.request(Method::POST, self.org_url(&["sessions"])).json(session);
        self.call("sessions.create", CREATE_TIMEOUT, request).await
    }

    /// Reads a session.
    ///
    /// <https://docs.devin.ai/api-reference/v3/sessions/get-organizations-session>
    ///
    /// # Errors
    ///
    /// [`DevinError`]; a draft that was never started is [`DevinError::Forbidden`].
    pub async fn session(&self, id: &SessionId) -> Result<Session, DevinError> {
        let request = self.request(Method::GET, self.org_url(&["sessions", &id.prefixed()]));
        self.call("sessions.get", CALL_TIMEOUT, request).await
    }

    /// Ends a session for good, and puts it away where `archive` says so. One that is over already counts as ended.
    ///
    /// <https://docs.devin.ai/api-reference/v3/sessions/delete-organizations-sessions>
    ///
    /// # Errors
    ///
    /// [`DevinError`].
    pub async fn terminate(&self, id: &SessionId, archive: bool) -> Result<(), DevinError> {
        let mut url = self.org_url(&["sessions", &id.prefixed()]);
        if archive {
            url.query_pairs_mut().append_pair("archive", "true");
        }
        let request = self.request(Method::DELETE, url);
        match self.call::<Session>("sessions.terminate", CALL_TIMEOUT, request).await {
            Ok(_) => Ok(()),
            Err(DevinError::Invalid { detail }) if detail.contains(ALREADY_EXITED) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Puts a session away: it sleeps, and takes nothing until it is taken out again. Twice is as good as once.
    ///
    /// <https://docs.devin.ai/api-reference/v3/sessions/post-organizations-sessions-archive>
    ///
    /// # Errors
    ///
    /// [`DevinError`].
    pub async fn archive(&self, id: &SessionId) -> Result<Session, DevinError> {
        let request = self.request(Method::POST, self.org_url(&["sessions", &id.prefixed(), "archive"]));
        self.call("sessions.archive", CALL_TIMEOUT, request).await
    }

    /// Takes a session out again; its child sessions stay where they are.
    ///
    /// <https://docs.devin.ai/api-reference/v3/sessions/post-organizations-sessions-unarchive>
    ///
    /// # Errors
    ///
    /// [`DevinError`].
    pub async fn unarchive(&self, id: &SessionId) -> Result<Session, DevinError> {
        let request = self.request(Method::POST, self.org_url(&["sessions", &id.prefixed(), "unarchive"]));
        self.call("sessions.unarchive", CALL_TIMEOUT, request).await
    }

    /// Lists sessions, archived ones too; their order is not documented.
    ///
    /// <https://docs.devin.ai/api-reference/v3/sessions/organizations-sessions>
    ///
    /// # Errors
    ///
    /// [`DevinError`].
    pub async fn sessions(&self, query: &SessionQuery) -> Result<Page<Session>, DevinError> {
        let mut url = self.org_url(&["sessions"]);
        url.query_pairs_mut().extend_pairs(parameters(query));
        self.call("sessions.list", CALL_TIMEOUT, self.request(Method::GET, url)).await
    }

    /// Reads messages, oldest first; `after` is an `end_cursor`, never a message's id.
    ///
    /// <https://docs.devin.ai/api-reference/v3/sessions/get-organizations-session-messages>
    ///
    /// # Errors
    ///
    /// [`DevinError`].
    pub async fn messages(&self, id: &SessionId, after: Option<&str>) -> Result<Page<Message>, DevinError> {
        let mut url = self.org_url(&["sessions", &id.prefixed(), "messages"]);
        url.query_pairs_mut()
            .append_pair("first", &MAX_PAGE_ROWS.to_string())
            .extend_pairs(after.map(|cursor| ("after", cursor)));
        self.call("messages.list", CALL_TIMEOUT, self.request(Method::GET, url)).await
    }

    /// Sends a message, which wakes a session that sleeps. The answer is the session, not the message.
    ///
    /// <https://docs.devin.ai/api-reference/v3/sessions/post-organizations-sessions-messages>
    ///
    /// # Errors
    ///
    /// [`DevinError`]; when the outcome is unknown, look for the message among the newest.
    pub async fn send(&self, id: &SessionId, message: &SendMessage) -> Result<Session, DevinError> {
        let url = self.org_url(&["sessions", &id.prefixed(), "messages"]);
        self.call("messages.send", CALL_TIMEOUT, self.request(Method::POST, url).json(message)).await
    }

    /// Uploads a file for the `attachment_urls` of a session or message.
    ///
    /// <https://docs.devin.ai/api-reference/v3/attachments/post-organizations-attachments>
    ///
    /// # Errors
    ///
    /// [`DevinError`]; a doubled upload is unused, not harmful.
    pub async fn upload(&self, name: &str, content_type: &str, bytes: Bytes) -> Result<Attachment, DevinError> {
        let part = || Part::stream(bytes.clone()).file_name(name.to_owned());
        // A type that is no MIME type is left out: the server then takes the file for plain bytes.
        let part = part().mime_str(content_type).unwrap_or_else(|_| part());
        let form = Form::new().part("file", part);
        let request = self.request(Method::POST, self.org_url(&["attachments"])).multipart(form);
        self.call("attachments.upload", CREATE_TIMEOUT, request).await
    }

    pub(super) fn org(&self) -> &str {
        self.inner.org.as_str()
    }

    pub(super) fn org_url(&self, rest: &[&str]) -> Url {
        let path: Vec<_> = ["organizations", self.org()].iter().chain(rest).copied().collect();
        self.url("v3", &path)
    }

    pub(super) fn url(&self, version: &str, segments: &[&str]) -> Url {
        let mut path = format!("{}/{version}", self.inner.base.path().trim_end_matches('/'));
        for segment in segments {
            path.push('/');
            path.extend(utf8_percent_encode(segment, PATH));
        }
        let mut url = self.inner.base.clone();
        url.set_path(&path);
        url
    }

    pub(super) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.inner.outbound.request(method, url).bearer_auth(self.inner.key.expose_secret())
    }

    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        timeout: Duration,
        request: RequestBuilder,
    ) -> Result<T, DevinError> {
        let call = Call { service: "devin", method: method.into(), timeout };
        outcome(&self.inner.outbound.send(&call, request).await?)
    }
}

/// The query as flat pairs, lists as repeated names. Identifiers go in both forms: the filter wants the one that the
/// server issues, which differs between deployments, and passes over the other.
fn parameters(query: &SessionQuery) -> Vec<(&'static str, Cow<'_, str>)> {
    let mut pairs: Vec<(&'static str, Cow<'_, str>)> = Vec::new();
    pairs.push(("first", query.first.unwrap_or(MAX_PAGE_ROWS).clamp(1, MAX_PAGE_ROWS).to_string().into()));
    pairs.extend(query.after.iter().map(|cursor| ("after", cursor.into())));
    pairs.extend(query.tags.iter().map(|tag| ("tags", tag.into())));
    for id in &query.session_ids {
        pairs.push(("session_ids", id.bare().into()));
        pairs.push(("session_ids", id.prefixed().into()));
    }
    pairs.extend(query.user_ids.iter().map(|id| ("user_ids", id.as_str().into())));
    pairs.extend(query.updated_after.map(|at| ("updated_after", at.to_string().into())));
    pairs.extend(query.created_after.map(|at| ("created_after", at.to_string().into())));
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound::OutboundOptions;

    fn devin(base: &str) -> Devin {
        let outbound = Outbound::new(OutboundOptions::default()).unwrap();
        Devin::new(outbound, base.parse().unwrap(), SecretString::from("cog_invented"), "org-10om".parse().unwrap())
    }

    #[test]
    fn addresses_keep_the_base_path_and_encode_identifiers() {
        let dedicated = devin("https://devin.example/api/");
        let url = dedicated.org_url(&["sessions", "devin-0f3a", "messages"]);
        assert_eq!(url.as_str(), "https://devin.example/api/v3/organizations/org-10om/sessions/devin-0f3a/messages");
        let url = devin("https://api.devin.ai").url("v3beta1", &["members", "okta|u3"]);
        assert_eq!(url.as_str(), "https://api.devin.ai/v3beta1/members/okta%7Cu3");
    }

    #[test]
    fn lists_are_repeated_names() {
        let query = SessionQuery {
            tags: vec!["bobbin".to_owned(), "bobbin-input:in/1".to_owned()],
            session_ids: vec!["devin-0f3a".parse().unwrap()],
            user_ids: vec!["okta|u3".parse().unwrap()],
            updated_after: Some(1_795_640_000),
            first: Some(1000),
            after: Some("eyJrIjoxfQ==".to_owned()),
            ..SessionQuery::default()
        };
        let mut url: Url = "https://api.devin.ai/".parse().unwrap();
        url.query_pairs_mut().extend_pairs(parameters(&query));
        assert_eq!(
            url.query().unwrap(),
            "first=200&after=eyJrIjoxfQ%3D%3D&tags=bobbin&tags=bobbin-input%3Ain%2F1&session_ids=0f3a\
             &session_ids=devin-0f3a&user_ids=okta%7Cu3&updated_after=1795640000"
        );
    }

    #[test]
    fn the_key_stays_out_of_debug_output() {
        assert!(!format!("{:?}", devin("https://api.devin.ai")).contains("invented"));
    }
}
