//! The page of `bobbin demo`: Slack's side and Devin's side next to each other, to play with.
//!
//! It is served by the program itself and loads nothing from elsewhere. Forms and links work without the script; the
//! script only spares the reload. The page acts through the same methods as the tests and never talks to the bot: what
//! the bot does is seen in the twins.

mod act;
mod assets;
mod compose;
mod form;
mod live;
mod page;
mod post;
pub mod render;
mod select;
#[cfg(test)]
mod tests;
mod view;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post as posting},
};
use tokio_util::sync::CancellationToken;

use super::{DevinTwin, SlackTwin};

/// What the page shows and acts on.
#[derive(Debug, Clone)]
pub struct Playground {
    /// The stand-in Slack.
    pub slack: Arc<SlackTwin>,
    /// The stand-in Devin.
    pub devin: Arc<DevinTwin>,
    /// Ends the live streams, which would hold up a graceful shutdown for ever.
    pub stop: CancellationToken,
}

/// The routes under `/playground`.
pub fn router(playground: Playground) -> Router {
    Router::new()
        .route("/playground", get(page::page))
        .route("/playground/part/{name}", get(page::part))
        .route("/playground/live", get(live::live))
        .route("/playground/say", posting(act::say).layer(DefaultBodyLimit::disable()))
        .route("/playground/press", posting(act::press))
        .route("/playground/react", posting(act::react))
        .route("/playground/edit", posting(act::edit))
        .route("/playground/delete", posting(act::delete))
        .route("/playground/shortcut", posting(act::shortcut))
        .route("/playground/modal", posting(act::modal))
        .route("/playground/stop", posting(act::stop))
        .route("/playground/home", posting(act::home))
        .route("/playground/file/{id}", get(act::file))
        .route("/playground/devin/set", posting(post::set))
        .route("/playground/devin/say", posting(post::devin_say))
        .route("/playground/devin/pr", posting(post::pull_request))
        .route("/playground/devin/archive", posting(post::archive))
        .route("/playground/devin/script", posting(post::script))
        .route("/playground/fault", posting(post::fault))
        .route("/playground/app.css", get(assets::css))
        .route("/playground/app.js", get(assets::js))
        .route("/playground/icon.svg", get(assets::icon))
        .layer(middleware::from_fn(assets::guard))
        .with_state(playground)
}
