//! Socket Mode: addresses for sockets, the sockets themselves, and deliveries that go over them.
//!
//! Sockets live by real time, as everything does that waits for the other side of a connection; when an event that nobody
//! acknowledged is sent again is a matter of the twin's clock, as with the doors.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    extract::{Query, Request, State as Shared},
    http::{
        HeaderValue, StatusCode,
        header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE},
    },
    response::{IntoResponse, Response},
};
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, handshake::derive_accept_key, protocol::Role},
};
use tokio_util::task::TaskTracker;

use super::{
    api::{ApiError, Asked, Reply},
    deliver::{Answered, Delivered, Delivery, Door, Undelivered},
    server::SlackTwin,
};

/// Sockets that an app may have.
const MAX_SOCKETS: usize = 10;
/// How often the twin asks whether somebody is there.
const PING_EVERY: Duration = Duration::from_secs(5);
/// How long an acknowledgement may take.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(3);
/// The scope of app-level tokens that may open sockets.
const SCOPE: &str = "connections:write";

/// What is done to a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketOrder {
    /// Says that it ends (`warning`, `refresh_requested`, `link_disabled`), and leaves it open.
    Disconnect(&'static str),
    /// Says this, whatever it is.
    Say(String),
    /// Neither reads nor says anything any more, pongs included; the connection stays.
    Silence,
    /// Gives it nothing more, and closes it once what it was given is acknowledged.
    Close,
    /// Drops the connection.
    Cut,
}

/// Something that happened to a socket, by its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketEvent {
    /// It was greeted.
    Hello(u64),
    /// It was given an envelope, with the delivery's number and which attempt that is.
    Given(u64, u64, u8),
    /// It is gone.
    Gone(u64),
}

/// All sockets.
#[derive(Debug)]
pub(super) struct Sockets(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    open: Vec<Line>,
    /// Who waits for the acknowledgement of an envelope, and over which socket that went.
    waiting: HashMap<String, (u64, oneshot::Sender<Option<Value>>)>,
    /// The socket that each delivery went over last.
    tried: HashMap<u64, u64>,
    history: Vec<SocketEvent>,
    turn: usize,
    numbers: u64,
    patience: Duration,
}

#[derive(Debug, Clone)]
struct Line {
    number: u64,
    orders: mpsc::UnboundedSender<SocketOrder>,
}

impl Default for Sockets {
    fn default() -> Self {
        Self(Mutex::new(Inner {
            open: Vec::new(),
            waiting: HashMap::new(),
            tried: HashMap::new(),
            history: Vec::new(),
            turn: 0,
            numbers: 0,
            patience: ACKNOWLEDGED_WITHIN,
        }))
    }
}

impl Sockets {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next socket in turn, if possible another one than the delivery went over before.
    fn next(&self, delivery: u64) -> Option<Line> {
        let mut inner = self.lock();
        let count = inner.open.len();
        let before = inner.tried.get(&delivery).copied();
        let order = (0..count).map(|n| (inner.turn + n) % count);
        let others: Vec<Line> = order.filter_map(|at| inner.open.get(at).cloned()).collect();
        let line = others.iter().find(|line| Some(line.number) != before).or_else(|| others.first()).cloned()?;
        inner.turn = inner.turn.wrapping_add(1);
        inner.tried.insert(delivery, line.number);
        Some(line)
    }

    fn acknowledged(&self, text: &str) {
        let Ok(mut said) = serde_json::from_str::<Value>(text) else { return };
        let Some(id) = said.get("envelope_id").and_then(Value::as_str).map(str::to_owned) else { return };
        if let Some((_, waiting)) = self.lock().waiting.remove(&id) {
            // Whoever waited may have lost patience.
            let _in_time = waiting.send(said.get_mut("payload").map(Value::take)).is_ok();
        }
    }

    /// Gives a socket nothing more.
    fn leave(&self, number: u64) {
        self.lock().open.retain(|line| line.number != number);
    }

    /// Whether a socket still has to acknowledge something.
    fn owes(&self, number: u64) -> bool {
        self.lock().waiting.values().any(|(over, _)| *over == number)
    }

    fn gone(&self, number: u64) {
        self.leave(number);
        let mut inner = self.lock();
        inner.waiting.retain(|_, (over, _)| *over != number);
        inner.history.push(SocketEvent::Gone(number));
    }
}

