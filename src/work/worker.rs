//! The worker: takes one mailbox, lets the right handler run under the lease, writes down how it ended.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span, field};
use uuid::Uuid;

use super::{
    account::{self, End},
    changed,
    halt::Halt,
    outbox, room, sweep,
    table::dispatch,
    task::{self, Deps, Task},
    tenants::Tenants,
};
use crate::{
    clock::{Agreed, Clock, later},
    domain::{ids::InputId, link::Thread, mailbox::Mailbox, trace::TraceId},
    outbound::tally,
    steps::Steps,
    store::{Commit, Door, Lease, Leased, StoreError, Turn, Unfinished},
    voice::Notice,
};

/// An input that could not be handled for so long is set aside, and the thread is told.
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// However old, an input is tried so often: it may have waited behind another, or been replayed after a day.
const GIVE_UP_FROM_ATTEMPT: u32 = 8;
/// An input that ended the process, or the handler, so often in a row is set aside: it would go on doing so.
const CUT_OFF_MAX: u32 = 5;
/// First wait before trying again; doubles with every attempt.
const BACKOFF_FIRST: Duration = Duration::from_secs(1);
/// Longest wait before trying again.
const BACKOFF_MAX: Duration = Duration::from_mins(5);

/// What one unit of work came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stepped {
    /// A mailbox was handled.
    Handled,
    /// Nothing was ready.
    Idle {
        /// When the next known mailbox becomes ready.
        next: Option<Timestamp>,
    },
    /// Nothing is handed out until the store is founded.
    Unfounded,
}

/// Handles mailboxes, one at a time.
#[derive(Debug, Clone)]
pub struct Worker {
    tenants: Arc<Tenants>,
    lease: Duration,
    give_back: CancellationToken,
}

impl Worker {
    /// A worker that keeps each mailbox for `lease` at a time.
    pub fn new(tenants: Arc<Tenants>, lease: Duration) -> Self {
        Self { tenants, lease, give_back: CancellationToken::new() }
    }

    /// Gives back what is in hand, here and in every clone: this process stops, and another goes on at once under the
    /// journal, instead of waiting for the leases to run out.
    pub fn give_back(&self) {
        self.give_back.cancel();
    }

    /// Takes one mailbox and handles its oldest input.
    pub async fn step(&self) -> Result<Stepped, StoreError> {
        match self.take().await? {
            Turn::Idle { next } => Ok(Stepped::Idle { next }),
            Turn::Unfounded => Ok(Stepped::Unfounded),
            Turn::Taken(leased) => {
                self.handle(*leased).await?;
                Ok(Stepped::Handled)
            }
        }
    }

    /// Takes the mailbox whose turn it is.
    pub async fn take(&self) -> Result<Turn, StoreError> {
        self.tenants.base().store.lease(self.lease).await
    }

    /// Handles what was taken.
    pub async fn handle(&self, leased: Leased) -> Result<(), StoreError> {
        let id = leased.input.as_ref().map_or_else(|| wake_id(&leased), |input| input.id.clone());
        let trace = TraceId::of(&id).to_string();
        // Where an input has the name of its trace, once is enough.
        let input = Some(id.as_str()).filter(|id| *id != trace);
        let wake = leased.input.is_none().then_some(true);
        let span = tracing::info_span!(
            "work",
            mailbox = %leased.lease.mailbox,
            trace,
            input,
            wake,
            attempt = leased.attempt,
            kind = field::Empty,
            end = field::Empty
        );
        self.in_span(leased).instrument(span).await
    }

    async fn in_span(&self, leased: Leased) -> Result<(), StoreError> {
        if leased.cut_off > 0 {
            metrics::counter!("bobbin_work_cut_off_total").increment(1);
        }
        let clock: Arc<dyn Clock> = Arc::new(Agreed::at(self.tenants.base().clock.clone(), leased.at));
        let (turn, calls) = tally::counted(Box::pin(self.whole_turn(&leased, &clock))).await;
        if let Err(halt) = &turn.outcome {
            account::remember_trouble(&self.tenants.base().store, &leased, halt).await;
        }
        let end = self.write_down(&leased, turn.outcome, clock.now()).await?;
        let (kind, took) = (turn.kind, clock.now().duration_since(leased.at));
        let (workspace, attempts, took_ms) = (leased.lease.mailbox.team(), leased.attempt, milliseconds(took));
        tracing::info!(
            kind,
            %workspace,
            outcome = end,
            attempts,
            took_ms,
            calls = calls.made,
            refused = calls.refused,
            rate_limited = calls.limited,
            "handled {kind}: {end}"
        );
        Span::current().record("kind", kind).record("end", end);
        metrics::histogram!("bobbin_work_seconds", "kind" => kind).record(took.as_secs_f64().max(0.0));
        metrics::counter!("bobbin_work_handled_total", "kind" => kind, "end" => end).increment(1);
        Ok(())
    }

