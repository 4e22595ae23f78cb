//! What an acknowledgement costs: signed, distinct mentions on loopback, through the real accept loop and the real
//! doors into each store, beside the same loop answering at once. `cargo bench`; about two minutes; Redis is started
//! here. A reader may ask why ratios: client, server, Redis and disk share one machine, whose speed wanders, so that
//! only figures of one run can be compared; the empty server is measured at both ends, and one is the mean of the two.

mod counting;
mod disk;
mod load;
mod redis;
mod rows;

use std::{
    io::{self, Write as _},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context as _;
use metrics_exporter_prometheus::PrometheusBuilder;
use secrecy::SecretString;

use self::{
    load::{Measured, Mentions, Plan},
    rows::{Row, Stage},
};

/// What mentions are signed with.
pub(crate) const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
/// Connections to measure with: Slack's own sending is of the first kind on a busy day, the second is service time.
const CONNECTIONS: [usize; 2] = [64, 1];
/// Mentions to sign: more than a store takes within a row's time here. A row that runs out of them ends early.
const MENTIONS: usize = 600_000;
/// Long enough for connections, caches and group sizes to settle.
const WARM_UP: Duration = Duration::from_secs(1);
/// Long enough that a p99 rests on thousands of requests.
const MEASURED: Duration = Duration::from_secs(5);
/// Mentions in the run that counts store operations.
const COUNTED: usize = 200;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(io::stderr().lock(), "bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    redis::installed()?;
    // As in production: counters are counted, and log lines below `info` are not made.
    PrometheusBuilder::new().install_recorder().context("metrics")?;
    tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).with_writer(io::sink).init();
    let secret = SecretString::from(SECRET);
    counted(&Mentions::signed(COUNTED, &secret)?)?;
    // Only `cargo bench` passes this; `cargo test --all-targets` has seen enough.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let mentions = Mentions::signed(MENTIONS, &secret)?;
    say(&format!(
        "{} distinct mentions of {} bytes; accepting one is one store operation",
        MENTIONS,
        mentions.bytes()
    ))?;
    for connections in CONNECTIONS {
        table(&mentions, connections)?;
    }
    Ok(())
}

/// Proves that accepting is one operation of the store, and one script call at Redis.
fn counted(mentions: &Mentions) -> anyhow::Result<()> {
    let plan = Plan { connections: 8, warm_up: Duration::ZERO, measured: WARM_UP, most: COUNTED };
    for row in Row::STORES {
        let stage = Stage::counting(row)?;
        stage.reset()?;
        let answered = load::drive(stage.address(), mentions, &plan)?.answered;
        let operations = stage.operations();
        anyhow::ensure!(answered == COUNTED, "{}: {answered} of {COUNTED} answers", row.name());
        anyhow::ensure!(operations == answered, "{}: {operations} operations for {answered} accepts", row.name());
        if let Some(calls) = stage.script_calls()? {
            anyhow::ensure!(calls == answered, "{}: {calls} script calls for {answered} accepts", row.name());
        }
        stage.all_stored(answered)?;
    }
    Ok(())
}

fn table(mentions: &Mentions, connections: usize) -> anyhow::Result<()> {
    let disk = disk::fsync_times()?;
    let rows = Row::ALL.map(|row| measure(row, mentions, connections).map(|measured| (row, measured)));
    let rows: Vec<_> = rows.into_iter().collect::<anyhow::Result<_>>()?;
    let (bases, sum) = rows
        .iter()
        .filter(|(row, _)| *row == Row::Empty)
        .fold((0.0, 0.0), |(count, sum), (_, empty)| (count + 1.0, sum + empty.per_second));
    say(&format!(
        "\n{connections} connections; the disk's own append + fdatasync: p50 {:.2} ms, p99 {:.2} ms\n\
         {:<34} {:>11} {:>7} {:>8} {:>8}",
        disk.p50_ms, disk.p99_ms, "server", "requests/s", "ratio", "p50 ms", "p99 ms"
    ))?;
    for (row, measured) in rows {
        say(&format!(
            "{:<34} {:>11.0} {:>7.2} {:>8.2} {:>8.2}",
            row.name(),
            measured.per_second,
            measured.per_second * bases / sum,
            measured.times.p50_ms,
            measured.times.p99_ms
        ))?;
    }
    Ok(())
}

fn measure(row: Row, mentions: &Mentions, connections: usize) -> anyhow::Result<Measured> {
    let stage = Stage::new(row)?;
    let most = if row.stores() { MENTIONS } else { usize::MAX };
    let plan = Plan { connections, warm_up: WARM_UP, measured: MEASURED, most };
    let measured = load::drive(stage.address(), mentions, &plan).with_context(|| row.name())?;
    stage.all_stored(measured.answered)?;
    Ok(measured)
}

fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
