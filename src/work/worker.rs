//! The worker: takes one mailbox, lets the right handler run under the lease, writes down how it ended.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use tracing::Instrument as _;

use super::{
    changed, command,
    halt::Halt,
    kind::Kind,
    profile, reply, room, start,
    task::{self, Deps, Task},
};
use crate::{
    clock::later,
    domain::{
        ids::InputId,
        link::{Link, Thread},
        mailbox::Mailbox,
    },
    steps::Steps,
    store::{Commit, Door, Lease, Leased, StoreError, Turn, Unfinished},
    voice::Notice,
};

/// An input that could not be handled for so long is set aside, and the thread is told.
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// However old, an input is tried so often: it may have waited behind another, or been replayed after a day.
const GIVE_UP_FROM_ATTEMPT: u32 = 8;
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
}

/// Handles mailboxes, one at a time.
#[derive(Debug, Clone)]
pub struct Worker {
    deps: Arc<Deps>,
    lease: Duration,
}

impl Worker {
    /// A worker that keeps each mailbox for `lease` at a time.
    pub fn new(deps: Arc<Deps>, lease: Duration) -> Self {
        Self { deps, lease }
    }

    /// Takes one mailbox and handles its oldest input.
    pub async fn step(&self) -> Result<Stepped, StoreError> {
        match self.deps.store.lease(self.lease).await? {
            Turn::Idle { next } => Ok(Stepped::Idle { next }),
            Turn::Taken(leased) => {
                let input = leased.input.as_ref().map_or("", |i| i.id.as_str());
                let span =
                    tracing::info_span!("work", mailbox = %leased.lease.mailbox, input, attempt = leased.attempt);
                self.handle(*leased).instrument(span).await?;
                Ok(Stepped::Handled)
            }
        }
    }

    async fn handle(&self, leased: Leased) -> Result<(), StoreError> {
        let started = self.deps.clock.now();
        let (id, received_at, attempt) = identity(&leased, started);
        let (kind, outcome) = self.keep_lease(&leased).await;
        let outcome = match outcome {
            Err(Halt::Retry { .. } | Halt::Later { .. })
                if leased.input.is_some()
                    && attempt >= GIVE_UP_FROM_ATTEMPT
                    && started.duration_since(received_at) > GIVE_UP_AFTER =>
            {
                self.give_up(&leased, &id).await;
                Err(Halt::stop("not done within a day"))
            }
            other => other,
        };
        let end = self.write_down(&leased, outcome, attempt).await?;
        let ms = self.deps.clock.now().duration_since(started).as_millis();
        tracing::info!(kind, end, ms, "handled {kind}: {end}");
        metrics::counter!("bobbin_work_handled_total", "kind" => kind, "end" => end).increment(1);
        Ok(())
    }

    /// Runs the handler and prolongs the lease beside it. When the lease is lost the handler is dropped where it stands:
    /// its next write would be refused anyway.
    async fn keep_lease(&self, leased: &Leased) -> (&'static str, Result<Commit, Halt>) {
        // On the heap: a handler's future is large, and most turns find nothing to do.
        let guarded = AssertUnwindSafe(Box::pin(dispatch(self.deps.clone(), leased))).catch_unwind();
        tokio::select! {
            done = guarded => done.unwrap_or_else(|_panic| {
                // The panic's text is logged by the process's panic hook; it may hold anything, so not here.
                ("panicked", Err(Halt::Retry { why: "the handler panicked".to_owned(), after: None }))
            }),
            () = self.renew(&leased.lease) => ("lost", Err(Halt::Store(StoreError::LeaseLost))),
        }
    }

