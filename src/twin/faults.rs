//! Scripted failures, the same for both twins.
//!
//! Each fault is used by one request at a time, in the order they were pushed: a test writes down what goes wrong and in
//! which order, and reads its expectations off the same list. Whether the request took effect is part of the fault,
//! because that is the question the bot has to answer afterwards.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio_util::task::TaskTracker;

use crate::clock::later;

/// What an edge server answers when the service behind it is down.
const HTML: &str =
    "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Something went wrong</h1></body></html>";

/// Longest request that is kept to be processed late.
const MAX_LATE_BYTES: usize = 64 * 1024 * 1024;

/// A failure to be used by the next matching requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Operation name (`chat.postMessage`, `sessions.create`), the beginning of one with `*` (`chat.*`), or `*`.
    pub matcher: String,
    /// What happens.
    pub action: FaultAction,
    /// For how many requests; `None`: until [`Faults::clear`].
    pub times: Option<u32>,
}

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultAction {
    /// Answered with this HTTP status and an HTML page; not processed.
    Status(u16),
    /// Processed, then answered with this HTTP status and an HTML page.
    StatusAfter(u16),
    /// Answered with 429; not processed.
    RateLimited {
        /// `Retry-After`, in whole seconds; `None`: the header is missing.
        after: Option<u64>,
    },
    /// Refused with this code in the vendor's form (Slack: `ok:false`; Devin: a 400 problem); not processed.
    OkFalse(String),
    /// Refused with this HTTP status in the vendor's form; not processed.
    Problem(u16),
    /// Processed after this real time.
    Delay(Duration),
    /// Processed at once, answered after this real time.
    DelayAfter(Duration),
    /// The connection ends without an answer; not processed.
    DropBefore,
    /// The connection ends without an answer; processed.
    DropAfter,
    /// The connection ends without an answer; processed so much later, by the twin's clock.
    Late(Duration),
    /// Processed, then answered with 200 and bytes that are no JSON.
    Garbage,
    /// Answered with 200 and this JSON; not processed.
    Answer(String),
    /// Processed, then answered with 200 and this JSON in the place of the real answer.
    AnswerAfter(String),
}

/// The answer carries this when the connection is to be closed without an answer; the server's loop looks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hangup;

/// Asked about every request before the failures that wait are: the operation, and what is to happen to it.
pub type Tap = Box<dyn FnMut(&str) -> Option<FaultAction> + Send>;

/// A request that is processed after its client has given up.
struct Late {
    due: Timestamp,
    process: BoxFuture<'static, Response>,
}

/// The failures that wait to be used.
#[derive(Default)]
pub struct Faults {
    waiting: Mutex<Vec<Fault>>,
    tap: Mutex<Option<Tap>>,
    late: Mutex<Vec<Late>>,
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").field("waiting", &*lock(&self.waiting)).finish_non_exhaustive()
    }
}

impl Faults {
    /// Adds a failure behind those that wait already.
    pub fn push(&self, fault: Fault) {
        lock(&self.waiting).push(fault);
    }

    /// Adds a failure for the next request of one operation.
    pub fn once(&self, operation: &str, action: FaultAction) {
        self.push(Fault { matcher: operation.to_owned(), action, times: Some(1) });
    }

    /// Every request ends without an answer until [`Faults::clear`].
    pub fn unreachable(&self) {
        self.push(Fault { matcher: "*".to_owned(), action: FaultAction::DropBefore, times: None });
    }

    /// Has every request asked about from now on, for failures that depend on more than an operation's name.
    pub fn tap(&self, tap: Tap) {
        *lock(&self.tap) = Some(tap);
    }

    /// Forgets all failures. What was to be processed late still will be.
    pub fn clear(&self) {
        lock(&self.waiting).clear();
    }

    /// What waits to be used.
    pub fn waiting(&self) -> Vec<Fault> {
        lock(&self.waiting).clone()
    }

    /// When the next late request is due.
    pub fn next_late(&self) -> Option<Timestamp> {
        lock(&self.late).iter().map(|late| late.due).min()
    }

    /// Processes the late requests that are due; how many. Every request to the twin does so first, so that this is
    /// needed only where nothing is asked of it any more.
    pub async fn process_late(&self, now: Timestamp) -> usize {
        let due: Vec<Late> = lock(&self.late).extract_if(.., |late| late.due <= now).collect();
        let count = due.len();
        for late in due {
            drop(late.process.await);
        }
        count
    }

