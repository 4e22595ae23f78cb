//! What the watch remembers between two looks. All of it can be lost: the store's de-duplication then refuses what was
//! seen before.

use std::{collections::HashMap, fmt, time::Duration};

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::{feed::List, silence::Telling, sweep::Place};
use crate::domain::{
    announce::{Observation, output_digest},
    ids::SessionId,
};

/// Sessions whose looks are remembered in one generation. The two together are more than change within the time that
/// lists overlap; for what was forgotten the store is asked, which costs a round trip.
const GENERATION: usize = 10_000;

/// What the watch remembers.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Newest `updated_at` met, in Unix seconds; the next list begins a little before.
    pub(super) newest: Option<i64>,
    /// A list that was not read to its end.
    pub(super) list: Option<List>,
    /// When to look next; `None`: at once.
    pub(super) next_look: Option<Timestamp>,
    /// When we looked last.
    pub(super) last_look: Option<Timestamp>,
    /// How far the sweep has come; `None` until that was read from the store.
    pub(super) sweep: Option<Place>,
    /// The failure that goes on.
    pub(super) failing: Option<Failing>,
    /// Since when the cards say that there is no news, while they do.
    pub(super) silence: Option<Timestamp>,
    /// What the threads are being told about that.
    pub(super) telling: Option<Telling>,
    /// The time at the last step.
    now: Option<Timestamp>,
    seen: Seen,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Print([u8; 12]);

impl fmt::Display for Print {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// The newest look at each session: two generations, of which the older is forgotten when the younger is full.
#[derive(Debug, Default)]
struct Seen {
    younger: HashMap<SessionId, Print>,
    older: HashMap<SessionId, Print>,
}

impl Memory {
    /// Notices the time. When the clock was set back, what was remembered by it moves along: a wait stays as long as it
    /// was, instead of lasting until the clock is again where it had been.
    pub(super) fn notice(&mut self, now: Timestamp) {
        let before = self.now.replace(now);
        let Some(by) = before.map(|before| before.duration_since(now)).filter(SignedDuration::is_positive) else {
            return;
        };
        if by >= SignedDuration::from_secs(1) {
            tracing::warn!(by_s = by.as_secs(), "the clock was set back");
        }
        let back = |at: Timestamp| at.saturating_sub(by).unwrap_or(Timestamp::MIN);
        self.next_look = self.next_look.map(back);
        self.last_look = self.last_look.map(back);
        self.failing = self.failing.map(|f| Failing { since: back(f.since), ..f });
        if let Some(place) = &mut self.sweep {
            place.at = place.at.map(back);
        }
    }

    /// Whether to look now; a pace that became faster counts from the last look.
    pub(super) fn is_due(&self, now: Timestamp, tick: Duration) -> bool {
        let Some(next) = self.next_look else { return true };
        if now >= next {
            return true;
        }
        let since_last = self.last_look.map(|last| now.duration_since(last));
        self.failing.is_none() && since_last.is_some_and(|since| since.unsigned_abs() >= tick)
    }

    /// Whether a turn of the sweep is due. A turn later than now was another replica's, whose clock is ahead: believing
    /// it could mean a long wait, and a turn too many costs little.
    pub(super) fn sweep_is_due(&self, now: Timestamp, every: Duration) -> bool {
        let last = self.sweep.as_ref().and_then(|place| place.at).map(|last| now.duration_since(last));
        last.is_none_or(|since| since.is_negative() || since.unsigned_abs() >= every)
    }

    /// Whether a look shows something else than the last one at this session that was handed on.
    pub(super) fn is_news(&self, seen: &Observation) -> bool {
        self.seen.get(&seen.session) != Some(print(seen))
    }

    /// The look was handed on: only now, because one that the store could not take has to be offered again.
    pub(super) fn handed_on(&mut self, seen: &Observation) {
        self.seen.insert(seen.session.clone(), print(seen));
    }

    /// Another replica looks now: what we remember grows old.
    pub(super) fn lose_right(&mut self) {
        *self = Self::default();
    }

