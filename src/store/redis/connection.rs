//! The one place that holds connections, because the crate's own manager has traps: its default answer time-out does
//! not fit ours, and it keeps a connection to a node that was demoted (READONLY) or that no longer answers.
//!
//! So: every request has one cap that covers connecting, asking and loading a script; an answer that says "not me"
//! or two time-outs in a row drop the connection, and the next request makes a new one, asking DNS or Sentinel again.
//! Nothing is retried here: after a lost answer only the caller knows whether doing it again is safe.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError, RedisResult, ServerErrorKind,
    Value,
    aio::MultiplexedConnection,
    cluster::ClusterClientBuilder,
    cluster_async::ClusterConnection,
    cluster_routing::{Route, RoutingInfo, SingleNodeRoutingInfo, Slot, SlotAddr},
};
use tokio::time::timeout;

use super::{scripts::Call, target::Target};

/// Longest an operation may take in milliseconds: an unreachable Redis has to be an error within a second, so that the
/// door can answer 503 within Slack's three.
const OPERATION_CAP_MS: u64 = 900;

/// Time-outs in a row after which the connection is given up: one may be a slow fork, two are a pattern.
const TIMEOUTS_BEFORE_REBUILD: u32 = 2;

/// How long `WAIT` waits for replicas in milliseconds: one in sync answers in under one, and one that is not would
/// cost every request the full time.
const WAIT_MS: u32 = 200;

/// How often Cluster's client follows a moved slot or a lost node before it gives up.
const CLUSTER_RETRIES: u32 = 3;

/// Connections that accept with `WAIT`: each is stalled while its request waits for replicas.
const WAITING_CONNECTIONS: usize = 8;

/// One shared connection that is rebuilt when it no longer serves.
pub(super) struct Link {
    target: Arc<Target>,
    held: Mutex<Option<Held>>,
    dialing: tokio::sync::Mutex<()>,
    dials: AtomicUsize,
    timeouts: AtomicU32,
}

#[derive(Clone)]
struct Held {
    /// Which dial made it, so that a late failure of an old connection does not drop a new one.
    dial: u64,
    connection: Connection,
}

#[derive(Clone)]
enum Connection {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

enum Request<'a> {
    Script(&'a Call<'a>),
    ScriptThenWait(&'a Call<'a>, u32),
    Command(&'a Cmd, &'a str),
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("dials", &self.dials).finish_non_exhaustive()
    }
}

impl Link {
    /// A connection that is made when first needed.
    pub(super) fn new(target: Arc<Target>) -> Self {
        Self {
            target,
            held: Mutex::new(None),
            dialing: tokio::sync::Mutex::new(()),
            dials: AtomicUsize::new(0),
            timeouts: AtomicU32::new(0),
        }
    }

    /// Runs a script.
    pub(super) async fn script(&self, call: &Call<'_>) -> RedisResult<Value> {
        self.ask(Request::Script(call)).await.map(|(value, _)| value)
    }

    /// Runs a command on the node of `key`.
    pub(super) async fn command(&self, command: &Cmd, key: &str) -> RedisResult<Value> {
        self.ask(Request::Command(command, key)).await.map(|(value, _)| value)
    }

    async fn ask(&self, request: Request<'_>) -> RedisResult<(Value, u32)> {
        let dial = AtomicU64::new(0);
        let work = async {
            let mut held = self.held().await?;
            dial.store(held.dial, Ordering::Relaxed);
            held.connection.answer(&request).await
        };
        let outcome = timeout(Duration::from_millis(OPERATION_CAP_MS), work).await.unwrap_or_else(|_| Err(no_answer()));
        self.judge(dial.into_inner(), outcome.as_ref().err());
        outcome
    }

    async fn held(&self) -> RedisResult<Held> {
        if let Some(held) = self.current() {
            return Ok(held);
        }
        let _dialing = self.dialing.lock().await;
        if let Some(held) = self.current() {
            return Ok(held);
        }
        let dial = self.dials.fetch_add(1, Ordering::Relaxed) + 1;
        let connection = connect(&self.target, dial).await?;
        let held = Held { dial: dial as u64, connection };
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(held.clone());
        self.timeouts.store(0, Ordering::Relaxed);
        Ok(held)
    }

    fn current(&self) -> Option<Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Which connection was made last.
    pub(super) fn dialed(&self) -> u64 {
        self.dials.load(Ordering::Relaxed) as u64
    }

    /// A primary whose replicas are gone may have been replaced while it stood still: it says so only much later, so
    /// the next request asks again who the primary is.
    fn doubt(&self) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Decides whether the connection still serves.
    fn judge(&self, dial: u64, error: Option<&RedisError>) {
        let give_up = match error {
            Some(e) if e.is_timeout() => self.timeouts.fetch_add(1, Ordering::Relaxed) + 1 >= TIMEOUTS_BEFORE_REBUILD,
            other => {
                self.timeouts.store(0, Ordering::Relaxed);
                other.is_some_and(misplaced)
            }
        };
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if give_up && held.as_ref().is_some_and(|held| held.dial == dial) {
            *held = None;
            self.timeouts.store(0, Ordering::Relaxed);
        }
    }
}

