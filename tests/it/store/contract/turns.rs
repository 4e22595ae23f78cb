//! Whose turn it is, what a turn finds, and what it leaves.

use std::{collections::HashSet, sync::Mutex, time::Duration};

use bobbin::{
    domain::mailbox::Mailbox,
    store::{Backlog, Commit, Pace, StoreError, TURN_AHEAD, Turn, Unfinished},
};
use futures_util::future::join_all;

use super::{Fixture, TTL, id, thread};

const PAST_TTL: Duration = Duration::from_secs(61);

pub(crate) async fn the_longest_ready_mailbox_comes_first(f: &Fixture) {
    for n in [3, 1, 2] {
        f.put(&thread(n), &format!("i{n}")).await;
    }
    f.put(&thread(3), "i3-second").await;
    let mut order = Vec::new();
    while let Turn::Taken(leased) = f.store.lease(TTL).await.unwrap() {
        order.push(leased.lease.mailbox);
    }
    assert_eq!(order, [thread(3), thread(1), thread(2)]);
}

pub(crate) async fn inputs_of_one_mailbox_come_in_order(f: &Fixture) {
    for n in 0..12 {
        f.put(&thread(1), &format!("i{n}")).await;
    }
    for n in 0..12 {
        assert_eq!(f.finish_next().await, Some(format!("i{n}")));
    }
    assert_eq!(f.idle().await, None);
}

pub(crate) async fn a_mailbox_is_held_by_one_at_a_time(f: &Fixture) {
    f.put(&thread(1), "i1").await;
    let leased = f.take().await;
    assert!(f.idle().await.is_some());
    f.put(&thread(1), "i2").await;
    let end = f.idle().await.unwrap();
    let left = end.duration_since(f.later(Duration::ZERO)).as_secs();
    assert!((50..=60).contains(&left), "the lease ends in {left} s");

    f.store.commit(&leased.lease, &Commit::default()).await.unwrap();
    assert_eq!(f.finish_next().await.as_deref(), Some("i2"));
    assert_eq!(f.idle().await, None);
}

pub(crate) async fn more_inputs_make_it_ready_at_its_turn(f: &Fixture) {
    f.put(&thread(1), "a1").await;
    f.put(&thread(1), "a2").await;
    f.put(&thread(2), "b1").await;
    let mut order = Vec::new();
    for _ in 0..3 {
        order.push(f.finish_next().await.unwrap());
    }
    assert_eq!(order, ["a1", "b1", "a2"]);
}

pub(crate) async fn it_wakes_by_itself(f: &Fixture) {
    f.put(&thread(1), "i1").await;
    let leased = f.take().await;
    let wake = f.later(Duration::from_hours(1));
    let left = Commit { state: Some("s".to_owned()), wake: Some(wake), ..Commit::default() };
    f.store.commit(&leased.lease, &left).await.unwrap();
    assert_eq!(f.idle().await, Some(wake));

    f.clock.advance(Duration::from_hours(1));
    let woken = f.take().await;
    assert_eq!((id(&woken), woken.attempt, woken.state.as_deref()), (None, 1, Some("s")));
    f.store.commit(&woken.lease, &Commit::default()).await.unwrap();
    assert_eq!(f.idle().await, None);
    assert_eq!(f.store.state(&thread(1)).await.unwrap().as_deref(), Some("s"));
}

pub(crate) async fn a_new_input_comes_before_the_wake(f: &Fixture) {
    f.put(&thread(1), "i1").await;
    let wake = Some(f.later(Duration::from_hours(1)));
    let leased = f.take().await;
    f.store.commit(&leased.lease, &Commit { wake, ..Commit::default() }).await.unwrap();

    f.put(&thread(1), "i2").await;
    let leased = f.take().await;
    assert_eq!((id(&leased), leased.attempt), (Some("i2"), 1));
    f.store.commit(&leased.lease, &Commit { wake, ..Commit::default() }).await.unwrap();
    assert_eq!(f.idle().await, wake);

    f.put(&thread(1), "i3").await;
    assert_eq!(f.finish_next().await.as_deref(), Some("i3"));
    assert_eq!(f.idle().await, None, "a commit without a wake replaces it");
}

