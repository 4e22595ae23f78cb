//! What the list of changes cannot show: the slow sweep by id, and what cards say while Devin is silent. Both cost few
//! calls, however many sessions there are.

use std::{collections::BTreeSet, time::Duration};

use bobbin::{
    clock::Clock as _,
    domain::ids::Ts,
    store::{Activity, Store as _},
    twin::{
        FaultAction,
        devin::State,
        world::{ADA, BACKEND},
    },
    watch::Looked,
};

use crate::support::{
    links::{self, Made, planned, thread_of},
    world::{World, id},
};

/// Longer than the time between two turns of the sweep, and between two looks.
const NEXT_TURN: Duration = Duration::from_secs(61);
/// Longer than Devin may be silent before cards say so.
const SILENCE: Duration = Duration::from_secs(125);

/// A world with so many links, besides those of `more`.
async fn with_links(counts: [(Activity, usize); 3], more: &[Made]) -> (World, Vec<Made>) {
    let mut world = World::new().await;
    world.lenient();
    let made = [planned(1, counts), more.to_vec()].concat();
    links::make(&*world.store, &world.devin, world.clock.now(), &made).await;
    (world, made)
}

fn working(count: usize) -> [(Activity, usize); 3] {
    [(Activity::Working, count), (Activity::Waiting, 0), (Activity::Asleep, 0)]
}

/// The sessions that were asked for by id, call by call.
fn asked(world: &World) -> Vec<BTreeSet<String>> {
    world.devin.read(|state: &State| {
        let lists = state.ledger.iter().filter(|call| call.method == "sessions.list");
        let ids = lists.map(|call| {
            let args: serde_json::Value = serde_json::from_str(&call.args).unwrap_or_default();
            let query = args["query"].as_str().unwrap_or_default().to_owned();
            let pairs = url::form_urlencoded::parse(query.as_bytes());
            let ids = pairs.filter(|(name, id)| name == "session_ids" && !id.starts_with("devin-"));
            ids.map(|(_, id)| id.into_owned()).collect::<BTreeSet<_>>()
        });
        ids.filter(|ids| !ids.is_empty()).collect()
    })
}

async fn step(world: &World) -> Looked {
    world.bobbin.watch.step().await.unwrap()
}

#[tokio::test]
async fn a_turn_makes_few_calls_and_a_round_reaches_every_session() {
    let counts = [(Activity::Working, 60), (Activity::Waiting, 120), (Activity::Asleep, 250)];
    let (world, made) = with_links(counts, &[]).await;
    for turn in 1..=3 {
        let (lists, messages) = (asked(&world).len(), world.devin.calls("messages.list"));
        world.clock.advance(NEXT_TURN);
        assert!(matches!(step(&world).await, Looked::Saw(_)));
        world.work_off().await;
        assert!(asked(&world).len() - lists <= 4, "turn {turn}");
        let read = world.devin.calls("messages.list") - messages;
        assert!((1..=50).contains(&read), "only working sessions have their messages read: {read}");
    }
    let reached: BTreeSet<String> = asked(&world).into_iter().flatten().collect();
    let missed: Vec<&Made> = made.iter().filter(|made| !reached.contains(made.session.bare())).collect();
    assert!(missed.is_empty(), "{missed:?}");
    assert_eq!(world.slack.calls("chat.postMessage"), 0, "nothing had changed");
}

#[tokio::test]
async fn a_full_round_of_exactly_one_batch_begins_anew_in_each_turn() {
    let (world, _) = with_links(working(50), &[]).await;
    for _ in 0..3 {
        world.clock.advance(NEXT_TURN);
        step(&world).await;
    }
    let asked = asked(&world);
    assert_eq!(asked.len(), 3);
    assert!(asked.iter().all(|ids| ids.len() == 50), "{asked:?}");
}

