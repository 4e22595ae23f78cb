//! Files: streamed up to a limit, from hosts on a list, over redirects.
//!
//! Redirects are followed by hand, because the bearer may travel only where it belongs, and because an expired login
//! answers a file request with 200 and a page of HTML, which must never pass for the file. A file is read whole, or
//! handed on while it comes.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt as _;
use reqwest::{
    Body, Method,
    header::{CONTENT_TYPE, LOCATION},
};
use secrecy::{ExposeSecret as _, SecretString};
use tracing::Instrument as _;
use url::Url;

use super::send::{self, Call, Outbound, is_loopback};

/// Redirects followed for one file: the vendors need one or two.
const MAX_HOPS: usize = 5;

/// Hosts that may be asked: each entry stands for itself and everything below it (`slack.com` allows
/// `files.slack.com`); an entry with a port allows that port only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// A list; letters' case does not matter.
    pub fn new(hosts: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        Self(
            hosts.into_iter().map(|host| host.as_ref().trim().to_ascii_lowercase()).filter(|h| !h.is_empty()).collect(),
        )
    }

    /// Whether an address may be asked: https and on the list; plain http only on this machine.
    pub fn allow(&self, url: &Url) -> bool {
        let safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
        let Some(host) = url.host_str() else { return false };
        let with_port = url.port_or_known_default().map(|port| format!("{host}:{port}")).unwrap_or_default();
        let listed = |entry: &String| {
            host == entry
                || with_port == *entry
                || host.strip_suffix(entry.as_str()).is_some_and(|rest| rest.ends_with('.'))
        };
        safe && self.0.iter().any(listed)
    }
}

/// Where a redirect may lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirects {
    /// To hosts on the list, and the bearer goes along.
    OnTheList,
    /// Anywhere, encrypted; nothing goes along, because the address itself opens the file.
    Presigned,
}

/// What to fetch, and within which bounds.
#[derive(Debug)]
pub struct DownloadRequest<'a> {
    /// Label and time limit, redirects included.
    pub call: Call,
    /// Where the file is.
    pub url: Url,
    /// Sent to hosts on the list.
    pub bearer: Option<&'a SecretString>,
    /// Who may be asked.
    pub hosts: &'a Hosts,
    /// Where redirects may lead.
    pub redirects: Redirects,
    /// Longest file taken, in bytes.
    pub max_bytes: usize,
    /// The type the file should have; HTML is believed to be the file only when this says so.
    pub expected_type: Option<&'a str>,
}

/// A file.
#[derive(Debug, Clone)]
pub struct Download {
    /// Its content.
    pub bytes: Bytes,
    /// `Content-Type` as it came.
    pub content_type: Option<String>,
}

/// A file that is on its way: its head is read, its content is not.
#[derive(Debug)]
pub struct Incoming {
    /// Its length in bytes, when the other side says so.
    pub length: Option<u64>,
    /// `Content-Type` as it came.
    pub content_type: Option<String>,
    max_bytes: usize,
    response: reqwest::Response,
}

impl Incoming {
    /// The content as the body of another request, which then takes no longer than the first one may.
    pub fn into_body(self) -> Body {
        let mut left = self.max_bytes;
        let bounded = self.response.bytes_stream().map(move |chunk| {
            let chunk = chunk.map_err(|error| std::io::Error::other(error.without_url()))?;
            left = left.checked_sub(chunk.len()).ok_or_else(|| std::io::Error::other("longer than allowed"))?;
            Ok::<_, std::io::Error>(chunk)
        });
        Body::wrap_stream(bounded)
    }

    /// The content, whole.
    ///
    /// # Errors
    ///
    /// [`DownloadError`]; fetching again is always safe.
    pub async fn read(self) -> Result<Download, DownloadError> {
        let Self { content_type, max_bytes, response, .. } = self;
        let bytes = send::read(response, max_bytes).await.map_err(|error| failed(error.to_string()))?;
        let too_large = DownloadError::TooLarge { max_bytes };
        bytes.map(|bytes| Download { bytes, content_type }).ok_or(too_large)
    }
}

/// Why there is no file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DownloadError {
    /// Longer than allowed.
    #[error("the file is larger than {max_bytes} bytes")]
    TooLarge {
        /// The limit.
        max_bytes: usize,
    },
    /// The address, or a redirect, points to a host that is not on the list.
    #[error("the file is on {host}, from which files are not fetched")]
    ForbiddenHost {
        /// The host, without path.
        host: String,
    },
    /// A page came instead of the file: the token does not open it.
    #[error("a login page came instead of the file: is the scope files:read missing?")]
    NotAFile,
    /// Anything else: the status, or why there was no answer.
    #[error("the file could not be fetched: {why}")]
    Failed {
        /// Status or cause.
        why: String,
    },
}