pub(crate) async fn attempts_are_counted(f: &Fixture) {
    f.put(&thread(1), "i1").await;
    f.put(&thread(1), "i2").await;
    for attempt in 1..=3 {
        let leased = f.take().await;
        assert_eq!((id(&leased), leased.attempt), (Some("i1"), attempt));
        f.store.defer(&leased.lease, f.later(Duration::ZERO), Unfinished::Tried).await.unwrap();
    }
    assert_eq!(f.finish_next().await.as_deref(), Some("i1"));
    let leased = f.take().await;
    assert_eq!((id(&leased), leased.attempt), (Some("i2"), 1));
    f.store
        .bury(&leased.lease, "why", &Commit { wake: Some(f.later(Duration::ZERO)), ..Commit::default() })
        .await
        .unwrap();
    assert_eq!(f.take().await.attempt, 1);
}

pub(crate) async fn deferred_keeps_input_and_journal(f: &Fixture) {
    f.put(&thread(1), "i1").await;
    let leased = f.take().await;
    f.store.begin(&leased.lease, "post", "begun").await.unwrap();
    f.store.begin(&leased.lease, "create", "begun").await.unwrap();
    f.store.finish(&leased.lease, "create", "done").await.unwrap();
    let until = f.later(Duration::from_mins(5));
    f.store.defer(&leased.lease, until, Unfinished::Tried).await.unwrap();
    assert_eq!(f.idle().await, Some(until));
    assert!(matches!(f.store.begin(&leased.lease, "post", "x").await, Err(StoreError::LeaseLost)));

    f.clock.advance(Duration::from_mins(5));
    let again = f.take().await;
    assert_eq!((id(&again), again.attempt), (Some("i1"), 2));
    let journal: Vec<_> = again.journal.iter().map(|(step, record)| (step.as_str(), record.as_str())).collect();
    assert_eq!(journal, [("create", "done"), ("post", "begun")]);
    f.store.commit(&again.lease, &Commit::default()).await.unwrap();
    f.put(&thread(1), "i2").await;
    assert!(f.take().await.journal.is_empty());
}

pub(crate) async fn a_new_input_does_not_bring_a_deferred_one_forward(f: &Fixture) {
    f.put(&thread(1), "i1").await;
    let leased = f.take().await;
    let until = f.later(Duration::from_mins(5));
    f.store.defer(&leased.lease, until, Unfinished::Tried).await.unwrap();
    f.put(&thread(1), "i2").await;
    assert_eq!(f.idle().await, Some(until));
    f.clock.advance(Duration::from_mins(5));
    assert_eq!(f.finish_next().await.as_deref(), Some("i1"));
    assert_eq!(f.finish_next().await.as_deref(), Some("i2"));
}

pub(crate) async fn an_expired_lease_passes_on_intact(f: &Fixture) {
    f.put(&thread(1), "i0").await;
    let leased = f.take().await;
    f.store.commit(&leased.lease, &Commit { state: Some("kept".to_owned()), ..Commit::default() }).await.unwrap();
    f.put(&thread(1), "i1").await;
    let lost = f.take().await;
    f.store.begin(&lost.lease, "post", "begun").await.unwrap();

    f.clock.advance(PAST_TTL);
    let next = f.take().await;
    assert_eq!((id(&next), next.attempt, next.state.as_deref()), (Some("i1"), 2, Some("kept")));
    assert_eq!(next.journal.get("post").map(String::as_str), Some("begun"));
    assert_ne!(next.lease.token, lost.lease.token);
}

