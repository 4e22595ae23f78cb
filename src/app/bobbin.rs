//! The bot, put together from its configuration: every handle exactly once.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::Context as _;
use axum::Router;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use tokio::sync::{Notify, OnceCell};
use uuid::Uuid;

use super::{
    manifest,
    rebuild::{Rebuild, Sources},
    sockets::{SocketPace, Sockets},
};
use crate::{
    clock::Clock,
    config::{Config, Live, StoreConfig, StoreKind},
    console::SignIn,
    devin::Devin,
    domain::{ids::OrgId, routing::Routing, rules::Rules},
    install::{self, Install},
    outbound::{Outbound, OutboundOptions},
    oversight::Oversight,
    people::People,
    receive::{self, Receive, Refusals},
    slack::{
        OAuth, Slack, SocketMode,
        signature::SigningSecrets,
        trigger::{self, Triggers},
    },
    steps::Marks,
    store::{
        Bell, SharedStore,
        embedded::{EmbeddedStore, Spool, SpoolBounds},
        redis::RedisStore,
        seal::Seal,
    },
    tenancy::{Installations, InstalledTokens, OneWorkspace, Workspaces},
    watch::{Scope, Watch, WatchDeps},
    work::{Deps, Lane, Other, SlackOf, Tenants, Worker},
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
    /// Look at the other organisations, each with what is rung when something was sent there.
    pub more_watches: Vec<(Arc<Watch>, Bell)>,
    /// Lets workspaces install the app, where they do.
    pub install: Option<Arc<Install>>,
    /// Lets operators sign in to the console, where any are named.
    pub sign_in: Option<Arc<SignIn>>,
    /// Founds a store that is new or was emptied.
    pub rebuild: Arc<Rebuild>,
    /// What operators see and do.
    pub oversight: Arc<Oversight>,
    /// The doors.
    pub receive: Arc<Receive>,
    /// Sockets to Slack, in Socket Mode.
    pub sockets: Option<Arc<Sockets>>,
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
        let (devin, others) = organisations(config, &outbound);
        let (bell, nudge): (Bell, Bell) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let rules = Live::new(config.rules.clone());
        let key = key(config)?;
        let seal = Seal::new(key.expose_secret());
        let (triggers, triggers_out) = trigger::queue();
        let sign_in = sign_in(config, &outbound)?;
        let sockets = sockets(config, &outbound);
        let Speaking { slack, workspaces, installations, slack_of } =
            speaking(config, &store, &clock, &seal, outbound)?;
        let routing = Arc::new(config.routing.clone());
        let people = People::new(slack.clone(), devin.clone(), store.clone(), others.keys().cloned().collect());
        let oversight = oversight(&store, &people, &slack, &others, &bell);
        let deps = Arc::new(Deps {
            store: store.clone(),
            clock: clock.clone(),
            slack,
            devin: devin.clone(),
            people,
            marks: Marks::new(key.expose_secret()),
            seal: seal.clone(),
            rules: rules.clone(),
            bell: bell.clone(),
            nudge: nudge.clone(),
            installations: installations.clone(),
            organisations: Arc::default(),
            me: OnceCell::new(),
        });
        let tenants =
            Arc::new(Tenants::new(deps, others.clone(), routing.clone(), installations.clone().zip(slack_of)));
        let holder = Uuid::now_v7().to_string();
        let watching =
            Watching { store: &store, clock: &clock, workspaces: &workspaces, routing: &routing, bell: &bell };
        let watch = watching.watch(config, None, &devin, &holder);
        let look_at = |(name, other): (&String, &Other)| {
            (watching.watch(config, Some(name), &other.devin, &holder), other.nudge.clone())
        };
        let more_watches = others.iter().map(look_at).collect();
        let devins = watching.devins(devin, &others);
        let sources = Sources { store: store.clone(), clock: clock.clone(), devins, workspaces: workspaces.clone() };
        let install = install(config, installations.as_ref(), &store, &clock, &bell)?;
        let receive = receive(config, &store, &clock, &bell, (seal, triggers, rules))?;
        Ok(Self {
            lane: Arc::new(Lane::new(tenants.clone(), clock.clone(), triggers_out)),
            store,
            clock,
            worker: Worker::new(tenants, config.store.lease),
            watch,
            more_watches,
            install,
            sign_in,
            oversight,
            rebuild: Arc::new(Rebuild::new(sources, holder)),
            receive: Arc::new(receive),
            sockets,
            bell,
            nudge,
        })
    }

    /// The routes that Slack posts to, and sends people to who install.
    pub fn doors(&self) -> Router {
        let doors = receive::routes(self.receive.clone());
        match &self.install {
            Some(install) => doors.merge(install::routes(install.clone())),
            None => doors,
        }
    }
}