/// `apps.connections.open`.
pub(super) fn open(asked: &mut Asked<'_>) -> Reply {
    if !asked.scopes.contains(SCOPE) {
        return Err(ApiError::new("not_allowed_token_type"));
    }
    if !asked.state.features.socket_mode {
        return Err(ApiError::new("socket_mode_not_enabled"));
    }
    let ticket = format!("ticket-{}", asked.state.next_id());
    let base = asked.state.base_url.replacen("http", "ws", 1);
    let url = format!("{base}/link/?ticket={ticket}&app_id={}", asked.state.app.id);
    asked.state.tickets.insert(ticket);
    Ok(json!({ "url": url }))
}

/// `GET /link/?ticket=…`: the handshake of a socket. A ticket works once.
pub(super) async fn link(
    Shared(twin): Shared<Arc<SlackTwin>>,
    Query(query): Query<HashMap<String, String>>,
    mut request: Request,
) -> Response {
    let good = query.get("ticket").is_some_and(|ticket| twin.quietly(|state| state.tickets.remove(ticket)));
    let key = request.headers().get(SEC_WEBSOCKET_KEY).map(|key| derive_accept_key(key.as_bytes()));
    let accept = key.and_then(|key| HeaderValue::from_str(&key).ok());
    let (true, Some(accept)) = (good, accept) else { return StatusCode::FORBIDDEN.into_response() };
    let upgrade = hyper::upgrade::on(&mut request);
    TaskTracker::new().spawn(twin.hold(upgrade));
    let headers = [
        (CONNECTION, HeaderValue::from_static("Upgrade")),
        (UPGRADE, HeaderValue::from_static("websocket")),
        (SEC_WEBSOCKET_ACCEPT, accept),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

type Frames = WebSocketStream<TokioIo<Upgraded>>;

impl SlackTwin {
    /// The numbers of the open sockets, oldest first.
    pub fn sockets(&self) -> Vec<u64> {
        self.sockets.lock().open.iter().map(|line| line.number).collect()
    }

    /// Everything that happened to sockets so far.
    pub fn socket_history(&self) -> Vec<SocketEvent> {
        self.sockets.lock().history.clone()
    }

    /// Does something to an open socket.
    pub fn order_socket(&self, number: u64, order: SocketOrder) {
        let line = self.sockets.lock().open.iter().find(|line| line.number == number).cloned();
        if let Some(line) = line {
            // One that is just going needs no orders.
            let _obeyed = line.orders.send(order).is_ok();
        }
    }

    /// Switches Socket Mode off, as somebody does in the app's settings: sockets are told and closed, and none is given.
    pub fn switch_socket_mode_off(&self) {
        self.change(|state| state.features.socket_mode = false);
        for number in self.sockets() {
            self.order_socket(number, SocketOrder::Disconnect("link_disabled"));
            self.order_socket(number, SocketOrder::Close);
        }
    }

    /// How long acknowledgements may take; three seconds unless it is said.
    pub fn set_socket_patience(&self, patience: Duration) {
        self.sockets.lock().patience = patience;
    }

    /// Sends the first delivery that is due over a socket; `None` when nothing is due.
    pub async fn deliver_next_by_socket(&self) -> Option<Delivered> {
        let delivery = self.take_due()?;
        let answer = self.send_by_socket(&delivery).await;
        Some(self.settle(delivery, answer))
    }

    /// Sends a delivery over a socket, each time over another one. An acknowledgement is an answer with status 200.
    ///
    /// # Errors
    ///
    /// [`Undelivered`], when no socket is open, when it broke, or when it was not acknowledged in time.
    pub async fn send_by_socket(&self, delivery: &Delivery) -> Result<Answered, Undelivered> {
        let line = self.sockets.next(delivery.id).ok_or(Undelivered::Connection)?;
        let envelope_id = format!("envelope-{}", self.quietly(super::state::State::next_id));
        let (acknowledge, acknowledged) = oneshot::channel();
        let patience = {
            let mut inner = self.sockets.lock();
            inner.waiting.insert(envelope_id.clone(), (line.number, acknowledge));
            inner.history.push(SocketEvent::Given(line.number, delivery.id, delivery.attempt));
            inner.patience
        };
        let text = envelope(&envelope_id, delivery);
        line.orders.send(SocketOrder::Say(text)).map_err(|_| Undelivered::Connection)?;
        match timeout(patience, acknowledged).await {
            Ok(Ok(payload)) => {
                let body = payload.map(|payload| payload.to_string().into_bytes()).unwrap_or_default();
                Ok(Answered { status: 200, no_retry: false, body })
            }
            Ok(Err(_gone)) => Err(Undelivered::Connection),
            Err(_elapsed) => {
                self.sockets.lock().waiting.remove(&envelope_id);
                Err(Undelivered::Timeout)
            }
        }
    }

    /// One socket from its handshake to its end.
    async fn hold(self: Arc<Self>, upgrade: OnUpgrade) {
        let Ok(upgraded) = upgrade.await else { return };
        let mut frames = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
        let (orders, obeyed) = mpsc::unbounded_channel();
        let (number, count) = {
            let mut inner = self.sockets.lock();
            inner.numbers += 1;
            (inner.numbers, inner.open.len() + 1)
        };
        if count > MAX_SOCKETS {
            let _told = frames.send(Message::text(disconnect("too_many_websockets"))).await.is_ok();
            let _closed = frames.close(None).await.is_ok();
            return;
        }
        if frames.send(Message::text(self.hello(count))).await.is_ok() {
            {
                let mut inner = self.sockets.lock();
                inner.history.push(SocketEvent::Hello(number));
                inner.open.push(Line { number, orders });
            }
            self.talk(number, frames, obeyed).await;
            self.sockets.gone(number);
        }
    }

    fn hello(&self, count: usize) -> String {
        let app = self.read(|state| state.app.id.clone());
        let info = json!({ "host": "applink-twin", "build_number": 1, "approximate_connection_time": 18_060 });
        json!({ "type": "hello", "num_connections": count, "debug_info": info, "connection_info": { "app_id": app } })
            .to_string()
    }

    async fn talk(&self, number: u64, mut frames: Frames, mut orders: mpsc::UnboundedReceiver<SocketOrder>) {
        let (mut ping_at, mut closing) = (Instant::now() + PING_EVERY, false);
        while !closing || self.sockets.owes(number) {
            let said = tokio::select! {
                order = orders.recv() => match order {
                    Some(SocketOrder::Say(text)) => frames.send(Message::text(text)).await,
                    Some(SocketOrder::Disconnect(reason)) => frames.send(Message::text(disconnect(reason))).await,
                    Some(SocketOrder::Silence) => return until_cut(&mut orders).await,
                    Some(SocketOrder::Close) => {
                        self.sockets.leave(number);
                        closing = true;
                        Ok(())
                    }
                    Some(SocketOrder::Cut) | None => return,
                },
                heard = frames.next() => match heard {
                    Some(Ok(Message::Text(text))) => {
                        self.sockets.acknowledged(&text);
                        Ok(())
                    }
                    Some(Ok(_)) => Ok(()),
                    Some(Err(_)) | None => return,
                },
                () = sleep_until(ping_at) => {
                    ping_at = Instant::now() + PING_EVERY;
                    frames.send(Message::Ping(Vec::new().into())).await
                }
            };
            if said.is_err() {
                return;
            }
        }
        close(frames).await;
    }
}

async fn until_cut(orders: &mut mpsc::UnboundedReceiver<SocketOrder>) {
    while let Some(order) = orders.recv().await {
        if order == SocketOrder::Cut {
            return;
        }
    }
}

async fn close(mut frames: Frames) {
    let closing = async {
        if frames.close(None).await.is_ok() {
            while let Some(Ok(_)) = frames.next().await {}
        }
    };
    let _in_time = timeout(ACKNOWLEDGED_WITHIN, closing).await.is_ok();
}

fn disconnect(reason: &str) -> String {
    json!({ "type": "disconnect", "reason": reason, "debug_info": { "host": "applink-twin" } }).to_string()
}

/// What goes over a socket in the place of a request: the same payload, as JSON.
fn envelope(id: &str, delivery: &Delivery) -> String {
    let body = String::from_utf8_lossy(&delivery.body);
    let (kind, payload) = match delivery.door {
        Door::Events => ("events_api", body.into_owned()),
        Door::Commands => ("slash_commands", {
            let fields = url::form_urlencoded::parse(&delivery.body);
            Value::Object(fields.map(|(name, value)| (name.into_owned(), json!(value))).collect::<Map<_, _>>())
                .to_string()
        }),
        Door::Interactions => ("interactive", {
            let mut fields = url::form_urlencoded::parse(&delivery.body);
            fields.find(|(name, _)| name == "payload").map_or_else(|| "{}".to_owned(), |(_, value)| value.into_owned())
        }),
    };
    let accepts = delivery.door != Door::Events;
    let retry = if delivery.attempt > 0 {
        format!(r#","retry_attempt":{},"retry_reason":"timeout""#, delivery.attempt)
    } else if accepts {
        String::new()
    } else {
        r#","retry_attempt":0,"retry_reason":"""#.to_owned()
    };
    format!(
        r#"{{"envelope_id":"{id}","type":"{kind}","accepts_response_payload":{accepts},"payload":{payload}{retry}}}"#
    )
}