pub(crate) async fn a_lost_lease_writes_nothing(f: &Fixture) {
    f.put(&thread(1), "i1").await;
    let lost = f.take().await.lease;
    f.clock.advance(PAST_TTL);
    let held = f.take().await;
    f.store.begin(&held.lease, "post", "mine").await.unwrap();

    let theirs = Commit { state: Some("theirs".to_owned()), wake: Some(f.later(Duration::ZERO)), ..Commit::default() };
    let refused = [
        f.store.renew(&lost, TTL * 100).await,
        f.store.begin(&lost, "post", "theirs").await,
        f.store.finish(&lost, "other", "theirs").await,
        f.store.commit(&lost, &theirs).await,
        f.store.defer(&lost, f.later(Duration::from_hours(1)), Unfinished::Tried).await,
        f.store.bury(&lost, "theirs", &theirs).await,
    ];
    for answer in refused {
        assert!(matches!(answer, Err(StoreError::LeaseLost)), "{answer:?}");
    }
    assert_eq!(f.store.state(&thread(1)).await.unwrap(), None);
    assert_eq!(f.store.dead(1).await.unwrap(), []);

    f.store.defer(&held.lease, f.later(Duration::ZERO), Unfinished::Tried).await.unwrap();
    let again = f.take().await;
    assert_eq!((id(&again), again.attempt), (Some("i1"), 3));
    assert_eq!(again.journal.into_iter().collect::<Vec<_>>(), [("post".to_owned(), "mine".to_owned())]);
    f.store.commit(&again.lease, &Commit::default()).await.unwrap();
    assert!(matches!(f.store.commit(&again.lease, &theirs).await, Err(StoreError::LeaseLost)));
    assert_eq!(f.idle().await, None);
}

pub(crate) async fn an_expired_lease_that_nobody_took_still_writes(f: &Fixture) {
    f.put(&thread(1), "i1").await;
    let leased = f.take().await;
    f.clock.advance(PAST_TTL);
    f.store.begin(&leased.lease, "post", "late").await.unwrap();
    f.store.commit(&leased.lease, &Commit { state: Some("late".to_owned()), ..Commit::default() }).await.unwrap();
    assert_eq!(f.store.state(&thread(1)).await.unwrap().as_deref(), Some("late"));
    assert_eq!(f.idle().await, None);
}

pub(crate) async fn a_lease_can_be_prolonged(f: &Fixture) {
    f.put(&thread(1), "i1").await;
    let leased = f.take().await;
    for _ in 0..3 {
        f.clock.advance(Duration::from_secs(45));
        f.store.renew(&leased.lease, TTL).await.unwrap();
        assert!(f.idle().await.is_some());
    }
    f.clock.advance(PAST_TTL);
    assert_eq!(f.take().await.attempt, 2);
}

pub(crate) async fn an_interrupted_wake_goes_on_as_a_wake(f: &Fixture) {
    f.put(&thread(1), "i1").await;
    let leased = f.take().await;
    let wake = Some(f.later(Duration::ZERO));
    f.store.commit(&leased.lease, &Commit { wake, ..Commit::default() }).await.unwrap();
    let woken = f.take().await;
    f.store.begin(&woken.lease, "tell", "begun").await.unwrap();
    f.put(&thread(1), "i2").await;

    f.clock.advance(PAST_TTL);
    let again = f.take().await;
    assert_eq!((id(&again), again.attempt, again.journal.len()), (None, 2, 1));
    f.store.commit(&again.lease, &Commit::default()).await.unwrap();
    let next = f.take().await;
    assert_eq!((id(&next), next.attempt, next.journal.len()), (Some("i2"), 1, 0));
}

