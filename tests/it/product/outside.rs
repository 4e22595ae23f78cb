//! What lies outside of the bot: both twins served by this process over real time, and the deliveries of Slack to
//! whichever processes are the bot just now.

use std::{
    collections::HashSet,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
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
        slack::{Answered, Delivery, Door, Message, Outgoing, SayOptions, Undelivered},
        world::{ADA, APP_TOKEN, BACKEND, BOT_TOKEN, BOT_USER, DEVIN_KEY, ORG, SIGNING_SECRET},
    },
};
use futures_util::future::join_all;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::process::Settings;
use crate::support::{chance::Chance, world::id};

/// Pause between deliveries that found nothing to deliver, or nobody to deliver to.
const PAUSE: Duration = Duration::from_millis(10);
/// How much faster than Slack's the retries of an impatient Slack are: after 0, 3 and 15 seconds instead of minutes.
const RETRIES_FASTER: i32 = 20;

/// Slack, Devin, and the line between them and the bot.
#[derive(Debug)]
pub(crate) struct Outside {
    pub(crate) slack: Arc<SlackTwin>,
    pub(crate) devin: Arc<DevinTwin>,
    pub(crate) line: Arc<Line>,
    base: String,
    stop: CancellationToken,
    folder: tempfile::TempDir,
}

/// How Slack delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// One after the other, each again at once until it is taken.
    Patient,
    /// Several at once, each to one of the replicas at random, again three times and then no more.
    Impatient,
    /// So many copies of each at the same moment, spread evenly over the replicas.
    Copies(usize),
    /// Like an impatient one, over the sockets that the bot opens.
    Sockets,
}

impl Manner {
    /// How many are delivered at once.
    fn at_once(self) -> usize {
        match self {
            Self::Impatient | Self::Sockets => 4,
            Self::Patient | Self::Copies(_) => 1,
        }
    }
}

/// The line to the bot, and what went over it.
#[derive(Debug)]
pub(crate) struct Line {
    manner: Manner,
    outbound: Outbound,
    replicas: Mutex<Vec<String>>,
    chance: Mutex<Chance>,
    under_way: AtomicUsize,
    answers: Mutex<Vec<Answer>>,
    taken: Mutex<HashSet<(Door, u32)>>,
}

/// What the bot answered to one request, or did not.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) asked: Instant,
    pub(crate) took: Duration,
    pub(crate) result: Result<u16, Undelivered>,
}

impl Outside {
    /// Serves the twins and begins to deliver, patiently.
    pub(crate) async fn open() -> Self {
        Self::with(Manner::Patient, Chance::of("outside")).await
    }

