//! How often to look: fast while something works, slowly while all wait, rarely while all sleep.

use std::{collections::BTreeMap, time::Duration};

use crate::{domain::findings::Findings, store::Activity};

/// While sessions only wait for people.
const WAITING: Duration = Duration::from_mins(1);
/// While all sleep, or none is tracked: one may be woken in Devin's own app.
const QUIET: Duration = Duration::from_mins(5);
/// Between two turns of the sweep while nothing works.
const SWEEP_QUIET: Duration = Duration::from_mins(10);
/// Longest wait after failures.
const FAILURE_MAX: Duration = Duration::from_mins(5);
/// Shortest time for which the right to look is taken: it outlasts a slow list call.
const RIGHT_MIN: Duration = Duration::from_secs(45);

/// The time between two looks.
pub(super) fn tick(counts: &BTreeMap<Activity, u64>, interval: Duration) -> Duration {
    if any(counts, Activity::Working) {
        interval
    } else if any(counts, Activity::Waiting) {
        WAITING.max(interval)
    } else {
        QUIET.max(interval)
    }
}

/// The time between two turns of the sweep; what is known of Devin says how much depends on it.
pub(super) fn sweep_every(counts: &BTreeMap<Activity, u64>, known: &Findings) -> Duration {
    if any(counts, Activity::Working) { known.sweep_while_working() } else { SWEEP_QUIET }
}

/// How long to wait after a number of failures in a row.
pub(super) fn after_failure(times: u32, interval: Duration) -> Duration {
    interval.saturating_mul(1 << times.saturating_sub(1).min(10)).min(FAILURE_MAX).max(interval)
}

/// For how long the right to look is taken.
pub(super) fn right_for(interval: Duration) -> Duration {
    interval.saturating_mul(3).max(RIGHT_MIN)
}

fn any(counts: &BTreeMap<Activity, u64>, activity: Activity) -> bool {
    counts.get(&activity).is_some_and(|n| *n > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_session_sets_the_pace() {
        let interval = Duration::from_secs(10);
        let counts = |w, t| BTreeMap::from([(Activity::Working, w), (Activity::Waiting, t), (Activity::Asleep, 9)]);
        assert_eq!(tick(&counts(1, 5), interval), interval);
        assert_eq!(tick(&counts(0, 5), interval), WAITING);
        assert_eq!(tick(&counts(0, 0), interval), QUIET);
    }

    #[test]
    fn failures_slow_it_down_but_never_for_good() {
        let interval = Duration::from_secs(10);
        assert_eq!(after_failure(1, interval), interval);
        assert_eq!(after_failure(3, interval), Duration::from_secs(40));
        assert_eq!(after_failure(99, interval), FAILURE_MAX);
    }
}
