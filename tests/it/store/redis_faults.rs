//! What Redis does to us: restarts, silence, failovers, full memory. Every error must come within a second and every
//! store must heal by itself.

use std::time::{Duration, Instant};

use bobbin::store::{Accepted, Commit, Result, StoreError};

use super::{
    contract::{Fixture, TTL, offer, thread},
    redis::at,
};
use crate::support::{redis::RedisServer, relay::Relay};

/// Within this an unreachable store has to be an error.
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn scripts_may_be_flushed_at_any_time() {
    let server = RedisServer::start(&[]);
    let f = at(&server.url(), "bobbin", 0);
    f.put(&thread(1), "i1").await;
    server.command(&["SCRIPT", "FLUSH"]);
    let leased = f.take().await;
    server.command(&["SCRIPT", "FLUSH"]);
    f.store.commit(&leased.lease, &Commit::default()).await.unwrap();
    server.command(&["SCRIPT", "FLUSH"]);
    assert_eq!(f.store.accept(&offer(&thread(1), "i1")).await.unwrap(), Accepted::Duplicate);
}

#[tokio::test]
async fn a_killed_server_keeps_what_was_accepted() {
    let mut server = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let f = at(&server.url(), "bobbin", 0);
    for n in 0..20 {
        f.put(&thread(1), &format!("i{n}")).await;
    }
    server.kill();
    unavailable_soon(&f).await;
    server.restart();
    heals(&f).await;
    for n in 0..20 {
        assert_eq!(f.finish_next().await, Some(format!("i{n}")));
    }
}

#[tokio::test]
async fn a_server_that_is_down_at_start_is_found_later() {
    let mut server = RedisServer::prepare(&[]);
    let f = at(&server.url(), "bobbin", 0);
    unavailable_soon(&f).await;
    server.restart();
    heals(&f).await;
    f.put(&thread(1), "i1").await;
}

#[tokio::test]
async fn killed_connections_heal() {
    let server = RedisServer::start(&[]);
    let f = at(&server.url(), "bobbin", 0);
    f.put(&thread(1), "i1").await;
    server.command(&["CLIENT", "KILL", "TYPE", "normal"]);
    let asked = Instant::now();
    // Whether this one still finds the connection open is a race; that it is quick is not.
    drop(f.store.check().await);
    assert!(asked.elapsed() < SECOND);
    heals(&f).await;
    assert_eq!(f.finish_next().await.as_deref(), Some("i1"));
}

#[tokio::test]
async fn a_silent_server_is_an_error_within_a_second() {
    let server = RedisServer::start(&[]);
    let f = at(&server.url(), "bobbin", 0);
    f.put(&thread(1), "i1").await;
    server.freeze();
    for _ in 0..3 {
        unavailable_soon(&f).await;
    }
    // A new store hangs already while connecting.
    unavailable_soon(&at(&server.url(), "bobbin", 0)).await;
    server.thaw();
    heals(&f).await;
    assert_eq!(f.finish_next().await.as_deref(), Some("i1"));
}

#[tokio::test]
async fn a_demoted_server_is_left_for_the_new_primary() {
    let (old, new) = (RedisServer::start(&[]), RedisServer::start(&[]));
    let relay = Relay::start(old.port());
    let f = at(&relay.url(), "bobbin", 0);
    f.put(&thread(1), "i1").await;

    let port = new.port().to_string();
    old.command(&["REPLICAOF", "127.0.0.1", &port]);
    let refused = f.store.check().await;
    assert!(matches!(&refused, Err(StoreError::Unavailable(why)) if why.contains("READONLY")), "{refused:?}");
    relay.lead_to(new.port());
    heals(&f).await;
    f.put(&thread(2), "i2").await;

    old.command(&["REPLICAOF", "NO", "ONE"]);
    relay.lead_to(old.port());
    new.command(&["REPLICAOF", "127.0.0.1", &old.port().to_string()]);
    heals(&f).await;
}

#[tokio::test]
async fn a_server_that_stays_silent_is_left_for_the_new_one() {
    let (old, new) = (RedisServer::start(&[]), RedisServer::start(&[]));
    let relay = Relay::start(old.port());
    let f = at(&relay.url(), "bobbin", 0);
    f.put(&thread(1), "i1").await;
    old.freeze();
    relay.lead_to(new.port());
    unavailable_soon(&f).await;
    unavailable_soon(&f).await;
    f.put(&thread(2), "i2").await;
}

#[tokio::test]
async fn full_memory_refuses_inputs_but_not_finished_work() {
    let server = RedisServer::start(&["--maxmemory-policy", "noeviction"]);
    let f = at(&server.url(), "bobbin", 0);
    for id in ["i1", "i2", "i3"] {
        f.put(&thread(1), id).await;
    }
    let leased = f.take().await;
    server.command(&["CONFIG", "SET", "maxmemory", "1mb"]);

    let refused = f.store.accept(&offer(&thread(2), "i4")).await;
    assert!(matches!(&refused, Err(StoreError::Unavailable(why)) if why.contains("maxmemory")), "{refused:?}");
    assert!(f.store.check().await.is_err());
    f.store.begin(&leased.lease, "post", "begun").await.unwrap();
    f.store.finish(&leased.lease, "post", "done").await.unwrap();
    f.store.renew(&leased.lease, TTL).await.unwrap();
    let left = Commit { state: Some("linked".to_owned()), ..Commit::default() };
    f.store.commit(&leased.lease, &left).await.unwrap();
    let second = f.take().await;
    f.store.bury(&second.lease, "why", &Commit::default()).await.unwrap();
    let third = f.take().await;
    f.store.defer(&third.lease, f.later(Duration::ZERO), bobbin::store::Unfinished::Tried).await.unwrap();

    server.command(&["CONFIG", "SET", "maxmemory", "0"]);
    f.put(&thread(2), "i4").await;
    assert_eq!(f.store.state(&thread(1)).await.unwrap().as_deref(), Some("linked"));
    assert_eq!(f.store.dead(9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_input_counts_once_the_replica_has_it() {
    let primary = RedisServer::start(&["--repl-diskless-sync-delay", "0"]);
    let replica = RedisServer::replica(&primary, &[]);
    let in_sync = Instant::now() + Duration::from_secs(20);
    let f = at(&primary.url(), "bobbin", 1);
    let found = f.store.durability().await.unwrap();
    assert!(found.class.starts_with("D0"), "replicas do not make up for a missing file: {found:?}");
    // A replica that has only just come up may need a moment for its first answer.
    while f.store.accept(&offer(&thread(1), "i1")).await.is_err() {
        assert!(Instant::now() < in_sync, "the replica does not answer");
    }

    replica.freeze();
    let offered = offer(&thread(1), "i2");
    for _ in 0..2 {
        let asked = Instant::now();
        let (answer, other) = tokio::join!(f.store.accept(&offered), async {
            f.store.state(&thread(1)).await.unwrap();
            asked.elapsed()
        });
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
        assert!(asked.elapsed() < SECOND);
        assert!(other < Duration::from_millis(150), "others were stalled: {other:?}");
    }
    replica.thaw();
    assert_eq!(f.store.accept(&offered).await.unwrap(), Accepted::Duplicate);
}

async fn unavailable_soon(f: &Fixture) {
    let asked = Instant::now();
    let answer: Result<Accepted> = f.store.accept(&offer(&thread(77), "i77")).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    assert!(asked.elapsed() < SECOND, "took {:?}", asked.elapsed());
}

async fn heals(f: &Fixture) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while let Err(error) = f.store.check().await {
        assert!(Instant::now() < deadline, "does not heal: {error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
