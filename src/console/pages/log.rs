//! *Log*: what operators did, newest first.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use serde::Deserialize;

use super::{Console, ROWS, Trouble, Viewer, ended, shown};
use crate::console::view::{Frame, When};

/// Where this page is.
pub(in crate::console) const HERE: &str = "/console/log";

/// Which page.
#[derive(Debug, Default, Deserialize)]
pub(in crate::console) struct Asked {
    /// Where the page before ended.
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "console/log.html", config = ".askama.toml")]
struct LogPage {
    frame: Frame,
    entries: Vec<EntryView>,
    next: Option<String>,
}

struct EntryView {
    at: When,
    who: String,
    from: String,
    action: String,
    target: String,
    detail: String,
}

pub(in crate::console) async fn page(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let frame = console.frame(HERE, viewer).await?;
    let after = ended(&asked.after);
    let audit = console.oversight.audit(after.as_ref(), ROWS).await;
    let (entries, next) = audit.map_err(|error| Trouble(HERE, error))?;
    let now = console.clock.now();
    let entries = entries.into_iter().map(|entry| EntryView {
        at: When::of(entry.at, now),
        who: entry.actor.name,
        from: entry.actor.from,
        action: entry.action,
        target: entry.target,
        detail: entry.detail,
    });
    Ok(shown(&LogPage { frame, entries: entries.collect(), next: next.map(|cursor| cursor.to_string()) }))
}
