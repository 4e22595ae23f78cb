//! The pages, one file for each.

pub(super) mod dead;
pub(super) mod health;
pub(super) mod installs;
pub(super) mod log;
pub(super) mod now;
pub(super) mod pause;
pub(super) mod people;
pub(super) mod sessions;
pub(super) mod thread;

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};

use super::{
    Console,
    done::Done,
    guard::Access,
    view::{Frame, PauseView},
    viewer::{Admin, Viewer},
};
use crate::{oversight::OversightError, store::Cursor};

/// Rows of one page of a table.
pub(super) const ROWS: usize = 50;

/// Where the page before ended; the first one for what is none of our addresses.
fn ended(after: &str) -> Option<Cursor> {
    if after.is_empty() { None } else { after.parse().ok() }
}

#[derive(Template)]
#[template(path = "console/trouble.html", config = ".askama.toml")]
struct TroublePage {
    frame: Frame,
    words: String,
}

#[derive(Template)]
#[template(path = "console/refused.html", config = ".askama.toml")]
struct RefusedPage {
    frame: Frame,
    words: String,
    /// Whether it may have been done all the same.
    unsure: bool,
}

/// An action that was not done, and why; said at the page to go back to.
pub(super) struct Refused {
    frame: Frame,
    error: OversightError,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self { frame, error } = self;
        let status = status(&error);
        let by = frame.viewer.admin().map(|admin| admin.actor().name).unwrap_or_default();
        tracing::warn!(%error, page = frame.here, actor = by, "an operator's action was not done");
        let unsure = matches!(error, OversightError::Store(_));
        (status, shown(&RefusedPage { frame, words: error.to_string(), unsure })).into_response()
    }
}

fn status(error: &OversightError) -> StatusCode {
    match error {
        OversightError::Refused(_) => StatusCode::BAD_REQUEST,
        OversightError::Store(_) | OversightError::Devin(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

#[derive(Template)]
#[template(path = "console/nowhere.html", config = ".askama.toml")]
struct NowherePage {
    frame: Frame,
    title: &'static str,
    words: String,
}

/// What somebody sees who asked for what there is not.
fn nowhere(frame: Frame, title: &'static str, words: &str) -> Response {
    (StatusCode::NOT_FOUND, shown(&NowherePage { frame, title, words: words.to_owned() })).into_response()
}

/// An address that leads to no page.
pub(super) async fn lost(State(console): State<Arc<Console>>, viewer: Viewer) -> Result<Response, Trouble> {
    let frame = console.frame("", viewer).await?;
    Ok(nowhere(frame, "No such page", "The console has no page at this address."))
}

/// A page that cannot be shown now, and why.
pub(super) struct Trouble(&'static str, OversightError);

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let frame = Frame { here: self.0, viewer: Viewer::Unknown, query: String::new(), pauses: Vec::new() };
        let status = status(&self.1);
        tracing::warn!(error = %self.1, page = self.0, "a page of the console cannot be shown");
        (status, shown(&TroublePage { frame, words: self.1.to_string() })).into_response()
    }
}

impl Console {
    /// Leads back to a page after an action of an operator; or says why it was not done.
    async fn did(&self, done: Done, at: &'static str, admin: Admin, outcome: Result<(), OversightError>) -> Response {
        match (outcome, &self.access) {
            (Ok(()), Access::Admins(sign_in)) => sign_in.did(done, at),
            (Ok(()), Access::Here | Access::Nobody) => Redirect::to(at).into_response(),
            (Err(error), _) => self.refused(at, admin, error).await.into_response(),
        }
    }

    /// An action that was not done, on a page that shows what is paused, as far as that can be read.
    async fn refused(&self, here: &'static str, admin: Admin, error: OversightError) -> Refused {
        let viewer = Viewer::Admin(admin);
        let bare = || Frame { here, viewer: viewer.clone(), query: String::new(), pauses: Vec::new() };
        Refused { frame: self.frame(here, viewer.clone()).await.unwrap_or_else(|_| bare()), error }
    }

    /// The workspaces and organisations that have the app: id and name.
    async fn workspaces(&self) -> Result<Vec<(String, String)>, OversightError> {
        let Some(installations) = &self.installations else { return Ok(Vec::new()) };
        let all = installations.list().await?;
        let named = all.into_iter().filter(|known| known.gone.is_none()).map(|known| {
            let id = known.id.to_string();
            let name = known.name.map_or_else(|| id.clone(), |name| format!("{name} ({id})"));
            (id, name)
        });
        Ok(named.collect())
    }

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