pub(crate) async fn many_leasers_never_share_a_mailbox(f: &Fixture) {
    const MAILBOXES: u32 = 6;
    const INPUTS: u32 = 10;
    for n in 0..INPUTS {
        for mailbox in 0..MAILBOXES {
            f.put(&thread(mailbox), &format!("m{mailbox}-{n}")).await;
        }
    }
    let held = Mutex::new(HashSet::new());
    let done = Mutex::new(Vec::new());
    let worker = async || {
        while let Turn::Taken(leased) = f.store.lease(TTL).await.unwrap() {
            let mailbox = leased.lease.mailbox.clone();
            assert!(held.lock().unwrap().insert(mailbox.clone()), "{mailbox} is held twice");
            tokio::time::sleep(Duration::from_millis(1)).await;
            done.lock().unwrap().push(id(&leased).unwrap().to_owned());
            assert!(held.lock().unwrap().remove(&mailbox));
            f.store.commit(&leased.lease, &Commit::default()).await.unwrap();
        }
    };
    // A worker may find everything in hand and stop; whoever holds something goes on until nothing is left.
    join_all((0..16).map(|_| worker())).await;
    let done = done.into_inner().unwrap();
    for mailbox in 0..MAILBOXES {
        let prefix = format!("m{mailbox}-");
        let order: Vec<_> = done.iter().filter_map(|id| id.strip_prefix(&prefix)).collect();
        let expected: Vec<_> = (0..INPUTS).map(|n| n.to_string()).collect();
        assert_eq!(order, expected);
    }
}

pub(crate) async fn texts_are_opaque(f: &Fixture) {
    let big = "\u{1f9f5}\"{".repeat(180_000);
    let texts = ["", "{}", "not JSON", "{\"a\":\"}{\\\"\"}", "{1}:\r\n$5 %s \\0", "é\u{2028}\u{1f9f5}", &big];
    for (n, text) in texts.iter().enumerate() {
        f.put(&thread(1), &format!("i{n}")).await;
        let leased = f.take().await;
        f.store.begin(&leased.lease, text.get(..20.min(text.len())).unwrap_or("step"), text).await.unwrap();
        f.store.defer(&leased.lease, f.later(Duration::ZERO), Unfinished::Tried).await.unwrap();
        let again = f.take().await;
        assert_eq!(again.journal.values().map(String::as_str).collect::<Vec<_>>(), [*text]);
        let left = Commit { state: Some((*text).to_owned()), ..Commit::default() };
        f.store.commit(&again.lease, &left).await.unwrap();
        assert_eq!(f.store.state(&thread(1)).await.unwrap().as_deref(), Some(*text));
    }
}

pub(crate) async fn the_backlog_counts_what_waits(f: &Fixture) {
    assert_eq!(f.store.backlog().await.unwrap(), Backlog::default());
    let before = f.later(Duration::ZERO);
    for n in 1..=3 {
        f.put(&thread(n), &format!("i{n}")).await;
    }
    f.clock.advance(Duration::from_secs(30));
    let waiting = f.store.backlog().await.unwrap();
    let oldest = waiting.oldest.unwrap();
    assert_eq!(waiting.ready, 3);
    assert!(oldest >= before && oldest < f.later(Duration::ZERO) - Duration::from_secs(29), "{oldest}");

    let leased = f.take().await;
    assert_eq!(f.store.backlog().await.unwrap().ready, 2);
    f.store.defer(&leased.lease, f.later(Duration::from_hours(1)), Unfinished::Tried).await.unwrap();
    assert_eq!(f.store.backlog().await.unwrap().ready, 2);
    f.clock.advance(Duration::from_hours(1));
    assert_eq!(f.store.backlog().await.unwrap().ready, 3);
}