/// Connections on which a write is followed by `WAIT`, one request at a time each.
#[derive(Debug)]
pub(super) struct WaitingLinks {
    links: Vec<tokio::sync::Mutex<Link>>,
    next: AtomicUsize,
    replicas: u32,
}

impl WaitingLinks {
    /// Connections that wait for so many replicas.
    pub(super) fn new(target: &Arc<Target>, replicas: u32) -> Self {
        let links = (0..WAITING_CONNECTIONS).map(|_| tokio::sync::Mutex::new(Link::new(Arc::clone(target)))).collect();
        Self { links, next: AtomicUsize::new(0), replicas }
    }

    /// Runs a script and waits for the replicas. Gives its answer and how many have its writes.
    pub(super) async fn script(&self, call: &Call<'_>) -> RedisResult<(Value, u32)> {
        let work = async {
            let link = self.free().await;
            let answer = link.ask(Request::ScriptThenWait(call, self.replicas)).await;
            if answer.as_ref().is_ok_and(|(_, replicas)| *replicas < self.replicas) {
                link.doubt();
            }
            answer
        };
        let cap = Duration::from_millis(OPERATION_CAP_MS);
        timeout(cap, work).await.unwrap_or_else(|_| Err(no_answer()))
    }

    async fn free(&self) -> tokio::sync::MutexGuard<'_, Link> {
        let start = self.next.fetch_add(1, Ordering::Relaxed) % self.links.len();
        let (before, after) = self.links.split_at(start);
        for link in after.iter().chain(before) {
            if let Ok(free) = link.try_lock() {
                return free;
            }
        }
        match after.first() {
            Some(link) => link.lock().await,
            None => std::future::pending().await,
        }
    }
}

impl Connection {
    async fn answer(&mut self, request: &Request<'_>) -> RedisResult<(Value, u32)> {
        match request {
            Request::Command(command, key) => Ok((self.one(command, key).await?, 0)),
            Request::Script(call) => match self.one(&call.by_hash(), call.key()).await {
                Err(e) if unknown_script(&e) => Ok((self.one(&call.by_text(), call.key()).await?, 0)),
                other => Ok((other?, 0)),
            },
            Request::ScriptThenWait(call, replicas) => {
                match self.then_wait(call.by_hash(), call.key(), *replicas).await {
                    Err(e) if unknown_script(&e) => self.then_wait(call.by_text(), call.key(), *replicas).await,
                    other => other,
                }
            }
        }
    }

    async fn one(&mut self, command: &Cmd, key: &str) -> RedisResult<Value> {
        match self {
            Self::Single(connection) => command.query_async(connection).await,
            Self::Cluster(connection) => {
                let value = connection.route_command(command.clone(), RoutingInfo::SingleNode(node_of(key))).await?;
                RedisResult::<Value>::from_redis_value(value)?
            }
        }
    }

    /// Sends both in one go: `WAIT` speaks of the writes of its own connection only.
    async fn then_wait(&mut self, write: Cmd, key: &str, replicas: u32) -> RedisResult<(Value, u32)> {
        let mut wait = redis::cmd("WAIT");
        wait.arg(replicas).arg(WAIT_MS);
        let mut both = Pipeline::new();
        both.add_command(write).add_command(wait).ignore_errors();
        let answers: Vec<RedisResult<Value>> = match self {
            Self::Single(connection) => both.query_async(connection).await?,
            Self::Cluster(connection) => {
                let values = connection.route_pipeline(both, 0, 2, node_of(key)).await?;
                FromRedisValue::from_redis_value(Value::Array(values))?
            }
        };
        let mut answers = answers.into_iter();
        let mut next = || answers.next().unwrap_or_else(|| Err((ErrorKind::Client, "an answer is missing").into()));
        Ok((next()?, u32::from_redis_value(next()?)?))
    }
}

async fn connect(target: &Target, turn: usize) -> RedisResult<Connection> {
    // The cap around the whole request is the time-out; the crate's own would only be a second opinion.
    let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    match target {
        Target::Single(info) => {
            let client = Client::open(info.clone())?;
            client.get_multiplexed_async_connection_with_config(&config).await.map(Connection::Single)
        }
        Target::Sentinel(sentinels) => {
            let mut client = sentinels.client(turn)?;
            client.get_async_connection_with_config(&config).await.map(Connection::Single)
        }
        Target::Cluster(nodes) => {
            let cap = Duration::from_millis(OPERATION_CAP_MS);
            let client = ClusterClientBuilder::new(nodes.clone())
                .retries(CLUSTER_RETRIES)
                .connection_timeout(cap)
                .response_timeout(cap)
                .build()?;
            client.get_async_connection().await.map(Connection::Cluster)
        }
    }
}

fn node_of(key: &str) -> SingleNodeRoutingInfo {
    SingleNodeRoutingInfo::SpecificNode(Route::with_slot(Slot::for_key(key), SlotAddr::Master))
}

fn unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

/// Whether the answer means that this connection leads to the wrong place, or nowhere.
fn misplaced(error: &RedisError) -> bool {
    let refused = matches!(
        error.kind(),
        ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown | ServerErrorKind::BusyLoading)
    );
    refused || error.is_connection_dropped() || error.is_unrecoverable_error()
}

fn no_answer() -> RedisError {
    std::io::Error::new(std::io::ErrorKind::TimedOut, format!("no answer within {OPERATION_CAP_MS} ms")).into()
}
