//! The handle: which shard a thing lives in, and the contract, spelled out as calls of scripts in the files beside it.
//!
//! One server needs one shard. A Cluster gets 16, so that its nodes share the work; a lease then looks into the shards
//! in turn, beginning at another one each time, because no script can see two of them.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use redis::Value;
use sha2::{Digest, Sha256};

use super::{
    connection::{Link, WaitingLinks},
    replies,
    restarts::Restarts,
    scripts::{Call, Scripts, Source},
    target::{self, Target},
};
use crate::{
    clock::Clock,
    domain::{
        ids::{InputId, SessionId},
        mailbox::Mailbox,
    },
    store::{
        Accepted, Activity, Backlog, Commit, Dead, Durability, Input, Lease, Offer, Pace, Result, Store, Tracked, Turn,
        Unfinished,
    },
};

/// First part of every key, so that the database can be shared.
const PREFIX: &str = "bobbin";

/// Version of the key layout.
const LAYOUT: u8 = 2;

/// Shards on a Cluster: more than such a cluster has primaries, few enough that looking into each is quick. Changing it
/// strands what is stored.
const CLUSTER_SHARDS: u32 = 16;

/// Longest time that something is remembered in milliseconds (ten years): Redis refuses expiries that overflow.
const LONGEST_MS: u128 = 315_360_000_000;

/// The store on Redis.
pub struct RedisStore {
    pub(super) scripts: Scripts,
    pub(super) link: Link,
    pub(super) restarts: Restarts,
    pub(super) waiting: Option<WaitingLinks>,
    pub(super) wait_replicas: u32,
    pub(super) shards: u32,
    pub(super) start: AtomicU32,
    clock: Arc<dyn Clock>,
    prefix: String,
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("prefix", &self.prefix).field("shards", &self.shards).finish_non_exhaustive()
    }
}

impl RedisStore {
    /// A store at this address (`redis://`, `rediss://`, `redis+sentinel://` or `redis+cluster://`). Nothing is
    /// connected yet: a Redis that is down makes operations fail until it is back. With `wait_replicas` above zero an
    /// input counts as stored once so many replicas have it (<https://redis.io/docs/latest/commands/wait/>).
    ///
    /// # Errors
    /// When the address cannot be read.
    pub fn new(url: &str, clock: Arc<dyn Clock>, wait_replicas: u32) -> Result<Self> {
        Self::with_prefix(url, clock, wait_replicas, PREFIX)
    }

    /// The same with another first part of every key, for several stores in one database.
    ///
    /// # Errors
    /// When the address cannot be read.
    pub fn with_prefix(url: &str, clock: Arc<dyn Clock>, wait_replicas: u32, prefix: &str) -> Result<Self> {
        let target = Arc::new(target::parse(url)?);
        let shards = match *target {
            Target::Cluster(_) => CLUSTER_SHARDS,
            Target::Single(_) | Target::Sentinel(_) => 1,
        };
        Ok(Self {
            scripts: Scripts::new(),
            waiting: (wait_replicas > 0).then(|| WaitingLinks::new(&target, wait_replicas)),
            link: Link::new(target),
            restarts: Restarts::default(),
            wait_replicas,
            shards,
            start: AtomicU32::new(0),
            clock,
            prefix: prefix.to_owned(),
        })
    }

    /// How far the caller's clock is ahead, in milliseconds.
    pub(super) fn offset(&self) -> i128 {
        self.clock.offset().as_millis()
    }

    /// The time, as the caller's clock has it.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The shard of a mailbox.
    pub(super) fn home(&self, mailbox: &Mailbox) -> u32 {
        self.shard_of(&mailbox.place())
    }

    /// The shard of a text.
    pub(super) fn shard_of(&self, text: &str) -> u32 {
        let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        let [a, b, c, d, ..] = digest;
        u32::from_be_bytes([a, b, c, d]) % self.shards
    }