#[tokio::test]
async fn a_change_that_the_list_of_changes_never_shows_is_told_within_a_round() {
    let mut world = World::new().await;
    world.lenient();
    let root: Ts = world.say(ADA, BACKEND, "look at the login test");
    world.settle().await;
    let session = id("0f3a77");
    let made = Made { thread: thread_of(&root), session, activity: Activity::Asleep };
    let links =
        [planned(1, [(Activity::Working, 1), (Activity::Waiting, 60), (Activity::Asleep, 150)]), vec![made.clone()]]
            .concat();
    links::make(&*world.store, &world.devin, world.clock.now(), &links).await;
    // It shows no new time of change, so that no list of changes has it.
    world.devin.change(|state| {
        let session = state.session_mut(&made.session).unwrap();
        (session.status, session.detail) = ("running".to_owned().into(), Some("waiting_for_user".to_owned().into()));
        session.updated_at += Duration::from_secs(1);
    });
    for _ in 0..2 {
        world.clock.advance(NEXT_TURN);
        step(&world).await;
        world.settle().await;
    }
    assert_eq!(world.posts("bobbin_transition").len(), 1);
}

#[tokio::test]
async fn a_batch_that_devin_never_takes_keeps_the_sweep_from_no_other() {
    let (world, made) = with_links(working(100), &[]).await;
    world.clock.advance(NEXT_TURN);
    // The list of changes is answered, the first list by id is not.
    world.devin.faults().once("sessions.list", FaultAction::Delay(Duration::ZERO));
    world.devin.faults().once("sessions.list", FaultAction::OkFalse("one of these ids is no id".to_owned()));
    assert_eq!(step(&world).await, Looked::Failed);
    world.clock.advance(NEXT_TURN);
    assert!(matches!(step(&world).await, Looked::Saw(50)));
    let reached = asked(&world).pop().unwrap();
    let first: BTreeSet<String> =
        world.store.tracked(Activity::Working, None, 50).await.unwrap().iter().map(|t| t.session.to_string()).collect();
    assert_eq!((made.len(), reached.len(), first.len()), (100, 50, 50));
    assert!(reached.is_disjoint(&first));
}

#[tokio::test]
async fn another_replica_goes_on_with_the_sweep_where_the_first_stopped() {
    let (world, _) = with_links(working(100), &[]).await;
    world.clock.advance(NEXT_TURN);
    step(&world).await;
    world.bobbin.watch.retire().await.unwrap();
    world.clock.advance(Duration::from_millis(2));
    let other = world.another_watch("other", world.clock.clone());
    assert!(matches!(other.step().await.unwrap(), Looked::Saw(_)), "who takes over looks at once");
    assert_eq!(asked(&world).len(), 1, "but has swept already");
    world.clock.advance(NEXT_TURN);
    other.step().await.unwrap();
    let asked = asked(&world);
    assert_eq!(asked.len(), 2);
    assert!(asked[0].is_disjoint(&asked[1]), "the round goes on");
}

/// How many of these links have a card that says that there is no news.
async fn out_of_date(world: &World, made: &[Made]) -> usize {
    let mut count = 0;
    for made in made {
        count += usize::from(links::read(&*world.store, made).await.no_news_since.is_some());
    }
    count
}

/// Devin is silent for long enough, and all of these threads are told.
async fn silent(world: &World, made: &[Made]) {
    step(world).await;
    world.work_off().await;
    world.devin.faults().unreachable();
    let told = async || {
        world.clock.advance(SILENCE);
        step(world).await;
        world.work_off().await;
        out_of_date(world, made).await
    };
    for _ in 0..5 {
        if told().await == made.len() {
            return;
        }
    }
    panic!("{} of {} threads were told that there is no news", out_of_date(world, made).await, made.len());
}

#[tokio::test]
async fn that_devin_answers_again_costs_no_call_for_each_session() {
    let (world, made) = with_links(working(130), &[]).await;
    silent(&world, &made).await;
    world.devin.faults().clear();
    let before = world.devin.read(|state| state.ledger.len());
    world.clock.advance(SILENCE);
    assert!(matches!(step(&world).await, Looked::Saw(_)));
    world.work_off().await;
    assert_eq!(out_of_date(&world, &made).await, 0);
    // One list of changes, one turn of the sweep with the messages of its sessions.
    let calls = world.devin.read(|state| state.ledger.len()) - before;
    assert!(calls <= 52, "{calls} calls for 130 sessions");
}

