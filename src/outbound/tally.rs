//! How many calls a unit of work made: counted where they leave, so that no caller has to remember to.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

tokio::task_local! {
    static RUNNING: Arc<Counters>;
}

/// Calls so far.
#[derive(Debug, Default)]
struct Counters {
    made: AtomicU32,
    refused: AtomicU32,
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
    let of = |counter: &AtomicU32| counter.load(Ordering::Relaxed);
    (done, Tally { made: of(&counters.made), refused: of(&counters.refused), limited: of(&counters.limited) })
}

/// A call ended.
pub(super) fn made(outcome: &str) {
    add(|counters| &counters.made);
    if outcome != "ok" {
        refused();
    }
    if outcome == "rate_limited" {
        add(|counters| &counters.limited);
    }
}

/// An answer that looked well said that nothing was done: Slack's `ok: false` comes with status 200.
pub fn refused() {
    add(|counters| &counters.refused);
}

fn add(which: impl Fn(&Counters) -> &AtomicU32) {
    // Outside of any unit of work nobody counts.
    RUNNING.try_with(|counters| which(counters).fetch_add(1, Ordering::Relaxed)).map(drop).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn calls_are_counted_where_they_belong() {
        let inner = async {
            made("rate_limited");
            made("refused");
            "done"
        };
        let outer = counted(async {
            made("ok");
            let inner = counted(inner).await;
            refused();
            inner
        });
        let (inner, outer) = outer.await;
        assert_eq!(inner, ("done", Tally { made: 2, refused: 2, limited: 1 }));
        assert_eq!(outer, Tally { made: 1, refused: 1, limited: 0 });
        made("ok");
    }
}