pub(crate) async fn what_is_tried_again_is_counted_since_its_first_try(f: &Fixture) {
    f.put(&thread(1), "i1").await;
    let put_off = async |how| {
        let leased = f.take().await;
        f.store.defer(&leased.lease, f.later(Duration::ZERO), how).await.unwrap();
        let backlog = f.store.backlog().await.unwrap();
        (backlog.retried, backlog.retried_since)
    };
    assert_eq!(put_off(Unfinished::Paced).await, (0, None), "who only waits for its pace is not in trouble");
    let before = f.later(Duration::ZERO);
    let (retried, since) = put_off(Unfinished::Tried).await;
    assert!(retried == 1 && since.unwrap() >= before, "{since:?}");
    f.clock.advance(Duration::from_mins(10));
    assert_eq!(put_off(Unfinished::Broke).await, (1, since), "the first try counts");
    assert_eq!(put_off(Unfinished::Paced).await, (1, since));
    let leased = f.take().await;
    assert_eq!(f.store.backlog().await.unwrap().retried, 1, "in hand again");
    f.store.commit(&leased.lease, &Commit::default()).await.unwrap();
    assert_eq!(f.store.backlog().await.unwrap(), Backlog::default());

    f.put(&thread(2), "i2").await;
    let (retried, _) = put_off(Unfinished::Tried).await;
    assert_eq!(retried, 1);
    f.store.bury(&f.take().await.lease, "in vain", &Commit::default()).await.unwrap();
    assert_eq!(f.store.backlog().await.unwrap().retried, 0, "what is set aside is tried no more");
}

/// A mailbox in a workspace and a channel.
fn mailbox(team: &str, channel: &str, number: usize) -> Mailbox {
    format!("thread:{team}/{channel}/1700000000.{number:06}").parse().unwrap()
}

/// Takes and finishes turns until nothing is ready; whose they were.
async fn served(f: &Fixture) -> Vec<String> {
    let mut order = Vec::new();
    while let Turn::Taken(leased) = f.store.lease(TTL).await.unwrap() {
        order.push(leased.lease.mailbox.place());
        f.store.commit(&leased.lease, &Commit::default()).await.unwrap();
    }
    order
}

pub(crate) async fn a_flood_in_one_workspace_costs_the_others_nothing(f: &Fixture) {
    for n in 0..40 {
        f.put(&mailbox("T1", &format!("C{}", n % 20), n), &format!("flood{n}")).await;
    }
    f.put(&mailbox("T2", "C1", 0), "other").await;
    f.put(&mailbox("T3", "C1", 0), "third").await;
    let order = served(f).await;
    assert_eq!(order.len(), 42);
    let at = |place: &str| order.iter().position(|p| p == place).unwrap();
    assert!(at("T2/C1") <= 2 && at("T3/C1") <= 3, "{order:?}");
}

pub(crate) async fn a_flood_in_one_channel_costs_the_others_nothing(f: &Fixture) {
    for n in 0..40 {
        f.put(&mailbox("T1", "C1", n), &format!("flood{n}")).await;
    }
    for n in 0..3 {
        f.put(&mailbox("T1", "C2", n), &format!("other{n}")).await;
    }
    let order = served(f).await;
    assert_eq!(order.len(), 43);
    let last = order.iter().rposition(|place| place == "T1/C2").unwrap();
    assert!(last <= 6, "the third of the quiet channel came as number {last}: {order:?}");
}

pub(crate) async fn a_flood_in_one_thread_costs_the_others_nothing(f: &Fixture) {
    for n in 0..40 {
        f.put(&mailbox("T1", "C1", 1), &format!("flood{n}")).await;
    }
    f.put(&mailbox("T1", "C1", 2), "other").await;
    assert_eq!(f.finish_next().await.as_deref(), Some("flood0"));
    assert_eq!(f.finish_next().await.as_deref(), Some("other"));
    assert_eq!(f.finish_next().await.as_deref(), Some("flood1"));
}

