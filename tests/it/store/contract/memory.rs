//! Values, holds and watched sessions.

use std::{collections::BTreeMap, time::Duration};

use bobbin::{
    domain::findings::Findings,
    store::{Activity, Commit, Track, notes},
};

use super::{Fixture, thread};

const MINUTE: Duration = Duration::from_mins(1);

pub(crate) async fn values_are_remembered_for_a_time(f: &Fixture) {
    let value = "a value: {\"x\": \"\u{1f9f5} \\\"\"}";
    assert_eq!(f.store.recall("k").await.unwrap(), None);
    f.store.remember("k", value, MINUTE).await.unwrap();
    f.store.remember("other", "", MINUTE * 10).await.unwrap();
    assert_eq!(f.store.recall("k").await.unwrap().as_deref(), Some(value));
    f.clock.advance(MINUTE / 2);
    assert_eq!(f.store.recall("k").await.unwrap().as_deref(), Some(value));
    f.store.remember("k", "new", MINUTE).await.unwrap();
    f.clock.advance(MINUTE / 2 + Duration::from_secs(1));
    assert_eq!(f.store.recall("k").await.unwrap().as_deref(), Some("new"));
    f.clock.advance(MINUTE);
    assert_eq!(f.store.recall("k").await.unwrap(), None);

    assert_eq!(f.store.recall("other").await.unwrap().as_deref(), Some(""));
    f.store.forget("other").await.unwrap();
    f.store.forget("never known").await.unwrap();
    assert_eq!(f.store.recall("other").await.unwrap(), None);
}

pub(crate) async fn findings_are_kept(f: &Fixture) {
    assert_eq!(notes::findings(&*f.store).await.unwrap(), Findings::default());
    let at = "2026-11-24T02:00:00Z".parse().unwrap();
    let found =
        Findings { messages_move_updated_at: Some(false), list_lag_s: Some(7), at: Some(at), ..Findings::default() };
    notes::keep_findings(&*f.store, &found).await.unwrap();
    f.clock.advance(MINUTE * 60 * 24 * 365);
    assert_eq!(notes::findings(&*f.store).await.unwrap(), found);
    let again = Findings { agent_sessions: Some(true), at: Some(at), ..Findings::default() };
    notes::keep_findings(&*f.store, &again).await.unwrap();
    assert_eq!(notes::findings(&*f.store).await.unwrap(), again, "what was known before is replaced");
    f.store.remember("findings", "of another form", MINUTE).await.unwrap();
    assert_eq!(notes::findings(&*f.store).await.unwrap(), Findings::default());
}

pub(crate) async fn a_hold_is_exclusive_until_it_ends(f: &Fixture) {
    assert!(f.store.hold("watch", "a 1", MINUTE).await.unwrap());
    assert!(!f.store.hold("watch", "b 2", MINUTE).await.unwrap());
    assert!(f.store.hold("other", "b 2", MINUTE).await.unwrap());

    f.clock.advance(MINUTE / 2);
    assert!(f.store.hold("watch", "a 1", MINUTE).await.unwrap());
    f.clock.advance(MINUTE / 2 + Duration::from_secs(1));
    assert!(!f.store.hold("watch", "b 2", MINUTE).await.unwrap());
    f.clock.advance(MINUTE);
    assert!(f.store.hold("watch", "b 2", MINUTE).await.unwrap());
    assert!(!f.store.hold("watch", "a 1", MINUTE).await.unwrap());
}

pub(crate) async fn sessions_come_in_pages(f: &Fixture) {
    for n in 0..25 {
        track(f, n, &format!("s{n:02}"), Activity::Working).await;
    }
    track(f, 99, "a-waiting-one", Activity::Waiting).await;

    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = f.store.tracked(Activity::Working, after.as_ref(), 10).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 10);
        after = Some(last.session.clone());
        seen.extend(page.into_iter().map(|row| (row.session.to_string(), row.mailbox)));
    }
    let expected: Vec<_> = (0..25).map(|n| (format!("s{n:02}"), thread(n))).collect();
    assert_eq!(seen, expected);
    assert_eq!(counts(f).await, [25, 1, 0]);
}

pub(crate) async fn a_session_moves_between_activities(f: &Fixture) {
    for (activity, expected) in [
        (Activity::Working, [1, 0, 0]),
        (Activity::Asleep, [0, 0, 1]),
        (Activity::Asleep, [0, 0, 1]),
        (Activity::Waiting, [0, 1, 0]),
        (Activity::Over, [0, 0, 0]),
        (Activity::Working, [1, 0, 0]),
    ] {
        track(f, 1, "s1", activity).await;
        assert_eq!(counts(f).await, expected, "{activity:?}");
        for watched in Activity::WATCHED {
            let found = f.store.tracked(watched, None, 10).await.unwrap();
            assert_eq!(found.len(), usize::from(watched == activity), "{activity:?}");
        }
    }
}

pub(crate) async fn the_store_answers_for_itself(f: &Fixture) {
    f.store.check().await.unwrap();
    let found = f.store.durability().await.unwrap();
    assert!(["D0", "D1", "D2", "D3", "E:"].iter().any(|class| found.class.starts_with(class)), "{found:?}");
}

async fn track(f: &Fixture, number: u32, session: &str, activity: Activity) {
    let id = format!("i-{session}-{}", uuid::Uuid::now_v7());
    f.put(&thread(number), &id).await;
    let leased = f.take().await;
    let track = Some(Track { session: session.parse().unwrap(), activity });
    f.store.commit(&leased.lease, &Commit { track, ..Commit::default() }).await.unwrap();
}

async fn counts(f: &Fixture) -> [u64; 3] {
    let counts: BTreeMap<_, _> = f.store.tracked_counts().await.unwrap();
    Activity::WATCHED.map(|activity| counts[&activity])
}
