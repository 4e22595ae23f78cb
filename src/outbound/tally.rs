//! Which calls a unit of work made, and how many: counted where they leave, so that no caller has to remember to.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use super::Call;
use crate::domain::story::Calls;

tokio::task_local! {
    static RUNNING: Arc<Counters>;
}

/// Calls so far.
#[derive(Debug, Default)]
struct Counters {
    /// Each kind, in the order of its first call.
    kinds: Mutex<Vec<Calls>>,
    limited: AtomicU32,
}

/// The calls of a unit of work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests that were made, whatever came of them.
    pub made: u32,
    /// Of those, how many did not do what they were for: refused, failed, or without an answer.
    pub refused: u32,
    /// Of those, how many were to be made again later: a rate limit.
    pub limited: u32,
}

/// Does something and counts the calls it makes. What it starts elsewhere is not counted.
pub async fn counted<T>(work: impl Future<Output = T> + Send) -> (T, Tally) {
    let counters = Arc::new(Counters::default());
    let done = RUNNING.scope(counters.clone(), work).await;
    let kinds = counters.kinds.lock().unwrap_or_else(PoisonError::into_inner);
    let sum = |of: fn(&Calls) -> u32| kinds.iter().map(of).fold(0, u32::saturating_add);
    let limited = counters.limited.load(Ordering::Relaxed);
    (done, Tally { made: sum(|kind| kind.times), refused: sum(|kind| kind.failed), limited })
}

/// What the unit of work that runs here has called so far, by kind; nothing outside of any.
pub fn so_far() -> Vec<Calls> {
    let of = |counters: &Arc<Counters>| counters.kinds.lock().unwrap_or_else(PoisonError::into_inner).clone();
    RUNNING.try_with(of).unwrap_or_default()
}

/// A call ended. Outside of any unit of work nobody counts.
pub(super) fn made(call: &Call, outcome: &str, took: Duration) {
    let counting = |counters: &Arc<Counters>| {
        let mut kinds = counters.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        if !kinds.iter().any(|kind| kind.is(call.service, &call.method)) {
            kinds.push(Calls::new(call.service, &call.method));
        }
        if let Some(kind) = kinds.iter_mut().find(|kind| kind.is(call.service, &call.method)) {
            kind.times = kind.times.saturating_add(1);
            kind.failed = kind.failed.saturating_add(u32::from(outcome != "ok"));
            kind.took_ms = kind.took_ms.saturating_add(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        }
        counters.limited.fetch_add(u32::from(outcome == "rate_limited"), Ordering::Relaxed);
    };
    let _counted = RUNNING.try_with(counting).is_ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(method: &'static str, outcome: &str) {
        let call = Call { service: "slack", method: method.into(), timeout: Duration::ZERO };
        made(&call, outcome, Duration::from_millis(20));
    }

    #[tokio::test]
    async fn calls_are_counted_where_they_belong() {
        let inner = async {
            ended("chat.update", "rate_limited");
            ended("chat.update", "refused");
            "done"
        };
        let outer = counted(async {
            ended("auth.test", "ok");
            let inner = counted(inner).await;
            ended("chat.postMessage", "refused");
            ended("auth.test", "ok");
            (inner, so_far())
        });
        let ((inner, so_far), outer) = outer.await;
        assert_eq!(inner, ("done", Tally { made: 2, refused: 2, limited: 1 }));
        assert_eq!(outer, Tally { made: 3, refused: 1, limited: 0 });
        let kinds: Vec<_> =
            so_far.iter().map(|kind| (kind.method.as_str(), kind.times, kind.failed, kind.took_ms)).collect();
        assert_eq!(kinds, [("auth.test", 2, 0, 40), ("chat.postMessage", 1, 1, 20)]);
        ended("auth.test", "ok");
        assert_eq!(super::so_far(), [], "nobody counts here");
    }
}
