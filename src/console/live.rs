//! Server-sent events: says when what a page shows may have changed, never what. The page is then asked for anew, so that
//! there is one way in which anything is shown.

use std::{
    convert::Infallible,
    fmt::Debug,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
    time::Duration,
};

use axum::{
    extract::{Query, State},
    http::HeaderMap,
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::{Stream, stream};
use serde::Deserialize;

use super::{
    Console,
    pages::{ROWS, dead, health, installs, log, now, people, sessions, thread},
};
use crate::oversight::{Filter, OversightError};

/// Where the stream is.
pub(super) const LIVE: &str = "/console/live";
/// How often the store is asked for counts.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    /// The page that is open.
    #[serde(default)]
    page: String,
}

/// Says `changed` when the sessions in any phase, the pauses, or what the page alone shows are others than before. It ends,
/// with a last `changed`, when whoever looks may not look any more.
pub(super) async fn stream(
    State(console): State<Arc<Console>>,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>> + use<>> {
    let known = seen(&console, &asked.page).await;
    let watch = Watch { console, headers, page: asked.page, known, over: false };
    let events = stream::unfold(watch, async |watch| {
        let watch = watch.changed().await?;
        Some((Ok(Event::default().event("changed").data("look")), watch))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

/// One open page.
struct Watch {
    console: Arc<Console>,
    /// What its request carried: who looks is asked again each time.
    headers: HeaderMap,
    page: String,
    known: Option<String>,
    over: bool,
}

impl Watch {
    /// The same once something changed; `None` at its end.
    async fn changed(mut self) -> Option<Self> {
        if self.over {
            return None;
        }
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = self.console.stop.cancelled() => return None,
            }
            if !self.console.access.still_admits(&self.headers, self.console.clock.now()) {
                return Some(Self { over: true, ..self });
            }
            let now = seen(&self.console, &self.page).await;
            if now != self.known {
                self.known = now;
                return Some(self);
            }
        }
    }
}

/// What is compared; the same for as long as the store is away.
async fn seen(console: &Console, page: &str) -> Option<String> {
    let phases = console.oversight.phases().await.ok()?;
    let pauses = console.oversight.pauses().await.ok()?;
    let own = own(console, page).await.ok()?;
    Some(format!("{phases:?} {pauses:?} {own}"))
}

/// Stands for what that page alone shows, of lists for their first pages.
async fn own(console: &Console, page: &str) -> Result<u64, OversightError> {
    let oversight = &console.oversight;
    Ok(match page {
        now::HERE => console.replica.pulse.samples(),
        health::HERE => console.replica.checkup.count(),
        sessions::HERE => of(&oversight.links(&Filter::All, None, ROWS).await?),
        people::HERE => {
            let (failing, _) = oversight.unlinked(None, ROWS).await?;
            of(&(failing, oversight.overrides(None, ROWS).await?, oversight.mappings(None, ROWS).await?))
        }
        dead::HERE => of(&oversight.letters(None, ROWS).await?),
        log::HERE => of(&oversight.audit(None, ROWS).await?),
        installs::HERE => match &console.installations {
            Some(installations) => of(&installations.list().await?),
            None => 0,
        },
        page => match thread::at(page) {
            Some(thread) => oversight.fingerprint(&thread).await?,
            None => 0,
        },
    })
}

/// A number that is another one as soon as anything is different.
fn of(shown: &impl Debug) -> u64 {
    let mut hasher = DefaultHasher::new();
    format!("{shown:?}").hash(&mut hasher);
    hasher.finish()
}
