//! `GET /playground/live`: names of the parts that look different now, as server-sent events.
//!
//! The stream renders the parts and compares, instead of having every act say what it touched: a part that no longer
//! looks the same is exactly what a page must fetch again, and no act can forget to say so.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use axum::{
    extract::{Query as UrlQuery, State},
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::stream::{Stream, unfold};
use tokio::sync::watch;

use super::{Playground, page::fingerprints, select::Query};

/// Changes come in bursts (a post, its reaction, its events); one refresh after this pause covers them.
const BURST: Duration = Duration::from_millis(40);
/// How often to look when no twin says that it changed: faults that were used up are known to nobody else.
const GLANCE: Duration = Duration::from_secs(1);

struct Watcher {
    playground: Playground,
    query: Query,
    slack: watch::Receiver<u64>,
    devin: watch::Receiver<u64>,
    seen: Vec<(&'static str, u64)>,
    ready: VecDeque<Event>,
}

/// The stream; it ends when the program stops.
pub(super) async fn live(
    State(playground): State<Playground>,
    UrlQuery(query): UrlQuery<Query>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let watcher = Watcher {
        slack: playground.slack.changes(),
        devin: playground.devin.changes(),
        seen: fingerprints(&playground, &query),
        // Tells the page that it listens now; what changed while it loaded is fetched once.
        ready: VecDeque::from([Event::default().event("ready").data("all")]),
        playground,
        query,
    };
    let stream = unfold(watcher, |mut watcher| async move { watcher.next().await.map(|event| (Ok(event), watcher)) });
    Sse::new(stream).keep_alive(KeepAlive::default())
}

impl Watcher {
    /// The next event; `None` when the program stops.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            let stop = self.playground.stop.clone();
            tokio::select! {
                () = stop.cancelled() => return None,
                _ = self.slack.changed() => tokio::time::sleep(BURST).await,
                _ = self.devin.changed() => tokio::time::sleep(BURST).await,
                () = tokio::time::sleep(GLANCE) => {}
            }
            let now = fingerprints(&self.playground, &self.query);
            let changed: Vec<&str> =
                now.iter().zip(&self.seen).filter(|(now, before)| now != before).map(|((name, _), _)| *name).collect();
            if !changed.is_empty() {
                self.ready.push_back(Event::default().event("changed").data(changed.join(",")));
            }
            self.seen = now;
        }
    }
}