impl Outbound {
    /// Fetches a file.
    ///
    /// # Errors
    ///
    /// [`DownloadError`]; fetching again is always safe.
    pub async fn download(&self, request: DownloadRequest<'_>) -> Result<Download, DownloadError> {
        let started = Instant::now();
        let span = send::span(&request.call);
        let reading = async {
            let incoming = self.follow(&request, started).await?;
            incoming.read().await
        };
        let result = reading.instrument(span.clone()).await;
        let outcome = if result.is_ok() { "ok" } else { "failed" };
        send::record(&span, &request.call, outcome, 0, started.elapsed());
        result
    }

    /// Opens a file, whose content is read later.
    ///
    /// # Errors
    ///
    /// [`DownloadError`]; fetching again is always safe.
    pub async fn open_file(&self, request: DownloadRequest<'_>) -> Result<Incoming, DownloadError> {
        let started = Instant::now();
        let span = send::span(&request.call);
        let result = self.follow(&request, started).instrument(span.clone()).await;
        let outcome = if result.is_ok() { "ok" } else { "failed" };
        send::record(&span, &request.call, outcome, 0, started.elapsed());
        result
    }

    async fn follow(&self, request: &DownloadRequest<'_>, started: Instant) -> Result<Incoming, DownloadError> {
        let mut url = request.url.clone();
        for hop in 0..MAX_HOPS {
            let presigned = hop > 0 && request.redirects == Redirects::Presigned;
            // What only this machine can see is for others on it to name.
            let private = is_loopback(&url) && is_loopback(&request.url);
            let allowed = if presigned { url.scheme() == "https" || private } else { request.hosts.allow(&url) };
            if !allowed {
                return Err(DownloadError::ForbiddenHost { host: url.host_str().unwrap_or_default().to_owned() });
            }
            let left = request.call.timeout.saturating_sub(started.elapsed());
            let bearer = request.bearer.filter(|_| !presigned);
            let response = self.ask(request, url.clone(), bearer, left).await?;
            if !response.status().is_redirection() {
                return take(request, response);
            }
            let location = send::header(response.headers(), LOCATION).unwrap_or_default();
            url = url.join(&location).map_err(|_| failed("a redirect leads nowhere"))?;
        }
        Err(failed("too many redirects"))
    }

    async fn ask(
        &self,
        request: &DownloadRequest<'_>,
        url: Url,
        bearer: Option<&SecretString>,
        left: Duration,
    ) -> Result<reqwest::Response, DownloadError> {
        let mut builder = self.request(Method::GET, url);
        if let Some(bearer) = bearer {
            builder = builder.bearer_auth(bearer.expose_secret());
        }
        let call = Call { timeout: left, ..request.call.clone() };
        send::open(&self.bounded(&call), builder).await.map_err(|error| failed(error.to_string()))
    }
}

fn take(request: &DownloadRequest<'_>, response: reqwest::Response) -> Result<Incoming, DownloadError> {
    let max_bytes = request.max_bytes;
    if !response.status().is_success() {
        return Err(failed(format!("status {}", response.status().as_u16())));
    }
    let content_type = send::header(response.headers(), CONTENT_TYPE);
    if is_html(content_type.as_deref()) && !is_html(request.expected_type) {
        return Err(DownloadError::NotAFile);
    }
    let length = response.content_length();
    if length.is_some_and(|length| usize::try_from(length).map_or(true, |length| length > max_bytes)) {
        return Err(DownloadError::TooLarge { max_bytes });
    }
    Ok(Incoming { length, content_type, max_bytes, response })
}

fn is_html(content_type: Option<&str>) -> bool {
    content_type.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html"))
}

