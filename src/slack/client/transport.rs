//! How calls leave, and the two addresses outside the API that belong to it: files and `response_url`.
//!
//! Both of those are refused unless their host is Slack's, because they come out of bodies: an address from elsewhere
//! would make this program fetch from, or post to, whatever the sender likes.

use std::{sync::Arc, time::Duration};

use reqwest::{Method, header::HeaderMap};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::{
    error::{SlackError, judged, outcome},
    respond::Response,
    token::Tokens,
};
use crate::{
    outbound::{Call, Download, DownloadError, DownloadRequest, Hosts, Outbound, Redirects},
    slack::wire::objects::File,
};

/// Time for one call: Slack answers within two seconds; posts with many blocks have been seen to take five.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(15);

/// Time for one file: 50 MiB over a slow line.
pub const DOWNLOAD_TIMEOUT: Duration = Duration::from_mins(1);

/// Time for sending one file, fetching it from elsewhere at the same time included.
const UPLOAD_TIMEOUT: Duration = Duration::from_mins(2);

/// Hosts of `response_url`.
const HOOK_HOSTS: [&str; 2] = ["hooks.slack.com", "hooks.slack-gov.com"];

/// The Web API as one installation. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Slack {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    outbound: Outbound,
    base: Url,
    tokens: Arc<dyn Tokens>,
    file_hosts: Hosts,
    hook_hosts: Hosts,
}

