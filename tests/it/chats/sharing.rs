//! Replicas share the watch: together they look as often as one would, and none is missed when it dies, stops, is slow
//! or has a wrong clock.

use std::{sync::Arc, time::Duration};

use bobbin::{
    clock::Clock as _,
    twin::{FaultAction, world::ADA},
    watch::{Looked, Watch},
};

use crate::support::{clock::TestClock, world::World};

const SECOND: Duration = Duration::from_secs(1);
/// For how long the right to look is taken, and a moment more.
const RIGHT: Duration = Duration::from_secs(46);

/// A world whose only session works.
async fn working() -> World {
    let mut world = World::new().await;
    world.lenient();
    world.mention(ADA, "fix it").await;
    world.set("running", Some("working"));
    world
}

/// So many replicas of the watch, all with the world's clock.
fn replicas(world: &World, count: usize) -> Vec<Watch> {
    (0..count).map(|n| world.another_watch(&format!("replica {n}"), world.clock.clone())).collect()
}

/// Lets time pass second by second, as the loop of each replica does; how many list calls were made.
async fn lists(world: &World, replicas: &[Watch], time: Duration) -> usize {
    let before = world.devin.calls("sessions.list");
    for _ in 0..time.as_secs() {
        world.clock.advance(SECOND);
        for replica in replicas {
            replica.step().await.unwrap();
        }
    }
    world.devin.calls("sessions.list") - before
}

#[tokio::test]
async fn two_and_ten_replicas_make_as_many_calls_as_one() {
    let mut calls = Vec::new();
    for count in [1, 2, 10] {
        let world = working().await;
        let replicas = replicas(&world, count);
        calls.push(lists(&world, &replicas, Duration::from_mins(4)).await);
    }
    // A list every ten seconds, and every minute the sweep. Real time passes as well, for ten more of it than for one.
    assert!((26..=31).contains(&calls[0]), "{calls:?}");
    assert!(calls.iter().all(|more| more.abs_diff(calls[0]) <= 3), "{calls:?}");
}

#[tokio::test]
async fn f04_the_right_to_look_passes_on_within_its_time_when_its_holder_dies() {
    let mut world = working().await;
    let mut replicas = replicas(&world, 3);
    lists(&world, &replicas, Duration::from_secs(15)).await;
    let dead = replicas.remove(0);
    assert_ne!(dead.step().await.unwrap(), Looked::NotOurs, "the first one had the right");
    world.set("running", Some("waiting_for_user"));
    let died = world.clock.now();
    while lists(&world, &replicas, SECOND).await == 0 {
        assert!(world.clock.now().duration_since(died).unsigned_abs() <= RIGHT, "nobody took over");
    }
    assert!(world.clock.now().duration_since(died) > SECOND.try_into().unwrap(), "the right of the dead one stood");
    world.settle().await;
    assert_eq!(world.posts("bobbin_transition").len(), 1);
    assert_eq!(dead.step().await.unwrap(), Looked::NotOurs, "it comes back and finds that others look");
}

#[tokio::test]
async fn a_replica_that_stops_hands_the_right_on_at_once() {
    let world = working().await;
    let replicas = replicas(&world, 2);
    assert!(matches!(replicas[0].step().await.unwrap(), Looked::Saw(_)));
    assert_eq!(replicas[1].step().await.unwrap(), Looked::NotOurs);
    replicas[1].retire().await.unwrap();
    assert_eq!(replicas[1].step().await.unwrap(), Looked::NotOurs, "what one does not have it cannot give back");
    replicas[0].retire().await.unwrap();
    world.clock.advance(Duration::from_millis(2));
    assert!(matches!(replicas[1].step().await.unwrap(), Looked::Saw(_)));
    assert_eq!(replicas[0].step().await.unwrap(), Looked::NotOurs);
}

