//! The one send: every request of the program leaves here, is timed, counted and classified here.
//!
//! Two HTTP clients, because a proxy from the environment must carry what leaves the machine and must never carry
//! what stays on it (the twins, a test). Redirects are off: an API that redirects is a wrong base address, and
//! following it would send the bearer somewhere else.

use std::{
    borrow::Cow,
    error::Error as _,
    fmt::Write as _,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use reqwest::{
    Client, ClientBuilder, Method, RequestBuilder, Response,
    header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER},
    redirect, retry,
};
use tracing::{Instrument as _, Span, field};
use url::Url;

use super::{Certainty, Failure, tally};

/// Longest body of an answer that is read: the vendors' largest pages stay under 2 MiB.
const MAX_ANSWER_BYTES: usize = 8 << 20;

/// Time to reach a host: a call that has not connected by then counts as not sent, and can be tried again safely.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Idle connections are dropped before the vendors' balancers drop them: a request written into a connection that is
/// being closed is one whose fate nobody knows.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

const USER_AGENT: &str = concat!("bobbin/", env!("CARGO_PKG_VERSION"));

/// Time-outs of the connections; the time a call may take is the call's own.
#[derive(Debug, Clone, Copy)]
pub struct OutboundOptions {
    /// Time to reach a host, TLS included.
    pub connect_timeout: Duration,
    /// How long an unused connection is kept.
    pub idle_timeout: Duration,
    /// Longest time for any call, whatever it is allowed itself: tests do not wait for a minute.
    pub call_timeout: Duration,
}

impl Default for OutboundOptions {
    fn default() -> Self {
        Self { connect_timeout: CONNECT_TIMEOUT, idle_timeout: IDLE_TIMEOUT, call_timeout: Duration::MAX }
    }
}

/// No client could be made: nearly always a machine without any trusted certificates.
#[derive(Debug, thiserror::Error)]
#[error("cannot make an HTTP client (are certificates installed?): {0}")]
pub struct OutboundError(String);

/// What is called and how long it may take; the label of its logs and metrics.
#[derive(Debug, Clone)]
pub struct Call {
    /// `slack` or `devin`.
    pub service: &'static str,
    /// The vendor's name of the call, such as `chat.postMessage`; never with an identifier in it.
    pub method: Cow<'static, str>,
    /// Time for the whole call, reading the answer included.
    pub timeout: Duration,
}

/// An answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Retry-After`, when given in whole seconds.
    pub retry_after: Option<Duration>,
    /// `Content-Type` as it came.
    pub content_type: Option<String>,
    /// The body, whole.
    pub body: Bytes,
}

impl Answer {
    /// Whether the content type names JSON in any of its forms (`application/problem+json` too).
    pub fn is_json(&self) -> bool {
        self.content_type.as_deref().is_some_and(|kind| kind.to_ascii_lowercase().contains("json"))
    }
}

/// No answer came. The text names the cause and never the address, which may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The request never left: no such host, refused, no TLS.
    #[error("not sent: {0}")]
    NotSent(String),
    /// The request left, or may have.
    #[error("sent, but no readable answer: {0}")]
    Unknown(String),
}

impl Failure for SendError {
    fn certainty(&self) -> Certainty {
        match self {
            Self::NotSent(_) => Certainty::NotDone,
            Self::Unknown(_) => Certainty::Unknown,
        }
    }
}

/// The way out. Cheap to clone: clones share their connections.
#[derive(Debug, Clone)]
pub struct Outbound {
    proxied: Client,
    direct: Client,
    pub(super) options: OutboundOptions,
}

