//! Server-sent events: says when what a page shows may have changed, never what. The page is then asked for anew, so that
//! there is one way in which anything is shown.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::{Query, State},
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::{Stream, stream};
use serde::Deserialize;

use super::{
    Console,
    pages::{health, now, thread},
};

/// How often the store is asked for counts.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// Who asks.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    /// The page that is open.
    #[serde(default)]
    page: String,
}

/// Says `changed` when the sessions in any phase, the pauses, or what the page alone shows are others than before.
pub(super) async fn stream(
    State(console): State<Arc<Console>>,
    Query(asked): Query<Asked>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>> + use<>> {
    let first = seen(&console, &asked.page).await;
    let events = stream::unfold((console, asked.page, first), async |(console, page, mut known)| {
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = console.stop.cancelled() => return None,
            }
            let now = seen(&console, &page).await;
            if now != known {
                known = now;
                return Some((Ok(Event::default().event("changed").data("look")), (console, page, known)));
            }
        }
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

/// What is compared; the same for as long as the store is away.
async fn seen(console: &Console, page: &str) -> Option<String> {
    let phases = console.oversight.phases().await.ok()?;
    let pauses = console.oversight.pauses().await.ok()?;
    let own = own(console, page).await;
    Some(format!("{phases:?} {pauses:?} {own:?}"))
}

/// What that page alone shows.
async fn own(console: &Console, page: &str) -> Option<u64> {
    match page {
        now::HERE => Some(console.replica.pulse.samples()),
        health::HERE => Some(console.replica.checkup.count()),
        page => console.oversight.fingerprint(&thread::at(page)?).await.ok(),
    }
}