    /// One turn, and where it was the last of too many, its giving up.
    async fn whole_turn(&self, leased: &Leased, clock: &Arc<dyn Clock>) -> Ended {
        let mut turn = self.keep_lease(leased, clock).await;
        let tired = leased.input.as_ref().is_some_and(|input| {
            leased.attempt >= GIVE_UP_FROM_ATTEMPT && leased.at.duration_since(input.at) > GIVE_UP_AFTER
        });
        if tired && matches!(turn.outcome, Err(Halt::Retry { .. } | Halt::Later { .. })) {
            turn.outcome = self.give_up(leased, clock, "not done within a day").await;
        }
        turn
    }

    /// Runs the handler and prolongs the lease beside it. When the lease is lost the handler is dropped where it stands:
    /// its next write would be refused anyway.
    async fn keep_lease(&self, leased: &Leased, clock: &Arc<dyn Clock>) -> Ended {
        let guarded = AssertUnwindSafe(self.turn(leased, clock)).catch_unwind();
        tokio::select! {
            // A panic's text is logged by the process's panic hook; it may hold anything, so not here.
            done = guarded => done.unwrap_or_else(|_panic| {
                Ended { kind: "panicked", outcome: Err(Halt::Broke { why: "the handler panicked".to_owned() }) }
            }),
            () = self.renew(&leased.lease) => Ended { kind: "lost", outcome: Err(Halt::Store(StoreError::LeaseLost)) },
            () = self.give_back.cancelled() => Ended { kind: "cut", outcome: Err(Halt::GiveBack) },
        }
    }

    /// One turn: the handler of what is in hand, unless that has broken us too often.
    async fn turn(&self, leased: &Leased, clock: &Arc<dyn Clock>) -> Ended {
        if leased.cut_off >= CUT_OFF_MAX {
            let outcome = self.give_up(leased, clock, "it broke us again and again").await;
            return Ended { kind: "poison", outcome };
        }
        if let Err(halt) = self.place(leased).await {
            return Ended { kind: "unplaced", outcome: Err(halt) };
        }
        let mut task = match open(self.tenants.of(&leased.lease.mailbox), clock.clone(), leased) {
            Ok(task) => task,
            Err(error) => return Ended { kind: "unreadable", outcome: Err(Halt::unreadable(error)) },
        };
        // On the heap: a handler's future is large, and most turns find nothing to do.
        let (kind, outcome) = Box::pin(dispatch(&mut task, leased)).await;
        let outcome = match outcome {
            Ok(commit) => left(&task, leased, End { kind, buried: None }, commit).await.map_err(Halt::Store),
            Err(Halt::Stop { why }) => {
                // A link that was to wake wakes now, and settles anew when.
                let wake = leased.state.as_ref().map(|_| leased.at);
                buried(&task, leased, kind, why, Commit { wake, ..Commit::default() }).await
            }
            Err(Halt::Bury { why, commit }) => buried(&task, leased, kind, why, *commit).await,
            other => other,
        };
        Ended { kind, outcome }
    }

    /// Finds out whose the mailbox is, and whether anything may be done for them.
    async fn place(&self, leased: &Leased) -> Result<(), Halt> {
        self.tenants.notice(leased).await?;
        if self.tenants.admits(&leased.lease.mailbox).await? {
            return Ok(());
        }
        let team = leased.lease.mailbox.team();
        Err(Halt::Retry {
            why: format!("{team} is not invited: BOBBIN_SLACK_WORKSPACES does not name it"),
            after: None,
        })
    }

