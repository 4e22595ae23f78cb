//! SIGKILL at random moments, for the bot, for redis-server and for both, while people and Devin go on: what was
//! acknowledged has its effect once, as seen from outside.

use std::time::Duration;

use super::{
    fleet::Fleet,
    outside::{Manner, Outside},
    replicas::report,
    traffic::{Sums, Traffic},
};
use crate::support::{chance::Chance, redis::RedisServer};

/// A creation that was cut off before it reached Devin is made again after 70 seconds: as long as the call itself may
/// take, and ten more.
pub(crate) const HEALED_WITHIN: Duration = Duration::from_mins(6);
/// Longest time between a wave of inputs and the blow, in milliseconds: the twins answer on loopback, so that a mention
/// is handled within some tens of milliseconds.
const BLOW_WITHIN_MS: usize = 250;
/// Most memory that a replica may hold.
pub(crate) const MOST_KIB: u64 = 256 * 1024;
/// Longest time for which Redis is away, in milliseconds.
const AWAY_MS: usize = 300;

/// Who is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Victims {
    /// One of the replicas.
    Bot,
    /// The store's server.
    Redis,
    /// One or the other, by chance.
    Either,
}

/// How hard it gets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Torment {
    pub(crate) kills: usize,
    pub(crate) inputs: usize,
    pub(crate) replicas: usize,
    pub(crate) victims: Victims,
    pub(crate) manner: Manner,
}

/// What fits into a minute or two.
const TORMENT: Torment =
    Torment { kills: 14, inputs: 140, replicas: 1, victims: Victims::Bot, manner: Manner::Impatient };

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f01_f02_kills_of_the_bot_lose_and_double_nothing_in_a_file() {
    in_a_file("bot, file", TORMENT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f01_f02_kills_of_replicas_lose_and_double_nothing_on_redis() {
    on_redis("three bots, redis", Torment { replicas: 3, ..TORMENT }, "always").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f01_f02_kills_over_sockets_lose_and_double_nothing_in_a_file() {
    in_a_file("bot, file, sockets", Torment { manner: Manner::Sockets, ..TORMENT }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f01_f02_kills_over_sockets_lose_and_double_nothing_on_redis() {
    let torment = Torment { replicas: 3, manner: Manner::Sockets, ..TORMENT };
    on_redis("three bots, redis, sockets", torment, "always").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f07_kills_of_redis_lose_and_double_nothing() {
    on_redis("redis", Torment { victims: Victims::Redis, ..TORMENT }, "always").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f07_kills_of_both_lose_and_double_nothing() {
    on_redis("both", Torment { replicas: 2, victims: Victims::Either, ..TORMENT }, "always").await;
}

/// The torment with a file as the store.
pub(crate) async fn in_a_file(name: &str, torment: Torment) -> Sums {
    let mut chance = Chance::of(name);
    let outside = Outside::with(torment.manner, chance.split()).await;
    let mut fleet = Fleet::of(&outside, &outside.settings(), 1);
    let mut traffic = Traffic::default();
    for _ in 0..torment.kills {
        wave(&mut traffic, &outside, &mut chance, torment).await;
        fleet.kill(0);
        fleet.start_again(0);
    }
    let sums = traffic.settle(&outside, HEALED_WITHIN).await;
    fleet.stop().await;
    judge(name, torment, sums)
}

/// The torment on a redis-server that writes its file in this manner.
pub(crate) async fn on_redis(name: &str, torment: Torment, appendfsync: &str) -> Sums {
    let mut chance = Chance::of(name);
    let mut redis = RedisServer::start(&["--appendonly", "yes", "--appendfsync", appendfsync]);
    let outside = Outside::with(torment.manner, chance.split()).await;
    let (fleet, traffic) = rage(&outside, redis.url(), torment, &mut chance, Some(&mut redis)).await;
    let sums = traffic.settle(&outside, HEALED_WITHIN).await;
    fleet.stop().await;
    judge(name, torment, sums)
}

/// People and Devin go on, and every wave of what they do ends with a blow.
pub(crate) async fn rage<'o>(
    outside: &'o Outside,
    store: String,
    torment: Torment,
    chance: &mut Chance,
    mut redis: Option<&mut RedisServer>,
) -> (Fleet<'o>, Traffic) {
    let mut settings = outside.settings();
    settings.insert("BOBBIN_STORE", store);
    let mut fleet = Fleet::of(outside, &settings, torment.replicas);
    let mut traffic = Traffic::default();
    for _ in 0..torment.kills {
        wave(&mut traffic, outside, chance, torment).await;
        let the_store = match torment.victims {
            Victims::Bot => false,
            Victims::Redis => true,
            Victims::Either => chance.below(2) == 0,
        };
        match &mut redis {
            Some(redis) if the_store => {
                redis.kill();
                tokio::time::sleep(chance.millis_below(AWAY_MS)).await;
                redis.restart();
            }
            Some(_) | None => {
                let victim = chance.below(fleet.len());
                fleet.kill(victim);
                fleet.start_again(victim);
            }
        }
    }
    for n in 0..fleet.len() {
        let held = fleet.process(n).resident_kib();
        assert!(held < MOST_KIB, "a replica holds {held} KiB");
    }
    (fleet, traffic)
}

/// A wave of inputs, and the time until the blow.
async fn wave(traffic: &mut Traffic, outside: &Outside, chance: &mut Chance, torment: Torment) {
    for _ in 0..torment.inputs / torment.kills {
        traffic.go_on(outside, chance);
        tokio::time::sleep(chance.millis_below(15)).await;
    }
    tokio::time::sleep(chance.millis_below(BLOW_WITHIN_MS)).await;
}

/// Judges what came of it.
pub(crate) fn judge(name: &str, torment: Torment, sums: Sums) -> Sums {
    report(&format!("{name}: {torment:?}: {sums:?}"));
    assert!(sums.sessions > 0 && sums.acknowledged > sums.sent / 2, "most inputs came to nothing: {sums:?}");
    // The answer to a command is made at most once: rather lost with the process than given twice. A kill can cut off
    // one of each person.
    assert!(sums.unanswered_commands <= 2 * torment.kills, "{sums:?}");
    sums
}
