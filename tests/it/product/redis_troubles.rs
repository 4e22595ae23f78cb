//! What Redis does to a running bot: away, late, silent, full, unable to write, demoted, failed over. While it lasts the
//! answer is a quick 503, so that Slack sends again; when it is over the bot goes on by itself, and nothing is lost or
//! doubled.

use std::time::{Duration, Instant};

use reqwest::StatusCode;

use super::{
    fleet::Fleet,
    outside::{Answer, Manner, Outside, until},
    replicas::{go_on, report},
    traffic::Traffic,
};
use crate::support::{
    chance::Chance,
    redis::RedisServer,
    relay::{Network, Relay},
    topology::Replicated,
};

/// Longest wait for everything to be told.
const TOLD_WITHIN: Duration = Duration::from_mins(4);
/// Slack waits no longer for an answer.
const SLACK_WAITS: Duration = Duration::from_secs(3);
/// What a server needs to keep everything.
const KEPT: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

/// A bot on a Redis, with people who go on talking.
struct Scene<'o> {
    outside: &'o Outside,
    fleet: Fleet<'o>,
    traffic: Traffic,
    chance: Chance,
}

impl<'o> Scene<'o> {
    /// A bot on this store that has begun to work.
    async fn open(outside: &'o Outside, store: String, wait: &str, mut chance: Chance) -> Self {
        let mut settings = outside.settings();
        settings.insert("BOBBIN_STORE", store);
        settings.insert("BOBBIN_REDIS_WAIT", wait.to_owned());
        let fleet = Fleet::of(outside, &settings, 1);
        fleet.process(0).until_ready_is(StatusCode::OK).await;
        let mut traffic = Traffic::default();
        go_on(&mut traffic, outside, &mut chance, Duration::from_secs(1)).await;
        Self { outside, fleet, traffic, chance }
    }

    /// People go on for a time; the answers that were given meanwhile.
    async fn go_on(&mut self, time: Duration) -> Vec<Answer> {
        let began = Instant::now();
        go_on(&mut self.traffic, self.outside, &mut self.chance, time).await;
        self.outside.line.answers().into_iter().filter(|answer| answer.asked >= began).collect()
    }

    /// How many inputs were acknowledged so far. Much of what Slack sends is none, and needs no store to be answered.
    fn acknowledged(&self) -> usize {
        self.traffic.sums(self.outside).acknowledged
    }

    /// People go on while it is broken: nothing is taken, and every refusal is quick.
    async fn refuses(&mut self, time: Duration) {
        // What was under way when it broke.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let before = self.acknowledged();
        let answers = self.go_on(time).await;
        assert_eq!(self.acknowledged(), before, "inputs were taken");
        assert!(answers.iter().filter(|a| a.result == Ok(503)).count() > 3, "{answers:?}");
        self.fleet.process(0).until_ready_is(StatusCode::SERVICE_UNAVAILABLE).await;
    }

    /// It works again: how long until an input is taken.
    async fn takes(&mut self, within: Duration) -> Duration {
        let (began, before) = (Instant::now(), self.acknowledged());
        while self.acknowledged() == before {
            assert!(began.elapsed() < within, "no input is taken within {within:?}");
            go_on(&mut self.traffic, self.outside, &mut self.chance, Duration::from_millis(50)).await;
        }
        began.elapsed()
    }

