//! What survives the loss of a Redis node, with real replicas and sentinels. Waiting for a replica is what makes the
//! difference, so each promise stands beside the same scenario without it, which has to break it.

use std::time::{Duration, Instant};

use bobbin::store::{Accepted, StoreError};

use super::{
    contract::{Fixture, TTL, offer, thread},
    redis::at,
};
use crate::support::{
    redis::RedisServer,
    relay::{Network, Relay},
    topology::Replicated,
};

/// A replica that was away answers again within this.
const FOLLOWS_WITHIN: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f11_a_frozen_primary_that_wakes_loses_nothing_acknowledged() {
    let frozen = freeze_and_wake(1).await;
    assert!(frozen.refused > 0, "nobody spoke to the woken primary: {frozen:?}");
    assert_eq!(frozen.lost, 0, "{frozen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_f11_without_waiting_for_a_replica_a_frozen_primary_loses() {
    let frozen = freeze_and_wake(0).await;
    assert!(frozen.lost > 0, "the scenario proves nothing: {frozen:?}");
}

#[derive(Debug, Default)]
struct Frozen {
    acknowledged: usize,
    refused: usize,
    lost: usize,
}

/// A primary stops for as long as it takes to replace it, wakes, and takes inputs from a client that never heard of its
/// successor, until the sentinels make it follow.
async fn freeze_and_wake(wait_replicas: u32) -> Frozen {
    let set = Replicated::start(1, 1);
    let [old, new] = &set.servers[..] else { panic!("a primary and a replica") };
    let f = at(&old.url(), "bobbin", wait_replicas);
    // A replica that has only just come up may need a moment for its first answer.
    let deadline = Instant::now() + Duration::from_secs(20);
    while let Err(error) = f.store.accept(&offer(&thread(1), "before")).await {
        assert!(Instant::now() < deadline, "{error}");
    }
    old.freeze();
    set.until_promoted_instead_of(0);
    old.thaw();

    let mut kept = vec!["before".to_owned()];
    let mut frozen = Frozen::default();
    let deadline = Instant::now() + Duration::from_mins(1);
    while !old.says("replication", "role:slave") {
        assert!(Instant::now() < deadline, "the old primary is never told to follow");
        for _ in 0..10 {
            let id = format!("i{}", frozen.acknowledged + frozen.refused);
            match f.store.accept(&offer(&thread(1), &id)).await {
                Ok(_) => {
                    frozen.acknowledged += 1;
                    kept.push(id);
                }
                Err(_) => frozen.refused += 1,
            }
        }
    }
    let f = at(&new.url(), "bobbin", 0);
    for id in &kept {
        // What is there is a duplicate.
        frozen.lost += usize::from(f.store.accept(&offer(&thread(1), id)).await.unwrap() != Accepted::Duplicate);
    }
    frozen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f02_a_failover_forgets_no_step_that_was_begun() {
    let pair = Pair::start();
    let f = at(&pair.primary.url(), "bobbin", 1);
    put(&f).await;
    let leased = f.take().await;

    pair.between.becomes(Network::Cut);
    let asked = Instant::now();
    let refused = f.store.begin(&leased.lease, "post", "begun").await;
    assert!(matches!(&refused, Err(StoreError::Unavailable(why)) if why.contains("0 of 1")), "{refused:?}");
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    f.store.finish(&leased.lease, "upload", "done").await.expect("what happened is written down on what is there");

    pair.between.becomes(Network::Good);
    let deadline = Instant::now() + FOLLOWS_WITHIN;
    while let Err(error) = f.store.begin(&leased.lease, "post", "begun").await {
        assert!(Instant::now() < deadline, "{error}");
    }
    assert_eq!(pair.journal_after_failover().await.as_deref(), Some("begun"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_f02_without_waiting_for_a_replica_a_failover_forgets_a_step() {
    let pair = Pair::start();
    put(&at(&pair.primary.url(), "bobbin", 1)).await;
    let f = at(&pair.primary.url(), "bobbin", 0);
    let leased = f.take().await;
    pair.between.becomes(Network::Cut);
    f.store.begin(&leased.lease, "post", "begun").await.unwrap();
    assert_eq!(pair.journal_after_failover().await, None);
}

/// A replica that has only just come up may need a moment for its first answer.
async fn put(f: &Fixture) {
    let deadline = Instant::now() + FOLLOWS_WITHIN;
    while let Err(error) = f.store.accept(&offer(&thread(1), "i1")).await {
        assert!(Instant::now() < deadline, "{error}");
    }
}

/// A primary and its replica, with a network between them that can be cut: killing the primary alone would lose
/// nothing, because what it sent arrives all the same.
struct Pair {
    primary: RedisServer,
    replica: RedisServer,
    between: Relay,
}

impl Pair {
    fn start() -> Self {
        let primary = RedisServer::start(&["--repl-diskless-sync-delay", "0"]);
        let between = Relay::start(primary.port());
        let replica = RedisServer::replica_through(&primary, between.port(), &[]);
        Self { primary, replica, between }
    }

    /// The primary is lost and the replica takes its place: what stands in the journal under `post`.
    async fn journal_after_failover(mut self) -> Option<String> {
        self.between.becomes(Network::Cut);
        self.primary.kill();
        self.replica.command(&["REPLICAOF", "NO", "ONE"]);
        let f = at(&self.replica.url(), "bobbin", 0);
        f.clock.advance(TTL + TTL);
        let leased = f.take().await;
        leased.journal.get("post").cloned()
    }
}
