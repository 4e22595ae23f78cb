//! Life: the loops around the steps, and how they end.

use std::{sync::Arc, time::Duration};

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    bobbin::Bobbin,
    health,
    serve::{Limits, serve},
};
use crate::{
    store::Bell,
    watch::{Looked, Watch},
    work::{Stepped, Worker},
};

/// Mailboxes handled at once by one process. Work waits for the network nearly all the time.
const WORKERS: usize = 16;
/// How long an idle worker waits before it looks for mailboxes whose replica died.
const SCAN_EVERY: Duration = Duration::from_secs(1);
/// How long to wait after the store failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// How often the watch asks itself whether it is time: the floor of its configurable tick.
const WATCH_EVERY: Duration = Duration::from_secs(1);
/// How long work in hand may go on after the stop; then it is given back, and whoever takes it goes on under its journal.
const FINISH_WITHIN: Duration = Duration::from_secs(6);
/// How long giving back may take: one write each. Together with the above it is less than the ten seconds after which
/// supervisors commonly kill.
const GIVE_BACK_WITHIN: Duration = Duration::from_secs(2);

/// Runs the bot until the stop: doors, workers and watch, and `more` routes beside the doors.
pub async fn run(bobbin: Bobbin, listener: TcpListener, more: Router, stop: CancellationToken) -> anyhow::Result<()> {
    let tracker = TaskTracker::new();
    for _ in 0..WORKERS {
        tracker.spawn(work(bobbin.worker.clone(), bobbin.bell.clone(), stop.clone()));
    }
    tracker.spawn(watch(bobbin.watch.clone(), bobbin.nudge.clone(), stop.clone()));
    let health = Arc::new(health::Health::new(bobbin.store.clone(), tracker.clone(), WORKERS + 1));
    let router = bobbin.doors().merge(health::routes(health)).merge(more);
    tracker.close();
    // What the doors still take while connections drain is stored, whoever handles it.
    tokio::join!(serve(listener, router, Limits::default(), stop.clone()), finish(&tracker, &bobbin.worker, stop));
    Ok(())
}

/// Waits for the stop and then for the work in hand, but not for long.
async fn finish(tracker: &TaskTracker, worker: &Worker, stop: CancellationToken) {
    stop.cancelled().await;
    if tokio::time::timeout(FINISH_WITHIN, tracker.wait()).await.is_ok() {
        return;
    }
    tracing::info!("work in hand is given back at the stop; it goes on elsewhere or with the next start");
    worker.give_back();
    if tokio::time::timeout(GIVE_BACK_WITHIN, tracker.wait()).await.is_err() {
        tracing::warn!("work in hand could not be given back: it goes on when its leases have run out");
    }
}

async fn work(worker: Worker, bell: Bell, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let pause = match worker.step().await {
            Ok(Stepped::Handled) => continue,
            Ok(Stepped::Idle { .. }) => SCAN_EVERY,
            Err(error) => {
                tracing::warn!(%error, "work pauses");
                STORE_PAUSE
            }
        };
        tokio::select! {
            () = bell.notified() => {}
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }
}

async fn watch(watch: Arc<Watch>, nudge: Bell, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match watch.step().await {
            Ok(Looked::Saw(count)) => tracing::debug!(count, "looked at Devin"),
            Ok(Looked::NotOurs | Looked::NotDue | Looked::Failed) => {}
            Err(error) => tracing::warn!(%error, "the watch pauses"),
        }
        tokio::select! {
            () = nudge.notified() => watch.hurry().await,
            () = tokio::time::sleep(WATCH_EVERY) => {}
            () = stop.cancelled() => {}
        }
    }
}