    /// Prolongs the lease for as long as it is ours.
    async fn renew(&self, lease: &Lease) {
        loop {
            tokio::time::sleep(self.lease / 3).await;
            match self.tenants.base().store.renew(lease, self.lease).await {
                Ok(()) => {}
                Err(StoreError::LeaseLost) => return,
                Err(error) => tracing::warn!(%error, "the lease was not prolonged; trying again"),
            }
        }
    }

    async fn write_down(
        &self,
        leased: &Leased,
        outcome: Result<Commit, Halt>,
        now: Timestamp,
    ) -> Result<&'static str, StoreError> {
        let (store, lease) = (&self.tenants.base().store, &leased.lease);
        match outcome {
            Ok(commit) => {
                store.commit(lease, &commit).await?;
                Ok("done")
            }
            Err(Halt::Retry { why, after }) => {
                tracing::warn!(why, "trying again later");
                let wait = after.unwrap_or_default().max(backoff(leased.attempt));
                store.defer(lease, later(now, wait), Unfinished::Tried).await?;
                Ok("retry")
            }
            Err(Halt::Later { at, why }) => {
                tracing::info!(why, %at, "not before a certain time");
                store.defer(lease, at, Unfinished::Tried).await?;
                Ok("later")
            }
            Err(Halt::Paced { at }) => {
                store.defer(lease, at, Unfinished::Paced).await?;
                Ok("paced")
            }
            Err(Halt::Broke { why }) => {
                tracing::error!(why, "broken off; once more later");
                store.defer(lease, later(now, backoff(leased.attempt)), Unfinished::Broke).await?;
                Ok("broke")
            }
            Err(Halt::GiveBack) => {
                store.defer(lease, now, Unfinished::Tried).await?;
                Ok("given_back")
            }
            Err(Halt::Stop { why }) => self.bury(leased, &why, &Commit::default()).await,
            Err(Halt::Bury { why, commit }) => self.bury(leased, &why, &commit).await,
            Err(Halt::Store(StoreError::LeaseLost)) => {
                tracing::warn!("another worker took over");
                Ok("lost")
            }
            Err(Halt::Store(error)) => Err(error),
        }
    }

    async fn bury(&self, leased: &Leased, why: &str, commit: &Commit) -> Result<&'static str, StoreError> {
        tracing::error!(why, "set aside");
        if leased.input.is_some() {
            self.tenants.base().store.bury(&leased.lease, why, commit).await?;
            metrics::counter!("bobbin_inputs_buried_total").increment(1);
        } else {
            // A wake that cannot be handled is not asked for again; the next input settles it.
            self.tenants.base().store.commit(&leased.lease, &Commit { wake: None, ..commit.clone() }).await?;
        }
        Ok("buried")
    }

    /// Stops trying, and tells the thread so. That this fails too is no reason to keep the input.
    async fn give_up(&self, leased: &Leased, clock: &Arc<dyn Clock>, why: &'static str) -> Result<Commit, Halt> {
        let Ok(mut task) = open(self.tenants.of(&leased.lease.mailbox), clock.clone(), leased) else {
            return Err(Halt::Bury { why: why.to_owned(), commit: Box::default() });
        };
        // What nobody asked for, nobody waits for.
        let waited_for = leased.input.as_ref().filter(|input| !matches!(input.door, Door::Watch | Door::Errand));
        if let (Some(input), Mailbox::Thread(thread)) = (waited_for, &leased.lease.mailbox) {
            let reference = input.id.to_string();
            let notice = match leased.cut_off {
                CUT_OFF_MAX.. => Notice::BrokeDown { reference },
                _ => Notice::Buried { reference },
            };
            match room::notice(&mut task, thread, None, "notice buried", &notice).await {
                Ok(_) => {}
                Err(halt @ (Halt::Paced { .. } | Halt::Store(_))) => return Err(halt),
                Err(halt) => tracing::warn!(?halt, "the thread could not be told that an input was set aside"),
            }
        }
        let wake = leased.state.as_ref().map(|_| leased.at);
        buried(&task, leased, "given_up", why.to_owned(), Commit { wake, ..Commit::default() }).await
    }
}

/// What a turn came to.
struct Ended {
    kind: &'static str,
    outcome: Result<Commit, Halt>,
}