    /// Counts a failure. One that was told by another replica before us goes on.
    pub(super) fn fail(&mut self, now: Timestamp) -> Failing {
        let first = || Failing { since: self.silence.unwrap_or(now), times: 0, told: false };
        let mut failing = self.failing.unwrap_or_else(first);
        failing.times = failing.times.saturating_add(1);
        self.failing = Some(failing);
        failing
    }

    /// The cards say so.
    pub(super) fn mark_told(&mut self) {
        self.failing = self.failing.map(|f| Failing { told: true, ..f });
    }
}

impl Seen {
    fn get(&self, session: &SessionId) -> Option<Print> {
        self.younger.get(session).or_else(|| self.older.get(session)).copied()
    }

    fn insert(&mut self, session: SessionId, print: Print) {
        if self.younger.len() >= GENERATION {
            self.older = std::mem::take(&mut self.younger);
        }
        self.younger.insert(session, print);
    }
}

/// What is the same for looks that show the same; also part of the de-duplication id of a look.
pub(super) fn print(seen: &Observation) -> Print {
    let requests: Vec<String> = seen.pull_requests.iter().map(|(url, state)| format!("{url}={state:?}")).collect();
    let about = &seen.about;
    let shown = format!(
        "{}|{}|{:?}|{}|{:?}|{}|{}|{:?}|{:?}|{:?}|{:?}",
        seen.updated_at,
        seen.state.status,
        seen.state.detail,
        seen.state.archived,
        seen.title,
        seen.acus,
        requests.join(","),
        about.category,
        about.subcategory,
        about.origin,
        about.output.as_ref().map(output_digest),
    );
    let digest: [u8; 32] = Sha256::digest(shown.as_bytes()).into();
    Print(digest.first_chunk().copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn stamp(number: usize) -> Print {
        Print(std::array::from_fn(|place| number.to_le_bytes().get(place).copied().unwrap_or_default()))
    }

    #[test]
    fn looks_are_forgotten_by_the_generation_and_memory_stays_bounded() {
        let mut seen = Seen::default();
        for number in 0..5 * GENERATION {
            seen.insert(format!("s{number}").parse().unwrap(), stamp(number));
            assert!(seen.younger.len() + seen.older.len() <= 2 * GENERATION);
        }
        let recent = 4 * GENERATION + 1;
        assert_eq!(seen.get(&format!("s{recent}").parse().unwrap()), Some(stamp(recent)));
        assert_eq!(seen.get(&"s1".parse().unwrap()), None);
    }

    #[test]
    fn the_newest_look_at_a_session_counts_whatever_generation_it_was_in() {
        let mut seen = Seen::default();
        let session: SessionId = "s0".parse().unwrap();
        seen.insert(session.clone(), stamp(1));
        for number in 1..=GENERATION {
            seen.insert(format!("s{number}").parse().unwrap(), stamp(number));
        }
        seen.insert(session.clone(), stamp(2));
        assert_eq!(seen.get(&session), Some(stamp(2)));
    }

    #[test]
    fn a_clock_set_back_by_an_hour_prolongs_no_wait() {
        let (hour, tick) = (3_600, Duration::from_secs(10));
        let mut memory = Memory { sweep: Some(Place::default()), ..Memory::default() };
        memory.notice(at(10_000));
        memory.last_look = Some(at(10_000));
        memory.next_look = Some(at(10_120));
        memory.sweep.as_mut().unwrap().at = Some(at(10_000));
        memory.fail(at(10_000));
        memory.notice(at(10_001 - hour));
        assert!(!memory.is_due(at(10_001 - hour), tick), "the wait that a failure asks for stands");
        assert!(!memory.is_due(at(10_117 - hour), tick));
        assert!(memory.is_due(at(10_121 - hour), tick));
        assert!(memory.sweep_is_due(at(10_061 - hour), Duration::from_mins(1)));
        let lasted = at(10_121 - hour).duration_since(memory.fail(at(10_121 - hour)).since);
        assert!((119..=122).contains(&lasted.as_secs()), "{lasted:?}");
    }
}
