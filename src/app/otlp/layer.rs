//! Makes OpenTelemetry's spans of our own: ids that every replica agrees on, and only the fields that are listed here.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use opentelemetry::{
    InstrumentationScope, KeyValue,
    trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks, SpanProcessor};
use tracing::{
    Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    layer::Context,
    registry::{LookupSpan, SpanRef},
};
use uuid::Uuid;

use crate::clock::Clock;

/// The fields that leave the machine, and as what. None holds what anybody wrote, an address or a secret.
const ATTRIBUTES: [(&str, &str); 12] = [
    ("attempt", "bobbin.attempt"),
    ("door", "bobbin.door"),
    ("end", "bobbin.end"),
    ("input", "bobbin.input"),
    ("kind", "bobbin.kind"),
    ("mailbox", "bobbin.mailbox"),
    ("method", "rpc.method"),
    ("outcome", "bobbin.outcome"),
    ("service", "peer.service"),
    ("status", "http.response.status_code"),
    ("step", "bobbin.step"),
    ("wake", "bobbin.wake"),
];
/// Spans that a trace begins with: an input comes.
const ROOTS: [&str; 2] = ["receive", "watch"];
/// Of those, the ends with which something is handled later; of anything else there is no trace.
const KEPT: [&str; 2] = ["stored", "spooled"];
/// Ends and outcomes that are no trouble.
const WELL: [&str; 7] = ["ok", "done", "later", "paced", "given_back", "stored", "spooled"];

/// Collects spans.
#[derive(Debug)]
pub(super) struct SpanLayer<P> {
    processor: Arc<P>,
    clock: Arc<dyn Clock>,
    scope: InstrumentationScope,
}

/// A span that is open.
#[derive(Debug)]
struct Open {
    id: SpanId,
    began: Timestamp,
    fields: Fields,
}

/// What a span was told so far.
#[derive(Debug, Default)]
struct Fields {
    trace: Option<TraceId>,
    attributes: Vec<KeyValue>,
}

impl<P> SpanLayer<P> {
    /// Hands finished spans to this.
    pub(super) fn new(processor: Arc<P>, clock: Arc<dyn Clock>) -> Self {
        let scope = InstrumentationScope::builder("bobbin").with_version(env!("CARGO_PKG_VERSION")).build();
        Self { processor, clock, scope }
    }
}

impl<P, S> Layer<S> for SpanLayer<P>
where
    P: SpanProcessor + 'static,
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let random = Uuid::now_v7().into_bytes();
        span.extensions_mut().insert(Open { id: half(random), began: self.clock.now(), fields });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(open) = span.extensions_mut().get_mut::<Open>() {
            values.record(&mut open.fields);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(trace) = trace_of(&span) else { return };
        let parent = span.parent().and_then(|parent| id_of(&parent, trace));
        let Some(own) = id_of(&span, trace) else { return };
        let Some(Open { began, fields, .. }) = span.extensions_mut().remove::<Open>() else { return };
        let is_root = ROOTS.contains(&span.name());
        if is_root && !fields.text("bobbin.end").is_some_and(|end| KEPT.contains(&end)) {
            return;
        }
        let remote = parent.is_none() && !is_root && fields.text("bobbin.wake").is_none();
        let parent = parent.or_else(|| remote.then(|| root_of(trace)));
        self.processor.on_end(SpanData {
            span_context: SpanContext::new(trace, own, TraceFlags::SAMPLED, false, TraceState::NONE),
            parent_span_id: parent.unwrap_or(SpanId::INVALID),
            parent_span_is_remote: remote,
            span_kind: kind(span.name()),
            name: fields.name(span.name()).into(),
            start_time: moment(began),
            end_time: moment(self.clock.now()),
            status: fields.status(),
            attributes: fields.attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            instrumentation_scope: self.scope.clone(),
        });
    }
}

/// The trace that a span belongs to: its own, or that of what it happened in.
fn trace_of<'a, R: LookupSpan<'a>>(span: &SpanRef<'a, R>) -> Option<TraceId> {
    span.scope().find_map(|span| span.extensions().get::<Open>()?.fields.trace)
}

/// The id of a span; a trace's root has one that everybody knows.
fn id_of<'a, R: LookupSpan<'a>>(span: &SpanRef<'a, R>, trace: TraceId) -> Option<SpanId> {
    let id = span.extensions().get::<Open>()?.id;
    Some(if ROOTS.contains(&span.name()) { root_of(trace) } else { id })
}

/// The id of a trace's root: the half of the trace's own that is random.
fn root_of(trace: TraceId) -> SpanId {
    half(trace.to_bytes())
}

fn moment(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::try_from(at.duration_since(Timestamp::UNIX_EPOCH)).unwrap_or_default()
}

fn half(bytes: [u8; 16]) -> SpanId {
    SpanId::from_bytes(bytes.last_chunk().copied().unwrap_or_default())
}