#[tokio::test]
async fn a_holder_whose_call_outlasts_its_right_stops_there_and_nothing_is_doubled() {
    let mut world = working().await;
    let replicas = replicas(&world, 2);
    let (slow, other) = (&replicas[0], &replicas[1]);
    world.set("running", Some("waiting_for_user"));
    world.devin.faults().once("sessions.list", FaultAction::DelayAfter(Duration::from_millis(800)));
    let asked = world.devin.calls("sessions.list");
    let meanwhile = async {
        while world.devin.calls("sessions.list") == asked {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // The slow one's call has been answered, but it does not know yet.
        world.clock.advance(RIGHT);
        other.step().await.unwrap()
    };
    let (slowly, meanwhile) = tokio::join!(slow.step(), meanwhile);
    assert!(matches!(meanwhile, Looked::Saw(1..)), "{meanwhile:?}");
    assert_eq!(slowly.unwrap(), Looked::NotOurs);
    // Each read the list of changes; only one went on to the sweep.
    assert_eq!(world.devin.calls("sessions.list") - asked, 3);
    world.settle().await;
    assert_eq!(world.posts("bobbin_transition").len(), 1);
}

#[tokio::test]
async fn f25_a_clock_that_is_set_back_by_an_hour_delays_no_look() {
    let world = working().await;
    let clock = TestClock::new();
    let watch = world.another_watch("set back", clock.clone());
    assert!(matches!(watch.step().await.unwrap(), Looked::Saw(_)));
    let hour = Duration::from_hours(1);

    clock.set_back(hour);
    assert_eq!(watch.step().await.unwrap(), Looked::NotDue);
    clock.advance(Duration::from_secs(11));
    assert!(matches!(watch.step().await.unwrap(), Looked::Saw(_)), "the tick is as long as before");
    let lists = world.devin.calls("sessions.list");
    clock.advance(Duration::from_mins(1));
    assert!(matches!(watch.step().await.unwrap(), Looked::Saw(_)));
    assert_eq!(world.devin.calls("sessions.list") - lists, 2, "and so is the time between two turns of the sweep");

    clock.advance(Duration::from_secs(11));
    world.devin.faults().once("sessions.list", FaultAction::RateLimited { after: Some(120) });
    assert_eq!(watch.step().await.unwrap(), Looked::Failed);
    clock.set_back(hour);
    assert_eq!(watch.step().await.unwrap(), Looked::NotDue);
    clock.advance(Duration::from_secs(115));
    assert_eq!(watch.step().await.unwrap(), Looked::NotDue, "the wait that Devin asked for stands");
    clock.advance(Duration::from_secs(6));
    assert!(matches!(watch.step().await.unwrap(), Looked::Saw(_)), "and is not an hour longer");
}

#[tokio::test]
async fn f25_replicas_whose_clocks_are_minutes_apart_miss_nothing_when_they_take_turns() {
    let mut world = working().await;
    let ahead = Arc::new(TestClock::default());
    ahead.advance(Duration::from_mins(10));
    let behind = Arc::new(TestClock::default());
    behind.set_back(Duration::from_mins(10));
    let watches = [world.another_watch("ahead", ahead), world.another_watch("behind", behind)];
    for (turn, detail) in ["waiting_for_user", "working", "finished", "working"].into_iter().enumerate() {
        world.clock.advance(SECOND);
        world.set("running", Some(detail));
        let watch = &watches[turn % 2];
        assert!(matches!(watch.step().await.unwrap(), Looked::Saw(1..)), "{detail}");
        watch.retire().await.unwrap();
        world.clock.advance(SECOND);
        world.settle().await;
    }
    assert_eq!(world.posts("bobbin_transition").len(), 2);
}

#[tokio::test]
async fn f25_a_wrong_time_at_devin_that_a_clock_ahead_believed_hides_nothing_from_the_next_replica() {
    let world = working().await;
    let session = world.session_id();
    let wrong = world.clock.now() + Duration::from_hours(5);
    world.devin.change(|state| state.session_mut(&session).unwrap().updated_at = wrong);
    let ahead = TestClock::new();
    ahead.advance(Duration::from_mins(10));
    let ahead = world.another_watch("ahead", ahead);
    assert!(matches!(ahead.step().await.unwrap(), Looked::Saw(_)));
    ahead.retire().await.unwrap();
    world.clock.advance(SECOND);

    let asked = world.devin.calls("sessions.list");
    let next = world.another_watch("next", world.clock.clone());
    assert!(matches!(next.step().await.unwrap(), Looked::Saw(_)));
    let lists = world
        .devin
        .read(|state| state.ledger.iter().filter(|c| c.method == "sessions.list").cloned().collect::<Vec<_>>());
    let since = lists[asked].args.split("updated_after=").nth(1).unwrap();
    let since: i64 = since.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap();
    assert!(since < world.clock.now().as_second(), "changes of now are listed: since {since}");
}
