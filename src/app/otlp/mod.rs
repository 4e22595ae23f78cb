//! OpenTelemetry traces by OTLP: one input from Slack's request to the last post, whichever replica did what of it.
//!
//! No context travels between replicas. A trace's id is the input's id, which is stored with it, and the trace's root has
//! an id made of that, so that every replica knows both. The usual bridge from `tracing` lets nobody choose ids, so that
//! the spans are put together here; batching, encoding and the standard variables are the SDK's.
//!
//! Where to: `OTEL_EXPORTER_OTLP_ENDPOINT` (HTTP, protobuf). Not set: nothing of this is there.

mod layer;
mod line;

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use opentelemetry::KeyValue;
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchSpanProcessor, SpanProcessor as _},
};
use tokio::runtime::Handle;
use tracing_subscriber::{Layer, Registry, filter::Targets};
use uuid::Uuid;

use self::{layer::SpanLayer, line::Line};
use crate::{
    clock::SystemClock,
    config::TracesConfig,
    outbound::{Outbound, OutboundOptions},
};

/// How long the last spans may take at the stop: what supervisors leave us after the work in hand.
const LAST_WITHIN: Duration = Duration::from_secs(1);

/// Spans on their way out.
#[derive(Debug, Clone)]
pub(super) struct Traces(Arc<BatchSpanProcessor>);

/// Begins to collect spans; the layer is where they come from.
pub(super) fn start(config: &TracesConfig) -> anyhow::Result<(Box<dyn Layer<Registry> + Send + Sync>, Traces)> {
    let outbound = Outbound::new(OutboundOptions::default())?;
    let exporter = SpanExporter::builder().with_http().with_http_client(Line::new(outbound, Handle::current()));
    let exporter = exporter.build().context("OTEL_EXPORTER_OTLP_…")?;
    let mut processor = BatchSpanProcessor::builder(exporter).build();
    let resource = Resource::builder()
        .with_service_name(config.service.clone())
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(KeyValue::new("service.instance.id", Uuid::now_v7().to_string()));
    processor.set_resource(&resource.build());
    let processor = Arc::new(processor);
    let spans = SpanLayer::new(processor.clone(), Arc::new(SystemClock));
    // Whatever is logged: only our own spans, and never what lines say.
    let ours = Targets::new().with_target(env!("CARGO_CRATE_NAME"), tracing::Level::INFO);
    Ok((spans.with_filter(ours).boxed(), Traces(processor)))
}

impl Traces {
    /// Sends what was collected, and nothing after that.
    pub(super) async fn finish(self) {
        let sent = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(LAST_WITHIN)).await;
        if !matches!(sent, Ok(Ok(()))) {
            tracing::info!("the last spans could not be sent");
        }
    }
}
