//! Logs, traces and metrics of the process. All are global by their libraries' design, so this is where they are set up.

use std::{io::IsTerminal as _, sync::OnceLock};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::filter_fn,
    layer::SubscriberExt as _,
    registry::LookupSpan,
    reload,
    util::{SubscriberInitExt as _, TryInitError},
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

#[cfg(feature = "otlp")]
static TRACES: OnceLock<super::otlp::Traces> = OnceLock::new();

/// The newest warnings and errors.
static COMPLAINTS: Complaints = Complaints::new();

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Starts logging and counting.
pub(super) fn start(config: &LogConfig) {
    let (filter, handle) = reload::Layer::new(EnvFilter::new(&config.filter));
    match listen(config, filter) {
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

/// Lines, and traces where they are wanted: those do not depend on what is logged.
#[cfg(feature = "otlp")]
fn listen(config: &LogConfig, filter: reload::Layer<EnvFilter, Registry>) -> Result<(), TryInitError> {
    use tracing_subscriber::filter::FilterExt;

    let traces = config.traces.as_ref().map(super::otlp::start);
    let (spans, trouble) = match traces {
        None => return logged(config, filter),
        Some(Ok((spans, traces))) => {
            drop(TRACES.set(traces));
            (Some(spans), None)
        }
        Some(Err(error)) => (None, Some(error)),
    };
    let filter = FilterExt::<Registry>::and(filter, filter_fn(tells_no_bodies));
    let mut layers = vec![lines(config).with_filter(filter).boxed(), Keeper(&COMPLAINTS).boxed()];
    layers.extend(spans);
    tracing_subscriber::registry().with(layers).try_init()?;
    if let Some(error) = trouble {
        tracing::warn!(error = format!("{error:#}"), "no traces");
    }
    Ok(())
}

#[cfg(not(feature = "otlp"))]
fn listen(config: &LogConfig, filter: reload::Layer<EnvFilter, Registry>) -> Result<(), TryInitError> {
    logged(config, filter)?;
    if config.traces.is_some() {
        tracing::warn!(
            "no traces, though an endpoint is set: this binary was built without them (cargo's feature otlp)"
        );
    }
    Ok(())
}

fn logged(config: &LogConfig, filter: reload::Layer<EnvFilter, Registry>) -> Result<(), TryInitError> {
    tracing_subscriber::registry()
        .with(filter)
        .with(filter_fn(tells_no_bodies))
        .with(lines(config))
        .with(Keeper(&COMPLAINTS))
        .try_init()
}

fn lines<S>(config: &LogConfig) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let lines =
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    match config.format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    }
}

/// The process ends: what was collected is sent.
#[cfg_attr(not(feature = "otlp"), expect(clippy::unused_async, reason = "only traces have anything to wait for"))]
pub(super) async fn finish() {
    #[cfg(feature = "otlp")]
    if let Some(traces) = TRACES.get() {
        traces.clone().finish().await;
    }
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
