//! The switch that pauses new sessions: its forms stand on *Now* and, while it is on, on every page.

use std::sync::Arc;

use axum::{Form, extract::State, response::Response};
use serde::Deserialize;

use super::{Admin, Console};
use crate::{console::done::Done, domain::ids::TeamId, oversight::OversightError};

const BACK: &str = "/console";

/// What is paused, and why.
#[derive(Debug, Deserialize)]
pub(in crate::console) struct Wanted {
    /// A workspace's id; empty for all.
    #[serde(default)]
    workspace: String,
    #[serde(default)]
    reason: String,
}

impl Wanted {
    fn workspace(&self) -> Result<Option<TeamId>, OversightError> {
        let text = self.workspace.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let id = text.parse().map_err(|_| {
            OversightError::Refused(format!(
                "{text:?} is no workspace's id, such as T0123ABCD. Leave it empty for all."
            ))
        })?;
        Ok(Some(id))
    }
}

pub(in crate::console) async fn pause(
    State(console): State<Arc<Console>>,
    admin: Admin,
    Form(wanted): Form<Wanted>,
) -> Response {
    let outcome = async { console.oversight.pause(&admin.actor(), wanted.workspace()?.as_ref(), &wanted.reason).await };
    let outcome = outcome.await;
    console.did(Done::Paused, BACK, admin, outcome).await
}

pub(in crate::console) async fn resume(
    State(console): State<Arc<Console>>,
    admin: Admin,
    Form(wanted): Form<Wanted>,
) -> Response {
    let outcome = async { console.oversight.resume(&admin.actor(), wanted.workspace()?.as_ref()).await };
    let outcome = outcome.await;
    console.did(Done::Resumed, BACK, admin, outcome).await
}
