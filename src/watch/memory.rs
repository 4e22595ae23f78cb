//! What the watch remembers between two looks. All of it can be lost: the store's de-duplication then refuses what was
//! seen before.

use std::{collections::HashMap, time::Duration};

use jiff::{SignedDuration, Timestamp};

use crate::domain::{announce::Observation, ids::SessionId};

/// How often tracked sessions are asked for by id while some work.
const SWEEP_WORKING: SignedDuration = SignedDuration::from_secs(60);
/// The same while none works.
const SWEEP_QUIET: SignedDuration = SignedDuration::from_mins(10);

/// What the watch remembers.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Newest `updated_at` met, in Unix seconds; the next list begins a little before.
    pub(super) newest: Option<i64>,
    /// When to look next; `None`: at once.
    pub(super) next_look: Option<Timestamp>,
    /// When we looked last.
    pub(super) last_look: Option<Timestamp>,
    /// When the last sweep ran.
    pub(super) last_sweep: Option<Timestamp>,
    /// The failure that goes on.
    pub(super) failing: Option<Failing>,
    seen: HashMap<SessionId, Print>,
}

/// A failure that goes on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failing {
    /// Since when.
    pub(super) since: Timestamp,
    /// How often.
    pub(super) times: u32,
    /// Whether the cards say so.
    pub(super) told: bool,
}

/// What of a look is compared: everything but the time of looking.
type Print = String;

impl Memory {
    /// Whether to look now; a pace that became faster counts from the last look.
    pub(super) fn is_due(&self, now: Timestamp, tick: Duration) -> bool {
        let Some(next) = self.next_look else { return true };
        if now >= next {
            return true;
        }
        let since_last = self.last_look.map(|last| now.duration_since(last));
        self.failing.is_none() && since_last.is_some_and(|since| since.unsigned_abs() >= tick)
    }

    /// Whether a sweep is due.
    pub(super) fn sweep_is_due(&self, now: Timestamp, working: u64) -> bool {
        let every = if working > 0 { SWEEP_WORKING } else { SWEEP_QUIET };
        self.last_sweep.is_none_or(|last| now.duration_since(last) >= every)
    }

    /// Whether a look shows something else than the last one at this session that was handed on.
    pub(super) fn is_news(&self, seen: &Observation) -> bool {
        self.seen.get(&seen.session).is_none_or(|before| *before != print(seen))
    }

    /// The look was handed on: only now, because one that the store could not take has to be offered again.
    pub(super) fn handed_on(&mut self, seen: &Observation) {
        self.seen.insert(seen.session.clone(), print(seen));
    }

    /// Another replica looks now: what we remember grows old.
    pub(super) fn lose_right(&mut self) {
        *self = Self::default();
    }

    /// Counts a failure.
    pub(super) fn fail(&mut self, now: Timestamp) -> Failing {
        let mut failing = self.failing.unwrap_or(Failing { since: now, times: 0, told: false });
        failing.times = failing.times.saturating_add(1);
        self.failing = Some(failing);
        failing
    }

    /// The cards say so.
    pub(super) fn mark_told(&mut self) {
        self.failing = self.failing.map(|f| Failing { told: true, ..f });
    }
}

/// A text that is the same for looks that show the same; also the de-duplication id of a look.
pub(super) fn print(seen: &Observation) -> Print {
    let requests: Vec<String> = seen.pull_requests.iter().map(|(url, state)| format!("{url}={state:?}")).collect();
    let shown = format!(
        "{}|{}|{:?}|{}|{:?}|{}|{}",
        seen.updated_at,
        seen.state.status,
        seen.state.detail,
        seen.state.archived,
        seen.title,
        seen.acus,
        requests.join(",")
    );
    let digest = <sha2::Sha256 as sha2::Digest>::digest(shown.as_bytes());
    hex::encode(digest.get(..12).unwrap_or_default())
}