#[tokio::test]
async fn thousands_are_told_in_several_steps() {
    let (world, made) = with_links(working(1_300), &[]).await;
    step(&world).await;
    world.work_off().await;
    world.devin.faults().unreachable();
    let mut waiting = Vec::new();
    for _ in 0..12 {
        world.clock.advance(Duration::from_secs(45));
        step(&world).await;
        waiting.push(world.store.backlog().await.unwrap().ready);
    }
    let steps: Vec<u64> = waiting.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(waiting.last(), Some(&1_300), "{waiting:?}");
    assert!(steps.iter().all(|told| *told <= 1_000), "{steps:?}");
    assert_eq!(made.len(), 1_300);
}

#[tokio::test]
async fn a_second_outage_is_told_like_the_first() {
    let (world, made) = with_links(working(3), &[]).await;
    for _ in 0..2 {
        silent(&world, &made).await;
        world.devin.faults().clear();
        world.clock.advance(Duration::from_mins(10));
        step(&world).await;
        world.work_off().await;
        assert_eq!(out_of_date(&world, &made).await, 0);
    }
}

#[tokio::test]
async fn a_card_that_nobody_told_about_the_end_of_the_silence_is_mended_by_the_sweep() {
    let (world, made) = with_links([(Activity::Working, 1), (Activity::Waiting, 1), (Activity::Asleep, 0)], &[]).await;
    let waiting = &made[1];
    // As if the session had stopped working after the thread was told.
    let mut link = links::read(&*world.store, waiting).await;
    link.no_news_since = Some(world.clock.now());
    links::write(&*world.store, waiting, link).await;
    for _ in 0..2 {
        world.clock.advance(NEXT_TURN);
        step(&world).await;
        world.work_off().await;
    }
    assert_eq!(out_of_date(&world, &made).await, 0);
}

/// A world in which Devin answers again after all threads were told that it does not; nobody has looked yet.
async fn answering_again() -> (World, Vec<Made>) {
    let (world, made) = with_links(working(60), &[]).await;
    silent(&world, &made).await;
    world.devin.faults().clear();
    world.clock.advance(SILENCE);
    (world, made)
}

/// F4: the process that looks dies at each of its own writes while it says that Devin answers again.
#[tokio::test]
async fn f04_whoever_takes_over_tells_the_end_of_an_outage_that_a_dead_replica_told_the_beginning_of() {
    let (world, _) = answering_again().await;
    world.life.die_after(usize::MAX);
    step(&world).await;
    let boundaries = world.life.met();
    assert!(boundaries.iter().any(|name| name == "forget watch:silence"), "{boundaries:?}");
    // One thread after the other is told: dying after the first, in the middle and after the last is enough.
    let told: Vec<usize> = (0..boundaries.len()).filter(|at| boundaries[*at] == "accept").collect();
    let some = [told[0], told[told.len() / 2], told[told.len() - 1]];
    let worth = |at: &usize| boundaries[*at] != "accept" || some.contains(at);
    for (at, name) in boundaries.iter().enumerate().filter(|(at, _)| worth(at)) {
        let (world, made) = answering_again().await;
        world.life.die_after(at + 1);
        assert!(world.bobbin.watch.step().await.is_err() && world.life.is_dead(), "{name}");
        world.life.live_on();
        world.clock.advance(SILENCE);
        let other = world.another_watch("other", world.clock.clone());
        assert!(matches!(other.step().await.unwrap(), Looked::Saw(_)));
        world.work_off().await;
        assert_eq!(out_of_date(&world, &made).await, 0, "{name}");
        assert_eq!(world.store.recall("watch:silence").await.unwrap(), None);
    }
}
