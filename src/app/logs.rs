//! Logs and metrics of the process. Both are global by their libraries' design, so this is where they are set up.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::{LogConfig, LogFormat};

/// Upper bounds of the time histograms, in seconds: from an acknowledgement on loopback to the longest time-out.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0];

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Starts logging and counting.
pub(super) fn start(config: &LogConfig) {
    let filter = EnvFilter::new(&config.filter);
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match config.format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    if let Err(error) = started {
        tracing::debug!(%error, "logging was already set up");
    }
    let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS);
    match builder.map(PrometheusBuilder::install_recorder) {
        Ok(Ok(handle)) => drop(METRICS.set(handle)),
        Ok(Err(error)) | Err(error) => tracing::warn!(%error, "no metrics"),
    }
}

/// The metrics in Prometheus's text form; `None` before [`start`].
pub(super) fn metrics() -> Option<String> {
    METRICS.get().map(PrometheusHandle::render)
}