impl Outbound {
    /// Makes the clients; installs a TLS provider when the process has none.
    ///
    /// # Errors
    ///
    /// When the TLS set-up fails.
    pub fn new(options: OutboundOptions) -> Result<Self, OutboundError> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // An error means that another thread was faster, which is as good.
            drop(rustls::crypto::ring::default_provider().install_default());
        }
        let broken = |error: reqwest::Error| OutboundError(chain(error));
        Ok(Self {
            proxied: client(&options).build().map_err(broken)?,
            direct: client(&options).no_proxy().build().map_err(broken)?,
            options,
        })
    }

    /// Starts a request; loopback addresses go round any proxy.
    pub fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let client = if is_loopback(&url) { &self.direct } else { &self.proxied };
        client.request(method, url)
    }

    /// Sends a request and reads its answer.
    ///
    /// # Errors
    ///
    /// [`SendError`], when there is no answer that could be read whole. Any status is an [`Answer`].
    pub async fn send(&self, call: &Call, request: RequestBuilder) -> Result<Answer, SendError> {
        self.send_seeing(call, request).await.map(|(answer, _)| answer)
    }

    /// Sends a request and reads its answer together with its headers.
    ///
    /// # Errors
    ///
    /// [`SendError`], as [`send`](Self::send).
    pub async fn send_seeing(&self, call: &Call, request: RequestBuilder) -> Result<(Answer, HeaderMap), SendError> {
        self.send_judged(call, request, |answer| (answer, None)).await
    }

    /// Sends a request and reads its answer as the caller does: what it makes of it, and in which word for traces and
    /// metrics where the status does not say it.
    ///
    /// # Errors
    ///
    /// [`SendError`], as [`send`](Self::send).
    pub async fn send_judged<T>(
        &self,
        call: &Call,
        request: RequestBuilder,
        judge: impl FnOnce(Answer) -> (T, Option<&'static str>),
    ) -> Result<(T, HeaderMap), SendError> {
        let started = Instant::now();
        let span = span(call);
        // On the heap: a request in flight is large, and every caller's future would hold it.
        let result = Box::pin(exchange(&self.bounded(call), request).instrument(span.clone())).await;
        let took = started.elapsed();
        let (answer, headers) = result.inspect_err(|error| {
            let outcome = if matches!(error, SendError::NotSent(_)) { "not_sent" } else { "unknown" };
            record(&span, call, outcome, 0, took);
        })?;
        let (status, wait) = (answer.status, answer.retry_after);
        let (made, judged) = judge(answer);
        let outcome = judged.unwrap_or_else(|| outcome_of(status));
        record(&span, call, outcome, status, took);
        if outcome == "rate_limited" {
            let wait = wait.unwrap_or_default().as_secs_f64();
            metrics::histogram!("bobbin_rate_limit_wait_seconds", "service" => call.service).record(wait);
        }
        Ok((made, headers))
    }
}

impl Outbound {
    /// The call within the time that any call may take.
    pub(super) fn bounded(&self, call: &Call) -> Call {
        Call { timeout: call.timeout.min(self.options.call_timeout), ..call.clone() }
    }
}

/// A client as all of them are.
pub(super) fn client(options: &OutboundOptions) -> ClientBuilder {
    Client::builder()
        .user_agent(USER_AGENT)
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .connect_timeout(options.connect_timeout)
        .pool_idle_timeout(options.idle_timeout)
}

/// Whether an address stays on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Sends a request and hands back the answer's head; the time-out goes on while the body is read.
#[expect(clippy::disallowed_methods, reason = "the one place from which requests leave")]
pub(super) async fn open(call: &Call, request: RequestBuilder) -> Result<Response, SendError> {
    request.timeout(call.timeout).send().await.map_err(classify)
}

/// Reads a body up to a limit; `None` when it is longer.
pub(super) async fn read(mut response: Response, max_bytes: usize) -> Result<Option<Bytes>, SendError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| SendError::Unknown(chain(error)))? {
        if body.len() + chunk.len() > max_bytes {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body.freeze()))
}

/// A header's text.
pub(super) fn header(headers: &HeaderMap, name: reqwest::header::HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// What traces and log lines know of a call: never its address, which may hold a secret, nor what it says.
pub(super) fn span(call: &Call) -> Span {
    tracing::info_span!(
        "call",
        service = call.service,
        method = %call.method,
        outcome = field::Empty,
        status = field::Empty
    )
}

/// Counts and logs a call that ended.
pub(super) fn record(span: &Span, call: &Call, outcome: &'static str, status: u16, took: Duration) {
    span.record("outcome", outcome).record("status", status);
    tally::made(call, outcome, took);
    let method = call.method.clone().into_owned();
    metrics::counter!("bobbin_outbound_calls_total", "service" => call.service, "method" => method.clone(), "outcome" => outcome)
        .increment(1);
    metrics::histogram!("bobbin_outbound_seconds", "service" => call.service, "method" => method)
        .record(took.as_secs_f64());
    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(
        outbound.service = call.service,
        outbound.method = %call.method,
        outbound.status = status,
        outbound.outcome = outcome,
        outbound.ms = milliseconds,
        "{} {} ended {outcome} after {milliseconds} ms",
        call.service,
        call.method,
    );
}

async fn exchange(call: &Call, request: RequestBuilder) -> Result<(Answer, HeaderMap), SendError> {
    let response = open(call, request).await?;
    let status = response.status().as_u16();
    let retry_after = seconds(header(response.headers(), RETRY_AFTER).as_deref());
    let content_type = header(response.headers(), CONTENT_TYPE);
    let headers = response.headers().clone();
    let body = read(response, MAX_ANSWER_BYTES)
        .await?
        .ok_or_else(|| SendError::Unknown(format!("the answer is longer than {MAX_ANSWER_BYTES} bytes")))?;
    Ok((Answer { status, retry_after, content_type, body }, headers))
}

pub(super) fn outcome_of(status: u16) -> &'static str {
    match status {
        200..=299 => "ok",
        401 => "unauthorized",
        429 => "rate_limited",
        300..=499 => "refused",
        _ => "failed",
    }
}