/// The doors' handles.
fn receive(
    config: &Config,
    store: &SharedStore,
    clock: &Arc<dyn Clock>,
    bell: &Bell,
    (seal, triggers, rules): (Seal, Triggers, Live<Rules>),
) -> anyhow::Result<Receive> {
    Ok(Receive {
        store: store.clone(),
        spool: spool(&config.store, clock.clone())?,
        clock: clock.clone(),
        secrets: Live::new(signing_secrets(config)?),
        bell: bell.clone(),
        refusals: Refusals::default(),
        seal,
        triggers,
        rules,
    })
}

/// What requests are verified with; in Socket Mode there may be nothing, and then none is taken.
pub(super) fn signing_secrets(config: &Config) -> anyhow::Result<SigningSecrets> {
    let secrets = config.slack.signing_secrets.clone();
    if secrets.is_empty() && config.slack.socket_mode.is_some() {
        return Ok(SigningSecrets::none());
    }
    Ok(SigningSecrets::new(secrets)?)
}

/// The sockets, in Socket Mode.
fn sockets(config: &Config, outbound: &Outbound) -> Option<Arc<Sockets>> {
    let mode = config.slack.socket_mode.as_ref()?;
    let slack = SocketMode::new(outbound.clone(), config.slack.api_url.clone(), mode.app_token.clone());
    Some(Arc::new(Sockets::new(slack, mode.sockets, SocketPace::default())))
}

/// What operators see and do, in every organisation.
fn oversight(
    store: &SharedStore,
    people: &Arc<People>,
    slack: &Slack,
    others: &BTreeMap<String, Other>,
    bell: &Bell,
) -> Arc<Oversight> {
    let of_others = others.iter().map(|(name, other)| people.with(slack.clone(), other.devin.clone(), Some(name)));
    Arc::new(Oversight::new(store.clone(), [people.clone()].into_iter().chain(of_others), bell.clone()))
}

/// Devin's API as each organisation: the one for all, and the others by name.
fn organisations(config: &Config, outbound: &Outbound) -> (Devin, BTreeMap<String, Other>) {
    let of = |org: &OrgId, key: &SecretString| {
        Devin::new(outbound.clone(), config.devin.api_url.clone(), key.clone(), org.clone())
    };
    let others = config.organisations.iter().map(|other| {
        let (devin, nudge) = (of(&other.id, &other.key), Bell::default());
        (other.name.clone(), Other { devin, nudge })
    });
    (of(&config.devin.org, &config.devin.api_key), others.collect())
}

/// What the watches of all organisations have in common.
struct Watching<'a> {
    store: &'a SharedStore,
    clock: &'a Arc<dyn Clock>,
    workspaces: &'a Arc<dyn Workspaces>,
    routing: &'a Arc<Routing>,
    bell: &'a Bell,
}

impl Watching<'_> {
    fn watch(&self, config: &Config, organisation: Option<&String>, devin: &Devin, holder: &str) -> Arc<Watch> {
        let deps = WatchDeps {
            store: self.store.clone(),
            clock: self.clock.clone(),
            devin: devin.clone(),
            workspaces: self.workspaces.clone(),
            scope: self.scope(organisation),
            bell: self.bell.clone(),
        };
        Arc::new(Watch::new(deps, config.devin.poll_interval, holder.to_owned()))
    }

    /// Where the sessions of which threads are.
    fn devins(&self, devin: Devin, others: &BTreeMap<String, Other>) -> Vec<(Scope, Devin)> {
        let others = others.iter().map(|(name, other)| (self.scope(Some(name)), other.devin.clone()));
        [(self.scope(None), devin)].into_iter().chain(others).collect()
    }

    fn scope(&self, organisation: Option<&String>) -> Scope {
        Scope { organisation: organisation.cloned(), routing: self.routing.clone() }
    }
}

