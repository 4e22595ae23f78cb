//! Life: the loops around the steps, and how they end.

use std::{sync::Arc, time::Duration};

use axum::Router;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::{
    net::TcpListener,
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    bobbin::Bobbin,
    health,
    rebuild::{Founding, Rebuild},
    serve::{Limits, serve},
};
use crate::{
    clock::Clock,
    oversight::Oversight,
    receive::Receive,
    store::{Bell, Leased, Turn},
    watch::{Looked, Watch},
    work::{Lane, Worker},
};

/// Mailboxes in hand at once. Work waits for the network nearly all the time, and where the network hangs there have to be
/// enough that others still get their turn.
const IN_HAND: usize = 64;
/// Modals that are opened at once. Each takes three seconds at most.
const OPENED_AT_ONCE: usize = 32;
/// Tasks that take mailboxes. More than one, so that a store that syncs each write can do several at once.
const TAKERS: usize = 4;
/// How long an idle taker waits before it looks for mailboxes whose replica died.
const SCAN_EVERY: Duration = Duration::from_secs(1);
/// Shortest wait for a mailbox that becomes ready: the store's clock and ours differ a little.
const SOONEST: Duration = Duration::from_millis(20);
/// How long to wait after the store failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// First wait after the store could not be founded; doubles.
const FOUND_PAUSE: Duration = Duration::from_secs(1);
/// Longest wait after that.
const FOUND_PAUSE_MAX: Duration = Duration::from_mins(1);
/// How often to look whether something waits in the spool: it costs one atomic load.
const SPOOL_EVERY: Duration = Duration::from_millis(200);
/// How often the watch asks itself whether it is time: the floor of its configurable tick.
const WATCH_EVERY: Duration = Duration::from_secs(1);
/// How long work in hand may go on after the stop; then it is given back, and whoever takes it goes on under its journal.
const FINISH_WITHIN: Duration = Duration::from_secs(6);
/// How long giving back may take: one write each. Together with the above it is less than the ten seconds after which
/// supervisors commonly kill.
const GIVE_BACK_WITHIN: Duration = Duration::from_secs(2);

/// What runs beside the bot itself.
pub struct Beside {
    /// Routes beside the doors.
    pub routes: Router,
    /// What goes on until the stop.
    pub chores: Vec<BoxFuture<'static, ()>>,
}

/// Runs the bot until the stop: doors, workers and watch, and what is `beside` them.
pub async fn run(bobbin: Bobbin, listener: TcpListener, beside: Beside, stop: CancellationToken) -> anyhow::Result<()> {
    let tracker = TaskTracker::new();
    let places = Arc::new(Semaphore::new(IN_HAND));
    for _ in 0..TAKERS {
        let taker = Taker {
            worker: bobbin.worker.clone(),
            clock: bobbin.clock.clone(),
            bell: bobbin.bell.clone(),
            unfounded: bobbin.rebuild.needed.clone(),
            places: places.clone(),
            tracker: tracker.clone(),
            stop: stop.clone(),
        };
        tracker.spawn(taker.run());
    }
    tracker.spawn(open_modals(bobbin.lane.clone(), stop.clone()));
    tracker.spawn(watch(bobbin.watch.clone(), bobbin.nudge.clone(), stop.clone()));
    for (other, nudge) in &bobbin.more_watches {
        tracker.spawn(watch(other.clone(), nudge.clone(), stop.clone()));
    }
    tracker.spawn(found(bobbin.rebuild.clone(), bobbin.bell.clone(), stop.clone()));
    tracker.spawn(list_older(bobbin.oversight.clone(), stop.clone()));
    let Beside { routes, chores } = beside;
    let mut tasks = TAKERS + 4 + bobbin.more_watches.len() + chores.len();
    for chore in chores {
        tracker.spawn(chore);
    }
    if bobbin.receive.spool.is_some() {
        tracker.spawn(drain(bobbin.receive.clone(), stop.clone()));
        tasks += 1;
    }
    if let Some(sockets) = &bobbin.sockets {
        for _ in 0..sockets.wanted() {
            tracker.spawn(sockets.clone().keep(bobbin.receive.clone(), stop.clone()));
        }
        tasks += sockets.wanted();
    }
    let health = Arc::new(health::Health::new(&bobbin, tracker.clone(), tasks));
    let router = bobbin.doors().merge(health::routes(health)).merge(routes);
    // What the doors still take while connections drain is stored, whoever handles it.
    tokio::join!(serve(listener, router, Limits::default(), stop.clone()), finish(&tracker, &bobbin.worker, stop));
    Ok(())
}

/// Waits for the stop and then for the work in hand, but not for long.
async fn finish(tracker: &TaskTracker, worker: &Worker, stop: CancellationToken) {
    stop.cancelled().await;
    tracker.close();
    if tokio::time::timeout(FINISH_WITHIN, tracker.wait()).await.is_ok() {
        return;
    }
    tracing::info!("work in hand is given back at the stop; it goes on elsewhere or with the next start");
    worker.give_back();
    if tokio::time::timeout(GIVE_BACK_WITHIN, tracker.wait()).await.is_err() {
        tracing::warn!("work in hand could not be given back: it goes on when its leases have run out");
    }
}

