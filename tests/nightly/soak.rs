//! Everything at once, for a long time (row F36): replicas are killed, stopped and cut off, Redis is killed and slow,
//! Slack and Devin fail, and people go on talking. In the end nothing is lost or doubled, and a replica that lived through
//! all of it holds no more memory than in the middle.

use std::time::{Duration, Instant};

use bobbin::twin::{Fault, FaultAction};

use crate::{
    product::{
        fleet::Fleet,
        killed::MOST_KIB,
        outside::{Manner, Outside},
        replicas::{go_on, report},
        traffic::Traffic,
    },
    support::{
        chance::Chance,
        redis::RedisServer,
        relay::{Network, Relay},
    },
};

/// How long it goes on, unless `BOBBIN_SOAK_MINUTES` says otherwise.
const MINUTES: u64 = 20;
/// Longest time between two blows, in milliseconds.
const PEACE_MS: usize = 6_000;
/// How much more the witness may hold at the end than in the middle: a heap is not the same twice.
const GROWTH: f64 = 1.25;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f36_everything_at_random() {
    #[expect(clippy::disallowed_methods, reason = "a test's own setting, which the product never reads")]
    let minutes = std::env::var("BOBBIN_SOAK_MINUTES").ok().map_or(MINUTES, |text| text.parse().expect("a number"));
    let mut chance = Chance::of("soak");
    let mut redis = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let outside = Outside::with(Manner::Impatient, chance.split()).await;
    let (to_redis, to_outside) = (Relay::start(redis.port()), Relay::start(outside.port()));
    let mut settings = outside.settings();
    settings.insert("BOBBIN_STORE", redis.url());
    // The first replica is the witness: nobody touches it. The last one lives behind a bad network.
    let mut far = settings.clone();
    far.insert("BOBBIN_STORE", to_redis.url());
    far.insert("BOBBIN_SLACK_API_URL", format!("{}/api/", to_outside.http()));
    far.insert("BOBBIN_DEVIN_API_URL", to_outside.http());
    let mut fleet = Fleet::start(&outside, vec![settings.clone(), settings, far]);
    let mut traffic = Traffic::default();
    let (began, mut blows, mut memory) = (Instant::now(), 0, Vec::new());
    while began.elapsed() < Duration::from_secs(60 * minutes) {
        go_on(&mut traffic, &outside, &mut chance, Duration::from_millis(500)).await;
        blow(&mut chance, &mut fleet, &mut redis, &outside, [&to_redis, &to_outside]).await;
        blows += 1;
        let peace = chance.millis_below(PEACE_MS);
        go_on(&mut traffic, &outside, &mut chance, peace).await;
        memory.push(fleet.process(0).resident_kib());
    }
    [&to_redis, &to_outside].iter().for_each(|relay| relay.becomes(Network::Good));
    outside.slack.faults().clear();
    outside.devin.faults().clear();
    let sums = traffic.settle(&outside, Duration::from_mins(6)).await;
    let (middle, end) =
        (median(&memory[memory.len() / 3..memory.len() * 2 / 3]), median(&memory[memory.len() * 2 / 3..]));
    report(&format!("soak: {blows} blows, {sums:?}, KiB of the witness: {middle} in the middle, {end} at the end"));
    assert!(memory.iter().all(|kib| *kib < MOST_KIB), "{memory:?}");
    #[expect(clippy::cast_precision_loss, reason = "kibibytes are far below the precision of a float")]
    let grown = end as f64 / middle as f64;
    assert!(grown < GROWTH, "memory grew by {grown}: {memory:?}");
    fleet.stop().await;
}

/// One thing goes wrong. A fault of Slack or Devin is never one that they commit after we have given up on it: that may
/// make a double for a while, and has tests of its own.
async fn blow(
    chance: &mut Chance,
    fleet: &mut Fleet<'_>,
    redis: &mut RedisServer,
    outside: &Outside,
    [to_redis, to_outside]: [&Relay; 2],
) {
    match chance.below(10) {
        0 | 1 => {
            let victim = 1 + chance.below(2);
            fleet.kill(victim);
            fleet.start_again(victim);
        }
        2 => drop(fleet.replace(1 + chance.below(2)).await),
        3 => {
            redis.kill();
            tokio::time::sleep(chance.millis_below(2_000)).await;
            redis.restart();
        }
        4 => {
            redis.freeze();
            tokio::time::sleep(chance.millis_below(2_000)).await;
            redis.thaw();
        }
        5 => to_redis.becomes(network(chance)),
        6 => to_outside.becomes(network(chance)),
        7 => outside.slack.faults().push(fault(chance, &["chat.*", "reactions.*", "users.*", "conversations.*", "*"])),
        8 => outside.devin.faults().push(fault(chance, &["sessions.*", "messages.*", "members.*", "*"])),
        _ => {
            to_redis.becomes(Network::Good);
            to_outside.becomes(Network::Good);
        }
    }
}

fn network(chance: &mut Chance) -> Network {
    *chance.one_of(&[Network::Good, Network::Good, Network::Cut, Network::Late(Duration::from_millis(200))])
}

fn fault(chance: &mut Chance, matchers: &[&str]) -> Fault {
    let action = match chance.below(8) {
        0 => FaultAction::Status(503),
        1 => FaultAction::StatusAfter(502),
        2 => FaultAction::RateLimited { after: Some(1) },
        3 => FaultAction::RateLimited { after: None },
        4 => FaultAction::DropBefore,
        5 => FaultAction::DropAfter,
        6 => FaultAction::Garbage,
        _ => FaultAction::DelayAfter(chance.millis_below(2_000)),
    };
    let times = Some(u32::try_from(1 + chance.below(4)).unwrap());
    Fault { matcher: (*chance.one_of(matchers)).to_owned(), action, times }
}

fn median(numbers: &[u64]) -> u64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}