    /// Serves the twins and begins to deliver.
    pub(crate) async fn with(manner: Manner, chance: Chance) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let twin::World { slack, devin } = twin::world(&clock).unwrap();
        slack.set_base_url(&base);
        devin.set_base_url(&base);
        let stop = CancellationToken::new();
        let line = Arc::new(Line::new(manner, chance));
        let tasks = TaskTracker::new();
        let router = Router::new().merge(slack.router()).merge(devin.router());
        tasks.spawn(serve(listener, router, Limits::default(), stop.clone()));
        for _ in 0..manner.at_once() {
            tasks.spawn(Arc::clone(&line).deliver(slack.clone(), stop.clone()));
        }
        Self { slack, devin, line, base, stop, folder: tempfile::tempdir().unwrap() }
    }

    /// The settings of a bot in this world, with an embedded store.
    pub(crate) fn settings(&self) -> Settings {
        let mut settings = self.signed_settings();
        if self.line.manner == Manner::Sockets {
            settings.remove("BOBBIN_SLACK_SIGNING_SECRETS");
            settings.insert("BOBBIN_SLACK_APP_TOKEN", APP_TOKEN.to_owned());
            settings.insert("BOBBIN_SECRET_KEY", "5ec4e7".repeat(10) + "5ec4");
        }
        settings
    }

    fn signed_settings(&self) -> Settings {
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

    /// What leads a bot to the twins instead of to the vendors, and to a folder and a port of its own.
    pub(crate) fn redirected(&self, listen: u16) -> Settings {
        let mut settings = self.settings();
        settings.retain(|name, _| name.ends_with("_API_URL"));
        settings.insert("BOBBIN_LISTEN", format!("127.0.0.1:{listen}"));
        settings
    }

    /// A folder that lasts as long as this.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The port of the twins.
    pub(crate) fn port(&self) -> u16 {
        self.base.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// Where deliveries go from now on.
    pub(crate) fn deliver_to(&self, base: &str) {
        self.line.lead_to(vec![base.to_owned()]);
    }

    /// Nothing is delivered for now.
    pub(crate) fn deliver_to_nobody(&self) {
        self.line.lead_to(Vec::new());
    }

    /// Ada mentions the bot in `#backend`.
    pub(crate) fn mention(&self, text: &str) -> Ts {
        let text = format!("<@{BOT_USER}> {text}");
        self.slack.say(&id(ADA), &id::<ChannelId>(BACKEND), &text, SayOptions::default()).unwrap()
    }

    /// Posts of the bot in a thread of `#backend`, by the type in their metadata.
    pub(crate) fn posts(&self, root: &Ts, event_type: &str) -> Vec<Message> {
        self.posts_in(&id(BACKEND), root, event_type)
    }

    /// Posts of the bot in a thread of a channel, by the type in their metadata.
    pub(crate) fn posts_in(&self, channel: &ChannelId, root: &Ts, event_type: &str) -> Vec<Message> {
        let of_type = |m: &Message| m.metadata.as_ref().is_some_and(|d| d["event_type"].as_str() == Some(event_type));
        self.slack.thread(channel, root).into_iter().filter(of_type).collect()
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

    /// Whether Slack has nothing more to deliver.
    pub(crate) fn is_quiet(&self) -> bool {
        self.line.under_way.load(Ordering::SeqCst) == 0 && self.slack.pending().is_empty()
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

impl Line {
    fn new(manner: Manner, chance: Chance) -> Self {
        Self {
            manner,
            outbound: Outbound::new(OutboundOptions::default()).unwrap(),
            replicas: Mutex::default(),
            chance: Mutex::new(chance),
            under_way: AtomicUsize::new(0),
            answers: Mutex::default(),
            taken: Mutex::default(),
        }
    }

    /// The replicas from now on.
    pub(crate) fn lead_to(&self, replicas: Vec<String>) {
        *self.replicas.lock().unwrap() = replicas;
    }

    /// Whether an input was acknowledged at a door, by the number that it carries.
    pub(crate) fn took(&self, door: Door, number: u32) -> bool {
        self.taken.lock().unwrap().contains(&(door, number))
    }

    /// Every answer so far.
    pub(crate) fn answers(&self) -> Vec<Answer> {
        self.answers.lock().unwrap().clone()
    }

    async fn deliver(self: Arc<Self>, slack: Arc<SlackTwin>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let replicas = self.replicas.lock().unwrap().clone();
            self.under_way.fetch_add(1, Ordering::SeqCst);
            let nobody = match self.manner {
                Manner::Sockets => slack.sockets().is_empty(),
                Manner::Patient | Manner::Impatient | Manner::Copies(_) => replicas.is_empty(),
            };
            let due = if nobody { None } else { slack.take_due() };
            let refused = match due {
                Some(delivery) => !self.hand_over(&slack, delivery, &replicas).await,
                None => true,
            };
            self.under_way.fetch_sub(1, Ordering::SeqCst);
            if refused {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Hands one delivery over; whether it was taken.
    async fn hand_over(&self, slack: &SlackTwin, delivery: Delivery, replicas: &[String]) -> bool {
        let request = slack.outgoing(&delivery);
        let (door, number) = (delivery.door, number_in(&String::from_utf8_lossy(&delivery.body)));
        let answer = match self.manner {
            Manner::Sockets => slack.send_by_socket(&delivery).await,
            Manner::Patient | Manner::Impatient => {
                let replica = self.chance.lock().unwrap().one_of(replicas).clone();
                self.send(&replica, request).await
            }
            Manner::Copies(count) => {
                let copies = replicas.iter().cycle().take(count).map(|replica| self.send(replica, request.clone()));
                let mut answers = join_all(copies).await;
                let taken = answers.iter().position(|a| a.as_ref().is_ok_and(|a| a.status == 200));
                answers.swap_remove(taken.unwrap_or(0))
            }
        };
        let taken = answer.as_ref().is_ok_and(|a| a.status == 200);
        if let Some(number) = number.filter(|_| taken) {
            self.taken.lock().unwrap().insert((door, number));
        }
        let settled = slack.settle(delivery, answer);
        let Some(again) = settled.again else { return taken };
        let now = SystemClock.now();
        let sooner = now + again.duration_since(now) / RETRIES_FASTER;
        slack.change(|state| {
            for delivery in state.deliveries.iter_mut().filter(|d| d.id == settled.id) {
                (delivery.attempt, delivery.due) = match self.manner {
                    Manner::Patient => (0, now),
                    Manner::Impatient | Manner::Sockets | Manner::Copies(_) => (delivery.attempt, sooner),
                };
            }
        });
        taken
    }

    /// Every request has a connection of its own, so that none is sent into one that is just being closed.
    async fn send(&self, replica: &str, mut request: Outgoing) -> Result<Answered, Undelivered> {
        request.headers.push(("connection", "close".to_owned()));
        let asked = Instant::now();
        let answer = send_as_slack(&self.outbound, replica, request).await;
        let result = answer.as_ref().map(|a| a.status).map_err(|e| *e);
        self.answers.lock().unwrap().push(Answer { asked, took: asked.elapsed(), result });
        answer
    }
}

/// The word that carries an input's number, so that it is found again wherever the input leads.
pub(crate) fn numbered(number: u32) -> String {
    format!("job{number:06}x")
}

/// The number of an input in a text.
pub(crate) fn number_in(text: &str) -> Option<u32> {
    numbers_in(text).next()
}

/// Every number in a text.
pub(crate) fn numbers_in(text: &str) -> impl Iterator<Item = u32> + '_ {
    text.split("job").skip(1).filter_map(|rest| rest.get(..7)?.strip_suffix('x')?.parse().ok())
}
