//! Traces, as whoever collects them gets them: what one input led to, from Slack's request to the post, whichever process
//! did what of it, and nothing that anybody wrote.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State, routing::post};
use bobbin::{
    app::{Limits, serve},
    domain::{ids::Ts, trace::TraceId},
    twin::{
        Fault, FaultAction,
        world::{BOT_TOKEN, DEVIN_KEY, SIGNING_SECRET},
    },
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
};
use prost::Message as _;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    outside::{Outside, until},
    process::{Process, Settings},
};
use crate::support::redis::RedisServer;

/// Longest wait for anything.
const WITHIN: Duration = Duration::from_secs(30);

/// A span as it came.
#[derive(Debug, Clone)]
struct Span {
    /// Who sent it.
    service: String,
    instance: String,
    trace: String,
    id: String,
    /// Empty where it is a root.
    parent: String,
    name: String,
    attributes: BTreeMap<String, String>,
    took: Duration,
}

/// Something that collects spans.
struct Collector {
    spans: Arc<Mutex<Vec<Span>>>,
    base: String,
    stop: CancellationToken,
}

impl Collector {
    async fn open() -> Self {
        let spans: Arc<Mutex<Vec<Span>>> = Arc::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/traces", post(take)).with_state(spans.clone());
        let stop = CancellationToken::new();
        TaskTracker::new().spawn(serve(listener, router, Limits::default(), stop.clone()));
        Self { spans, base, stop }
    }