pub(crate) async fn a_place_ahead_of_its_pace_is_passed_over(f: &Fixture) {
    let every = Duration::from_secs(1);
    let burst = Pace { every, ahead: Duration::from_secs(3) };
    let busy = mailbox("T1", "C1", 1);
    f.put(&busy, "busy").await;
    for _ in 0..4 {
        assert_eq!(f.store.pace(&busy, burst).await.unwrap(), None);
    }
    let again = f.store.pace(&busy, burst).await.unwrap().unwrap();
    let wait = again.duration_since(f.later(Duration::ZERO));
    assert!(wait.as_millis() > 500 && wait.as_millis() <= 1_000, "{wait:?}");
    let idle_only = Pace { every, ahead: Duration::ZERO };
    assert!(f.store.pace(&busy, idle_only).await.unwrap().unwrap() > again, "less urgent posts wait longer");
    assert_eq!(f.store.pace(&mailbox("T1", "C2", 1), burst).await.unwrap(), None, "other places are not affected");

    let open = f.idle().await.unwrap().duration_since(f.later(Duration::ZERO));
    assert!(open.as_millis() <= 2_000 && open.as_millis() > 1_500, "four posts, {TURN_AHEAD:?} ahead: {open:?}");
    f.put(&mailbox("T1", "C2", 1), "quiet").await;
    assert_eq!(f.finish_next().await.as_deref(), Some("quiet"));
    f.clock.advance(Duration::from_secs(2));
    assert_eq!(f.finish_next().await.as_deref(), Some("busy"));
}

pub(crate) async fn turns_that_nobody_ended_are_counted(f: &Fixture) {
    f.put(&thread(1), "i1").await;
    for cut_off in 0..3 {
        let leased = f.take().await;
        assert_eq!((leased.attempt, leased.cut_off), (cut_off + 1, cut_off));
        f.clock.advance(PAST_TTL);
    }
    let leased = f.take().await;
    assert_eq!(leased.cut_off, 3);
    f.store.defer(&leased.lease, f.later(Duration::ZERO), Unfinished::Broke).await.unwrap();
    let leased = f.take().await;
    assert_eq!((leased.attempt, leased.cut_off), (5, 4), "to break down is like not to end");
    f.store.defer(&leased.lease, f.later(Duration::ZERO), Unfinished::Tried).await.unwrap();
    let leased = f.take().await;
    assert_eq!((leased.attempt, leased.cut_off), (6, 0), "one that ended breaks the row");
    f.store.defer(&leased.lease, f.later(Duration::ZERO), Unfinished::Paced).await.unwrap();
    assert_eq!(f.take().await.attempt, 6, "to wait for a pace is no attempt");
}

pub(crate) async fn a_turn_says_when_it_was_taken(f: &Fixture) {
    f.put(&thread(1), "i1").await;
    f.clock.advance(Duration::from_hours(1));
    let (before, at, after) = (f.later(Duration::ZERO), f.take().await.at, f.later(Duration::ZERO));
    let slack = Duration::from_millis(50);
    assert!(before - slack <= at && at <= after + slack, "{before} {at} {after}");
}

pub(crate) async fn f25_a_clock_that_is_set_back_breaks_no_lease_and_stops_nothing(f: &Fixture) {
    for n in 1..=4 {
        f.put(&thread(n), &format!("i{n}")).await;
    }
    let held = f.take().await;
    let deferred = f.take().await;
    f.store.defer(&deferred.lease, f.later(Duration::from_mins(1)), Unfinished::Tried).await.unwrap();
    f.clock.set_back(Duration::from_mins(10));

    f.store.renew(&held.lease, TTL).await.unwrap();
    assert_eq!(f.finish_next().await.as_deref(), Some("i3"), "what was ready is ready");
    assert_eq!(f.finish_next().await.as_deref(), Some("i4"));
    f.put(&thread(5), "i5").await;
    assert_eq!(f.finish_next().await.as_deref(), Some("i5"));
    assert!(f.idle().await.is_some(), "what is held is not handed out");
    assert_eq!(f.store.accept(&super::offer(&thread(1), "i1")).await.unwrap(), bobbin::store::Accepted::Duplicate);
    f.store.commit(&held.lease, &Commit::default()).await.unwrap();
    f.clock.advance(Duration::from_mins(12));
    assert_eq!(f.finish_next().await.as_deref(), Some("i2"));
}
