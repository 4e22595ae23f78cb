//! What becomes of a verified input, whichever way it came: decide, store, and say what Slack may be answered.
//!
//! The doors differ in how they read and how they answer. Between the two there is only this, so that nothing can hold for
//! one of them and not for the other.

use std::time::{Duration, Instant};

use serde_json::Value;
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

/// What Slack may be answered.
#[derive(Debug, PartialEq)]
pub(super) enum Ending {
    /// Whatever there was to store is stored.
    Taken,
    /// Nothing is stored, and this is the answer.
    Answer(Value),
    /// The answer to a check of our address.
    Challenge(String),
    /// It cannot be read; its bytes are kept for somebody to look at.
    SetAside,
    /// Neither the store nor the spool has it: Slack has to send it again.
    NotStored,
}

/// Takes an Events API body.
pub(super) async fn event(receive: &Receive, input: &VerifiedInput) -> Ending {
    take(receive, Door::Events, input, |body| admit::event(&receive.rules.now(), body)).await
}

/// Takes a slash command.
pub(super) async fn command(receive: &Receive, input: &VerifiedInput) -> Ending {
    take(receive, Door::Commands, input, admit::command).await
}

/// Takes a button, shortcut or modal.
pub(super) async fn interaction(receive: &Receive, input: &VerifiedInput) -> Ending {
    take(receive, Door::Interactions, input, |body| admit::interaction(&receive.seal, body)).await
}

async fn take(
    receive: &Receive,
    door: Door,
    verified: &VerifiedInput,
    decide: impl FnOnce(&[u8]) -> Decided,
) -> Ending {
    let span = tracing::info_span!("receive", door = door.name(), trace = field::Empty, end = field::Empty);
    let decision = span.in_scope(|| decide(verified.bytes()));
    decided(receive, door, verified, decision).instrument(span).await
}

async fn decided(receive: &Receive, door: Door, verified: &VerifiedInput, decided: Decided) -> Ending {
    let Decided { decision, opens, instead } = decided;
    let (end, ending) = match decision {
        Decision::Ignore(why) => (why, Ending::Taken),
        Decision::Answer(what, answer) => (what, Ending::Answer(answer)),
        Decision::Challenge(challenge) => ("challenge", Ending::Challenge(challenge)),
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
            let (end, ending) = accept(receive, Offer { mailbox, input, seen, admit }).await;
            if let Some(trigger) = trigger.filter(|_| end == STORED) {
                hurry(receive, trigger);
            }
            (end, ending)
        }
        Decision::Stop { mailbox, seen } => {
            let input = received(receive, door, verified.bytes().to_vec());
            stop(receive, Offer { mailbox, input, seen, admit: Admit::IfKnown }).await
        }
    };
    let took = Instant::now().duration_since(verified.began());
    metrics::counter!("bobbin_inbound_total", "door" => door.name(), "end" => end).increment(1);
    metrics::histogram!("bobbin_acknowledged_seconds", "door" => door.name()).record(took.as_secs_f64());
    tracing::debug!(end, "answered");
    Span::current().record("end", end);
    ending
}

/// An input under its name, which every line from here on has.
fn received(receive: &Receive, door: Door, body: Vec<u8>) -> Input {
    let input = Input::received(receive.clock.now(), door, body);
    Span::current().record("trace", field::display(TraceId::of(&input.id)));
    input
}

async fn accept(receive: &Receive, offer: Offer) -> (&'static str, Ending) {
    match outage::behind_the_spool(receive, receive.store.accept(&offer)).await {
        Ok(accepted) => (end(receive, accepted), Ending::Taken),
        Err(error) => spool(receive, SpoolEntry::Offer(offer), error, Ending::Taken).await,
    }
}

/// Somebody asked for a stop: what was asked for before it and waits to be tried again must not begin. The stop itself
/// waits behind that, so a note is left first; without one the stop is carried out in its turn all the same.
async fn stop(receive: &Receive, offer: Offer) -> (&'static str, Ending) {
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
async fn set_aside(receive: &Receive, door: Door, bytes: Vec<u8>, why: &str) -> (&'static str, Ending) {
    let input = received(receive, door, bytes);
    tracing::error!(input = %input.id, "a verified body cannot be read; set aside");
    metrics::counter!("bobbin_inputs_buried_total").increment(1);
    match outage::behind_the_spool(receive, receive.store.set_aside(&input, why)).await {
        Ok(()) => ("malformed", Ending::SetAside),
        Err(error) => {
            let entry = SpoolEntry::Unreadable { input, why: why.to_owned() };
            spool(receive, entry, error, Ending::SetAside).await
        }
    }
}

/// The end of what the store would not take: as usual if the spool has it.
async fn spool(receive: &Receive, entry: SpoolEntry, error: StoreError, usual: Ending) -> (&'static str, Ending) {
    match outage::keep(receive, entry, error).await {
        Ok(()) => ("spooled", usual),
        Err(error) => {
            tracing::error!(%error, "not stored; Slack sends it again");
            ("store_away", Ending::NotStored)
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