    /// Uses the first failure that matches the operation.
    pub(super) fn take(&self, operation: &str) -> Option<FaultAction> {
        let tapped = lock(&self.tap).as_mut().and_then(|tap| tap(operation));
        if tapped.is_some() {
            return tapped;
        }
        let mut waiting = lock(&self.waiting);
        let at = waiting.iter().position(|fault| matches(&fault.matcher, operation))?;
        let fault = waiting.get_mut(at)?;
        let action = fault.action.clone();
        if let Some(times) = &mut fault.times {
            *times = times.saturating_sub(1);
        }
        waiting.retain(|fault| fault.times != Some(0));
        Some(action)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the failures need to know of a twin.
pub(super) trait Breakable: Send + Sync + 'static {
    /// Its failures.
    fn faults(&self) -> &Faults;
    /// The name of the operation that a request asks for.
    fn operation(&self, request: &Request) -> String;
    /// A refusal in the vendor's form.
    fn refuse(&self, status: StatusCode, code: &str) -> Response;
    /// Writes a request that was not processed into the ledger.
    fn note(&self, operation: &str, outcome: String);
    /// Its time.
    fn time(&self) -> Timestamp;
}

/// The layer that lets a request through, or breaks it.
pub(super) async fn inject<T: Breakable>(State(twin): State<Arc<T>>, request: Request, next: Next) -> Response {
    twin.faults().process_late(twin.time()).await;
    let operation = twin.operation(&request);
    let Some(action) = twin.faults().take(&operation) else {
        return next.run(request).await;
    };
    match action {
        FaultAction::Status(_)
        | FaultAction::RateLimited { .. }
        | FaultAction::OkFalse(_)
        | FaultAction::Problem(_)
        | FaultAction::Answer(_)
        | FaultAction::DropBefore => {
            twin.note(&operation, format!("fault: {action:?}"));
            instead(twin.as_ref(), action)
        }
        FaultAction::Delay(time) => {
            // What was sent is processed, whether or not its sender still waits.
            let late = TaskTracker::new().spawn(async move {
                tokio::time::sleep(time).await;
                next.run(request).await
            });
            late.await.unwrap_or_else(|_| hangup())
        }
        FaultAction::DelayAfter(time) => {
            let answer = next.run(request).await;
            tokio::time::sleep(time).await;
            answer
        }
        FaultAction::StatusAfter(_) | FaultAction::DropAfter | FaultAction::Garbage | FaultAction::AnswerAfter(_) => {
            drop(next.run(request).await);
            instead(twin.as_ref(), action)
        }
        FaultAction::Late(wait) => {
            let process = Box::pin(next.run(whole(request).await));
            lock(&twin.faults().late).push(Late { due: later(twin.time(), wait), process });
            hangup()
        }
    }
}

/// The request with its body read, so that it outlives its connection.
async fn whole(request: Request) -> Request {
    let (head, body) = request.into_parts();
    Request::from_parts(head, to_bytes(body, MAX_LATE_BYTES).await.unwrap_or_default().into())
}

/// The answer that stands in the place of the real one.
fn instead<T: Breakable>(twin: &T, action: FaultAction) -> Response {
    match action {
        FaultAction::Status(status) | FaultAction::StatusAfter(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, [(header::CONTENT_TYPE, "text/html")], HTML).into_response()
        }
        FaultAction::RateLimited { after } => {
            let mut answer = twin.refuse(StatusCode::TOO_MANY_REQUESTS, "ratelimited");
            if let Some(seconds) = after {
                answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            answer
        }
        FaultAction::OkFalse(code) => twin.refuse(StatusCode::BAD_REQUEST, &code),
        FaultAction::Problem(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
            twin.refuse(status, status.canonical_reason().unwrap_or("refused"))
        }
        FaultAction::Garbage => json("{\"ok\": tr".to_owned()),
        FaultAction::Answer(body) | FaultAction::AnswerAfter(body) => json(body),
        FaultAction::DropBefore
        | FaultAction::DropAfter
        | FaultAction::Late(_)
        | FaultAction::Delay(_)
        | FaultAction::DelayAfter(_) => hangup(),
    }
}

fn json(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// An answer that the server's loop turns into a closed connection.
fn hangup() -> Response {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    answer.extensions_mut().insert(Hangup);
    answer
}

fn matches(matcher: &str, operation: &str) -> bool {
    match matcher.strip_suffix('*') {
        Some(beginning) => operation.starts_with(beginning),
        None => matcher == operation,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_used_in_the_order_they_were_pushed() {
        let faults = Faults::default();
        faults.once("chat.postMessage", FaultAction::DropAfter);
        faults.push(Fault { matcher: "chat.*".to_owned(), action: FaultAction::Status(500), times: Some(2) });
        assert_eq!(faults.take("users.info"), None);
        assert_eq!(faults.take("chat.update"), Some(FaultAction::Status(500)));
        assert_eq!(faults.take("chat.postMessage"), Some(FaultAction::DropAfter));
        assert_eq!(faults.take("chat.postMessage"), Some(FaultAction::Status(500)));
        assert_eq!(faults.take("chat.postMessage"), None);
        assert!(faults.waiting().is_empty());
    }

    #[test]
    fn a_tap_is_asked_first_and_may_leave_the_request_to_the_failures_that_wait() {
        let faults = Faults::default();
        faults.once("chat.postMessage", FaultAction::Status(500));
        let mut asked = 0;
        faults.tap(Box::new(move |_| {
            asked += 1;
            (asked == 1).then_some(FaultAction::DropAfter)
        }));
        assert_eq!(faults.take("chat.postMessage"), Some(FaultAction::DropAfter));
        assert_eq!(faults.take("chat.postMessage"), Some(FaultAction::Status(500)));
        assert_eq!(faults.take("chat.postMessage"), None);
    }

    #[test]
    fn unreachable_lasts_until_cleared() {
        let faults = Faults::default();
        faults.unreachable();
        for _ in 0..5 {
            assert_eq!(faults.take("auth.test"), Some(FaultAction::DropBefore));
        }
        faults.clear();
        assert_eq!(faults.take("auth.test"), None);
    }
}
