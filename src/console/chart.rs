//! Where the marks of a small chart stand: bars for counts, and for times a line from the median to the slowest hundredth
//! on a scale of powers of ten, because they spread over several. Numbers alone; the page writes them as SVG.

use super::pulse::MINUTES;

/// Width of a chart in its own units: ten for each minute.
pub(super) const WIDTH: usize = MINUTES * STEP;
/// Units of one minute.
const STEP: usize = 10;
/// Height of a chart in its own units.
pub(super) const HEIGHT: f64 = 100.0;
/// What shows that there was a little.
const LEAST: f64 = 2.0;

/// One bar.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bar {
    pub(super) x: usize,
    pub(super) y: f64,
    pub(super) height: f64,
}

/// From the median to the slowest hundredth of one minute.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Range {
    pub(super) x: usize,
    pub(super) median: f64,
    pub(super) slowest: f64,
}

/// A scale of powers of ten.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decades {
    /// What stands at the bottom, in seconds.
    pub(super) bottom: f64,
    /// How many powers of ten there are above it.
    pub(super) count: u8,
}

/// What the top of a chart of counts stands for: a round number that all of them fit under.
pub(super) fn top(most: u64) -> u64 {
    let mut power = 1_u64;
    loop {
        for times in [1, 2, 5] {
            let round = power.saturating_mul(times);
            if round >= most.max(5) {
                return round;
            }
        }
        power = power.saturating_mul(10);
    }
}

/// A bar for each count, oldest first; none where nothing happened or nothing is known.
#[expect(clippy::cast_precision_loss, reason = "counts of a minute are far below what a float tells apart")]
pub(super) fn bars(counts: &[Option<u64>], top: u64) -> Vec<Bar> {
    let bar = |(index, count): (usize, &Option<u64>)| {
        let count = count.filter(|count| *count > 0)?;
        let height = tenth((count as f64 / top.max(1) as f64 * HEIGHT).clamp(LEAST, HEIGHT));
        Some(Bar { x: index * STEP + 1, y: tenth(HEIGHT - height), height })
    };
    counts.iter().enumerate().filter_map(bar).collect()
}

impl Decades {
    /// Where a time stands; below the bottom at the bottom, above the top at the top.
    pub(super) fn y(self, seconds: f64) -> f64 {
        let up = (seconds.max(self.bottom) / self.bottom).log10() / f64::from(self.count);
        tenth(HEIGHT - (up * HEIGHT).clamp(0.0, HEIGHT))
    }

    /// The lines of the scale, each with its time in seconds, from the bottom up.
    pub(super) fn lines(self) -> Vec<(f64, f64)> {
        let line = |power: u8| self.bottom * 10_f64.powi(i32::from(power));
        (0..=self.count).map(line).map(|seconds| (self.y(seconds), seconds)).collect()
    }

    /// A range for each minute of which something is known, oldest first.
    pub(super) fn ranges(self, minutes: impl IntoIterator<Item = Option<(f64, f64)>>) -> Vec<Range> {
        let range = |(index, minute): (usize, Option<(f64, f64)>)| {
            let (median, slowest) = minute?;
            Some(Range { x: index * STEP + STEP / 2, median: self.y(median), slowest: self.y(slowest) })
        };
        minutes.into_iter().enumerate().filter_map(range).collect()
    }
}

/// A time as people read it.
pub(super) fn time(seconds: f64) -> String {
    let milliseconds = seconds * 1_000.0;
    match milliseconds {
        ms if ms < 1.0 => format!("{ms:.1} ms"),
        ms if ms < 999.5 => format!("{ms:.0} ms"),
        ms if ms < 9_950.0 => format!("{} s", tenth(seconds)),
        _ => format!("{seconds:.0} s"),
    }
}

fn tenth(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_is_round_and_high_enough() {
        assert_eq!([0, 5, 6, 10, 11, 499, 1_001].map(top), [5, 5, 10, 10, 20, 500, 2_000]);
        assert!(top(u64::MAX) > u64::MAX / 2);
    }

    #[test]
    fn bars_stand_in_their_minute_and_within_the_chart() {
        let counts: Vec<_> = [Some(0), None, Some(1), Some(1_000), Some(500)].to_vec();
        let bars = bars(&counts, 1_000);
        let told: Vec<_> = bars.iter().map(|bar| (bar.x, bar.y, bar.height)).collect();
        assert_eq!(told, [(21, 98.0, 2.0), (31, 0.0, 100.0), (41, 50.0, 50.0)], "a little is seen");
        assert!(super::bars(&[Some(9)], 5)[0].height <= HEIGHT, "never above the top");
    }

    #[test]
    fn times_stand_by_their_power_of_ten() {
        let scale = Decades { bottom: 0.001, count: 4 };
        let places = [0.0001, 0.001, 0.01, 0.1, 10.0, 60.0].map(|s| scale.y(s).to_string());
        assert_eq!(places, ["100", "100", "75", "50", "0", "0"]);
        assert_eq!(
            scale.lines().iter().map(|(_, s)| time(*s)).collect::<Vec<_>>(),
            ["1 ms", "10 ms", "100 ms", "1 s", "10 s"]
        );
        let ranges = scale.ranges([None, Some((0.01, 0.1)), None]);
        assert_eq!(ranges, [Range { x: 15, median: 75.0, slowest: 50.0 }]);
    }

    #[test]
    fn a_time_is_told_as_people_read_it() {
        let told = [0.0004, 0.0042, 0.9996, 1.26, 9.96, 61.2].map(time);
        assert_eq!(told, ["0.4 ms", "4 ms", "1 s", "1.3 s", "10 s", "61 s"]);
    }
}
