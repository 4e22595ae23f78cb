//! The pages, one file for each.

pub(super) mod installs;
pub(super) mod log;
pub(super) mod now;
pub(super) mod sessions;

use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};

use super::{
    Console,
    view::{Frame, PauseView},
    viewer::Viewer,
};
use crate::oversight::OversightError;

/// Rows of one page of a table.
const ROWS: usize = 50;

#[derive(Template)]
#[template(path = "console/trouble.html", config = ".askama.toml")]
struct TroublePage {
    frame: Frame,
    words: String,
}

/// A page that cannot be shown now, and why.
pub(super) struct Trouble(&'static str, OversightError);

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let frame = Frame { here: self.0, viewer: Viewer::Unknown, query: String::new(), pauses: Vec::new() };
        let status = match &self.1 {
            OversightError::Refused(_) => StatusCode::BAD_REQUEST,
            OversightError::Store(_) | OversightError::Devin(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        tracing::warn!(error = %self.1, page = self.0, "a page of the console cannot be shown");
        (status, shown(&TroublePage { frame, words: self.1.to_string() })).into_response()
    }
}

impl Console {
    /// What stands around a page.
    async fn frame(&self, here: &'static str, viewer: Viewer) -> Result<Frame, Trouble> {
        let now = self.clock.now();
        let pauses = self.oversight.pauses().await.map_err(|error| Trouble(here, error))?;
        let pauses = pauses.iter().map(|pause| PauseView::of(pause, now)).collect();
        Ok(Frame { here, viewer, query: String::new(), pauses })
    }
}

pub(super) fn shown(page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page of the console cannot be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
