//! The rows of the table, and the stage for one: a server in this process, with whatever it stores into.

use std::{net::SocketAddr, sync::Arc};

use anyhow::ensure;
use axum::{
    Router,
    body::to_bytes,
    extract::{Request, State},
    http::StatusCode,
    routing::post,
};
use bobbin::{
    app::{Limits, serve},
    clock::{Clock as _, SystemClock},
    domain::{
        ids::{TeamId, UserId},
        mailbox::Mailbox,
    },
    receive::{self, MAX_BODY_BYTES, Receive, Refusals},
    slack::signature::SigningSecrets,
    store::{Admit, Door, Input, Offer, SharedStore, embedded::EmbeddedStore, redis::RedisStore},
};
use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Runtime, sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{SECRET, counting::Counting, disk, redis::RedisServer};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Row {
    /// Answers at once.
    Empty,
    /// Reads the body and checks its signature.
    Signature,
    /// The doors into one file, which has each input when the answer leaves.
    Embedded,
    /// The doors into a Redis that keeps nothing on disk.
    RedisMemory,
    /// The doors into a Redis that syncs its file every second.
    RedisEverysec,
    /// The doors into a Redis whose file has each input when it answers.
    RedisAlways,
}

impl Row {
    /// All, the empty server at both ends.
    pub(crate) const ALL: [Self; 7] = [
        Self::Empty,
        Self::Signature,
        Self::Embedded,
        Self::RedisMemory,
        Self::RedisEverysec,
        Self::RedisAlways,
        Self::Empty,
    ];
    /// Those with a store.
    pub(crate) const STORES: [Self; 4] = [Self::Embedded, Self::RedisMemory, Self::RedisEverysec, Self::RedisAlways];

    /// What it is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Empty => "answers at once",
            Self::Signature => "checks the signature",
            Self::Embedded => "embedded, fsync",
            Self::RedisMemory => "Redis, no append-only file",
            Self::RedisEverysec => "Redis, appendfsync everysec",
            Self::RedisAlways => "Redis, appendfsync always",
        }
    }

    /// Whether it stores anything.
    pub(crate) fn stores(self) -> bool {
        Self::STORES.contains(&self)
    }

    /// The settings of its Redis.
    fn redis(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Empty | Self::Signature | Self::Embedded => None,
            Self::RedisMemory => Some(&["--appendonly", "no"]),
            Self::RedisEverysec => Some(&["--appendonly", "yes", "--appendfsync", "everysec"]),
            Self::RedisAlways => Some(&["--appendonly", "yes", "--appendfsync", "always"]),
        }
    }
}

/// A server for one row.
#[derive(Debug)]
pub(crate) struct Stage {
    runtime: Runtime,
    address: SocketAddr,
    server: JoinHandle<()>,
    stop: CancellationToken,
    store: Option<SharedStore>,
    counting: Option<Arc<Counting>>,
    redis: Option<RedisServer>,
    _folder: TempDir,
}

impl Stage {
    /// Starts a row's server.
    pub(crate) fn new(row: Row) -> anyhow::Result<Self> {
        Self::start(row, |store| (store, None))
    }

    /// Starts it with a store that counts its operations.
    pub(crate) fn counting(row: Row) -> anyhow::Result<Self> {
        Self::start(row, |store| {
            let counting = Arc::new(Counting::new(store));
            (counting.clone(), Some(counting))
        })
    }

    fn start(row: Row, wrap: fn(SharedStore) -> (SharedStore, Option<Arc<Counting>>)) -> anyhow::Result<Self> {
        let folder = disk::folder()?;
        let redis = row.redis().map(RedisServer::start).transpose()?;
        let clock = Arc::new(SystemClock);
        let plain: Option<SharedStore> = match (&redis, row.stores()) {
            (Some(redis), _) => Some(Arc::new(RedisStore::new(redis.url(), clock, 0)?)),
            (None, true) => Some(Arc::new(EmbeddedStore::open(folder.path().join("bobbin.db"), clock)?)),
            (None, false) => None,
        };
        let (store, counting) = plain.map(wrap).unzip();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        if let Some(store) = &store {
            runtime.block_on(store.found())?;
        }
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let router = router(row, store.clone())?;
        let server = runtime.spawn(serve(listener, router, Limits::default(), stop.clone()));
        Ok(Self { runtime, address, server, stop, store, counting: counting.flatten(), redis, _folder: folder })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets Redis load the script, which costs the first call a second try, and counts from zero.
    pub(crate) fn reset(&self) -> anyhow::Result<()> {
        if let (Some(store), Some(redis)) = (&self.store, &self.redis) {
            let nobody =
                Mailbox::Person { team: "T07LOOM01".parse::<TeamId>()?, user: "U07ADA0001".parse::<UserId>()? };
            let input = Input::received(SystemClock.now(), Door::Events, Vec::new());
            let unknown = Offer { mailbox: nobody, input, seen: Vec::new(), admit: Admit::IfKnown };
            self.runtime.block_on(store.accept(&unknown))?;
            redis.reset()?;
        }
        if let Some(counting) = &self.counting {
            counting.reset();
        }
        Ok(())
    }

    /// Store operations since the last reset.
    pub(crate) fn operations(&self) -> usize {
        self.counting.as_ref().map_or(0, |counting| counting.operations())
    }

    /// Script calls at Redis since the last reset.
    pub(crate) fn script_calls(&self) -> anyhow::Result<Option<usize>> {
        self.redis.as_ref().map(RedisServer::script_calls).transpose()
    }

    /// Checks that what was acknowledged is there (each mention has a mailbox of its own), and stops the server.
    pub(crate) fn all_stored(self, acknowledged: usize) -> anyhow::Result<()> {
        self.stop.cancel();
        self.runtime.block_on(self.server)?;
        if let Some(store) = &self.store {
            let stored = usize::try_from(self.runtime.block_on(store.backlog())?.ready)?;
            ensure!(stored == acknowledged, "{acknowledged} mentions were acknowledged, {stored} are stored");
        }
        Ok(())
    }
}

fn router(row: Row, store: Option<SharedStore>) -> anyhow::Result<Router> {
    let secrets = SigningSecrets::parse(SECRET)?;
    if let Some(store) = store {
        let (clock, bell) = (Arc::new(SystemClock), Arc::new(Notify::new()));
        let receive = Receive {
            rules: bobbin::config::Live::default(),
            seal: bobbin::store::seal::Seal::new(b"key"),
            triggers: bobbin::slack::trigger::queue().0,
            store,
            spool: None,
            clock,
            secrets: bobbin::config::Live::new(secrets),
            bell,
            refusals: Refusals::default(),
        };
        return Ok(receive::routes(Arc::new(receive)));
    }
    let events = if row == Row::Signature { post(check) } else { post(async || StatusCode::OK) };
    Ok(Router::new().route("/slack/events", events).with_state(secrets))
}

async fn check(State(secrets): State<SigningSecrets>, request: Request) -> StatusCode {
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, MAX_BODY_BYTES).await else { return StatusCode::BAD_REQUEST };
    match secrets.verify(&parts.headers, bytes, SystemClock.now()) {
        Ok(_) => StatusCode::OK,
        Err(_) => StatusCode::UNAUTHORIZED,
    }
}