/// Arguments of a call. Reading methods take forms only; JSON keeps nested values readable.
pub(super) enum Body {
    Json(Value),
    Form(Vec<(&'static str, String)>),
}

impl Slack {
    /// A client for one bot token. `base` is the address of the API (`https://slack.com/api/`), `file_hosts` are the
    /// hosts that files may be fetched from.
    pub fn new(outbound: Outbound, base: Url, token: SecretString, file_hosts: Vec<String>) -> Self {
        Self::with_tokens(outbound, base, Arc::new(token), file_hosts)
    }

    /// A client whose token is asked for at every call.
    pub fn with_tokens(outbound: Outbound, mut base: Url, tokens: Arc<dyn Tokens>, file_hosts: Vec<String>) -> Self {
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        // A twin serves files and response addresses from its own host.
        let own = base.host_str().map(|host| base.port().map_or(host.to_owned(), |port| format!("{host}:{port}")));
        let own = own.filter(|_| base.host_str() != Some("slack.com"));
        let hook_hosts = Hosts::new(HOOK_HOSTS.iter().map(|&host| host.to_owned()).chain(own));
        let inner = Inner { outbound, base, tokens, file_hosts: Hosts::new(file_hosts), hook_hosts };
        Self { inner: Arc::new(inner) }
    }

    /// Fetches a file's content; asks `files.info` first when the event carried only a stub.
    ///
    /// <https://docs.slack.dev/messaging/working-with-files>
    ///
    /// # Errors
    ///
    /// [`DownloadError`]; fetching again is always safe.
    pub async fn download(&self, file: &File, max_bytes: usize) -> Result<Download, DownloadError> {
        let too_large =
            |file: &File| file.size.is_some_and(|size| usize::try_from(size).map_or(true, |s| s > max_bytes));
        let failed = |why: String| DownloadError::Failed { why };
        let looked_up;
        let file = if file.download_url().is_some() && file.file_access.as_deref() != Some("check_file_info") {
            file
        } else {
            looked_up = self.file(&file.id).await.map_err(|error| failed(error.to_string()))?;
            &looked_up
        };
        if too_large(file) {
            return Err(DownloadError::TooLarge { max_bytes });
        }
        let address = file.download_url().ok_or_else(|| failed("the file has no address".to_owned()))?;
        let token = self.inner.tokens.token().await.map_err(|error| failed(error.to_string()))?;
        let request = DownloadRequest {
            call: call_named("file.download", DOWNLOAD_TIMEOUT),
            url: address.parse().map_err(|_| failed("the file's address cannot be read".to_owned()))?,
            bearer: Some(&token),
            hosts: &self.inner.file_hosts,
            redirects: Redirects::OnTheList,
            max_bytes,
            expected_type: file.mimetype.as_deref(),
        };
        let download = self.inner.outbound.download(request).await?;
        // A login page cannot be told from a file that is HTML itself, except by its length.
        let html = file.mimetype.as_deref() == Some("text/html");
        if html && file.size.is_some_and(|size| u64::try_from(download.bytes.len()) != Ok(size)) {
            return Err(DownloadError::NotAFile);
        }
        Ok(download)
    }

    /// Answers a command, button or shortcut to its person alone, in words beside what was used.
    ///
    /// <https://docs.slack.dev/interactivity/handling-user-interaction#message_responses>
    ///
    /// # Errors
    ///
    /// [`SlackError`]; an address that is not Slack's is refused before anything is sent.
    pub async fn respond(&self, response_url: &str, text: &str) -> Result<(), SlackError> {
        self.respond_with(response_url, &Response::Beside { thread: None, text: text.to_owned(), blocks: None }).await
    }

    /// Answers a command, button or shortcut.
    ///
    /// <https://docs.slack.dev/interactivity/handling-user-interaction#message_responses>
    ///
    /// # Errors
    ///
    /// [`SlackError`]; an address that is not Slack's is refused before anything is sent.
    pub async fn respond_with(&self, response_url: &str, response: &Response) -> Result<(), SlackError> {
        let refused = |code: &str| SlackError::Refused { code: code.to_owned() };
        let url: Url = response_url.parse().map_err(|_| refused("response_url_malformed"))?;
        if !self.inner.hook_hosts.allow(&url) {
            return Err(refused("response_url_host"));
        }
        let request = self.inner.outbound.request(Method::POST, url).json(&response.body());
        let answer = self.inner.outbound.send(&call_named("response_url", CALL_TIMEOUT), request).await?;
        // This address answers a bare `ok`; everything else that it says is JSON.
        if answer.status == 200 && answer.body.trim_ascii() == b"ok" { Ok(()) } else { outcome(&answer).map(drop) }
    }

    /// Makes a call and reads its answer.
    pub(super) async fn call(&self, method: &'static str, body: Body) -> Result<Value, SlackError> {
        self.call_seeing(method, body).await.map(|(answer, _)| answer)
    }

    /// Makes a call and reads its answer together with its headers.
    pub(super) async fn call_seeing(&self, method: &'static str, body: Body) -> Result<(Value, HeaderMap), SlackError> {
        let url = self.inner.base.join(method).map_err(|error| SlackError::Unreachable { why: error.to_string() })?;
        let token = self.inner.tokens.token().await?;
        let request = self.inner.outbound.request(Method::POST, url).bearer_auth(token.expose_secret());
        let request = match body {
            Body::Json(value) => {
                request.header(reqwest::header::CONTENT_TYPE, "application/json; charset=utf-8").body(value.to_string())
            }
            Body::Form(fields) => request.form(&fields),
        };
        let call = call_named(method, CALL_TIMEOUT);
        let (outcome, headers) = self.inner.outbound.send_judged(&call, request, |answer| judged(&answer)).await?;
        if let Err(SlackError::InstallationGone { code }) = &outcome {
            self.inner.tokens.refused(&token, code).await;
        }
        Ok((outcome?, headers))
    }
}

impl Slack {
    /// Sends a file's content to the address that Slack gave for it. The address is a secret; no bearer goes along.
    ///
    /// # Errors
    ///
    /// [`SlackError`]; an address that is not Slack's is refused before anything is sent.
    pub(super) async fn put(&self, address: &str, length: u64, content: reqwest::Body) -> Result<(), SlackError> {
        let refused = |code: &str| SlackError::Refused { code: code.to_owned() };
        let url: Url = address.parse().map_err(|_| refused("upload_url_malformed"))?;
        if !self.inner.file_hosts.allow(&url) {
            return Err(refused("upload_url_host"));
        }
        let request = self.inner.outbound.request(Method::POST, url);
        let request = request
            .header(reqwest::header::CONTENT_TYPE, "application/octet-stream")
            .header(reqwest::header::CONTENT_LENGTH, length)
            .body(content);
        let answer = self.inner.outbound.send(&call_named("upload", UPLOAD_TIMEOUT), request).await?;
        // This address answers a line of text, which is not documented; a failure of its own comes as a status.
        if (200..300).contains(&answer.status) && !answer.is_json() { Ok(()) } else { outcome(&answer).map(drop) }
    }
}

/// A part of an answer. The call took effect even when its answer cannot be read, so that is never a plain failure.
pub(super) fn part<T: DeserializeOwned>(answer: &mut Value, name: &str) -> Result<T, SlackError> {
    let value = if name.is_empty() { answer.take() } else { answer.get_mut(name).map(Value::take).unwrap_or_default() };
    serde_json::from_value(value).map_err(|_| SlackError::Unsure { why: format!("the answer has no usable {name:?}") })
}

pub(super) fn call_named(method: &'static str, timeout: Duration) -> Call {
    Call { service: "slack", method: method.into(), timeout }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::outbound::OutboundOptions;

    fn slack(base: &str) -> Slack {
        let outbound = Outbound::new(OutboundOptions::default()).unwrap();
        let hosts = vec!["files.slack.com".to_owned()];
        Slack::new(outbound, base.parse().unwrap(), SecretString::from("xoxb-invented"), hosts)
    }

    #[tokio::test]
    async fn a_response_address_elsewhere_is_refused_before_anything_is_sent() {
        let slack = slack("https://slack.com/api/");
        for url in
            ["https://evil.example/x", "http://hooks.slack.com/x", "https://slack.com/x", "http://169.254.169.254/"]
        {
            let error = slack.respond(url, "hello").await.unwrap_err();
            assert_eq!(error, SlackError::Refused { code: "response_url_host".to_owned() }, "{url}");
        }
    }

    #[tokio::test]
    async fn a_file_elsewhere_is_refused_before_the_token_travels() {
        let file: File =
            serde_json::from_value(json!({ "id": "F1", "url_private": "https://evil.example/f" })).unwrap();
        let error = slack("https://slack.com/api").download(&file, 10).await.unwrap_err();
        assert_eq!(error, DownloadError::ForbiddenHost { host: "evil.example".to_owned() });
        let long: File =
            serde_json::from_value(json!({ "id": "F1", "size": 11, "url_private": "https://files.slack.com/f" }))
                .unwrap();
        assert_eq!(
            slack("https://slack.com/api").download(&long, 10).await.unwrap_err(),
            DownloadError::TooLarge { max_bytes: 10 }
        );
    }

    #[test]
    fn the_token_stays_out_of_debug_output() {
        let shown = format!("{:?}", slack("https://slack.com/api"));
        assert!(!shown.contains("invented"), "{shown}");
        assert!(slack("https://slack.com/api").inner.base.path().ends_with('/'));
    }
}
