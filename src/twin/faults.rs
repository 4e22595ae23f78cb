//! Scripted failures, the same for both twins.
//!
//! Each fault is used by one request at a time, in the order they were pushed: a test writes down what goes wrong and in
//! which order, and reads its expectations off the same list. Whether the request took effect is part of the fault,
//! because that is the question the bot has to answer afterwards.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio_util::task::TaskTracker;

/// What an edge server answers when the service behind it is down.
const HTML: &str =
    "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Something went wrong</h1></body></html>";

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
    /// Processed after this real time.
    Delay(Duration),
    /// Processed at once, answered after this real time.
    DelayAfter(Duration),
    /// The connection ends without an answer; not processed.
    DropBefore,
    /// The connection ends without an answer; processed.
    DropAfter,
    /// Processed, then answered with 200 and bytes that are no JSON.
    Garbage,
}

/// The answer carries this when the connection is to be closed without an answer; the server's loop looks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hangup;

/// The failures that wait to be used.
#[derive(Debug, Default)]
pub struct Faults {
    waiting: Mutex<Vec<Fault>>,
}

impl Faults {
    /// Adds a failure behind those that wait already.
    pub fn push(&self, fault: Fault) {
        self.lock().push(fault);
    }

    /// Adds a failure for the next request of one operation.
    pub fn once(&self, operation: &str, action: FaultAction) {
        self.push(Fault { matcher: operation.to_owned(), action, times: Some(1) });
    }

    /// Every request ends without an answer until [`Faults::clear`].
    pub fn unreachable(&self) {
        self.push(Fault { matcher: "*".to_owned(), action: FaultAction::DropBefore, times: None });
    }

    /// Forgets all failures.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// What waits to be used.
    pub fn waiting(&self) -> Vec<Fault> {
        self.lock().clone()
    }

    /// Uses the first failure that matches the operation.
    pub(super) fn take(&self, operation: &str) -> Option<FaultAction> {
        let mut waiting = self.lock();
        let at = waiting.iter().position(|fault| matches(&fault.matcher, operation))?;
        let fault = waiting.get_mut(at)?;
        let action = fault.action.clone();
        if let Some(times) = &mut fault.times {
            *times = times.saturating_sub(1);
        }
        waiting.retain(|fault| fault.times != Some(0));
        Some(action)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Fault>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
}

/// The layer that lets a request through, or breaks it.
pub(super) async fn inject<T: Breakable>(State(twin): State<Arc<T>>, request: Request, next: Next) -> Response {
    let operation = twin.operation(&request);
    let Some(action) = twin.faults().take(&operation) else {
        return next.run(request).await;
    };
    match action {
        FaultAction::Status(_)
        | FaultAction::RateLimited { .. }
        | FaultAction::OkFalse(_)
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
        FaultAction::StatusAfter(_) | FaultAction::DropAfter | FaultAction::Garbage => {
            drop(next.run(request).await);
            instead(twin.as_ref(), action)
        }
    }
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
        FaultAction::Garbage => ([(header::CONTENT_TYPE, "application/json")], "{\"ok\": tr").into_response(),
        FaultAction::DropBefore | FaultAction::DropAfter | FaultAction::Delay(_) | FaultAction::DelayAfter(_) => {
            hangup()
        }
    }
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
