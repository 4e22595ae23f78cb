//! The command line.

use std::{
    io::{self, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{
    bobbin::{Bobbin, open_store},
    console, dead, demo, doctor, home, logs, manifest, pause,
    rebuild::{self, Report},
    reload, replay,
    run::{Beside, run},
};
use crate::{
    clock::{Clock, SystemClock},
    config::{Config, Source, StoreConfig},
    domain::ids::{ChannelId, InputId, TeamId},
    outbound::{Outbound, OutboundOptions},
    store::SharedStore,
};

/// How `bobbin doctor` ends when it could not look at anything.
const CANNOT_LOOK: u8 = 2;

/// Winds Slack threads onto Devin sessions, each run as the person who asked.
#[derive(Debug, Parser)]
#[command(name = "bobbin", version)]
pub struct Cli {
    /// Configuration file (TOML); also `BOBBIN_CONFIG`. Environment variables win over it.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the bot.
    Serve,
    /// Try it without any account: stand-ins for Slack and Devin, and a page to play with.
    Demo {
        /// Address to listen on.
        #[arg(long, default_value = "127.0.0.1:3000")]
        listen: SocketAddr,
    },
    /// Print the Slack app manifest.
    Manifest {
        /// How Slack reaches the bot; in Socket Mode, where people come back to who install it.
        #[arg(long, required_unless_present = "socket_mode")]
        url: Option<Url>,
        /// For Socket Mode: without addresses that Slack posts to.
        #[arg(long)]
        socket_mode: bool,
    },
    /// Look at everything that can be set up wrongly, and say what to do about it. Ends with 0 when nothing failed, with 1
    /// when something did, with 2 when the configuration cannot be read at all.
    Doctor {
        /// For scripts: the same as JSON.
        #[arg(long)]
        json: bool,
        /// Try out what the vendors' documents leave open, with a post and a session that are taken away again, and keep it
        /// for the bot to go by.
        #[arg(long, requires = "channel", requires = "person")]
        live: bool,
        #[command(flatten)]
        order: LiveOrder,
    },
    /// Sign recorded payloads as Slack would and send them to a running bot.
    Replay {
        /// Payloads: `.json`, or `.form` as Slack sends forms.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The bot's address.
        #[arg(long)]
        to: Url,
    },
    /// Look at Devin for sessions of ours that the store does not know, and restore their threads' links.
    Rebuild {
        /// Restore those that it knows as well: its data is an old copy. Nothing else may be using it.
        #[arg(long)]
        all: bool,
    },
    /// Start no new sessions until they are resumed; what runs goes on.
    Pause {
        /// Only in this workspace.
        #[arg(long)]
        workspace: Option<TeamId>,
        /// Why, as people read it in Slack.
        #[arg(long, default_value = "")]
        reason: String,
        /// Who does it, for the record.
        #[arg(long, default_value = "somebody")]
        by: String,
    },
    /// Start new sessions again.
    Resume {
        /// Only in this workspace.
        #[arg(long)]
        workspace: Option<TeamId>,
        /// Who does it, for the record.
        #[arg(long, default_value = "somebody")]
        by: String,
    },
    /// Look at what was set aside.
    Dead {
        #[command(subcommand)]
        command: DeadCommand,
    },
}

/// Where and as whom `bobbin doctor --live` tries.
#[derive(Debug, Args)]
struct LiveOrder {
    /// A channel for tests, which the bot is in.
    #[arg(long, requires = "live")]
    channel: Option<ChannelId>,
    /// E-mail address of the person as whom the session runs: your own.
    #[arg(long = "as", value_name = "ADDRESS", requires = "live")]
    person: Option<String>,
    /// The channel's workspace, where workspaces install by OAuth.
    #[arg(long, requires = "live")]
    workspace: Option<TeamId>,
    /// How long to wait for anything that may lag, in seconds.
    #[arg(long, default_value_t = 60)]
    within: u64,
}

#[derive(Debug, Subcommand)]
enum DeadCommand {
    /// One line for each, newest first.
    List,
    /// One with its body.
    Show {
        /// Its id.
        id: InputId,
    },
    /// Put one back into its mailbox.
    Replay {
        /// Its id.
        id: InputId,
        /// Who does it, for the record.
        #[arg(long, default_value = "somebody")]
        by: String,
    },
    /// Forget one.
    Drop {
        /// Its id.
        id: InputId,
        /// Who does it, for the record.
        #[arg(long, default_value = "somebody")]
        by: String,
    },
}

impl Cli {
    /// Does what the command line says.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let mut out = io::stdout();
        let done = match self.command {
            Command::Serve => serve(self.config, clock).await,
            Command::Demo { listen } => demo::run(listen, clock, stop_on_signal()?).await,
            Command::Doctor { json, order, .. } => return look(self.config.as_deref(), json, order).await,
            Command::Manifest { url, socket_mode } => {
                dead::said(&mut out, &manifest::wanted(url.as_ref(), socket_mode))
            }
            Command::Replay { files, to } => {
                let source = Source::load(self.config.as_deref())?;
                let secrets = source.signing_secrets();
                let secret = secrets.first().context("BOBBIN_SLACK_SIGNING_SECRETS is not set")?;
                replay::replay(&files, &to, secret, &*clock, &mut out).await
            }
            Command::Rebuild { all } => rebuild(Config::load(self.config.as_deref())?, clock, all, &mut out).await,
            Command::Pause { workspace, reason, by } => {
                let store = store_of(self.config.as_deref(), clock)?;
                pause::pause(&store, by, workspace.as_ref(), &reason, &mut out).await
            }
            Command::Resume { workspace, by } => {
                let store = store_of(self.config.as_deref(), clock)?;
                pause::resume(&store, by, workspace.as_ref(), &mut out).await
            }
            Command::Dead { command } => {
                let store = store_of(self.config.as_deref(), clock)?;
                dead_letters(&store, command, &mut out).await
            }
        };
        done.map(|()| ExitCode::SUCCESS)
    }
}

/// What `bobbin doctor` found, and how that counts for scripts.
async fn look(file: Option<&Path>, json: bool, order: LiveOrder) -> anyhow::Result<ExitCode> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let outbound = Outbound::new(OutboundOptions::default()).context("the HTTP client cannot be made")?;
    let LiveOrder { channel, person, workspace, within } = order;
    let checks = match channel.zip(person) {
        Some((channel, person)) => {
            let order = doctor::Order { channel, workspace, person, within: Duration::from_secs(within) };
            doctor::try_out(file, order, &outbound, &clock, stop_on_signal()?).await
        }
        None => doctor::examine(file, &outbound, &clock).await,
    };
    let checks = match checks {
        Ok(checks) => checks,
        Err(error) => {
            let _written = writeln!(io::stderr(), "bobbin: {error}").is_ok();
            return Ok(ExitCode::from(CANNOT_LOOK));
        }
    };
    let text = if json { doctor::as_json(&checks) } else { doctor::in_words(&checks) };
    dead::said(&mut io::stdout(), &text)?;
    Ok(if doctor::any_failed(&checks) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The store alone, which is all that some commands need.
fn store_of(config: Option<&Path>, clock: Arc<dyn Clock>) -> anyhow::Result<SharedStore> {
    let mut source = Source::load(config)?;
    let store = open_store(&StoreConfig::read(&mut source), clock)?;
    source.finish()?;
    Ok(store)
}

async fn rebuild(config: Config, clock: Arc<dyn Clock>, all: bool, out: &mut impl io::Write) -> anyhow::Result<()> {
    logs::start(&config.log);
    let store = open_store(&config.store, clock.clone())?;
    let report = rebuild::by_hand(&Bobbin::new(&config, store, clock)?, all).await?;
    let Report { adopted, known, foreign } = report;
    dead::said(
        out,
        &format!("{adopted} sessions were not known and are adopted, {known} are known, {foreign} are not ours."),
    )
}

async fn serve(file: Option<PathBuf>, clock: Arc<dyn Clock>) -> anyhow::Result<()> {
    let config = Config::load(file.as_deref())?;
    logs::start(&config.log);
    let store = open_store(&config.store, clock.clone())?;
    tell_durability(&store).await;
    let bobbin = Bobbin::new(&config, store, clock)?;
    if let Some(install) = &bobbin.install
        && let Err(error) = install.installations.tell_uninvited().await
    {
        tracing::warn!(%error, "the store is away: who installed the app is not known");
    }
    let (listen, public_url) = (config.service.listen, config.service.public_url.clone());
    let stop = stop_on_signal()?;
    reload::on_hangup(&bobbin, config, file.clone(), stop.clone())?;
    let listener =
        TcpListener::bind(listen).await.with_context(|| format!("BOBBIN_LISTEN: {listen} is not to be had"))?;
    // With port 0 the address is only known now.
    let listen = listener.local_addr()?;
    tracing::info!(%listen, version = env!("CARGO_PKG_VERSION"), "listening");
    let config = Box::new(move || Config::examine(file.as_deref()));
    let console = console::beside(&bobbin, (listen, public_url.as_ref()), config, &stop)?;
    let beside = Beside { routes: home::routes().merge(console.routes), ..console };
    run(bobbin, listener, beside, stop).await?;
    tracing::info!("stopped");
    logs::finish().await;
    Ok(())
}

/// Says what "stored" survives. A store that is away now is asked again by `/readyz`; it is no reason not to start.
async fn tell_durability(store: &SharedStore) {
    match store.durability().await {
        Ok(durability) => {
            tracing::info!(class = durability.class, "durability");
            for warning in durability.warnings {
                tracing::warn!("{warning}");
            }
        }
        Err(error) => tracing::warn!(%error, "the store is away: its durability is not known"),
    }
}

async fn dead_letters(store: &SharedStore, command: DeadCommand, out: &mut impl io::Write) -> anyhow::Result<()> {
    match command {
        DeadCommand::List => dead::list(store, out).await,
        DeadCommand::Show { id } => dead::show(store, &id, out).await,
        DeadCommand::Replay { id, by } => {
            dead::replay(store, by, &id).await?;
            dead::said(out, &format!("{id} is back in its mailbox."))
        }
        DeadCommand::Drop { id, by } => {
            dead::forget(store, by, &id).await?;
            dead::said(out, &format!("{id} is forgotten."))
        }
    }
}

/// Cancelled by SIGTERM or SIGINT.
fn stop_on_signal() -> anyhow::Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};
    let stop = CancellationToken::new();
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let token = stop.clone();
    let waiting = async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        tracing::info!("stopping");
        token.cancel();
    };
    tokio_util::task::TaskTracker::new().spawn(waiting);
    Ok(stop)
}
