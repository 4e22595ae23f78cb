//! Replicas on one Redis: whichever of them hears of something, it happens once, and none of them is missed for long.

use std::time::{Duration, Instant};

use bobbin::{
    domain::ids::ChannelId,
    twin::{
        Fault, FaultAction,
        slack::{SayOptions, Undelivered},
        world::{ADA, BACKEND, BOT_USER},
    },
};
use reqwest::StatusCode;

use super::{
    fleet::Fleet,
    outside::{Answer, Manner, Outside, until},
    process::Settings,
    traffic::Traffic,
};
use crate::support::{
    chance::Chance,
    redis::RedisServer,
    relay::{Network, Relay},
    world::id,
};

/// Longest wait for everything to be told, where no creation was cut off.
const TOLD_WITHIN: Duration = Duration::from_mins(5);
/// The lease of the bots in these tests.
const LEASE: Duration = Duration::from_secs(5);

/// A Redis that keeps what it took, and settings that lead there.
fn redis_for(outside: &Outside) -> (RedisServer, Settings) {
    let redis = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let mut settings = outside.settings();
    settings.insert("BOBBIN_STORE", redis.url());
    (redis, settings)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f05_a_rolling_restart_under_load_loses_and_doubles_nothing() {
    rolling_restarts(3).await;
}

/// Restarts each of three replicas so many times while inputs come.
pub(crate) async fn rolling_restarts(restarts: usize) {
    let mut chance = Chance::of("rolling restart");
    let outside = Outside::with(Manner::Impatient, chance.split()).await;
    let (_redis, settings) = redis_for(&outside);
    let mut fleet = Fleet::of(&outside, &settings, 3);
    let mut traffic = Traffic::default();
    let mut slowest = Duration::ZERO;
    for n in 0..restarts {
        let load = async {
            for _ in 0..40 {
                traffic.go_on(&outside, &mut chance);
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
        };
        let (took, ()) = tokio::join!(fleet.replace(n % 3), load);
        slowest = slowest.max(took);
    }
    let sums = traffic.settle(&outside, TOLD_WITHIN).await;
    let failed: Vec<Answer> = outside.line.answers().into_iter().filter(failed).collect();
    assert!(failed.is_empty(), "webhooks failed other than by a refused connection: {failed:?}");
    assert!(slowest < Duration::from_secs(10), "a stop took {slowest:?}");
    assert_eq!(sums.unanswered_commands, 0, "nothing is cut off by a stop: {sums:?}");
    fleet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f05_a_stop_waits_for_work_in_hand_but_not_for_ever() {
    let outside = Outside::with(Manner::Impatient, Chance::of("stop")).await;
    let (_redis, settings) = redis_for(&outside);
    let mut fleet = Fleet::of(&outside, &settings, 1);
    let slow = |time| Fault { matcher: "reactions.add".to_owned(), action: FaultAction::Delay(time), times: Some(1) };
    let in_hand = || outside.slack.faults().waiting().is_empty();
    for (time, finished) in [(Duration::from_secs(3), true), (Duration::from_secs(30), false)] {
        outside.slack.faults().push(slow(time));
        let root = outside.mention("something");
        until("it is in hand", TOLD_WITHIN, in_hand).await;
        let took = fleet.replace(0).await;
        assert!(took < Duration::from_secs(10), "a stop took {took:?}");
        let cards = || outside.posts(&root, "bobbin_card").len();
        assert_eq!(cards() == 1, finished, "whether work of {time:?} was finished within {took:?}");
        until("it is finished", TOLD_WITHIN, || cards() == 1).await;
    }
    fleet.stop().await;
}

/// Whether a webhook failed in another way than that nobody listened.
fn failed(answer: &Answer) -> bool {
    !matches!(answer.result, Ok(200) | Err(Undelivered::Connection))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f26_a_hundred_copies_at_three_replicas_are_one_input() {
    let outside = Outside::with(Manner::Copies(100), Chance::of("copies")).await;
    let (_redis, settings) = redis_for(&outside);
    let fleet = Fleet::of(&outside, &settings, 3);
    let mut traffic = Traffic::default();
    let mut chance = Chance::of("traffic of copies");
    traffic.mention(&outside, ADA);
    for _ in 0..7 {
        until("it was delivered", TOLD_WITHIN, || outside.is_quiet()).await;
        traffic.go_on(&outside, &mut chance);
    }
    // The person's client sent the same message twice, and Slack gave it two timestamps.
    let again =
        SayOptions { client_msg_id: Some("5e0b1f0c-0000-4000-8000-00000000c0de".to_owned()), ..SayOptions::default() };
    let say = |options: &SayOptions| {
        let text = format!("<@{BOT_USER}> the same message");
        outside.slack.say(&id(ADA), &id::<ChannelId>(BACKEND), &text, options.clone()).unwrap()
    };
    let roots = [say(&again), say(&again)];

    let sums = traffic.settle(&outside, TOLD_WITHIN).await;
    assert_eq!((sums.acknowledged, sums.unanswered_commands), (sums.sent, 0), "{sums:?}");
    let started = || roots.iter().map(|root| outside.sessions(root)).sum::<usize>();
    until("the message is handled", TOLD_WITHIN, || started() > 0).await;
    assert_eq!(started(), 1, "sessions of the message that came under two timestamps");
    let answers = outside.line.answers();
    assert!(answers.len() >= 900 && answers.iter().all(|a| a.result == Ok(200)), "{}", answers.len());
    fleet.stop().await;
}

/// A replica dies with mailboxes in hand: how long after its death their threads go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_dead_replicas_threads_go_on_within_its_lease() {
    let outside = Outside::with(Manner::Impatient, Chance::of("takeover")).await;
    let (_redis, settings) = redis_for(&outside);
    let mut fleet = Fleet::of(&outside, &settings, 1);
    // The first thing a handler does hangs, so that the mailboxes are in hand when the replica dies. A receipt needs no
    // second look, so that nothing but the lease is measured.
    let hangs = FaultAction::Delay(Duration::from_mins(1));
    outside.slack.faults().push(Fault { matcher: "reactions.add".to_owned(), action: hangs, times: Some(4) });
    let roots: Vec<_> = (0..4).map(|n| outside.mention(&format!("task {n}"))).collect();
    until("the mailboxes are in hand", TOLD_WITHIN, || outside.slack.faults().waiting().is_empty()).await;
    fleet.add();
    fleet.add();
    // Some time into the lease, which is prolonged at a third of it.
    tokio::time::sleep(LEASE / 2).await;
    fleet.lose(0);
    let died = Instant::now();
    let carded = |root: &_| outside.posts(root, "bobbin_card").len() == 1;
    until("the threads go on", TOLD_WITHIN, || roots.iter().all(carded)).await;
    let took = died.elapsed();
    report(&format!("from a replica's death to its threads going on: {took:?}, with a lease of {LEASE:?}"));
    // A scan every second finds what is ready; the rest is room for a busy machine.
    assert!(took < LEASE + Duration::from_secs(6), "the threads went on after {took:?}");
    assert_eq!(roots.iter().map(|root| outside.sessions(root)).collect::<Vec<_>>(), [1; 4]);
    fleet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn replicas_come_and_go_under_load() {
    let mut chance = Chance::of("come and go");
    let outside = Outside::with(Manner::Impatient, chance.split()).await;
    let (_redis, settings) = redis_for(&outside);
    let mut fleet = Fleet::of(&outside, &settings, 3);
    let mut traffic = Traffic::default();
    for round in 0..6 {
        for _ in 0..10 {
            traffic.go_on(&outside, &mut chance);
            tokio::time::sleep(chance.millis_below(20)).await;
        }
        if round % 2 == 0 { fleet.add() } else { fleet.lose(chance.below(fleet.len())) }
    }
    traffic.settle(&outside, Duration::from_mins(4)).await;
    assert_eq!(fleet.len(), 3);
    fleet.stop().await;
}

/// List calls at Devin in a fixed time, while a session works.
async fn list_calls(replicas: usize) -> usize {
    let outside = Outside::with(Manner::Impatient, Chance::of("watch")).await;
    let (_redis, settings) = redis_for(&outside);
    let fleet = Fleet::of(&outside, &settings, replicas);
    let root = outside.mention("something that takes long");
    until("the session is started", TOLD_WITHIN, || outside.posts(&root, "bobbin_card").len() == 1).await;
    for n in 0..replicas {
        fleet.process(n).until_ready_is(StatusCode::OK).await;
    }
    let before = outside.devin.calls("sessions.list");
    tokio::time::sleep(Duration::from_secs(10)).await;
    let calls = outside.devin.calls("sessions.list") - before;
    fleet.stop().await;
    calls
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_replicas_look_at_devin_as_often_as_one() {
    let (one, ten) = tokio::join!(list_calls(1), list_calls(10));
    report(&format!("list calls in ten seconds: {one} by one replica, {ten} by ten"));
    // About one a second; a sweep more or less.
    assert!((5..=14).contains(&one), "one replica made {one} calls");
    assert!((5..=14).contains(&ten), "ten replicas made {ten} calls, one made {one}");
}

/// What the third of three replicas is cut from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    Redis,
    Slack,
    Devin,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f28_a_replica_that_is_cut_off_from_redis_is_carried_by_the_others() {
    cut_off(From::Redis, Network::Cut, Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f28_a_replica_that_is_cut_off_from_slack_is_carried_by_the_others() {
    cut_off(From::Slack, Network::Cut, Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f28_a_replica_that_is_cut_off_from_devin_is_carried_by_the_others() {
    cut_off(From::Devin, Network::Cut, Duration::from_secs(5)).await;
}

/// One of three replicas is cut off while inputs come, and heals.
pub(crate) async fn cut_off(from: From, network: Network, time: Duration) {
    let mut chance = Chance::of("cut off");
    let outside = Outside::with(Manner::Impatient, chance.split()).await;
    let (redis, settings) = redis_for(&outside);
    let (to_redis, to_slack, to_devin) =
        (Relay::start(redis.port()), Relay::start(outside.port()), Relay::start(outside.port()));
    let mut third = settings.clone();
    third.insert("BOBBIN_STORE", to_redis.url());
    third.insert("BOBBIN_SLACK_API_URL", format!("{}/api/", to_slack.http()));
    third.insert("BOBBIN_DEVIN_API_URL", to_devin.http());
    let fleet = Fleet::start(&outside, vec![settings.clone(), settings, third]);
    let relay = match from {
        From::Redis => &to_redis,
        From::Slack => &to_slack,
        From::Devin => &to_devin,
    };
    let mut traffic = Traffic::default();
    go_on(&mut traffic, &outside, &mut chance, Duration::from_secs(1)).await;
    relay.becomes(network);
    go_on(&mut traffic, &outside, &mut chance, time).await;
    for n in 0..3 {
        let cut = from == From::Redis && n == 2;
        let status = if cut { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
        fleet.process(n).until_ready_is(status).await;
    }
    relay.becomes(Network::Good);
    go_on(&mut traffic, &outside, &mut chance, Duration::from_secs(1)).await;
    fleet.process(2).until_ready_is(StatusCode::OK).await;
    let sums = traffic.settle(&outside, Duration::from_mins(4)).await;
    assert!(sums.acknowledged * 10 >= sums.sent * 8, "others took over where one was away: {sums:?}");
    let slowest = outside.line.answers().iter().map(|a| a.took).max().unwrap();
    assert!(slowest < Duration::from_secs(3), "an answer took {slowest:?}");
    fleet.stop().await;
}

/// People and Devin go on for a time.
pub(crate) async fn go_on(traffic: &mut Traffic, outside: &Outside, chance: &mut Chance, time: Duration) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        traffic.go_on(outside, chance);
        tokio::time::sleep(chance.millis_below(120)).await;
    }
}

/// A figure for whoever reads the output.
pub(crate) fn report(line: &str) {
    #[expect(clippy::print_stderr, reason = "shown by the test harness, and in the nightly report")]
    {
        eprintln!("{line}");
    }
}
