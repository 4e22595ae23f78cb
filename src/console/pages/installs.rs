//! *Installs*: which workspaces have the app, what they did not allow, and which of them ended.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};

use super::{Console, Trouble, Viewer, shown};
use crate::console::view::{Frame, When};

/// Where this page is.
pub(in crate::console) const HERE: &str = "/console/installs";

#[derive(Template)]
#[template(path = "console/installs.html", config = ".askama.toml")]
struct InstallsPage {
    frame: Frame,
    /// `None`: one bot token is configured, and nothing is installed.
    installs: Option<Vec<InstallView>>,
}

struct InstallView {
    id: String,
    name: String,
    by: String,
    at: When,
    missing: Vec<String>,
    gone: Option<(String, When)>,
    invited: bool,
}

pub(in crate::console) async fn page(State(console): State<Arc<Console>>, viewer: Viewer) -> Result<Response, Trouble> {
    let frame = console.frame(HERE, viewer).await?;
    let now = console.clock.now();
    let Some(installations) = &console.installations else {
        return Ok(shown(&InstallsPage { frame, installs: None }));
    };
    let mut all = installations.list().await.map_err(|error| Trouble(HERE, error.into()))?;
    all.sort_by_key(|installation| std::cmp::Reverse(installation.at));
    let installs = all.iter().map(|known| InstallView {
        id: known.id.to_string(),
        name: known.name.clone().unwrap_or_default(),
        by: known.by.as_ref().map(ToString::to_string).unwrap_or_default(),
        at: When::of(known.at, now),
        missing: known.lacks(&console.scopes).into_iter().map(str::to_owned).collect(),
        invited: installations.invites(known),
        gone: known.gone.as_ref().map(|gone| (gone.why.clone(), When::of(gone.at, now))),
    });
    Ok(shown(&InstallsPage { frame, installs: Some(installs.collect()) }))
}