    /// Everything that was acknowledged ends in what it asked for, once; no answer was ever late.
    async fn end(self) {
        let slowest = self.outside.line.answers().iter().map(|a| a.took).max().unwrap();
        assert!(slowest < SLACK_WAITS, "an answer took {slowest:?}");
        self.traffic.settle(self.outside, TOLD_WITHIN).await;
        self.fleet.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f07_a_redis_that_was_away_is_back_at_once() {
    let chance = Chance::of("away");
    let outside = Outside::with(Manner::Impatient, chance.clone()).await;
    let mut redis = RedisServer::start(&KEPT);
    let mut scene = Scene::open(&outside, redis.url(), "0", chance).await;
    redis.kill();
    scene.refuses(Duration::from_secs(6)).await;
    redis.restart();
    let back = Instant::now();
    scene.takes(Duration::from_secs(5)).await;
    let sessions = outside.devin.sessions().len();
    scene.traffic.mention(&outside, bobbin::twin::world::ADA);
    until("an input is handled", Duration::from_secs(10), || outside.devin.sessions().len() > sessions).await;
    report(&format!("from Redis's return to a handled input: {:?}", back.elapsed()));
    assert!(back.elapsed() < Duration::from_secs(8), "{:?}", back.elapsed());
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f12_a_primary_that_hands_over_in_place_is_left() {
    let chance = Chance::of("handed over");
    let outside = Outside::with(Manner::Impatient, chance.clone()).await;
    let primary = RedisServer::start(&["--repl-diskless-sync-delay", "0"]);
    let replica = RedisServer::replica(&primary, &[]);
    let door = Relay::start(primary.port());
    let mut scene = Scene::open(&outside, door.url(), "0", chance).await;
    primary.command(&["FAILOVER"]);
    until("the roles are changed", TOLD_WITHIN, || primary.says("replication", "role:slave")).await;
    assert!(replica.says("replication", "role:master"));
    // Connections stay on the old one until somebody gives them up.
    door.lead_to(replica.port());
    let took = scene.takes(Duration::from_secs(3)).await;
    report(&format!("from a handed over Redis to a taken input: {took:?}"));
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f13_a_late_redis_makes_no_answer_late() {
    let chance = Chance::of("late");
    let outside = Outside::with(Manner::Impatient, chance.clone()).await;
    let redis = RedisServer::start(&KEPT);
    let line = Relay::start(redis.port());
    let mut scene = Scene::open(&outside, line.url(), "0", chance).await;
    // Late, but not too late.
    line.becomes(Network::Late(Duration::from_millis(150)));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let answers = scene.go_on(Duration::from_secs(2)).await;
    assert!(answers.iter().any(|a| a.result == Ok(200) && a.took > Duration::from_millis(140)), "{answers:?}");

    line.becomes(Network::Late(Duration::from_secs(2)));
    let before = line.connections();
    scene.refuses(Duration::from_secs(6)).await;
    let storm = line.connections() - before;
    // Workers and doors each try once a second at most, one dial at a time.
    assert!(storm <= 140, "{storm} connections within some 7 seconds");
    line.becomes(Network::Good);
    let took = scene.takes(Duration::from_secs(10)).await;
    report(&format!("from a prompt Redis to a taken input: {took:?}; {storm} connections while it was late"));
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f14_a_silent_redis_is_refused_and_found_again() {
    silent(Duration::from_secs(10)).await;
}

/// Nothing comes back from Redis for a time, and no connection breaks.
pub(crate) async fn silent(time: Duration) {
    let chance = Chance::of("silent");
    let outside = Outside::with(Manner::Impatient, chance.clone()).await;
    let redis = RedisServer::start(&KEPT);
    let line = Relay::start(redis.port());
    let mut scene = Scene::open(&outside, line.url(), "0", chance).await;
    line.becomes(Network::Silent);
    scene.refuses(time).await;
    line.becomes(Network::Good);
    let took = scene.takes(Duration::from_secs(10)).await;
    report(&format!("from the end of a silence of {time:?} to a taken input: {took:?}"));
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f16_a_full_redis_refuses_inputs_and_finishes_work() {
    let chance = Chance::of("full");
    let outside = Outside::with(Manner::Impatient, chance.clone()).await;
    let redis = RedisServer::start(&[&KEPT[..], &["--maxmemory-policy", "noeviction"]].concat());
    let mut scene = Scene::open(&outside, redis.url(), "0", chance).await;
    let root = outside.mention("the last one that fits");
    until("it is stored", TOLD_WITHIN, || outside.is_quiet()).await;
    redis.command(&["CONFIG", "SET", "maxmemory", "1mb"]);
    until("it is finished", TOLD_WITHIN, || outside.posts(&root, "bobbin_card").len() == 1).await;
    scene.refuses(Duration::from_secs(4)).await;
    redis.command(&["CONFIG", "SET", "maxmemory", "0"]);
    scene.takes(Duration::from_secs(5)).await;
    scene.end().await;
    assert_eq!((outside.sessions(&root), outside.receipts(&root)), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f17_a_redis_that_cannot_write_its_file_is_refused_until_it_can() {
    let chance = Chance::of("disk");
    let outside = Outside::with(Manner::Impatient, chance.clone()).await;
    let redis = RedisServer::start(&KEPT);
    let mut scene = Scene::open(&outside, redis.url(), "0", chance).await;
    // A folder stands where the snapshot is to lie, so that none can be written: Redis then takes no writes at all.
    let in_the_way = redis.folder().join("dump.rdb");
    std::fs::create_dir(&in_the_way).unwrap();
    redis.command(&["CONFIG", "SET", "save", "3600 1"]);
    redis.command(&["BGSAVE"]);
    until("Redis notices", TOLD_WITHIN, || redis.says("persistence", "rdb_last_bgsave_status:err")).await;
    scene.refuses(Duration::from_secs(4)).await;
    std::fs::remove_dir(&in_the_way).unwrap();
    redis.command(&["BGSAVE"]);
    until("Redis can write", TOLD_WITHIN, || redis.says("persistence", "rdb_last_bgsave_status:ok")).await;
    scene.takes(Duration::from_secs(5)).await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f10_a_failover_after_a_kill_loses_and_doubles_nothing() {
    failover("killed primary", true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f11_a_failover_from_a_frozen_primary_loses_and_doubles_nothing() {
    failover("frozen primary", false).await;
}

/// Three sentinels replace the primary under load, killed or frozen for a while; two replicas, so that the new primary
/// has one to wait for.
pub(crate) async fn failover(name: &str, killed: bool) {
    let chance = Chance::of(name);
    let outside = Outside::with(Manner::Impatient, chance.clone()).await;
    let mut set = tokio::task::spawn_blocking(|| Replicated::start(2, 3)).await.unwrap();
    let mut scene = Scene::open(&outside, set.url(), "1", chance).await;
    let lost = Instant::now();
    if killed {
        set.servers[0].kill();
    } else {
        set.servers[0].freeze();
    }
    let set = tokio::task::spawn_blocking(move || {
        let new = set.until_promoted_instead_of(0);
        // One replica vouches for a write. While another still follows the woken primary it would vouch for that one's.
        set.until("the other replica follows", |set| set.servers[new].says("replication", "state=online"));
        set
    });
    while !set.is_finished() {
        scene.go_on(Duration::from_millis(200)).await;
    }
    let promoted = lost.elapsed();
    let set = set.await.unwrap();
    if !killed {
        set.servers[0].thaw();
    }
    scene.takes(Duration::from_secs(20)).await;
    report(&format!("{name}: promoted after {promoted:?}, an input taken after {:?}", lost.elapsed()));
    // Long enough for a woken primary to do harm.
    scene.go_on(Duration::from_secs(if killed { 2 } else { 12 })).await;
    scene.end().await;
}
