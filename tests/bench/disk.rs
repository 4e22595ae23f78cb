//! Percentiles, and the disk's own speed: what no store that waits for the disk can beat.

use std::{
    fs::OpenOptions,
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// About one stored mention.
const RECORD_BYTES: usize = 2048;
/// Enough for a p99 of sorts.
const RECORDS: usize = 300;
/// A slow disk shall not hold the bench up.
const AT_MOST: Duration = Duration::from_secs(3);

/// The middle and the slow end of some times.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    /// Half are quicker, milliseconds.
    pub(crate) p50_ms: f64,
    /// One in a hundred is slower, milliseconds.
    pub(crate) p99_ms: f64,
}

impl Times {
    /// Of these times.
    pub(crate) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |percent: usize| {
            let place = (times.len() * percent / 100).min(times.len().saturating_sub(1));
            times.get(place).copied().unwrap_or_default().as_secs_f64() * 1e3
        };
        Self { p50_ms: at(50), p99_ms: at(99) }
    }
}

/// A folder on the disk of the project: the system's temporary folder may live in memory.
pub(crate) fn folder() -> anyhow::Result<TempDir> {
    Ok(TempDir::new_in(Path::new(env!("CARGO_TARGET_TMPDIR")))?)
}

/// How long the disk takes to append a record and have it.
pub(crate) fn fsync_times() -> anyhow::Result<Times> {
    let folder = folder()?;
    let mut file = OpenOptions::new().append(true).create(true).open(folder.path().join("records"))?;
    let record = [b'x'; RECORD_BYTES];
    let began = Instant::now();
    let mut times = Vec::with_capacity(RECORDS);
    while times.len() < RECORDS && began.elapsed() < AT_MOST {
        let start = Instant::now();
        file.write_all(&record)?;
        file.sync_data()?;
        times.push(start.elapsed());
    }
    Ok(Times::of(times))
}