    /// What all keys of a shard begin with.
    pub(super) fn base(&self, shard: u32) -> String {
        format!("{}:{LAYOUT}:{{{shard}}}:", self.prefix)
    }

    /// A call of a script on a shard.
    pub(super) fn call<'a>(&self, script: &'a Source, shard: u32) -> Call<'a> {
        Call::new(script, self.base(shard))
    }

    /// Runs a script.
    pub(super) async fn run(&self, call: Call<'_>) -> Result<Value> {
        self.link.script(&call).await.map_err(|e| replies::unavailable(&e))
    }
}

/// A duration in whole milliseconds, as Redis takes it.
pub(super) fn millis(ttl: Duration) -> u128 {
    ttl.as_millis().clamp(1, LONGEST_MS)
}

#[async_trait]
impl Store for RedisStore {
    async fn accept(&self, offer: &Offer) -> Result<Accepted> {
        self.append(offer).await
    }

    async fn lease(&self, ttl: Duration) -> Result<Turn> {
        self.take(ttl).await
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<()> {
        self.prolong(lease, ttl).await
    }

    async fn begin(&self, lease: &Lease, step: &str, record: &str) -> Result<()> {
        self.intend(lease, step, record).await
    }

    async fn finish(&self, lease: &Lease, step: &str, record: &str) -> Result<()> {
        self.record(lease, step, record).await
    }

    async fn commit(&self, lease: &Lease, commit: &Commit) -> Result<()> {
        self.end(lease, commit, None).await
    }

    async fn defer(&self, lease: &Lease, until: Timestamp, how: Unfinished) -> Result<()> {
        self.put_off(lease, until, how).await
    }

    async fn pace(&self, mailbox: &Mailbox, pace: Pace) -> Result<Option<Timestamp>> {
        self.ask_pace(mailbox, pace).await
    }

    async fn bury(&self, lease: &Lease, why: &str, commit: &Commit) -> Result<()> {
        self.end(lease, commit, Some(why)).await
    }

    async fn set_aside(&self, input: &Input, why: &str) -> Result<()> {
        self.keep_letter(input, why).await
    }

    async fn dead(&self, limit: usize) -> Result<Vec<Dead>> {
        self.letters(limit).await
    }

    async fn replay_dead(&self, id: &InputId) -> Result<bool> {
        self.replay_letter(id).await
    }

    async fn drop_dead(&self, id: &InputId) -> Result<bool> {
        self.drop_letter(id).await
    }

    async fn state(&self, mailbox: &Mailbox) -> Result<Option<String>> {
        self.state_of(mailbox).await
    }

    async fn recall(&self, key: &str) -> Result<Option<String>> {
        self.recall_memo(key).await
    }

    async fn remember(&self, key: &str, value: &str, ttl: Duration) -> Result<()> {
        self.write_memo(key, value, ttl).await
    }

    async fn forget(&self, key: &str) -> Result<()> {
        self.forget_memo(key).await
    }

    async fn hold(&self, name: &str, holder: &str, ttl: Duration) -> Result<bool> {
        self.take_hold(name, holder, ttl).await
    }

    async fn tracked(&self, activity: Activity, after: Option<&SessionId>, limit: usize) -> Result<Vec<Tracked>> {
        self.sessions(activity, after, limit).await
    }

    async fn tracked_counts(&self) -> Result<BTreeMap<Activity, u64>> {
        self.count_sessions().await
    }

    async fn backlog(&self) -> Result<Backlog> {
        self.waiting_mailboxes().await
    }

    async fn check(&self) -> Result<()> {
        // The shards in turn: on a Cluster each check then proves another node.
        let shard = self.start.fetch_add(1, Ordering::Relaxed) % self.shards;
        self.run(self.call(&self.scripts.check, shard)).await.map(drop)
    }

    async fn durability(&self) -> Result<Durability> {
        self.class().await
    }
}
