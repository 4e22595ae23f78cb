//! Harder versions of the scenarios with real processes.

use std::time::{Duration, Instant};

use crate::{
    product::{
        killed::{HEALED_WITHIN, Torment, Victims, in_a_file, judge, on_redis, rage},
        outside::{Manner, Outside},
        redis_troubles::{failover, silent},
        replicas::{From, cut_off, report, rolling_restarts},
        traffic::Traffic,
    },
    support::{chance::Chance, redis::RedisServer, relay::Network, scale::console_at_scale, topology::Cluster},
};

/// What was cut off is made again after 70 seconds at the latest.
const NOTHING_MORE_AFTER: Duration = Duration::from_secs(90);

/// Kills and inputs of one scenario.
const TORMENT: Torment =
    Torment { kills: 60, inputs: 600, replicas: 1, victims: Victims::Bot, manner: Manner::Impatient };

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f01_f02_sixty_kills_of_the_bot_in_a_file() {
    let sums = in_a_file("bot, file", TORMENT).await;
    assert!(sums.acknowledged > 200, "{sums:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f01_f02_sixty_kills_of_three_replicas_on_redis() {
    let sums = on_redis("three bots, redis", Torment { replicas: 3, ..TORMENT }, "always").await;
    assert!(sums.acknowledged > 200, "{sums:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f01_f02_sixty_kills_of_three_replicas_on_a_cluster() {
    let torment = Torment { replicas: 3, ..TORMENT };
    let mut chance = Chance::of("three bots, cluster");
    let cluster = tokio::task::spawn_blocking(|| Cluster::start(3)).await.unwrap();
    let outside = Outside::with(Manner::Impatient, chance.split()).await;
    let (fleet, traffic) = rage(&outside, cluster.url(), torment, &mut chance, None).await;
    let sums = traffic.settle(&outside, HEALED_WITHIN).await;
    fleet.stop().await;
    judge("three bots, cluster", torment, sums);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f07_sixty_kills_of_redis() {
    let sums = on_redis("redis", Torment { victims: Victims::Redis, ..TORMENT }, "always").await;
    assert!(sums.acknowledged > 200, "{sums:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f07_sixty_kills_of_both() {
    let sums = on_redis("both", Torment { replicas: 2, victims: Victims::Either, ..TORMENT }, "always").await;
    assert!(sums.acknowledged > 200, "{sums:?}");
}

/// What was written last may be lost with the server: an input that was acknowledged, or the journal of a step that was
/// done, which is then done again. Both stay rare.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f08_a_redis_that_syncs_every_second_loses_and_doubles_little() {
    let torment = Torment { victims: Victims::Redis, ..TORMENT };
    let mut chance = Chance::of("everysec");
    let mut redis = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "everysec"]);
    let outside = Outside::with(Manner::Impatient, chance.split()).await;
    let (fleet, traffic) = rage(&outside, redis.url(), torment, &mut chance, Some(&mut redis)).await;
    let lost = settle_what_was_kept(&traffic, &outside).await;
    let (sums, doubled) = (traffic.sums(&outside), traffic.surplus(&outside));
    report(&format!("everysec: {torment:?}: {sums:?}; lost with the server: {lost:?}; doubled: {doubled:?}"));
    assert!(doubled.len() <= torment.kills / 10, "{doubled:#?}");
    // A second or two of inputs for each kill would be nearly all of them; in practice next to none.
    assert!(lost.len() <= sums.acknowledged / 10, "{} of {} inputs lost: {lost:#?}", lost.len(), sums.acknowledged);
    fleet.stop().await;
}

/// Waits until nothing more comes for as long as the longest look-up takes; what is missing then.
async fn settle_what_was_kept(traffic: &Traffic, outside: &Outside) -> Vec<String> {
    let (mut missing, mut still_since) = (traffic.missing(outside, false), Instant::now());
    while !missing.is_empty() && still_since.elapsed() < NOTHING_MORE_AFTER {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = traffic.missing(outside, false);
        if now.len() != missing.len() {
            still_since = Instant::now();
        }
        missing = now;
    }
    missing
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f05_thirty_restarts_under_load() {
    rolling_restarts(30).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f10_f11_failovers_one_after_the_other() {
    for round in 0..3 {
        for killed in [true, false] {
            failover(&format!("failover {round}, killed: {killed}"), killed).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f14_a_silence_of_half_a_minute() {
    silent(Duration::from_secs(30)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f28_a_replica_in_a_black_hole() {
    for from in [From::Redis, From::Slack, From::Devin] {
        cut_off(from, Network::Silent, Duration::from_secs(45)).await;
    }
}

#[tokio::test]
async fn the_consoles_pages_of_a_hundred_thousand_links() {
    let (few, many) = (console_at_scale(200).await, console_at_scale(100_000).await);
    report(&format!("200 links: {few:?}; 100,000 links: {many:?}"));
    for ((name, few_took), (_, many_took)) in few.iter().zip(&many) {
        assert!(*many_took <= *few_took * 5 + Duration::from_millis(20), "{name}: {few:?} {many:?}");
    }
}
