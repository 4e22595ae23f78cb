//! The console: what operators look at in a browser. Server-rendered, so that everything can be read without scripts; a
//! small script of our own puts in what changed meanwhile.
//!
//! It shows what [`oversight`](crate::oversight) sees, does what that does, and has no knowledge of its own. Who may look
//! and who may act is decided in one place, [`guard`], before any page is made.

mod band;
mod chart;
mod checkup;
mod complaints;
mod done;
mod forms;
mod gate;
mod guard;
mod live;
mod pages;
mod pulse;
mod replica;
mod session;
mod sign_in;
mod story;
mod view;
mod viewer;

use std::sync::Arc;

use axum::{
    Router,
    http::header,
    middleware,
    response::IntoResponse,
    routing::{get, post},
};
use tokio_util::sync::CancellationToken;

pub use self::{
    checkup::{Checkup, Examined},
    complaints::{Complaint, Complaints},
    guard::Access,
    pulse::Pulse,
    replica::Replica,
    sign_in::SignIn,
};
use crate::{clock::Clock, oversight::Oversight, tenancy::Installations};

/// What the pages need.
#[derive(Debug)]
pub struct Console {
    /// What there is to see.
    pub oversight: Arc<Oversight>,
    /// The workspaces that installed the app; `None` where one bot token is configured.
    pub installations: Option<Arc<Installations>>,
    /// What the app wants to be allowed in a workspace.
    pub scopes: Vec<String>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What is shown of this process alone.
    pub replica: Arc<Replica>,
    /// Who may look.
    pub access: Access,
    /// Ends the live streams.
    pub stop: CancellationToken,
}

/// The routes, all below `/console`.
pub fn routes(console: Arc<Console>) -> Router {
    let pages = Router::new()
        .route("/console", get(pages::now::page))
        .route("/console/sessions", get(pages::sessions::page))
        .route("/console/people", get(pages::people::page))
        .route("/console/people/set", post(pages::people::set))
        .route("/console/people/remove", post(pages::people::remove))
        .route("/console/dead", get(pages::dead::page))
        .route("/console/dead/{id}", get(pages::dead::letter))
        .route("/console/dead/{id}/body", post(pages::dead::body))
        .route("/console/dead/{id}/replay", post(pages::dead::replay))
        .route("/console/dead/{id}/drop", post(pages::dead::forget))
        .route("/console/pause", post(pages::pause::pause))
        .route("/console/resume", post(pages::pause::resume))
        .route("/console/threads/{team}/{channel}/{root}", get(pages::thread::page))
        .route("/console/installs", get(pages::installs::page))
        .route("/console/health", get(pages::health::page))
        .route("/console/log", get(pages::log::page))
        .route(live::LIVE, get(live::stream))
        .route("/console/{*lost}", get(pages::lost));
    let mut pages = pages.with_state(console.clone());
    let mut outside = Router::new();
    if let Access::Admins(sign_in) = &console.access {
        pages = pages.merge(sign_in::way_out(console.clone(), sign_in.clone()));
        outside = sign_in::way_in(console.clone(), sign_in.clone());
    }
    let guarded = pages.layer(middleware::from_fn_with_state(console, guard::look)).merge(outside);
    let guarded = guarded.layer(middleware::from_fn(guard::careful));
    let parts = Router::new()
        .route(
            "/console/console.css",
            get(async || part("text/css", include_str!("../../templates/console/console.css"))),
        )
        .route(
            "/console/console.js",
            get(async || part("text/javascript", include_str!("../../templates/console/console.js"))),
        )
        .route(
            "/console/icon.svg",
            get(async || part("image/svg+xml", include_str!("../../templates/playground/icon.svg"))),
        );
    guarded.merge(parts)
}

/// A file of ours that says nothing of anybody.
fn part(kind: &'static str, text: &'static str) -> impl IntoResponse {
    (
        [
            (header::CONTENT_TYPE, kind),
            (header::CACHE_CONTROL, "max-age=300"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ],
        text,
    )
}
