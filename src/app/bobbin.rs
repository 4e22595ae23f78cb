//! The bot, put together from its configuration: every handle exactly once.

use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use secrecy::{ExposeSecret as _, SecretSlice};
use tokio::sync::{Notify, OnceCell};
use uuid::Uuid;

use super::rebuild::{Rebuild, Sources};
use crate::{
    clock::Clock,
    config::{Config, StoreConfig, StoreKind},
    devin::Devin,
    outbound::{Outbound, OutboundOptions},
    people::People,
    receive::{self, Receive, Refusals},
    slack::{Slack, signature::SigningSecrets, trigger},
    steps::Marks,
    store::{
        Bell, SharedStore,
        embedded::{EmbeddedStore, Spool, SpoolBounds},
        redis::RedisStore,
        seal::Seal,
    },
    watch::{Watch, WatchDeps},
    work::{Deps, Lane, Worker},
};

/// The bot's parts, ready to run.
#[derive(Debug, Clone)]
pub struct Bobbin {
    /// Mailboxes and memory.
    pub store: SharedStore,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Handles mailboxes.
    pub worker: Worker,
    /// Opens modals at once.
    pub lane: Arc<Lane>,
    /// Looks at Devin.
    pub watch: Arc<Watch>,
    /// Founds a store that is new or was emptied.
    pub rebuild: Arc<Rebuild>,
    /// The doors.
    pub receive: Arc<Receive>,
    /// Rung when a mailbox got something.
    pub bell: Bell,
    /// Rung when Devin got something.
    pub nudge: Bell,
}

/// Opens the store that the configuration names.
pub fn open_store(config: &StoreConfig, clock: Arc<dyn Clock>) -> anyhow::Result<SharedStore> {
    Ok(match &config.kind {
        StoreKind::Embedded(path) => Arc::new(EmbeddedStore::open(path, clock)?),
        StoreKind::Redis(url) => Arc::new(RedisStore::new(url.expose_secret(), clock, config.redis_wait)?),
    })
}

impl Bobbin {
    /// Puts the bot together.
    pub fn new(config: &Config, store: SharedStore, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let outbound = Outbound::new(OutboundOptions::default()).context("the HTTP client cannot be made")?;
        Self::with_outbound(config, store, clock, outbound)
    }

    /// Puts the bot together with a way out that exists already.
    pub fn with_outbound(
        config: &Config,
        store: SharedStore,
        clock: Arc<dyn Clock>,
        outbound: Outbound,
    ) -> anyhow::Result<Self> {
        let slack = Slack::new(
            outbound.clone(),
            config.slack.api_url.clone(),
            config.slack.bot_token.clone(),
            config.slack.file_hosts.clone(),
        );
        let devin =
            Devin::new(outbound, config.devin.api_url.clone(), config.devin.api_key.clone(), config.devin.org.clone());
        let bell: Bell = Arc::new(Notify::new());
        let nudge: Bell = Arc::new(Notify::new());
        let rules = Arc::new(config.rules.clone());
        let key = key(config)?;
        let seal = Seal::new(key.expose_secret());
        let (triggers, triggers_out) = trigger::queue();
        let lane = Lane::new(slack.clone(), clock.clone(), triggers_out);
        let deps = Arc::new(Deps {
            store: store.clone(),
            clock: clock.clone(),
            slack: slack.clone(),
            devin: devin.clone(),
            people: People::new(slack.clone(), devin.clone(), store.clone()),
            marks: Marks::new(key.expose_secret()),
            seal: seal.clone(),
            rules: rules.clone(),
            bell: bell.clone(),
            nudge: nudge.clone(),
            me: OnceCell::new(),
        });
        let watch = WatchDeps {
            store: store.clone(),
            clock: clock.clone(),
            devin: devin.clone(),
            slack: slack.clone(),
            bell: bell.clone(),
        };
        let holder = Uuid::now_v7().to_string();
        let sources = Sources { store: store.clone(), clock: clock.clone(), devin, slack };
        let secrets = SigningSecrets::new(config.slack.signing_secrets.clone())?;
        let receive = Receive {
            store: store.clone(),
            spool: spool(&config.store, clock.clone())?,
            clock: clock.clone(),
            secrets,
            bell: bell.clone(),
            refusals: Refusals::default(),
            seal,
            triggers,
            rules,
        };
        Ok(Self {
            store,
            clock,
            lane: Arc::new(lane),
            worker: Worker::new(deps, config.store.lease),
            watch: Arc::new(Watch::new(watch, config.devin.poll_interval, holder.clone())),
            rebuild: Arc::new(Rebuild::new(sources, holder)),
            receive: Arc::new(receive),
            bell,
            nudge,
        })
    }

    /// The routes that Slack posts to.
    pub fn doors(&self) -> Router {
        receive::routes(self.receive.clone())
    }
}

/// The spool, where there is to be one.
fn spool(config: &StoreConfig, clock: Arc<dyn Clock>) -> anyhow::Result<Option<Arc<Spool>>> {
    let spool = config.spool.as_ref().map(|path| Spool::open(path, clock, SpoolBounds::default()));
    Ok(spool.transpose().context("BOBBIN_SPOOL")?.map(Arc::new))
}

/// The configured key, or the newest signing secret in its place.
fn key(config: &Config) -> anyhow::Result<SecretSlice<u8>> {
    if let Some(key) = &config.slack.secret_key {
        return Ok(hex::decode(key.expose_secret())?.into());
    }
    let newest = config.slack.signing_secrets.first().context("no signing secret")?;
    Ok(newest.expose_secret().as_bytes().to_vec().into())
}
