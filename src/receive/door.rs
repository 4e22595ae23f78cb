//! The three doors: verify, decide, store, acknowledge.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;

use super::{
    Receive,
    admit::{self, Decision},
    body::VerifiedInput,
    outage,
};
use crate::store::{Accepted, Door, Input, Offer, Result, StoreError, embedded::SpoolEntry};

/// A store that takes longer counts as away: the answer has to leave while Slack still waits, and Slack asks again. A
/// little more than the 900 ms that the Redis store gives itself: it must see its own time-outs, because it rebuilds a
/// connection after two of them.
const STORE_WITHIN: Duration = Duration::from_millis(950);

pub(super) async fn events(State(receive): State<Arc<Receive>>, request: Request) -> Response {
    take(&receive, Door::Events, request, |body| admit::event(&receive.rules, body)).await
}

pub(super) async fn commands(State(receive): State<Arc<Receive>>, request: Request) -> Response {
    take(&receive, Door::Commands, request, admit::command).await
}

pub(super) async fn interactions(State(receive): State<Arc<Receive>>, request: Request) -> Response {
    take(&receive, Door::Interactions, request, admit::interaction).await
}

async fn take(receive: &Receive, door: Door, request: Request, decide: impl FnOnce(&[u8]) -> Decision) -> Response {
    let verified = match VerifiedInput::read(receive, request).await {
        Ok(verified) => verified,
        Err(status) => return status.into_response(),
    };
    let decision = decide(verified.bytes());
    let (end, response) = match decision {
        Decision::Ignore(why) => (why, StatusCode::OK.into_response()),
        Decision::Challenge(challenge) => ("challenge", plain(challenge)),
        Decision::Malformed(why) => set_aside(receive, door, verified.bytes(), &why).await,
        Decision::Offer { mailbox, seen, admit } => {
            let input = Input::received(receive.clock.now(), door, verified.bytes().to_vec());
            accept(receive, Offer { mailbox, input, seen, admit }).await
        }
    };
    metrics::counter!("bobbin_inbound_total", "door" => door.name(), "end" => end).increment(1);
    tracing::debug!(door = door.name(), end, "answered");
    response
}

async fn accept(receive: &Receive, offer: Offer) -> (&'static str, Response) {
    match outage::behind_the_spool(receive, receive.store.accept(&offer)).await {
        Ok(accepted) => (end(receive, accepted), StatusCode::OK.into_response()),
        Err(error) => spool(receive, SpoolEntry::Offer(offer), error, StatusCode::OK).await,
    }
}

/// Calls a worker if there is something to do; the word for the metrics.
pub(super) fn end(receive: &Receive, accepted: Accepted) -> &'static str {
    match accepted {
        Accepted::Stored => {
            receive.bell.notify_one();
            "stored"
        }
        Accepted::Duplicate => "duplicate",
        Accepted::Unknown => "not_for_us",
    }
}

/// A body that is Slack's but cannot be read: kept with its bytes, so that nothing is lost and somebody can look.
async fn set_aside(receive: &Receive, door: Door, bytes: &Bytes, why: &str) -> (&'static str, Response) {
    let input = Input::received(receive.clock.now(), door, bytes.to_vec());
    tracing::error!(input = %input.id, door = door.name(), "a verified body cannot be read; set aside");
    match outage::behind_the_spool(receive, receive.store.set_aside(&input, why)).await {
        Ok(()) => ("malformed", StatusCode::BAD_REQUEST.into_response()),
        Err(error) => {
            let entry = SpoolEntry::Unreadable { input, why: why.to_owned() };
            spool(receive, entry, error, StatusCode::BAD_REQUEST).await
        }
    }
}

/// The answer to what the store would not take: as usual if the spool has it.
async fn spool(receive: &Receive, entry: SpoolEntry, error: StoreError, usual: StatusCode) -> (&'static str, Response) {
    match outage::keep(receive, entry, error).await {
        Ok(()) => ("spooled", usual.into_response()),
        Err(error) => {
            tracing::error!(%error, "not stored; Slack sends it again");
            ("store_away", StatusCode::SERVICE_UNAVAILABLE.into_response())
        }
    }
}

/// Does it while Slack still waits.
pub(super) async fn within<T>(operation: impl Future<Output = Result<T>> + Send) -> Result<T> {
    match tokio::time::timeout(STORE_WITHIN, operation).await {
        Ok(done) => done,
        Err(_elapsed) => Err(StoreError::Unavailable("no answer in time".to_owned())),
    }
}

fn plain(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/plain")], text).into_response()
}
