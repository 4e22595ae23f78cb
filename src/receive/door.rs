//! The three doors: verify, decide, store, acknowledge.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Json,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use tracing::{Instrument as _, Span, field};

use super::{
    Receive,
    admit::{self, Decided, Decision},
    body::VerifiedInput,
    outage,
};
use crate::{
    domain::trace::TraceId,
    slack::trigger::Trigger,
    store::{Accepted, Admit, Door, Input, Offer, Result, SEEN_FOR, StoreError, embedded::SpoolEntry},
};

/// What came of an input that will be handled.
const STORED: &str = "stored";
/// A store that takes longer counts as away: the answer has to leave while Slack still waits, and Slack asks again. A
/// little more than the 900 ms that the Redis store gives itself: it must see its own time-outs, because it rebuilds a
/// connection after two of them.
const STORE_WITHIN: Duration = Duration::from_millis(950);

pub(super) async fn events(State(receive): State<Arc<Receive>>, request: Request) -> Response {
    take(&receive, Door::Events, request, |body| admit::event(&receive.rules.now(), body)).await
}

pub(super) async fn commands(State(receive): State<Arc<Receive>>, request: Request) -> Response {
    take(&receive, Door::Commands, request, admit::command).await
}

pub(super) async fn interactions(State(receive): State<Arc<Receive>>, request: Request) -> Response {
    take(&receive, Door::Interactions, request, |body| admit::interaction(&receive.seal, body)).await
}

async fn take(receive: &Receive, door: Door, request: Request, decide: impl FnOnce(&[u8]) -> Decided) -> Response {
    let span = tracing::info_span!("receive", door = door.name(), trace = field::Empty, end = field::Empty);
    answer(receive, door, request, decide).instrument(span).await
}

async fn answer(receive: &Receive, door: Door, request: Request, decide: impl FnOnce(&[u8]) -> Decided) -> Response {
    let began = Instant::now();
    let verified = match VerifiedInput::read(receive, request).await {
        Ok(verified) => verified,
        Err(status) => return status.into_response(),
    };
    let Decided { decision, opens, instead } = decide(verified.bytes());
    let (end, response) = match decision {
        Decision::Ignore(why) => (why, StatusCode::OK.into_response()),
        Decision::Answer(what, answer) => (what, Json(answer).into_response()),
        Decision::Challenge(challenge) => ("challenge", plain(challenge)),
        Decision::Malformed(why) => {
            let kept = instead.unwrap_or_else(|| verified.bytes().to_vec());
            set_aside(receive, door, kept, &why).await
        }
        Decision::Offer { mailbox, seen, admit } => {
            let body = instead.unwrap_or_else(|| verified.bytes().to_vec());
            let input = received(receive, door, body);
            let trigger = opens.map(|(id, opens)| Trigger {
                id,
                team: mailbox.team().clone(),
                input: input.id.clone(),
                opens,
                at: input.at,
            });
            let (end, response) = accept(receive, Offer { mailbox, input, seen, admit }).await;
            if let Some(trigger) = trigger.filter(|_| end == STORED) {
                hurry(receive, trigger);
            }
            (end, response)
        }
        Decision::Stop { mailbox, seen } => {
            let input = received(receive, door, verified.bytes().to_vec());
            stop(receive, Offer { mailbox, input, seen, admit: Admit::IfKnown }).await
        }
    };
    metrics::counter!("bobbin_inbound_total", "door" => door.name(), "end" => end).increment(1);
    metrics::histogram!("bobbin_acknowledged_seconds", "door" => door.name()).record(began.elapsed().as_secs_f64());
    tracing::debug!(end, "answered");
    Span::current().record("end", end);
    response
}

/// An input under its name, which every line from here on has.
fn received(receive: &Receive, door: Door, body: Vec<u8>) -> Input {
    let input = Input::received(receive.clock.now(), door, body);
    Span::current().record("trace", field::display(TraceId::of(&input.id)));
    input
}

async fn accept(receive: &Receive, offer: Offer) -> (&'static str, Response) {
    match outage::behind_the_spool(receive, receive.store.accept(&offer)).await {
        Ok(accepted) => (end(receive, accepted), StatusCode::OK.into_response()),
        Err(error) => spool(receive, SpoolEntry::Offer(offer), error, StatusCode::OK).await,
    }
}

/// Somebody asked for a stop: what was asked for before it and waits to be tried again must not begin. The stop itself
/// waits behind that, so a note is left first; without one the stop is carried out in its turn all the same.
async fn stop(receive: &Receive, offer: Offer) -> (&'static str, Response) {
    let note = offer.mailbox.stop_note();
    if let Err(error) = within(receive.store.remember(&note, offer.input.id.as_str(), SEEN_FOR)).await {
        tracing::warn!(%error, "no note was left of a stop");
    }
    accept(receive, offer).await
}

/// Hands on what opens a modal, which cannot wait for its input's turn. Where that is not possible the handler of the
/// input opens it, or says that it is too late.
fn hurry(receive: &Receive, trigger: Trigger) {
    if receive.triggers.try_send(trigger).is_err() {
        metrics::counter!("bobbin_modals_total", "end" => "queue_full").increment(1);
    }
}

/// Calls a worker if there is something to do; the word for the metrics.
pub(super) fn end(receive: &Receive, accepted: Accepted) -> &'static str {
    match accepted {
        Accepted::Stored => {
            receive.bell.notify_one();
            STORED
        }
        Accepted::Duplicate => "duplicate",
        Accepted::Unknown => "not_for_us",
    }
}

/// A body that is Slack's but cannot be read: kept with its bytes, so that nothing is lost and somebody can look.
async fn set_aside(receive: &Receive, door: Door, bytes: Vec<u8>, why: &str) -> (&'static str, Response) {
    let input = received(receive, door, bytes);
    tracing::error!(input = %input.id, "a verified body cannot be read; set aside");
    metrics::counter!("bobbin_inputs_buried_total").increment(1);
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
