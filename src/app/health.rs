//! `/healthz` (the process lives), `/readyz` (it can take inputs and handle them) and `/metrics`.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio_util::task::TaskTracker;

use super::{logs, rebuild::Rebuild};
use crate::store::SharedStore;

/// A store that takes longer to say that it is there counts as away.
const STORE_WITHIN: Duration = Duration::from_millis(900);

/// What readiness depends on.
#[derive(Debug)]
pub(super) struct Health {
    store: SharedStore,
    rebuild: Arc<Rebuild>,
    tasks: TaskTracker,
    expected: usize,
}

impl Health {
    pub(super) fn new(store: SharedStore, rebuild: Arc<Rebuild>, tasks: TaskTracker, expected: usize) -> Self {
        Self { store, rebuild, tasks, expected }
    }

    /// What stands in the way of being ready, in words.
    async fn trouble(&self) -> Option<String> {
        if self.tasks.len() < self.expected {
            return Some(format!("workers: {} of {} run", self.tasks.len(), self.expected));
        }
        let work_waits = async {
            self.store.check().await?;
            self.rebuild.trouble().await
        };
        match tokio::time::timeout(STORE_WITHIN, work_waits).await {
            Ok(Ok(trouble)) => trouble,
            Ok(Err(error)) => Some(format!("store: {error}")),
            Err(_elapsed) => Some("store: no answer in time".to_owned()),
        }
    }
}

/// The routes.
pub(super) fn routes(health: Arc<Health>) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(health)
}

async fn ready(State(health): State<Arc<Health>>) -> Response {
    match health.trouble().await {
        None => "ready\n".into_response(),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")).into_response(),
    }
}

async fn metrics(State(health): State<Arc<Health>>) -> Response {
    if let Ok(Ok(backlog)) = tokio::time::timeout(STORE_WITHIN, health.store.backlog()).await {
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; counts here are far below its precision")]
        metrics::gauge!("bobbin_mailboxes_ready").set(backlog.ready as f64);
    }
    match logs::metrics() {
        Some(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
