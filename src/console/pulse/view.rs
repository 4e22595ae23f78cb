//! How the last hour is written: three small charts, each with its words, and a table that says the same.

use super::{Buckets, Minute};
use crate::console::chart::{Bar, Decades, HEIGHT, Range, WIDTH, bars, time, top};

/// What Slack waits for is within it, and a store that syncs each write well above its bottom.
const ACKNOWLEDGED: Decades = Decades { bottom: 0.001, count: 4 };
/// From a look that comes at once to a minute and more.
const TOLD: Decades = Decades { bottom: 0.1, count: 3 };
/// Minutes of one row of the table.
const ROW: usize = 5;

/// All of it.
#[derive(Debug, Clone)]
pub(in crate::console) struct PulseView {
    pub(in crate::console) charts: [ChartView; 3],
    pub(in crate::console) rows: Vec<RowView>,
}

/// One chart.
#[derive(Debug, Clone)]
pub(in crate::console) struct ChartView {
    pub(in crate::console) title: &'static str,
    /// What it shows, in words.
    pub(in crate::console) words: String,
    pub(in crate::console) width: usize,
    /// Of the axis, from the top down.
    pub(in crate::console) labels: Vec<String>,
    /// Where its lines are.
    pub(in crate::console) lines: Vec<f64>,
    pub(in crate::console) bars: Vec<Bar>,
    pub(in crate::console) ranges: Vec<Range>,
}

/// A row of the table.
#[derive(Debug, Clone)]
pub(in crate::console) struct RowView {
    pub(in crate::console) ago: String,
    pub(in crate::console) cells: [String; 5],
}

impl PulseView {
    /// The last hour, oldest minute first.
    pub(super) fn of(hour: &[Option<Minute>]) -> Self {
        let acknowledged = ("Acknowledged within", ACKNOWLEDGED);
        let told = ("Change to post", TOLD);
        let charts = [
            inputs(hour),
            times(acknowledged, hour.iter().map(|minute| minute.as_ref().map(|minute| &minute.acknowledged))),
            times(told, hour.iter().map(|minute| minute.as_ref().map(|minute| &minute.told))),
        ];
        Self { charts, rows: rows(hour) }
    }
}

fn inputs(hour: &[Option<Minute>]) -> ChartView {
    let counts: Vec<_> = hour.iter().map(|minute| minute.as_ref().map(|minute| minute.inputs)).collect();
    let known = || counts.iter().flatten();
    let (most, all) = (known().max().copied().unwrap_or(0), known().sum::<u64>());
    let top = top(most);
    let words = if all == 0 { "none yet".to_owned() } else { format!("{all} in all, at most {most}") };
    ChartView {
        title: "Inputs a minute",
        words,
        width: WIDTH,
        labels: vec![top.to_string(), "0".to_owned()],
        lines: vec![0.0, HEIGHT],
        bars: bars(&counts, top),
        ranges: Vec::new(),
    }
}

fn times<'a>(
    (title, scale): (&'static str, Decades),
    minutes: impl Iterator<Item = Option<&'a Buckets>> + Clone,
) -> ChartView {
    let mut all = Buckets::default();
    minutes.clone().flatten().for_each(|minute| all.add(minute));
    let words = match quantiles(&all) {
        Some((median, slowest)) => format!("half {}, 99 of 100 {}", time(median), time(slowest)),
        None => "nothing yet".to_owned(),
    };
    let lines = scale.lines();
    ChartView {
        title,
        words,
        width: WIDTH,
        labels: lines.iter().rev().map(|(_, seconds)| time(*seconds)).collect(),
        lines: lines.iter().map(|(y, _)| *y).collect(),
        bars: Vec::new(),
        ranges: scale.ranges(minutes.map(|minute| minute.and_then(quantiles))),
    }
}

/// The median and the slowest hundredth, in seconds.
fn quantiles(buckets: &Buckets) -> Option<(f64, f64)> {
    buckets.quantile(0.5).zip(buckets.quantile(0.99))
}

/// The same by five minutes, newest first.
fn rows(hour: &[Option<Minute>]) -> Vec<RowView> {
    let nothing = || "–".to_owned();
    let row = |(index, part): (usize, &[Option<Minute>])| {
        let ago = format!("{} to {}", index * ROW, (index + 1) * ROW);
        let mut sum = Minute::default();
        part.iter().flatten().for_each(|minute| sum.add(minute));
        let inputs = part.iter().any(Option::is_some).then(|| sum.inputs.to_string());
        let times = [&sum.acknowledged, &sum.told].map(quantiles);
        let [acknowledged, told] =
            times.map(|both| both.map(|(median, slowest)| (time(median), time(slowest))).unzip());
        let cells = [inputs, acknowledged.0, acknowledged.1, told.0, told.1].map(|cell| cell.unwrap_or_else(nothing));
        RowView { ago, cells }
    };
    hour.rchunks(ROW).enumerate().map(row).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::console::pulse::Pulse;

    #[test]
    fn charts_and_table_say_the_same() {
        let pulse = Pulse::default();
        let text = "bobbin_inbound_total{door=\"events\",end=\"stored\"} 12\n\
                    bobbin_acknowledged_seconds_bucket{le=\"0.005\"} 0\n\
                    bobbin_acknowledged_seconds_bucket{le=\"0.01\"} 100\n\
                    bobbin_acknowledged_seconds_bucket{le=\"+Inf\"} 100\n";
        let now = Timestamp::from_second(6_000).unwrap();
        pulse.take(now, text);
        let view = PulseView::of(&pulse.hour(now));
        let [inputs, acknowledged, told] = &view.charts;
        assert_eq!((inputs.words.as_str(), inputs.bars.len(), inputs.bars[0].x), ("12 in all, at most 12", 1, 591));
        assert_eq!(acknowledged.words, "half 8 ms, 99 of 100 10 ms");
        assert_eq!((acknowledged.ranges.len(), told.ranges.len(), told.words.as_str()), (1, 0, "nothing yet"));
        assert_eq!(acknowledged.labels, ["10 s", "1 s", "100 ms", "10 ms", "1 ms"]);
        let cells: Vec<_> = view.rows.iter().map(|row| (row.ago.as_str(), row.cells.join(" "))).collect();
        assert_eq!(cells.len(), 12);
        assert_eq!(cells[0], ("0 to 5", "12 8 ms 10 ms – –".to_owned()));
        assert_eq!(cells[11], ("55 to 60", "– – – – –".to_owned()));
    }

    #[test]
    fn an_hour_without_anything_has_charts_all_the_same() {
        let view = PulseView::of(&Pulse::default().hour(Timestamp::UNIX_EPOCH));
        assert!(view.charts.iter().all(|chart| !chart.labels.is_empty() && chart.lines.len() >= 2));
        assert_eq!(view.charts.map(|chart| chart.words), ["none yet", "nothing yet", "nothing yet"]);
    }
}