/// How we speak in Slack.
struct Speaking {
    /// Where no workspace is meant, or where there is but one.
    slack: Slack,
    workspaces: Arc<dyn Workspaces>,
    installations: Option<Arc<Installations>>,
    slack_of: Option<SlackOf>,
}

/// With the one bot token, or with those of the workspaces that install.
fn speaking(
    config: &Config,
    store: &SharedStore,
    clock: &Arc<dyn Clock>,
    seal: &Seal,
    outbound: Outbound,
) -> anyhow::Result<Speaking> {
    let (api, hosts) = (config.slack.api_url.clone(), config.slack.file_hosts.clone());
    if let Some(token) = &config.slack.bot_token {
        let slack = Slack::new(outbound, api, token.clone(), hosts);
        let workspaces = Arc::new(OneWorkspace::of(slack.clone()));
        return Ok(Speaking { slack, workspaces, installations: None, slack_of: None });
    }
    let app = config.slack.oauth.clone().context("neither a bot token nor the app's credentials")?;
    let oauth = OAuth::new(outbound.clone(), api.clone(), app.client_id, app.client_secret);
    let installations =
        Arc::new(Installations::new(store.clone(), clock.clone(), seal.clone(), oauth, config.slack.invited.clone()));
    let (known, clock) = (installations.clone(), clock.clone());
    let slack_of: SlackOf = Box::new(move |team| {
        let tokens = InstalledTokens::new(known.clone(), clock.clone(), team.clone());
        Slack::with_tokens(outbound.clone(), api.clone(), Arc::new(tokens), hosts.clone())
    });
    // Of no workspace: whoever asked for it would be told that there is no installation.
    let slack = slack_of(&"T0".parse()?);
    Ok(Speaking {
        slack,
        workspaces: installations.clone(),
        installations: Some(installations),
        slack_of: Some(slack_of),
    })
}

/// The pages that install, where workspaces do.
fn install(
    config: &Config,
    installations: Option<&Arc<Installations>>,
    store: &SharedStore,
    clock: &Arc<dyn Clock>,
    bell: &Bell,
) -> anyhow::Result<Option<Arc<Install>>> {
    let Some(installations) = installations else { return Ok(None) };
    Ok(Some(Arc::new(Install {
        installations: installations.clone(),
        store: store.clone(),
        clock: clock.clone(),
        bell: bell.clone(),
        public_url: config.service.public_url.clone().context("no public address")?,
        pkce: config.slack.oauth.as_ref().is_some_and(|app| app.pkce),
        scopes: manifest::scopes(),
        key: key(config)?,
    })))
}

/// What signing in to the console needs, where anybody is named who may.
fn sign_in(config: &Config, outbound: &Outbound) -> anyhow::Result<Option<Arc<SignIn>>> {
    if config.console.admins.is_empty() {
        return Ok(None);
    }
    let app = config.slack.oauth.clone().context("operators are named, but not the app's credentials")?;
    let api = config.slack.api_url.clone();
    Ok(Some(Arc::new(SignIn {
        oauth: OAuth::new(outbound.clone(), api, app.client_id, app.client_secret),
        admins: Live::new(config.console.admins.clone()),
        public_url: config.service.public_url.clone().context("no public address")?,
        pkce: app.pkce,
        key: key(config)?,
    })))
}

/// The spool, where there is to be one.
fn spool(config: &StoreConfig, clock: Arc<dyn Clock>) -> anyhow::Result<Option<Arc<Spool>>> {
    let spool = config.spool.as_ref().map(|path| Spool::open(path, clock, SpoolBounds::default()));
    Ok(spool.transpose().context("BOBBIN_SPOOL")?.map(Arc::new))
}

/// The configured key, or the newest signing secret in its place.
pub(super) fn key(config: &Config) -> anyhow::Result<SecretSlice<u8>> {
    if let Some(key) = &config.slack.secret_key {
        return Ok(hex::decode(key.expose_secret())?.into());
    }
    let newest = config.slack.signing_secrets.first().context("no signing secret")?;
    Ok(newest.expose_secret().as_bytes().to_vec().into())
}
