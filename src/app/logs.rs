//! Logs and metrics of the process. Both are global by their libraries' design, so this is where they are set up.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter, Layer as _, Registry, filter::filter_fn, layer::SubscriberExt as _, reload, util::SubscriberInitExt as _,
};

use super::complaints::Keeper;
use crate::{
    config::{LogConfig, LogFormat},
    console::Complaints,
    meter,
};

/// Upper bounds of the time histograms, in seconds: from an acknowledgement on loopback to the longest time-out.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0];

/// Replaces the filter.
static FILTER: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();

/// The newest warnings and errors.
static COMPLAINTS: Complaints = Complaints::new();

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Starts logging and counting.
pub(super) fn start(config: &LogConfig) {
    let (filter, handle) = reload::Layer::new(EnvFilter::new(&config.filter));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match config.format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let lines = tracing_subscriber::registry().with(filter).with(filter_fn(tells_no_bodies)).with(lines);
    match lines.with(Keeper(&COMPLAINTS)).try_init() {
        Ok(()) => drop(FILTER.set(handle)),
        Err(error) => tracing::debug!(%error, "logging was already set up"),
    }
    let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS);
    match builder.map(PrometheusBuilder::install_recorder) {
        Ok(Ok(handle)) => {
            drop(METRICS.set(handle));
            meter::describe();
        }
        Ok(Err(error)) | Err(error) => tracing::warn!(%error, "no metrics"),
    }
}

/// Whether a line may be written whatever the filter says: the library of sockets would write down every message.
fn tells_no_bodies(line: &Metadata<'_>) -> bool {
    !line.target().starts_with("tungstenite") || *line.level() <= Level::WARN
}

/// From now on this is logged; the form of a line stays.
pub(super) fn filter(config: &LogConfig) -> anyhow::Result<()> {
    if let Some(handle) = FILTER.get() {
        handle.reload(EnvFilter::new(&config.filter))?;
    }
    Ok(())
}

/// The newest warnings and errors.
pub(super) fn complaints() -> &'static Complaints {
    &COMPLAINTS
}

/// The metrics in Prometheus's text form; `None` before [`start`].
pub(super) fn metrics() -> Option<String> {
    METRICS.get().map(PrometheusHandle::render)
}