fn kind(name: &str) -> SpanKind {
    match name {
        "receive" => SpanKind::Server,
        "work" | "modal" => SpanKind::Consumer,
        "call" => SpanKind::Client,
        _ => SpanKind::Internal,
    }
}

impl Fields {
    fn text(&self, attribute: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|known| known.key.as_str() == attribute)?;
        let opentelemetry::Value::String(text) = &found.value else { return Some("") };
        Some(text.as_str())
    }

    /// A span's name as lists of traces show it; of few values.
    fn name(&self, span: &'static str) -> String {
        match (span, self.text("peer.service"), self.text("rpc.method"), self.text("bobbin.kind")) {
            ("call", Some(service), Some(method), _) => format!("{service} {method}"),
            ("work", _, _, Some(kind)) => format!("work {kind}"),
            _ => span.to_owned(),
        }
    }

    fn status(&self) -> Status {
        let ended = ["bobbin.outcome", "bobbin.end"].into_iter().find_map(|name| self.text(name));
        match ended {
            Some(end) if !WELL.contains(&end) => Status::error(end.to_owned()),
            Some(_) | None => Status::Unset,
        }
    }

    fn add(&mut self, field: &Field, value: impl Into<opentelemetry::Value>) {
        if let Some((_, name)) = ATTRIBUTES.iter().find(|(known, _)| *known == field.name()) {
            self.attributes.push(KeyValue::new(*name, value));
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "trace" {
            self.trace = TraceId::from_hex(value).ok();
        } else {
            self.add(field, value.to_owned());
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, i64::try_from(value).unwrap_or(i64::MAX));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use opentelemetry::Context as Otel;
    use opentelemetry_sdk::error::OTelSdkResult;
    use tracing::field::Empty;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::clock::SystemClock;

    const TRACE: &str = "01936c4e7a507cc09d2b0f3f6b1f7a11";
    const ROOT: &str = "9d2b0f3f6b1f7a11";

    /// Keeps what it is given.
    #[derive(Debug, Default)]
    struct Kept(Mutex<Vec<SpanData>>);

    impl SpanProcessor for Kept {
        fn on_start(&self, _span: &mut opentelemetry_sdk::trace::Span, _context: &Otel) {}

        fn on_end(&self, span: SpanData) {
            self.0.lock().unwrap().push(span);
        }

        fn force_flush(&self) -> OTelSdkResult {
            Ok(())
        }

        fn shutdown_with_timeout(&self, _within: Duration) -> OTelSdkResult {
            Ok(())
        }
    }

    fn collected(doing: impl FnOnce()) -> Vec<SpanData> {
        let kept = Arc::new(Kept::default());
        let spans = SpanLayer::new(kept.clone(), Arc::new(SystemClock));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(spans), doing);
        Arc::into_inner(kept).map(|kept| kept.0.into_inner().unwrap()).unwrap_or_default()
    }

    #[test]
    fn a_door_is_the_root_and_whatever_other_process_works_on_it_knows_so() {
        let spans = collected(|| {
            let door = tracing::info_span!("receive", door = "events", trace = Empty, end = Empty);
            door.record("trace", TRACE).record("end", "stored");
            drop(door);
            let work = tracing::info_span!("work", trace = TRACE, attempt = 1, secret = "xoxb", end = Empty);
            work.in_scope(|| {
                let call = tracing::info_span!("call", service = "slack", method = "chat.postMessage", outcome = Empty);
                call.record("outcome", "rate_limited");
            });
            work.record("end", "done");
        });
        let shown: Vec<_> = spans.iter().map(|s| (s.name.as_ref(), s.parent_span_id.to_string())).collect();
        let work = spans[2].span_context.span_id().to_string();
        assert_eq!(
            shown,
            [("receive", SpanId::INVALID.to_string()), ("slack chat.postMessage", work), ("work", ROOT.to_owned()),]
        );
        assert_eq!(spans[0].span_context.span_id().to_string(), ROOT);
        assert!(spans.iter().all(|span| span.span_context.trace_id().to_string() == TRACE));
        assert_eq!((&spans[1].status, &spans[2].status), (&Status::error("rate_limited"), &Status::Unset));
        assert!(!format!("{spans:?}").contains("xoxb"), "a field that is not listed left");
    }

    #[test]
    fn what_is_not_kept_or_belongs_to_no_input_has_no_trace_and_a_wake_has_no_parent() {
        let spans = collected(|| {
            drop(tracing::info_span!("receive", trace = TRACE, end = "duplicate"));
            drop(tracing::info_span!("call", service = "devin"));
            drop(tracing::info_span!("work", trace = TRACE, wake = true));
        });
        assert_eq!(spans.len(), 1);
        assert_eq!((spans[0].parent_span_id, spans[0].parent_span_is_remote), (SpanId::INVALID, false));
    }
}