    /// The settings of a bot whose spans come here, and soon.
    fn of(&self, settings: Settings) -> Settings {
        let ours = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", self.base.clone()),
            ("OTEL_SERVICE_NAME", "bobbin-in-a-test".to_owned()),
            ("OTEL_BSP_SCHEDULE_DELAY", "100".to_owned()),
            // What is logged has nothing to do with it; one line tells where it listens.
            ("BOBBIN_LOG", "warn,bobbin::app=info".to_owned()),
        ];
        settings.into_iter().chain(ours).collect()
    }

    fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap().clone()
    }

    /// The trace in which a mention was handled.
    fn of_speech(&self) -> Vec<Span> {
        let all = self.spans();
        let Some(speech) = all.iter().find(|span| span.name == "work speech") else { return Vec::new() };
        all.iter().filter(|span| span.trace == speech.trace).cloned().collect()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn take(State(spans): State<Arc<Mutex<Vec<Span>>>>, body: Bytes) {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    for of_resource in request.resource_spans {
        let resource = texts(&of_resource.resource.unwrap().attributes);
        let all = of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        spans.lock().unwrap().extend(all.map(|span| Span {
            service: resource["service.name"].clone(),
            instance: resource["service.instance.id"].clone(),
            trace: hex::encode(&span.trace_id),
            id: hex::encode(&span.span_id),
            parent: hex::encode(&span.parent_span_id),
            name: span.name,
            attributes: texts(&span.attributes),
            took: Duration::from_nanos(span.end_time_unix_nano - span.start_time_unix_nano),
        }));
    }
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Value| {
        let Value::StringValue(text) = value else { return format!("{value:?}") };
        text.clone()
    };
    let one = |pair: &KeyValue| (pair.key.clone(), text(pair.value.as_ref().unwrap().value.as_ref().unwrap()));
    attributes.iter().map(one).collect()
}

/// The names from a span up to the root of its trace.
fn ancestry(trace: &[Span], name: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut next = trace.iter().find(|span| span.name == name);
    while let Some(span) = next {
        names.push(span.name.clone());
        next = trace.iter().find(|other| other.id == span.parent);
    }
    names
}

fn has_card(outside: &Outside, root: &Ts) -> bool {
    outside.posts(root, "bobbin_card").len() == 1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_input_is_one_trace_from_the_door_to_the_post_and_no_span_says_what_anybody_wrote() {
    let (outside, collector) = (Outside::open().await, Collector::open().await);
    let mut bobbin = Process::serve(&collector.of(outside.settings()));
    outside.deliver_to(&bobbin.base());
    let root = outside.mention("the canary mention");
    until("the card", WITHIN, || has_card(&outside, &root)).await;
    let session = outside.devin.sessions().remove(0);
    outside.devin.say(&session.id, "the canary answer").unwrap();
    until("Devin's words", WITHIN, || outside.posts(&root, "bobbin_relay").len() == 1).await;
    // Words may be found by a look of the thread's own; a state is told because the watch saw it.
    outside.devin.set(&session.id, "running".to_owned().into(), Some("waiting_for_user".to_owned().into())).unwrap();
    until("the state", WITHIN, || outside.posts(&root, "bobbin_transition").len() == 1).await;
    assert!(bobbin.stop().await.success(), "{}", bobbin.stderr());

    let trace = collector.of_speech();
    for name in ["devin sessions.create", "slack chat.postMessage"] {
        let names = ancestry(&trace, name);
        assert_eq!(names.first().map(String::as_str), Some(name), "{trace:#?}");
        assert_eq!(names[names.len() - 2..], ["work speech", "receive"], "{names:?}");
    }
    let door = trace.iter().find(|span| span.name == "receive").unwrap();
    assert_eq!((door.parent.as_str(), door.attributes["bobbin.door"].as_str()), ("", "events"));
    assert_eq!(door.service, "bobbin-in-a-test");
    // The id that the session carries is the trace's.
    let tag = session.tags.iter().find_map(|tag| tag.strip_prefix("bobbin-input:")).unwrap();
    assert_eq!(TraceId::of(&tag.parse().unwrap()).to_string(), door.trace);
    assert!(trace.iter().any(|span| span.took > Duration::ZERO));
    // What the watch saw is a trace of its own, from there to the post.
    let all = collector.spans();
    let seen = all.iter().filter(|span| span.name == "watch");
    let told = |seen: &Span| {
        let trace: Vec<Span> = all.iter().filter(|span| span.trace == seen.trace).cloned().collect();
        ancestry(&trace, "slack chat.postMessage").ends_with(&["watch".to_owned()])
    };
    assert!(seen.clone().any(told), "{all:#?}");

    let shown = format!("{all:?}");
    for secret in [SIGNING_SECRET, BOT_TOKEN, DEVIN_KEY, "canary", "ada@acme.example", "Ada Lovelace"] {
        assert!(!shown.contains(secret), "{secret:?} left the machine");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_replica_took_and_another_did_is_one_trace() {
    let (outside, collector) = (Outside::open().await, Collector::open().await);
    let redis = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let mut settings = collector.of(outside.settings());
    settings.insert("BOBBIN_STORE", redis.url());
    // Slack does not say who it was for so long that the first replica dies over it.
    let hangs = Fault { matcher: "users.info".to_owned(), action: FaultAction::Delay(WITHIN), times: Some(1) };
    outside.slack.faults().push(hangs);
    let mut first = Process::serve(&settings);
    outside.deliver_to(&first.base());
    let root = outside.mention("fix the login test");
    let at_the_door = || collector.spans().iter().any(|span| span.name == "receive");
    until("the door's span", WITHIN, at_the_door).await;
    until("the call that hangs", WITHIN, || outside.slack.faults().waiting().is_empty()).await;
    let second = Process::serve(&settings);
    first.kill();
    outside.deliver_to(&second.base());
    until("the card", WITHIN, || has_card(&outside, &root)).await;

    until("the turn's span", WITHIN, || !collector.of_speech().is_empty()).await;
    let trace = collector.of_speech();
    assert!(ancestry(&trace, "slack chat.postMessage").ends_with(&["work speech".to_owned(), "receive".to_owned()]));
    let by = |name: &str| trace.iter().find(|span| span.name == name).unwrap().instance.clone();
    assert_ne!(by("receive"), by("work speech"), "{trace:#?}");
    assert_eq!(by("work speech"), by("slack chat.postMessage"));
    let turn = trace.iter().find(|span| span.name == "work speech").unwrap();
    assert_eq!(turn.attributes["bobbin.attempt"], "IntValue(2)");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_away_costs_nothing_but_the_spans_and_is_told_once() {
    let (outside, collector) = (Outside::open().await, Collector::open().await);
    let mut settings = collector.of(outside.settings());
    settings.insert("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9".to_owned());
    let mut bobbin = Process::serve(&settings.into_iter().filter(|(name, _)| *name != "BOBBIN_LOG").collect());
    outside.deliver_to(&bobbin.base());
    for text in ["fix the login test", "and the search"] {
        let root = outside.mention(text);
        until("the card", WITHIN, || has_card(&outside, &root)).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert!(bobbin.stop().await.success());
    assert_eq!(bobbin.stderr().matches("spans are lost").count(), 1, "{}", bobbin.stderr());

    let wrong =
        collector.of(outside.settings()).into_iter().chain([("OTEL_EXPORTER_OTLP_ENDPOINT", "nowhere".to_owned())]);
    let refused = super::process::run(&["serve"], &wrong.collect());
    assert!(!refused.status.success());
    let said = super::process::text(&refused.stderr);
    assert!(said.contains("OTEL_EXPORTER_OTLP_ENDPOINT") && said.contains("http:// or https://"), "{said}");
}
