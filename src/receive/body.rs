//! Reads a request's bytes, within bounds of size and time, and verifies them; what comes over a socket is Slack's already.
//! Only what comes out of here can be called an input.

use std::{
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use axum::{
    body::to_bytes,
    extract::Request,
    http::{StatusCode, header},
};
use bytes::Bytes;
use http_body_util::LengthLimitError;
use jiff::Timestamp;

use super::Receive;
use crate::slack::{
    signature::{Refusal, VerifiedBody},
    socket::Envelope,
};

/// Longest body that is read. Slack names no bound; a view may be 250 KB and grows under form encoding.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;
/// A body that takes longer is dripping. Slack itself waits three seconds for our answer.
const BODY_WITHIN: Duration = Duration::from_secs(3);

/// Tells of refused requests: each is counted, but a flood of them must not become a flood of lines.
#[derive(Debug, Default)]
pub struct Refusals {
    untold: AtomicU64,
    told_in_second: AtomicI64,
}

impl Refusals {
    fn note(&self, refusal: Refusal, now: Timestamp) {
        metrics::counter!("bobbin_inbound_refused_total", "why" => refusal.reason()).increment(1);
        self.untold.fetch_add(1, Ordering::Relaxed);
        let second = now.as_second();
        if self.told_in_second.swap(second, Ordering::Relaxed) != second {
            let refused = self.untold.swap(0, Ordering::Relaxed);
            tracing::warn!(refused, last = refusal.reason(), "requests were refused");
        }
    }
}

/// What is Slack's for certain. Its constructors are the signature check, and the envelope of a socket that was opened with
/// the app's own token.
#[derive(Debug)]
pub(super) struct VerifiedInput {
    body: Source,
    began: Instant,
}

#[derive(Debug)]
enum Source {
    Signed(VerifiedBody),
    Socket(Bytes),
}

impl VerifiedInput {
    /// The bytes that were verified.
    pub(super) fn bytes(&self) -> &Bytes {
        match &self.body {
            Source::Signed(body) => body.bytes(),
            Source::Socket(bytes) => bytes,
        }
    }

    /// When we began to read it.
    pub(super) fn began(&self) -> Instant {
        self.began
    }

    /// What came over a socket.
    pub(super) fn over_socket(envelope: &Envelope) -> Self {
        Self { body: Source::Socket(envelope.body().into()), began: Instant::now() }
    }

    /// Reads and verifies a request; a refusal is a status and nothing else.
    pub(super) async fn read(receive: &Receive, request: Request) -> Result<Self, StatusCode> {
        let began = Instant::now();
        let (parts, body) = request.into_parts();
        if parts.headers.contains_key(header::CONTENT_ENCODING) {
            return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        let announced = parts.headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
        if announced.is_some_and(|length| length > MAX_BODY_BYTES) {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let read = tokio::time::timeout(BODY_WITHIN, to_bytes(body, MAX_BODY_BYTES)).await;
        let bytes = read.map_err(|_elapsed| StatusCode::REQUEST_TIMEOUT)?.map_err(|error| too_large(&error))?;
        let verified = receive.secrets.now().verify(&parts.headers, bytes, receive.clock.now());
        verified.map(|body| Self { body: Source::Signed(body), began }).map_err(|refusal| {
            receive.refusals.note(refusal, receive.clock.now());
            StatusCode::UNAUTHORIZED
        })
    }
}

/// A body over the bound, or one that broke off.
fn too_large(error: &axum::Error) -> StatusCode {
    let over = std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<LengthLimitError>);
    if over { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::BAD_REQUEST }
}
