//! The doors: what Slack sends is verified, read just far enough to know whose it is, stored, and only then
//! acknowledged.
//!
//! Slack posts to us, or sends over sockets that `app` keeps open. Nothing here calls out: the only thing between Slack and
//! its answer is one round trip to the store, so that Slack's three-second limit is a property of the import graph. What it
//! all means is for `work` to find out.

mod accept;
mod admit;
mod body;
mod door;
mod form;
mod outage;
mod socket;

use std::sync::Arc;

use axum::{Router, routing::post};

pub use self::{
    admit::HANDLED_EVENTS,
    body::{MAX_BODY_BYTES, Refusals},
    outage::Drained,
    socket::{Over, serve},
};
use crate::{
    clock::Clock,
    config::Live,
    domain::rules::Rules,
    slack::{signature::SigningSecrets, trigger::Triggers},
    store::{Bell, SharedStore, embedded::Spool, seal::Seal},
};

/// What the doors need.
#[derive(Debug)]
pub struct Receive {
    /// Where inputs go.
    pub store: SharedStore,
    /// Takes inputs while the store is away, if there is one.
    pub spool: Option<Arc<Spool>>,
    /// The time, for the age of signatures.
    pub clock: Arc<dyn Clock>,
    /// What requests are verified with.
    pub secrets: Live<SigningSecrets>,
    /// Rung when an input was stored.
    pub bell: Bell,
    /// Tells of what was refused.
    pub refusals: Refusals,
    /// Seals what must not be stored in clear.
    pub seal: Seal,
    /// Where triggers go, so that their modals open at once.
    pub triggers: Triggers,
    /// What the configuration says about channels and people.
    pub rules: Live<Rules>,
}

/// The routes that Slack posts to.
pub fn routes(receive: Arc<Receive>) -> Router {
    Router::new()
        .route("/slack/events", post(door::events))
        .route("/slack/commands", post(door::commands))
        .route("/slack/interactions", post(door::interactions))
        .with_state(receive)
}