/// Takes mailboxes as long as there are places in hand, and has each handled beside it.
struct Taker {
    worker: Worker,
    clock: Arc<dyn Clock>,
    bell: Bell,
    /// Rung when the store has to be founded first.
    unfounded: Bell,
    places: Arc<Semaphore>,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Taker {
    async fn run(self) {
        while let Some(place) = self.place().await {
            let pause = match self.worker.take().await {
                Ok(Turn::Taken(leased)) => {
                    self.tracker.spawn(handle(self.worker.clone(), *leased, self.bell.clone(), place));
                    continue;
                }
                Ok(Turn::Idle { next }) => next.map_or(SCAN_EVERY, |at| self.until(at)),
                Ok(Turn::Unfounded) => {
                    self.unfounded.notify_one();
                    SCAN_EVERY
                }
                Err(error) => {
                    tracing::warn!(%error, "work pauses");
                    STORE_PAUSE
                }
            };
            drop(place);
            tokio::select! {
                () = self.bell.notified() => {}
                () = tokio::time::sleep(pause) => {}
                () = self.stop.cancelled() => {}
            }
        }
    }

    /// A place in hand; `None` at the stop.
    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        if self.stop.is_cancelled() {
            return None;
        }
        tokio::select! {
            place = self.places.clone().acquire_owned() => place.ok(),
            () = self.stop.cancelled() => None,
        }
    }

    /// How long to wait for a known time: not for nothing, and never longer than a scan is due.
    fn until(&self, at: Timestamp) -> Duration {
        let left = at.duration_since(self.clock.now());
        Duration::try_from(left).unwrap_or_default().clamp(SOONEST, SCAN_EVERY)
    }
}

/// Handles what was taken, and rings: its mailbox may have more, or wake soon.
async fn handle(worker: Worker, leased: Leased, bell: Bell, place: OwnedSemaphorePermit) {
    if let Err(error) = worker.handle(leased).await {
        tracing::warn!(%error, "what was done could not be written down; it is looked for later");
    }
    drop(place);
    bell.notify_one();
}

/// Opens modals as their triggers come, several at once: each lives a moment only.
async fn open_modals(lane: Arc<Lane>, stop: CancellationToken) {
    let openings = TaskTracker::new();
    let places = Arc::new(Semaphore::new(OPENED_AT_ONCE));
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await.ok()?;
            Some((place, lane.next().await?))
        };
        let (place, trigger) = tokio::select! {
            next = next => match next {
                Some(next) => next,
                None => return,
            },
            () = stop.cancelled() => return,
        };
        let lane = lane.clone();
        openings.spawn(async move {
            lane.open(trigger).await;
            drop(place);
        });
    }
}

/// Founds the store whenever a worker finds that it is not.
async fn found(rebuild: Arc<Rebuild>, bell: Bell, stop: CancellationToken) {
    let mut failures: u32 = 0;
    loop {
        tokio::select! {
            () = rebuild.needed.notified() => {}
            () = stop.cancelled() => return,
        }
        let outcome = tokio::select! {
            outcome = rebuild.step() => outcome,
            () = stop.cancelled() => return,
        };
        let pause = match outcome {
            Ok(Founding::Already) => Duration::ZERO,
            Ok(Founding::Founded(_)) => {
                bell.notify_waiters();
                Duration::ZERO
            }
            Ok(Founding::NotOurs) => SCAN_EVERY,
            Ok(Founding::NotYet(wait)) => wait,
            Err(error) => {
                let pause = FOUND_PAUSE.saturating_mul(1 << failures.min(16)).min(FOUND_PAUSE_MAX);
                tracing::warn!(
                    error = format!("{error:#}"),
                    wait_s = pause.as_secs(),
                    "the store can't be founded yet"
                );
                failures += 1;
                pause
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Lists what older programs left unlisted, once the store is there; then it waits for the stop, as every task does.
async fn list_older(oversight: Arc<Oversight>, stop: CancellationToken) {
    let holder = uuid::Uuid::now_v7().to_string();
    let listing = async {
        while let Err(error) = oversight.list_older(&holder).await {
            tracing::debug!(%error, "links of older programs are not listed yet");
            tokio::time::sleep(FOUND_PAUSE_MAX).await;
        }
    };
    tokio::select! {
        () = listing => stop.cancelled().await,
        () = stop.cancelled() => {}
    }
}

/// Gives what waits in the spool to the store. What is left at the stop, the next start finds in the file.
async fn drain(receive: Arc<Receive>, stop: CancellationToken) {
    let mut inputs = 0;
    while !stop.is_cancelled() {
        let drained = receive.drain().await;
        inputs += drained.moved;
        let pause = match drained.failure {
            None if drained.moved > 0 => continue,
            None => SPOOL_EVERY,
            Some(error) => {
                tracing::debug!(%error, "the spool waits for the store");
                STORE_PAUSE
            }
        };
        if inputs > 0 && receive.spool.as_ref().is_some_and(|spool| spool.is_empty()) {
            tracing::info!(inputs, "the spool is empty: the store has what waited in it");
            inputs = 0;
        }
        tokio::select! {
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
    if let Err(error) = watch.retire().await {
        tracing::warn!(%error, "another replica looks at Devin once our right to has run out");
    }
}
