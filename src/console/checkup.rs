//! The examination behind the Health page: one for all who look, and not again before a while has passed. Whoever asks
//! gets what is known after a moment; the bot examines itself beside that, in a task of its own.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, watch};

use crate::oversight::check::Check;

/// What was found holds for so long.
const GOOD_FOR: SignedDuration = SignedDuration::from_secs(30);
/// A page waits so long for an examination that is under way.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// What is known.
#[derive(Debug, Clone, Default)]
pub struct Examined {
    /// What was found last, and when that ended.
    pub last: Option<(Arc<[Check]>, Timestamp)>,
    /// Since when the next examination is under way.
    pub running: Option<Timestamp>,
    /// How many ended so far.
    pub count: u64,
}

impl Examined {
    fn is_due(&self, now: Timestamp) -> bool {
        let fresh = |(_, at): &(Arc<[Check]>, Timestamp)| now.duration_since(*at).abs() < GOOD_FOR;
        self.running.is_none() && !self.last.as_ref().is_some_and(fresh)
    }
}

/// Where those who look and the one who examines meet.
#[derive(Debug, Default)]
pub struct Checkup {
    seen: watch::Sender<Examined>,
    asked: Notify,
}

impl Checkup {
    /// Waits until somebody asks; then an examination has to [`begin`](Self::begin).
    pub async fn asked(&self) {
        self.asked.notified().await;
    }

    /// Begins an examination, unless one is under way or what is known is new enough.
    pub fn begin(&self, now: Timestamp) -> bool {
        self.seen.send_if_modified(|seen| {
            let due = seen.is_due(now);
            if due {
                seen.running = Some(now);
            }
            due
        })
    }

    /// Ends it with what was found.
    pub fn end(&self, checks: Vec<Check>, now: Timestamp) {
        self.seen.send_modify(|seen| {
            *seen = Examined { last: Some((checks.into(), now)), running: None, count: seen.count + 1 };
        });
    }

    /// What is known, after a moment for what is under way.
    pub(super) async fn look(&self, now: Timestamp) -> Examined {
        let mut seeing = self.seen.subscribe();
        let known = seeing.borrow_and_update().clone();
        if known.is_due(now) {
            self.asked.notify_one();
        } else if known.running.is_none() {
            return known;
        }
        match tokio::time::timeout(PATIENCE, seeing.wait_for(|seen| seen.count > known.count)).await {
            Ok(Ok(seen)) => seen.clone(),
            Ok(Err(_)) | Err(_) => self.seen.borrow().clone(),
        }
    }

    /// How many examinations ended.
    pub(super) fn count(&self) -> u64 {
        self.seen.borrow().count
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::oversight::check::Area;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Examines whenever somebody asks.
    async fn examine(checkup: &Checkup, runs: &AtomicUsize) {
        loop {
            checkup.asked().await;
            if checkup.begin(at(0)) {
                tokio::time::sleep(Duration::from_millis(50)).await;
                runs.fetch_add(1, Ordering::SeqCst);
                checkup.end(vec![Check::ok(Area::Store, "takes_writes", "yes")], at(0));
            }
        }
    }

    #[tokio::test]
    async fn all_who_look_share_one_examination_and_the_next_one_comes_later() {
        let (checkup, runs) = (Checkup::default(), AtomicUsize::new(0));
        let looking = async {
            let looks = futures_util::future::join_all((0..10).map(|_| checkup.look(at(0)))).await;
            assert!(looks.iter().all(|seen| seen.last.as_ref().is_some_and(|(checks, _)| checks.len() == 1)));
            checkup.look(at(29)).await;
            assert_eq!(runs.load(Ordering::SeqCst), 1);
        };
        tokio::select! {
            () = examine(&checkup, &runs) => {}
            () = looking => {}
        }
        assert!(!checkup.begin(at(29)) && checkup.begin(at(30)) && !checkup.begin(at(90)), "one at a time");
    }

    #[tokio::test]
    async fn a_look_does_not_wait_for_an_examination_that_hangs() {
        let checkup = Checkup::default();
        let began = std::time::Instant::now();
        assert!(checkup.look(at(0)).await.last.is_none());
        assert!(checkup.begin(at(0)));
        let seen = checkup.look(at(5)).await;
        assert_eq!((seen.running, seen.count), (Some(at(0)), 0));
        assert!(began.elapsed() < PATIENCE * 4);
    }
}
