//! A stand-in Slack to ask, with a clock to move.

pub(super) use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

pub(super) use axum::{
    body::Body,
    http::{Request, Response, StatusCode, header},
};
pub(super) use http_body_util::BodyExt;
pub(super) use jiff::SignedDuration;
pub(super) use serde_json::{Value, json};
pub(super) use tower::ServiceExt;

pub(super) use super::super::*;
pub(super) use crate::{
    clock::Clock,
    domain::ids::{ChannelId, Ts, UserId},
    twin::{faults::FaultAction, faults::Hangup, world::*},
};

#[derive(Debug, Default)]
pub(super) struct Moved(AtomicI64);

impl Clock for Moved {
    fn offset(&self) -> SignedDuration {
        SignedDuration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

impl Moved {
    pub(super) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

pub(super) fn slack() -> (Arc<SlackTwin>, Arc<Moved>) {
    let moved = Arc::new(Moved::default());
    let clock: Arc<dyn Clock> = Arc::clone(&moved) as Arc<dyn Clock>;
    let slack = world(&clock).unwrap().slack;
    slack.change(|state| state.features = Features::default());
    (slack, moved)
}

pub(super) fn user(id: &str) -> UserId {
    id.parse().unwrap()
}

pub(super) fn channel(id: &str) -> ChannelId {
    id.parse().unwrap()
}

pub(super) async fn raw(twin: &Arc<SlackTwin>, request: Request<Body>) -> Response<Body> {
    twin.router().oneshot(request).await.unwrap()
}

pub(super) async fn text(answer: Response<Body>) -> String {
    String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

pub(super) fn posted(path: &str, kind: &str, body: String) -> Request<Body> {
    Request::post(path)
        .header(header::AUTHORIZATION, format!("Bearer {BOT_TOKEN}"))
        .header(header::CONTENT_TYPE, kind)
        .body(Body::from(body))
        .unwrap()
}

pub(super) fn form(args: &Value) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in args.as_object().unwrap() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        form.append_pair(name, &value);
    }
    form.finish()
}

/// Calls a method with a form, as every method takes it.
pub(super) async fn call(twin: &Arc<SlackTwin>, method: &str, args: Value) -> Value {
    let request = posted(&format!("/api/{method}"), "application/x-www-form-urlencoded", form(&args));
    serde_json::from_str(&text(raw(twin, request).await).await).unwrap()
}

pub(super) async fn post(twin: &Arc<SlackTwin>, args: Value) -> Ts {
    let answer = call(twin, "chat.postMessage", args).await;
    answer["ts"].as_str().unwrap_or_else(|| panic!("{answer}")).parse().unwrap()
}

pub(super) fn events(twin: &SlackTwin) -> Vec<Value> {
    let pending = twin.pending();
    twin.change(|state| state.deliveries.clear());
    pending.iter().map(|delivery| serde_json::from_slice(&delivery.body).unwrap()).collect()
}

/// The payloads of the interactions that wait, as the app reads them.
pub(super) fn payloads(twin: &SlackTwin) -> Vec<Value> {
    let pending = twin.pending();
    twin.change(|state| state.deliveries.clear());
    let payload =
        |body: &[u8]| url::form_urlencoded::parse(body).find(|(name, _)| name == "payload").unwrap().1.into_owned();
    pending.iter().map(|delivery| serde_json::from_str(&payload(&delivery.body)).unwrap()).collect()
}

/// Delivers the first thing that is due; the app answers this.
pub(super) fn answered(twin: &SlackTwin, status: u16, body: &Value) {
    let delivery = twin.take_due().unwrap();
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    twin.settle(delivery, Ok(Answered { status, body, no_retry: false }));
}

pub(super) fn kinds(events: &[Value]) -> Vec<String> {
    let kind = |event: &Value| {
        let subtype = event["event"]["subtype"].as_str().map(|subtype| format!("/{subtype}")).unwrap_or_default();
        format!("{}{subtype}", event["event"]["type"].as_str().unwrap())
    };
    events.iter().map(kind).collect()
}
