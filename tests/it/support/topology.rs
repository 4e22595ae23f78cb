//! Several redis-servers that belong together: a primary with replicas and sentinels, or a Cluster. All on loopback,
//! all processes of the test.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use super::redis::RedisServer;

/// Longest wait for servers to agree about something.
const AGREED_WITHIN: Duration = Duration::from_secs(40);
/// Slots of a Cluster.
const SLOTS: u16 = 16_384;

/// A primary, its replicas, and sentinels that watch them.
pub(crate) struct Replicated {
    pub(crate) servers: Vec<RedisServer>,
    sentinels: Vec<RedisServer>,
}

impl Replicated {
    /// Starts them: the first server is the primary. A majority of the sentinels decides.
    pub(crate) fn start(replicas: usize, sentinels: usize) -> Self {
        let kept = ["--appendonly", "yes", "--repl-diskless-sync-delay", "0"];
        let primary = RedisServer::start(&kept);
        let replicas: Vec<RedisServer> = (0..replicas).map(|_| RedisServer::replica(&primary, &kept)).collect();
        let watching = (0..sentinels).map(|_| RedisServer::sentinel(&primary, sentinels / 2 + 1)).collect();
        let all = Self { servers: std::iter::once(primary).chain(replicas).collect(), sentinels: watching };
        let (replicas, others) = (all.servers.len() - 1, sentinels.saturating_sub(1));
        all.until("the sentinels know everybody", |all| {
            let knows = |sentinel: &RedisServer| {
                let facts: Vec<String> =
                    redis::from_redis_value(sentinel.command(&["SENTINEL", "MASTER", "main"])).unwrap();
                let says =
                    |name: &str, count: usize| facts.windows(2).any(|w| w[0] == name && w[1] == count.to_string());
                says("num-slaves", replicas) && says("num-other-sentinels", others)
            };
            all.sentinels.iter().all(knows)
        });
        all
    }

    /// The address of whichever is the primary.
    pub(crate) fn url(&self) -> String {
        let hosts: Vec<String> = self.sentinels.iter().map(|s| format!("127.0.0.1:{}", s.port())).collect();
        format!("redis+sentinel://{}/main", hosts.join(","))
    }

    /// Waits until a server other than this one is the primary, and the rest follow it; which.
    pub(crate) fn until_promoted_instead_of(&self, old: usize) -> usize {
        let promoted = |all: &Self| {
            let others = all.servers.iter().enumerate().filter(|(n, _)| *n != old);
            others.filter(|(_, server)| server.says("replication", "role:master")).map(|(n, _)| n).next()
        };
        self.until("a replica was promoted", |all| promoted(all).is_some());
        promoted(self).unwrap()
    }

    /// Waits until something holds.
    pub(crate) fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        until(what, || holds(self));
    }
}

/// A Cluster without replicas.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<RedisServer>,
}

impl Cluster {
    /// Starts so many nodes that share the slots evenly.
    pub(crate) fn start(count: u16) -> Self {
        let nodes: Vec<RedisServer> = (0..count).map(|_| RedisServer::cluster_node()).collect();
        for (n, node) in (0..count).zip(&nodes) {
            let slot = |n: u16| u32::from(SLOTS) * u32::from(n) / u32::from(count);
            node.command(&["CLUSTER", "ADDSLOTSRANGE", &slot(n).to_string(), &(slot(n + 1) - 1).to_string()]);
        }
        for node in &nodes[1..] {
            let bus = node.command(&["CONFIG", "GET", "cluster-port"]);
            let bus: Vec<String> = redis::from_redis_value(bus).unwrap();
            nodes[0].command(&["CLUSTER", "MEET", "127.0.0.1", &node.port().to_string(), &bus[1]]);
        }
        let size = format!("cluster_known_nodes:{count}");
        until("the nodes form a Cluster", || {
            let says =
                |node: &RedisServer, words: &str| format!("{:?}", node.command(&["CLUSTER", "INFO"])).contains(words);
            let whole = "cluster_slots_ok:16384";
            nodes.iter().all(|node| says(node, "cluster_state:ok") && says(node, &size) && says(node, whole))
        });
        Self { nodes }
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        let hosts: Vec<String> = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
        format!("redis+cluster://{}", hosts.join(","))
    }

    /// The slot of a key.
    pub(crate) fn slot(&self, key: &str) -> u16 {
        redis::from_redis_value(self.nodes[0].command(&["CLUSTER", "KEYSLOT", key])).unwrap()
    }

    /// Which node has a slot.
    pub(crate) fn owner(&self, slot: u16) -> usize {
        let has = |node: &RedisServer| {
            let lines: String = redis::from_redis_value(node.command(&["CLUSTER", "NODES"])).unwrap();
            let own = lines.lines().find(|line| line.contains("myself")).unwrap().to_owned();
            own.split(' ').skip(8).any(|range| {
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                let number = |text: &str| text.parse::<u16>().ok();
                number(first).zip(number(last)).is_some_and(|(first, last)| (first..=last).contains(&slot))
            })
        };
        self.nodes.iter().position(has).unwrap()
    }

    /// Announces that a slot moves to a node.
    pub(crate) fn announce(&self, slot: u16, to: usize) {
        let (source, target) = (&self.nodes[self.owner(slot)], &self.nodes[to]);
        target.command(&["CLUSTER", "SETSLOT", &slot.to_string(), "IMPORTING", &id(source)]);
        source.command(&["CLUSTER", "SETSLOT", &slot.to_string(), "MIGRATING", &id(target)]);
    }

    /// Carries what a slot holds to the node that it was announced to, with a pause between keys, and says that it is
    /// done, as an operator's tool does.
    pub(crate) fn carry(&self, slot: u16, to: usize, pause: Duration) {
        let (source, target) = (&self.nodes[self.owner(slot)], &self.nodes[to]);
        let (port, slot) = (target.port().to_string(), slot.to_string());
        loop {
            let keys = source.command(&["CLUSTER", "GETKEYSINSLOT", &slot, "5"]);
            let keys: Vec<String> = redis::from_redis_value(keys).unwrap();
            if keys.is_empty() {
                break;
            }
            let words: Vec<&str> = ["MIGRATE", "127.0.0.1", &port, "", "0", "1000", "KEYS"]
                .into_iter()
                .chain(keys.iter().map(String::as_str))
                .collect();
            source.command(&words);
            sleep(pause);
        }
        for node in std::iter::once(target).chain(&self.nodes) {
            node.command(&["CLUSTER", "SETSLOT", &slot, "NODE", &id(target)]);
        }
    }
}

fn id(node: &RedisServer) -> String {
    redis::from_redis_value(node.command(&["CLUSTER", "MYID"])).unwrap()
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + AGREED_WITHIN;
    while !holds() {
        assert!(Instant::now() < deadline, "not within {AGREED_WITHIN:?}: {what}");
        sleep(Duration::from_millis(20));
    }
}
