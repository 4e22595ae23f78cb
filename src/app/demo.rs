//! `bobbin demo`: the bot, stand-ins for Slack and Devin, and the playground page, in one process.
//!
//! The bot reaches the stand-ins over loopback, as it would reach the real ones, and they reach it with signed
//! requests: nothing in it knows that it is a demo.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::{Router, response::Redirect, routing::get};
use reqwest::Method;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    bobbin::{Bobbin, open_store},
    console,
    dead::said,
    logs,
    run::{Beside, run as run_bobbin},
};
use crate::{
    clock::Clock,
    config::Config,
    outbound::{Call, Outbound, OutboundOptions, SendError},
    twin::{
        self, DevinTwin, SlackTwin,
        playground::{self, Playground},
        slack::{Answered, Outgoing, Undelivered},
        world::{BOT_TOKEN, DEVIN_KEY, ORG, SIGNING_SECRET},
    },
};

/// Slack waits so long for an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// How often deliveries and scripts are looked at when nothing rings.
const PUMP_EVERY: Duration = Duration::from_millis(200);

/// Runs the demo until the stop.
pub(super) async fn run(listen: SocketAddr, clock: Arc<dyn Clock>, stop: CancellationToken) -> anyhow::Result<()> {
    let listener =
        TcpListener::bind(listen).await.with_context(|| format!("{listen} is not to be had; try --listen"))?;
    let base = format!("http://{}", listener.local_addr()?);
    let folder = Folder::make()?;
    let config = config(&base, &folder)?;
    logs::start(&config.log);
    let twin::World { slack, devin } = twin::world(&clock)?;
    slack.set_base_url(&base);
    devin.set_base_url(&base);
    devin.script_new_sessions(true);

    let bobbin = Bobbin::new(&config, open_store(&config.store, clock.clone())?, clock.clone())?;
    let outbound = Outbound::new(OutboundOptions::default())?;
    let pumps = TaskTracker::new();
    pumps.spawn(deliver(slack.clone(), outbound, base.clone(), stop.clone()));
    pumps.spawn(act(devin.clone(), stop.clone()));
    let page = playground::router(Playground { slack: slack.clone(), devin: devin.clone(), stop: stop.clone() });
    let public_url = config.service.public_url.clone();
    let config = Box::new(move || Ok((config.clone(), Vec::new())));
    let console = console::beside(&bobbin, (listener.local_addr()?, public_url.as_ref()), config, &stop)?;
    let routes = Router::new()
        .route("/", get(async || Redirect::to("/playground")))
        .merge(slack.router())
        .merge(devin.router())
        .merge(page)
        .merge(console.routes);
    said(&mut std::io::stdout(), &format!("The playground is open at {base}/playground (Ctrl-C ends it)."))?;
    run_bobbin(bobbin, listener, Beside { routes, ..console }, stop).await
}

/// Where the demo's store lies; gone with the demo.
struct Folder(PathBuf);

impl Folder {
    fn make() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("bobbin-demo-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind lies in the folder for temporary files.
        let _removed = std::fs::remove_dir_all(&self.0).is_ok();
    }
}

fn config(base: &str, folder: &Folder) -> anyhow::Result<Config> {
    let store = format!("embedded:{}", folder.0.join("demo.db").display());
    Ok(Config::from_values([
        ("BOBBIN_STORE", store.as_str()),
        ("BOBBIN_SLACK_SIGNING_SECRETS", SIGNING_SECRET),
        ("BOBBIN_SLACK_BOT_TOKEN", BOT_TOKEN),
        ("BOBBIN_SLACK_API_URL", &format!("{base}/api/")),
        ("BOBBIN_SLACK_FILE_HOSTS", "127.0.0.1"),
        ("BOBBIN_DEVIN_API_URL", base),
        ("BOBBIN_DEVIN_API_KEY", DEVIN_KEY),
        ("BOBBIN_DEVIN_ORG_ID", ORG),
        ("BOBBIN_POLL_INTERVAL", "1s"),
        ("BOBBIN_LOG", "warn"),
    ])?)
}

/// Sends what Slack has for the bot.
async fn deliver(slack: Arc<SlackTwin>, outbound: Outbound, base: String, stop: CancellationToken) {
    let mut changes = slack.changes();
    while !stop.is_cancelled() {
        changes.borrow_and_update();
        let sent = slack.deliver_next(|request| send_as_slack(&outbound, &base, request)).await;
        if sent.is_none() {
            tokio::select! {
                _ = changes.changed() => {}
                () = tokio::time::sleep(PUMP_EVERY) => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

/// Sends one request of the stand-in Slack to a bot, as Slack would: three seconds, and no second try of its own.
pub async fn send_as_slack(outbound: &Outbound, base: &str, request: Outgoing) -> Result<Answered, Undelivered> {
    let Ok(url) = format!("{base}{}", request.path).parse() else { return Err(Undelivered::Connection) };
    let mut post = outbound.request(Method::POST, url).body(request.body);
    for (name, value) in request.headers {
        post = post.header(name, value);
    }
    let call = Call { service: "bobbin", method: request.path.into(), timeout: ANSWER_WITHIN };
    match outbound.send(&call, post).await {
        Ok(answer) => Ok(Answered { status: answer.status, no_retry: false, body: answer.body.to_vec() }),
        Err(SendError::NotSent(_)) => Err(Undelivered::Connection),
        Err(SendError::Unknown(_)) => Err(Undelivered::Timeout),
    }
}

/// Lets the scripted sessions go on.
async fn act(devin: Arc<DevinTwin>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        devin.script_step();
        tokio::select! {
            () = tokio::time::sleep(PUMP_EVERY) => {}
            () = stop.cancelled() => {}
        }
    }
}
