//! Server-sent events: says when what a page shows may have changed, never what. The page is then asked for anew, so that
//! there is one way in which anything is shown.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::{Stream, stream};

use super::Console;

/// How often the store is asked for counts.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// Says `changed` when the sessions in any phase, or the pauses, are others than before.
pub(super) async fn stream(
    State(console): State<Arc<Console>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>> + use<>> {
    let first = seen(&console).await;
    let events = stream::unfold((console, first), async |(console, mut known)| {
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = console.stop.cancelled() => return None,
            }
            let now = seen(&console).await;
            if now != known {
                known = now;
                return Some((Ok(Event::default().event("changed").data("look")), (console, known)));
            }
        }
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

/// What is compared; the same for as long as the store is away.
async fn seen(console: &Console) -> Option<String> {
    let phases = console.oversight.phases().await.ok()?;
    let pauses = console.oversight.pauses().await.ok()?;
    Some(format!("{phases:?} {pauses:?}"))
}
