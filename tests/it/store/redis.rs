//! The Redis store: the contract on one server and on a Cluster, and what its keys and addresses must be.

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicU32, Ordering},
};

use bobbin::{
    clock::Clock,
    store::{Admit, Commit, Offer, Store, StoreError, redis::RedisStore},
};

use super::contract::{Fixture, contract_of_one_shard, contract_of_shards, offer, thread};
use crate::support::{clock::TestClock, redis::RedisServer};

contract_of_one_shard!(crate::store::redis::open);

mod cluster {
    super::contract_of_shards!(crate::store::redis::open_cluster);
}

static SHARED: LazyLock<RedisServer> = LazyLock::new(|| RedisServer::start(&[]));

static CLUSTER: LazyLock<RedisServer> = LazyLock::new(|| {
    let server = RedisServer::cluster_node();
    server.command(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
    while !format!("{:?}", server.command(&["CLUSTER", "INFO"])).contains("cluster_state:ok") {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    server
});

#[tokio::test]
async fn what_is_over_leaves_no_keys() {
    let server = RedisServer::start(&[]);
    let f = at(&server.url(), "bobbin", 0);
    f.put(&thread(1), "i1").await;
    f.put(&thread(1), "i2").await;
    for _ in 0..2 {
        let leased = f.take().await;
        f.store.begin(&leased.lease, "step", "record").await.unwrap();
        f.store.commit(&leased.lease, &Commit::default()).await.unwrap();
    }
    let mut keys: Vec<String> = redis::from_redis_value(server.command(&["KEYS", "*"])).unwrap();
    keys.sort();
    let kept = ["clock", "founded", "run", "seen:i1", "seen:i2"];
    assert_eq!(keys, kept.map(|key| format!("bobbin:2:{{0}}:{key}")));
}

#[tokio::test]
async fn what_cannot_be_read_is_set_aside() {
    for damaged in [&b"{\"v\":1,\"id\":"[..], b"\xff\x00"] {
        let server = RedisServer::start(&[]);
        let f = at(&server.url(), "bobbin", 0);
        f.put(&thread(1), "i1").await;
        f.put(&thread(1), "i2").await;
        let waiting = format!("bobbin:2:{{0}}:in:{}", thread(1));
        let mut client = redis::Client::open(server.url()).unwrap().get_connection().unwrap();
        redis::cmd("LSET").arg(waiting).arg(0).arg(damaged).exec(&mut client).unwrap();
        super::contract::letters::what_cannot_be_read_is_set_aside(&f, damaged).await;
    }
}

#[tokio::test]
async fn sentinels_lead_to_the_primary() {
    let server = RedisServer::start(&[]);
    let sentinel = RedisServer::sentinel(&server, 1);
    let f = at(&format!("redis+sentinel://127.0.0.1:{}/main", sentinel.port()), "bobbin", 0);
    f.put(&thread(1), "i1").await;
    assert_eq!(f.finish_next().await.as_deref(), Some("i1"));
}

#[tokio::test]
async fn a_cluster_waits_for_the_replicas_of_the_shard() {
    let f = at(&format!("redis+cluster://127.0.0.1:{}", CLUSTER.port()), &own_prefix(), 1);
    f.store.found().await.unwrap();
    let lacking = |e: &StoreError| e.to_string().contains("0 of 1 replicas");
    // "Not for us" counts no more than anything else from a node that may not be the primary any more.
    for admit in [Admit::IfKnown, Admit::Always] {
        let answer = f.store.accept(&Offer { admit, ..offer(&thread(1), "i1") }).await;
        assert!(answer.as_ref().is_err_and(lacking), "{admit:?}: {answer:?}");
    }
    assert_eq!(f.finish_next().await.as_deref(), Some("i1"));
}

#[tokio::test]
async fn the_class_follows_the_settings() {
    let server = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let f = at(&server.url(), "bobbin", 0);
    let found = f.store.durability().await.unwrap();
    assert!(found.class.starts_with("D2") && found.warnings.is_empty(), "{found:?}");

    server.command(&["CONFIG", "SET", "appendfsync", "everysec", "maxmemory-policy", "allkeys-lru"]);
    let found = f.store.durability().await.unwrap();
    assert!(found.class.starts_with("D1") && found.warnings.len() == 2, "{found:?}");

    server.command(&["CONFIG", "SET", "appendonly", "no"]);
    let found = f.store.durability().await.unwrap();
    assert!(found.class.starts_with("D0"), "{found:?}");
}

pub(crate) fn open() -> Fixture {
    at(&SHARED.url(), &own_prefix(), 0)
}

pub(crate) fn open_cluster() -> Fixture {
    at(&format!("redis+cluster://127.0.0.1:{}", CLUSTER.port()), &own_prefix(), 0)
}

/// A store at an address.
pub(crate) fn at(url: &str, prefix: &str, wait_replicas: u32) -> Fixture {
    let clock = TestClock::new();
    let moved: Arc<TestClock> = Arc::clone(&clock);
    let store: Arc<dyn Store> = Arc::new(RedisStore::with_prefix(url, moved, wait_replicas, prefix).unwrap());
    Fixture { store, clock, _keep: None }
}

/// A store of its own on the shared server, for a world with its own clock.
pub(crate) fn store_at(clock: Arc<dyn Clock>) -> RedisStore {
    RedisStore::with_prefix(&SHARED.url(), clock, 0, &own_prefix()).unwrap()
}

/// All that the shared server has, in clear.
pub(crate) fn contents() -> String {
    SHARED.contents()
}

fn own_prefix() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("test{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