fn seconds(text: Option<&str>) -> Option<Duration> {
    text?.trim().parse().ok().map(Duration::from_secs)
}

pub(super) fn classify(error: reqwest::Error) -> SendError {
    if error.is_connect() || error.is_builder() {
        SendError::NotSent(chain(error))
    } else {
        SendError::Unknown(chain(error))
    }
}

/// The error and its causes on one line, without the address.
pub(super) fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        // Writing to a string cannot fail.
        write!(text, ": {inner}").unwrap_or_default();
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    fn call() -> Call {
        Call { service: "slack", method: "api.test".into(), timeout: Duration::from_millis(500) }
    }

    /// Answers one request with the given bytes and closes.
    async fn serve(listener: TcpListener, answer: Vec<u8>) {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0_u8; 4096];
        assert!(stream.read(&mut buffer).await.unwrap() > 0);
        // The client may hang up early when the answer is too long for it.
        drop(stream.write_all(&answer).await);
        drop(stream.shutdown().await);
    }

    async fn exchange_with(answer: &[u8]) -> Result<Answer, SendError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url: Url = format!("http://{}/secret-path", listener.local_addr().unwrap()).parse().unwrap();
        let outbound = Outbound::new(OutboundOptions::default()).unwrap();
        let request = outbound.request(Method::POST, url);
        let call = call();
        let (result, ()) = tokio::join!(outbound.send(&call, request), serve(listener, answer.to_vec()));
        result
    }

    #[tokio::test]
    async fn an_answer_of_any_status_is_an_answer() {
        let answer = exchange_with(
            b"HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nno",
        )
        .await
        .unwrap();
        assert_eq!(answer.status, 429);
        assert_eq!(answer.retry_after, Some(Duration::from_secs(7)));
        assert_eq!(answer.content_type.as_deref(), Some("text/plain"));
        assert_eq!(answer.body.as_ref(), b"no");
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let answer = exchange_with(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
            .await
            .unwrap();
        assert_eq!(answer.status, 302);
    }

    #[tokio::test]
    async fn a_refused_connection_was_certainly_not_sent() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url: Url = format!("http://{}/secret-path", listener.local_addr().unwrap()).parse().unwrap();
        drop(listener);
        let outbound = Outbound::new(OutboundOptions::default()).unwrap();
        let error = outbound.send(&call(), outbound.request(Method::POST, url)).await.unwrap_err();
        assert_eq!(error.certainty(), Certainty::NotDone);
        assert!(!error.to_string().contains("secret-path"), "{error}");
    }

    #[tokio::test]
    async fn a_connection_that_closes_without_answer_leaves_the_outcome_unknown() {
        let error = exchange_with(b"").await.unwrap_err();
        assert_eq!(error.certainty(), Certainty::Unknown);
        assert!(!error.to_string().contains("secret-path"), "{error}");
    }

    #[tokio::test]
    async fn an_answer_cut_short_leaves_the_outcome_unknown() {
        let error = exchange_with(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await.unwrap_err();
        assert_eq!(error.certainty(), Certainty::Unknown);
    }

    #[tokio::test]
    async fn silence_until_the_time_out_leaves_the_outcome_unknown() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let outbound = Outbound::new(OutboundOptions::default()).unwrap();
        let error = outbound.send(&call(), outbound.request(Method::GET, url)).await.unwrap_err();
        assert_eq!(error.certainty(), Certainty::Unknown);
    }

    #[tokio::test]
    async fn an_endless_answer_is_given_up() {
        let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", MAX_ANSWER_BYTES + 1).into_bytes();
        answer.resize(answer.len() + MAX_ANSWER_BYTES + 1, b'x');
        let error = exchange_with(&answer).await.unwrap_err();
        assert!(matches!(error, SendError::Unknown(_)), "{error}");
    }

    #[test]
    fn only_whole_seconds_count_as_retry_after() {
        assert_eq!(seconds(Some(" 30 ")), Some(Duration::from_secs(30)));
        assert_eq!(seconds(Some("Wed, 21 Oct 2026 07:28:00 GMT")), None);
        assert_eq!(seconds(None), None);
    }
}
