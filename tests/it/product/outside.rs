//! What lies outside of the bot: both twins served by this process over real time, and the deliveries of Slack to
//! whichever process is the bot just now.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::Router;
use bobbin::{
    app::{Limits, send_as_slack, serve},
    clock::{Clock, SystemClock},
    domain::ids::{ChannelId, Ts},
    outbound::{Outbound, OutboundOptions},
    twin::{
        self, DevinTwin, SlackTwin,
        slack::{Message, SayOptions},
        world::{ADA, BACKEND, BOT_TOKEN, BOT_USER, DEVIN_KEY, ORG, SIGNING_SECRET},
    },
};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::process::Settings;
use crate::support::world::id;

/// Pause between deliveries that found nothing to deliver, or nobody to deliver to.
const PAUSE: Duration = Duration::from_millis(10);

/// Slack, Devin, and the line between them and the bot.
#[derive(Debug)]
pub(crate) struct Outside {
    pub(crate) slack: Arc<SlackTwin>,
    pub(crate) devin: Arc<DevinTwin>,
    base: String,
    bot: Arc<Mutex<String>>,
    stop: CancellationToken,
    folder: tempfile::TempDir,
}

impl Outside {
    /// Serves the twins and begins to deliver.
    pub(crate) async fn open() -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let twin::World { slack, devin } = twin::world(&clock).unwrap();
        slack.set_base_url(&base);
        devin.set_base_url(&base);
        let stop = CancellationToken::new();
        let bot = Arc::new(Mutex::new(String::new()));
        let tasks = TaskTracker::new();
        let router = Router::new().merge(slack.router()).merge(devin.router());
        tasks.spawn(serve(listener, router, Limits::default(), stop.clone()));
        tasks.spawn(deliver(slack.clone(), bot.clone(), stop.clone()));
        Self { slack, devin, base, bot, stop, folder: tempfile::tempdir().unwrap() }
    }

    /// The settings of a bot in this world, with an embedded store.
    pub(crate) fn settings(&self) -> Settings {
        [
            ("BOBBIN_LISTEN", "127.0.0.1:0".to_owned()),
            ("BOBBIN_STORE", format!("embedded:{}", self.folder.path().join("bobbin.db").display())),
            ("BOBBIN_LEASE", "5s".to_owned()),
            ("BOBBIN_POLL_INTERVAL", "1s".to_owned()),
            ("BOBBIN_SLACK_SIGNING_SECRETS", SIGNING_SECRET.to_owned()),
            ("BOBBIN_SLACK_BOT_TOKEN", BOT_TOKEN.to_owned()),
            ("BOBBIN_SLACK_API_URL", format!("{}/api/", self.base)),
            ("BOBBIN_SLACK_FILE_HOSTS", "127.0.0.1".to_owned()),
            ("BOBBIN_DEVIN_API_URL", self.base.clone()),
            ("BOBBIN_DEVIN_API_KEY", DEVIN_KEY.to_owned()),
            ("BOBBIN_DEVIN_ORG_ID", ORG.to_owned()),
        ]
        .into()
    }

    /// Where deliveries go from now on.
    pub(crate) fn deliver_to(&self, base: &str) {
        base.clone_into(&mut self.bot.lock().unwrap());
    }

    /// Ada mentions the bot in `#backend`.
    pub(crate) fn mention(&self, text: &str) -> Ts {
        let text = format!("<@{BOT_USER}> {text}");
        self.slack.say(&id(ADA), &id::<ChannelId>(BACKEND), &text, SayOptions::default()).unwrap()
    }

    /// Posts of the bot in a thread of `#backend`, by the type in their metadata.
    pub(crate) fn posts(&self, root: &Ts, event_type: &str) -> Vec<Message> {
        let of_type = |m: &Message| m.metadata.as_ref().is_some_and(|d| d["event_type"].as_str() == Some(event_type));
        self.slack.thread(&id::<ChannelId>(BACKEND), root).into_iter().filter(of_type).collect()
    }

    /// How often the bot gave its receipt to a message of `#backend`.
    pub(crate) fn receipts(&self, ts: &Ts) -> usize {
        let message = self.slack.read(|state| state.message(&id::<ChannelId>(BACKEND), ts).cloned()).unwrap();
        message.reactions.iter().filter(|r| r.name == "eyes").map(|r| r.users.len()).sum()
    }

    /// How many sessions were started for a thread.
    pub(crate) fn sessions(&self, root: &Ts) -> usize {
        let end = format!("/{root}");
        self.devin.sessions().iter().filter(|s| s.tags.iter().any(|t| t.ends_with(&end))).count()
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, within: Duration, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + within;
    while !holds() {
        assert!(Instant::now() < deadline, "not within {within:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Delivers in order. What was not taken is sent again at once, instead of after Slack's minutes.
async fn deliver(slack: Arc<SlackTwin>, bot: Arc<Mutex<String>>, stop: CancellationToken) {
    let outbound = Outbound::new(OutboundOptions::default()).unwrap();
    while !stop.is_cancelled() {
        let base = bot.lock().unwrap().clone();
        let pending =
            !base.is_empty() && slack.deliver_next(|request| send_as_slack(&outbound, &base, request)).await.is_some();
        let refused = slack.pending().iter().any(|delivery| delivery.attempt > 0);
        if refused {
            slack.change(|state| state.deliveries.iter_mut().for_each(|d| (d.attempt, d.due) = (0, SystemClock.now())));
        }
        if refused || !pending {
            tokio::time::sleep(PAUSE).await;
        }
    }
}