/// What a turn leaves behind that sets its input aside.
async fn buried(task: &Task, leased: &Leased, kind: &'static str, why: String, commit: Commit) -> Result<Commit, Halt> {
    let commit = left(task, leased, End { kind, buried: Some(&why) }, commit).await.map_err(Halt::Store)?;
    Err(Halt::Bury { why, commit: Box::new(commit) })
}

/// What a turn leaves behind: its state with what is known of the thread, and the account of it.
async fn left(task: &Task, leased: &Leased, end: End<'_>, commit: Commit) -> Result<Commit, StoreError> {
    let mut commit = keep_thread(task, leased, end, commit)?;
    account::give(task, leased, end, &mut commit).await?;
    Ok(commit)
}

/// Keeps what is known of the thread beside its link, and wakes the mailbox when what may have happened twice is to be
/// looked for. An input that is set aside takes its journal and its news along: what was told of them is in doubt.
fn keep_thread(task: &Task, leased: &Leased, end: End<'_>, mut commit: Commit) -> Result<Commit, StoreError> {
    commit.wake = commit.wake.into_iter().chain(sweep::due(&task.thread.doubts)).min();
    if commit.state.is_none() && matches!(leased.lease.mailbox, Mailbox::Thread(_)) {
        let before = task::read(leased.state.as_deref())?;
        let mut link = before.link.clone().map(|link| outbox::without_gone(task, link));
        if let (Some(link), Some(_)) = (&mut link, end.buried) {
            let had_news = leased.input.as_ref().is_some_and(|input| input.door == Door::Watch);
            link.unaccounted |= had_news || task.steps.any_may_have_happened(changed::is_the_threads);
        }
        let after = Thread { link, lost: before.lost.clone(), ..task.thread.clone() };
        if after != before {
            commit.state = Some(task::write(&after)?);
        }
    }
    Ok(commit)
}

fn open(deps: Arc<Deps>, clock: Arc<dyn Clock>, leased: &Leased) -> Result<Task, StoreError> {
    // A mailbox that woke by itself has a name in the place of an input's id, the same for every attempt.
    let id = leased.input.as_ref().map_or_else(|| wake_id(leased), |input| input.id.clone());
    let steps = Steps::open(deps.store.clone(), clock.clone(), leased)?;
    let thread = match &leased.lease.mailbox {
        Mailbox::Thread(_) => task::read(leased.state.as_deref())?,
        Mailbox::Person { .. } | Mailbox::Workspace { .. } => Thread::empty(),
    };
    let told = told(&thread, &id);
    let thread = Thread { link: None, lost: None, ..thread };
    let came = leased.input.as_ref().map_or(leased.at, |input| input.at);
    Ok(Task {
        rules: deps.rules.now(),
        deps,
        id,
        by: None,
        wrote: None,
        came,
        attempt: leased.attempt,
        clock,
        steps,
        thread,
        told,
    })
}

/// Names the look that a thread was told last, the same for every attempt; where no link says that, the input in hand does.
fn told(thread: &Thread, id: &InputId) -> String {
    let Some(link) = &thread.link else { return id.to_string() };
    link.told.at.as_ref().map(|look| format!("{} {}", look.updated_at, look.seen_at)).unwrap_or_default()
}

/// The name of a wake, made of what the mailbox knew when it woke: every attempt at one wake has the same, and no other
/// wake has it, because whatever is told changes what the mailbox knows.
fn wake_id(leased: &Leased) -> InputId {
    let known = format!("wake {}\n{}", leased.lease.mailbox, leased.state.as_deref().unwrap_or_default());
    let digest = Sha256::digest(known.as_bytes());
    Uuid::from_bytes(digest.first_chunk().copied().unwrap_or_default()).into()
}

/// How long to wait before the next attempt: doubling, bounded.
fn backoff(attempt: u32) -> Duration {
    BACKOFF_FIRST.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(BACKOFF_MAX)
}

/// As a log line's number.
fn milliseconds(took: SignedDuration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_stay_bounded() {
        assert_eq!(backoff(1), BACKOFF_FIRST);
        assert_eq!(backoff(4), Duration::from_secs(8));
        assert_eq!(backoff(u32::MAX), BACKOFF_MAX);
    }
}
