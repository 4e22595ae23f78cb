//! Reads the few metrics that are shown out of Prometheus's text form, and what a histogram says of its median and its
//! slowest hundredth.

/// Upper bounds of a histogram's buckets in seconds, each with how many fell into it; the last bound is infinite.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Buckets(Vec<(f64, u64)>);

/// What the metrics have counted since the process began.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Totals {
    /// Inputs that were taken in.
    pub(super) inputs: u64,
    /// Time from a request of Slack's to our answer.
    pub(super) acknowledged: Buckets,
    /// Time from a change at Devin to the post that tells it.
    pub(super) told: Buckets,
}

impl Totals {
    /// Reads the text of `/metrics`.
    pub(super) fn read(text: &str) -> Self {
        let mut totals = Self::default();
        for line in text.lines() {
            let Some((name, value)) = line.rsplit_once(' ') else { continue };
            let (name, labels) = name.split_once('{').unwrap_or((name, ""));
            match name {
                "bobbin_inbound_total" if is_taken_in(labels) => totals.inputs += value.parse::<u64>().unwrap_or(0),
                "bobbin_acknowledged_seconds_bucket" => totals.acknowledged.read(labels, value),
                "bobbin_change_to_post_seconds_bucket" => totals.told.read(labels, value),
                _ => {}
            }
        }
        totals.acknowledged.part();
        totals.told.part();
        totals
    }
}

/// Neither a duplicate nor something that is none of our business.
fn is_taken_in(labels: &str) -> bool {
    ["stored", "spooled"].iter().any(|end| labels.contains(&format!("end=\"{end}\"")))
}

impl Buckets {
    /// Adds one line: the labels name the bound, and the value counts all up to it.
    fn read(&mut self, labels: &str, value: &str) {
        let bound = labels.split("le=\"").nth(1).and_then(|rest| rest.split('"').next());
        let bound = bound.and_then(|bound| if bound == "+Inf" { Some(f64::INFINITY) } else { bound.parse().ok() });
        let (Some(bound), Ok(count)) = (bound, value.parse::<u64>()) else { return };
        match self.0.iter_mut().find(|(known, _)| known.total_cmp(&bound).is_eq()) {
            Some((_, known)) => *known += count,
            None => self.0.push((bound, count)),
        }
    }

    /// From counts of all up to each bound to counts of each bucket.
    fn part(&mut self) {
        self.0.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let mut below = 0;
        for (_, count) in &mut self.0 {
            let all = *count;
            *count = all.saturating_sub(below);
            below = all;
        }
    }

    /// By how much they grew since then.
    pub(super) fn since(&self, before: &Self) -> Self {
        let of = |bound: f64| before.0.iter().find(|(known, _)| known.total_cmp(&bound).is_eq()).map_or(0, |(_, n)| *n);
        Self(self.0.iter().map(|(bound, count)| (*bound, count.saturating_sub(of(*bound)))).collect())
    }

    /// Both together.
    pub(super) fn add(&mut self, other: &Self) {
        for (bound, count) in &other.0 {
            match self.0.iter_mut().find(|(known, _)| known.total_cmp(bound).is_eq()) {
                Some((_, known)) => *known += count,
                None => self.0.push((*bound, *count)),
            }
        }
        self.0.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.0.iter().map(|(_, count)| count).sum()
    }

    /// In how many seconds this share of them was done, as Prometheus's `histogram_quantile` estimates it: evenly spread
    /// within a bucket. What is beyond the last bound counts as the last bound.
    #[expect(clippy::cast_precision_loss, reason = "counts of an hour are far below what a float tells apart")]
    pub(super) fn quantile(&self, share: f64) -> Option<f64> {
        let (wanted, mut below, mut from) = (share * self.count() as f64, 0.0, 0.0);
        for (bound, count) in self.0.iter().filter(|(_, count)| *count > 0) {
            let count = *count as f64;
            from = self.0.iter().rev().find(|(lower, _)| lower < bound).map_or(0.0, |(lower, _)| *lower);
            if bound.is_infinite() {
                return Some(from);
            }
            if below + count >= wanted {
                return Some(from + (bound - from) * ((wanted - below) / count).clamp(0.0, 1.0));
            }
            below += count;
        }
        (self.count() > 0).then_some(from)
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};

    use super::*;

    #[test]
    fn what_the_recorder_writes_is_read() {
        let bounds = [0.001, 0.01, 0.1];
        let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &bounds);
        let recorder = builder.unwrap().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            for (door, end) in
                [("events", "stored"), ("events", "duplicate"), ("commands", "spooled"), ("events", "stored")]
            {
                metrics::counter!("bobbin_inbound_total", "door" => door, "end" => end).increment(1);
                metrics::histogram!("bobbin_acknowledged_seconds", "door" => door).record(0.005);
            }
            metrics::histogram!("bobbin_change_to_post_seconds").record(70.0);
        });
        let totals = Totals::read(&recorder.handle().render());
        assert_eq!(totals.inputs, 3);
        assert_eq!(totals.acknowledged, Buckets(vec![(0.001, 0), (0.01, 4), (0.1, 0), (f64::INFINITY, 0)]));
        assert_eq!((totals.told.count(), totals.told.quantile(0.5)), (1, Some(0.1)), "beyond the last bound");
        assert_eq!(Totals::read("nonsense\n{} 1\nbobbin_inbound_total{end=\"stored\"} x"), Totals::default());
    }

    #[test]
    fn quantiles_are_estimated_within_their_bucket() {
        let buckets = Buckets(vec![(0.1, 50), (0.2, 0), (0.4, 49), (f64::INFINITY, 1)]);
        let about = |share: f64| buckets.quantile(share).map(|seconds| (seconds * 1_000.0).round());
        assert_eq!(about(0.25), Some(50.0));
        assert_eq!(about(0.5), Some(100.0));
        assert_eq!(about(0.745), Some(300.0));
        assert_eq!(about(0.999), Some(400.0));
        assert_eq!(Buckets::default().quantile(0.5), None);
        let grown = buckets.since(&Buckets(vec![(0.1, 50)]));
        assert_eq!((grown.count(), grown.quantile(0.0)), (50, Some(0.2)));
    }
}