    /// Prolongs the lease for as long as it is ours.
    async fn renew(&self, lease: &Lease) {
        loop {
            tokio::time::sleep(self.lease / 3).await;
            match self.deps.store.renew(lease, self.lease).await {
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
        attempt: u32,
    ) -> Result<&'static str, StoreError> {
        let store = &self.deps.store;
        let now = self.deps.clock.now();
        match outcome {
            Ok(commit) => {
                store.commit(&leased.lease, &commit).await?;
                Ok("done")
            }
            Err(Halt::Retry { why, after }) => {
                tracing::warn!(why, "trying again later");
                store
                    .defer(
                        &leased.lease,
                        later(now, after.unwrap_or_default().max(backoff(attempt))),
                        Unfinished::Tried,
                    )
                    .await?;
                Ok("retry")
            }
            Err(Halt::Later { at, why }) => {
                tracing::info!(why, %at, "not before a certain time");
                store.defer(&leased.lease, at, Unfinished::Tried).await?;
                Ok("later")
            }
            Err(Halt::Stop { why }) => {
                tracing::error!(why, "set aside");
                // A link that was to wake wakes now, and settles anew when.
                let commit = Commit { wake: leased.state.as_ref().map(|_| now), ..Commit::default() };
                if leased.input.is_some() {
                    store.bury(&leased.lease, &why, &commit).await?;
                } else {
                    // A wake that cannot be handled is not asked for again; the next input settles it.
                    store.commit(&leased.lease, &Commit::default()).await?;
                }
                Ok("buried")
            }
            Err(Halt::Store(StoreError::LeaseLost)) => {
                tracing::warn!("another worker took over");
                Ok("lost")
            }
            Err(Halt::Store(error)) => Err(error),
        }
    }

    /// Tells the thread that we stop trying. That this fails too is no reason to keep the input.
    async fn give_up(&self, leased: &Leased, id: &InputId) {
        let Mailbox::Thread(thread) = &leased.lease.mailbox else { return };
        if leased.input.as_ref().is_none_or(|input| input.door == Door::Watch) {
            // Nobody asked for it, so nobody waits for it.
            return;
        }
        let Ok(mut task) = open(self.deps.clone(), leased) else { return };
        let notice = Notice::Buried { reference: id.to_string() };
        if let Err(halt) = room::notice(&mut task, thread, None, "notice buried", &notice).await {
            tracing::warn!(?halt, "the thread could not be told that an input was set aside");
        }
    }
}

/// The table: one line for each kind of input.
async fn dispatch(deps: Arc<Deps>, leased: &Leased) -> (&'static str, Result<Commit, Halt>) {
    let mut task = match open(deps, leased) {
        Ok(task) => task,
        Err(error) => return ("unreadable", Err(unreadable(error))),
    };
    let kind = match leased.input.as_ref().map(|input| Kind::read(&leased.lease.mailbox, input)).transpose() {
        Ok(kind) => kind,
        Err(error) => return ("unreadable", Err(Halt::stop(error.to_string()))),
    };
    let name = kind.as_ref().map_or("wake", Kind::name);
    let handled = match (kind, &leased.lease.mailbox) {
        (Some(Kind::Speech(speech)), Mailbox::Thread(_)) => match linked(leased) {
            Ok(Some(link)) => reply::reply(&mut task, link, speech).await,
            Ok(None) => start::start(&mut task, speech).await,
            Err(error) => Err(unreadable(error)),
        },
        (Some(Kind::Sighting(sighting)), Mailbox::Thread(thread)) => {
            with_link(leased, async |link| changed::seen(&mut task, thread, link, sighting).await).await
        }
        (None, Mailbox::Thread(thread)) => {
            with_link(leased, async |link| changed::woken(&mut task, thread, link).await).await
        }
        (Some(Kind::ProfileChanged { team, user }), _) => profile::changed(&task, &team, &user).await,
        (Some(Kind::Command { response_url }), _) => {
            command::answer(&mut task, response_url.as_deref(), &Notice::CommandHelp).await
        }
        (Some(Kind::Speech(_) | Kind::Sighting(_)), Mailbox::Person { .. } | Mailbox::Workspace { .. }) => {
            Err(Halt::stop("an input in the wrong kind of mailbox"))
        }
        (None, Mailbox::Person { .. } | Mailbox::Workspace { .. }) => Ok(Commit::default()),
    };
    (name, handled)
}

/// Runs a handler that needs the thread's link; without one there is nothing it could change.
async fn with_link(leased: &Leased, handler: impl AsyncFnOnce(Link) -> Result<Commit, Halt>) -> Result<Commit, Halt> {
    match linked(leased) {
        Ok(Some(link)) => handler(link).await,
        Ok(None) => {
            tracing::info!("seen, but the thread has no session");
            Ok(Commit::default())
        }
        Err(error) => Err(unreadable(error)),
    }
}

fn linked(leased: &Leased) -> Result<Option<Link>, StoreError> {
    let Thread { link, .. } = task::read(leased.state.as_deref())?;
    Ok(link)
}

/// What cannot be read today cannot be read tomorrow: it is set aside, not tried for ever.
fn unreadable(error: StoreError) -> Halt {
    match error {
        StoreError::Corrupt(why) => Halt::stop(why),
        StoreError::Unavailable(_) | StoreError::LeaseLost => Halt::Store(error),
    }
}

fn open(deps: Arc<Deps>, leased: &Leased) -> Result<Task, StoreError> {
    let (id, _received_at, attempt) = identity(leased, deps.clock.now());
    let steps = Steps::open(deps.store.clone(), deps.clock.clone(), leased.lease.clone(), &leased.journal)?;
    Ok(Task { deps, id, attempt, steps })
}

/// The input's id, when it came in, and the attempt; a mailbox that woke by itself came in now.
fn identity(leased: &Leased, now: Timestamp) -> (InputId, Timestamp, u32) {
    match &leased.input {
        Some(input) => (input.id.clone(), input.at, leased.attempt),
        None => (wake_id(), now, leased.attempt),
    }
}

fn wake_id() -> InputId {
    #[expect(clippy::expect_used, reason = "a constant that parses")]
    "wake".parse().expect("a constant id")
}

/// How long to wait before the next attempt: doubling, bounded.
fn backoff(attempt: u32) -> Duration {
    BACKOFF_FIRST.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(BACKOFF_MAX)
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
