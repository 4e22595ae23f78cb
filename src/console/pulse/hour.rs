//! The ring: one entry for each of the last sixty minutes.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;

use super::{Buckets, PulseView, totals::Totals};

/// So many minutes are kept, the one that is under way included.
pub(in crate::console) const MINUTES: usize = 60;

/// What happened in one minute.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Minute {
    /// Inputs that were taken in.
    pub(super) inputs: u64,
    /// Time from a request of Slack's to our answer.
    pub(super) acknowledged: Buckets,
    /// Time from a change at Devin to the post that tells it.
    pub(super) told: Buckets,
}

impl Minute {
    /// Adds another one.
    pub(super) fn add(&mut self, other: &Self) {
        self.inputs += other.inputs;
        self.acknowledged.add(&other.acknowledged);
        self.told.add(&other.told);
    }
}

#[derive(Debug, Default)]
struct Ring {
    /// What was counted at the last sample.
    last: Totals,
    /// By the number of the minute since the epoch.
    minutes: VecDeque<(i64, Minute)>,
    samples: u64,
}

/// What moved in the last hour, in this process.
#[derive(Debug, Default)]
pub struct Pulse(Mutex<Ring>);

impl Pulse {
    /// Takes a sample: the text of `/metrics` now.
    pub fn take(&self, now: Timestamp, metrics: &str) {
        let totals = Totals::read(metrics);
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let moved = Minute {
            inputs: totals.inputs.saturating_sub(ring.last.inputs),
            acknowledged: totals.acknowledged.since(&ring.last.acknowledged),
            told: totals.told.since(&ring.last.told),
        };
        (ring.last, ring.samples) = (totals, ring.samples + 1);
        let number = minute_of(now);
        match ring.minutes.back_mut().filter(|(known, _)| *known >= number) {
            Some((_, minute)) => minute.add(&moved),
            None => ring.minutes.push_back((number, moved)),
        }
        while ring.minutes.len() > MINUTES {
            ring.minutes.pop_front();
        }
    }

    /// The last hour, oldest minute first; `None` where nothing was sampled.
    pub(super) fn hour(&self, now: Timestamp) -> Vec<Option<Minute>> {
        let ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = minute_of(now);
        let of = |ago: usize| {
            let number = newest - i64::try_from(ago).unwrap_or(0);
            ring.minutes.iter().find(|(known, _)| *known == number).map(|(_, minute)| minute.clone())
        };
        (0..MINUTES).rev().map(of).collect()
    }

    /// How the last hour is written.
    pub(in crate::console) fn view(&self, now: Timestamp) -> PulseView {
        PulseView::of(&self.hour(now))
    }

    /// How many samples were taken.
    pub(in crate::console) fn samples(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).samples
    }
}

fn minute_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn text(inputs: u64, quick: u64, slow: u64) -> String {
        format!(
            "bobbin_inbound_total{{door=\"events\",end=\"stored\"}} {inputs}\n\
             bobbin_acknowledged_seconds_bucket{{door=\"events\",le=\"0.01\"}} {quick}\n\
             bobbin_acknowledged_seconds_bucket{{door=\"events\",le=\"+Inf\"}} {}\n",
            quick + slow
        )
    }

    #[test]
    fn a_minute_has_what_moved_in_it() {
        let pulse = Pulse::default();
        for (second, inputs) in [(0, 5), (10, 8), (59, 8), (60, 8), (70, 20)] {
            pulse.take(at(second), &text(inputs, inputs, 0));
        }
        let hour = pulse.hour(at(119));
        let inputs: Vec<_> = hour.iter().flatten().map(|minute| minute.inputs).collect();
        assert_eq!((hour.len(), inputs), (MINUTES, vec![8, 12]));
        assert_eq!(hour[59].as_ref().unwrap().acknowledged.count(), 12);
        assert_eq!(hour[57], None, "nobody looked then");
        assert_eq!(pulse.samples(), 5);
    }

    #[test]
    fn an_hour_is_kept_and_no_more() {
        let pulse = Pulse::default();
        for n in 0..10_000_u64 {
            pulse.take(at(i64::try_from(n).unwrap() * 10), &text(n, n, 0));
        }
        let ring = pulse.0.lock().unwrap();
        assert_eq!((ring.minutes.len(), ring.samples), (MINUTES, 10_000));
        drop(ring);
        let hour = pulse.hour(at(99_990));
        assert!(hour.iter().flatten().all(|minute| minute.inputs <= 6));
        assert_eq!(hour.iter().flatten().count(), MINUTES);
        assert_eq!(pulse.hour(at(99_990 + 3_600)).iter().flatten().count(), 0, "an hour later nothing is known");
    }
}