fn failed(why: impl Into<String>) -> DownloadError {
    DownloadError::Failed { why: why.into() }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;
    use crate::outbound::OutboundOptions;

    /// Answers the requests in turn, each on its own connection; gives back what was asked.
    async fn serve(listener: &TcpListener, answers: &[String]) -> Vec<String> {
        let mut asked = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = vec![0_u8; 8192];
            let length = stream.read(&mut buffer).await.unwrap();
            asked.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
            drop(stream.write_all(answer.as_bytes()).await);
            drop(stream.shutdown().await);
        }
        asked
    }

    async fn fetch(answers: &[&str], expected_type: Option<&str>) -> (Result<Download, DownloadError>, Vec<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/file", listener.local_addr().unwrap()).parse().unwrap();
        let outbound = Outbound::new(OutboundOptions::default()).unwrap();
        let bearer = SecretString::from("xoxb-invented");
        let call = Call { service: "slack", method: "file".into(), timeout: Duration::from_secs(5) };
        let hosts = Hosts::new(["127.0.0.1"]);
        let request = DownloadRequest {
            call,
            url,
            bearer: Some(&bearer),
            hosts: &hosts,
            redirects: Redirects::OnTheList,
            max_bytes: 16,
            expected_type,
        };
        let answers: Vec<String> = answers.iter().map(|a| a.replace('\n', "\r\n")).collect();
        tokio::join!(outbound.download(request), serve(&listener, &answers))
    }

    #[tokio::test]
    async fn a_file_comes_through_a_redirect_with_the_bearer() {
        let hop = "HTTP/1.1 302 Found\nConnection: close\nLocation: /elsewhere\nContent-Length: 0\n\n";
        let file = "HTTP/1.1 200 OK\nConnection: close\nContent-Type: image/png\nContent-Length: 4\n\n1234";
        let (result, asked) = fetch(&[hop, file], Some("image/png")).await;
        assert_eq!(result.unwrap().bytes.as_ref(), b"1234");
        assert!(asked[1].starts_with("GET /elsewhere"), "{asked:?}");
        assert!(asked[1].contains("Bearer xoxb-invented"), "{asked:?}");
    }

    #[tokio::test]
    async fn a_redirect_off_the_list_is_not_followed() {
        let hop = "HTTP/1.1 302 Found\nConnection: close\nLocation: https://evil.example/x\nContent-Length: 0\n\n";
        let (result, _) = fetch(&[hop], None).await;
        assert_eq!(result.unwrap_err(), DownloadError::ForbiddenHost { host: "evil.example".to_owned() });
    }

    #[tokio::test]
    async fn a_presigned_address_is_asked_without_the_bearer_and_its_file_can_be_handed_on() {
        let (first, second) =
            (TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let there = second.local_addr().unwrap();
        let hop = format!(
            "HTTP/1.1 307 T\r\nConnection: close\r\nLocation: http://{there}/f?sig=1\r\nContent-Length: 0\r\n\r\n"
        );
        let file = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\n1234".to_owned();
        let outbound = Outbound::new(OutboundOptions::default()).unwrap();
        let hosts = Hosts::new([first.local_addr().unwrap().to_string()]);
        let bearer = SecretString::from("cog_invented");
        let request = DownloadRequest {
            call: Call { service: "devin", method: "file".into(), timeout: Duration::from_secs(5) },
            url: format!("http://{}/a", first.local_addr().unwrap()).parse().unwrap(),
            bearer: Some(&bearer),
            hosts: &hosts,
            redirects: Redirects::Presigned,
            max_bytes: 16,
            expected_type: None,
        };
        let (asked_first, asked_second) = ([hop], [file]);
        let (incoming, first, second) =
            tokio::join!(outbound.open_file(request), serve(&first, &asked_first), serve(&second, &asked_second));
        assert!(first[0].contains("Bearer cog_invented"), "{first:?}");
        assert!(second[0].contains("/f?sig=1") && !second[0].to_lowercase().contains("authorization"), "{second:?}");
        let incoming = incoming.unwrap();
        assert_eq!(incoming.length, Some(4));
        assert_eq!(incoming.read().await.unwrap().bytes.as_ref(), b"1234");
    }

    #[tokio::test]
    async fn a_login_page_is_not_the_file_unless_the_file_is_html() {
        let page =
            "HTTP/1.1 200 OK\nConnection: close\nContent-Type: text/html; charset=utf-8\nContent-Length: 6\n\n<html>";
        assert_eq!(fetch(&[page], Some("text/plain")).await.0.unwrap_err(), DownloadError::NotAFile);
        assert!(fetch(&[page], Some("text/html")).await.0.is_ok());
    }

    #[tokio::test]
    async fn a_long_file_is_refused_whether_announced_or_not() {
        let announced = "HTTP/1.1 200 OK\nConnection: close\nContent-Length: 17\n\n12345678901234567";
        let endless = "HTTP/1.1 200 OK\nConnection: close\n\n12345678901234567";
        for answer in [announced, endless] {
            assert_eq!(fetch(&[answer], None).await.0.unwrap_err(), DownloadError::TooLarge { max_bytes: 16 });
        }
    }

    #[tokio::test]
    async fn a_refusal_is_not_the_file() {
        let (result, _) = fetch(&["HTTP/1.1 403 Forbidden\nConnection: close\nContent-Length: 0\n\n"], None).await;
        assert_eq!(result.unwrap_err(), failed("status 403"));
    }

    #[test]
    fn a_host_stands_for_itself_and_what_is_below_it() {
        let hosts = Hosts::new(["slack.com", "localhost", "127.0.0.1:4000"]);
        let allow = |url: &str| hosts.allow(&url.parse().unwrap());
        assert!(allow("https://slack.com/x"));
        assert!(allow("https://files.SLACK.com/x"));
        assert!(!allow("https://evilslack.com/x"));
        assert!(!allow("https://slack.com.evil.example/x"));
        assert!(!allow("http://files.slack.com/x"), "plain text would show the bearer");
        assert!(allow("http://localhost:9/x"));
        assert!(allow("http://127.0.0.1:4000/x"));
        assert!(!allow("http://127.0.0.1:4001/x"));
    }
}
