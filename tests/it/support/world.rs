//! The world of a test: the real router and the real workers, against stand-ins of Slack and Devin and a real store,
//! over a clock that the test moves. Nothing runs by itself: a test says when things are delivered and handled.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, extract::Request};
use bobbin::{
    app::{Bobbin, Founding, Limits, SocketPace, send_as_slack, serve},
    clock::Clock,
    config::Config,
    devin::Devin,
    domain::{
        ids::{ChannelId, SessionId, Ts, UserId},
        status::{Detail, Status},
    },
    outbound::{Outbound, OutboundOptions},
    slack::{Slack, socket::Pace},
    store::{SharedStore, StoreError, embedded::EmbeddedStore},
    tenancy::OneWorkspace,
    twin::{
        self, DevinTwin, SlackTwin,
        slack::{Answered, Delivered, Outgoing, SayOptions, Undelivered},
        world::{APP_TOKEN, BACKEND, BOT_TOKEN, BOT_USER, DEVIN_KEY, ORG, SIGNING_SECRET},
    },
    watch::{Scope, Watch, WatchDeps},
    work::Stepped,
};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;

use super::{
    clock::{Skewed, TestClock},
    crash::{CrashingStore, Life, Sabotage},
    gate::Gate,
};
use crate::store::redis::store_at;

/// Longest wait that [`World::settle`] sits out by moving the clock: leases, graces, back-offs and card edits.
const PATIENCE: Duration = Duration::from_mins(3);
/// Rounds after which a world that does not come to rest is a failure.
const MAX_ROUNDS: usize = 400;
/// Times that a store may be too slow in one of them.
const MAX_PAUSES: usize = 3;

/// Times of sockets for a test, which a busy machine still keeps.
pub(crate) const QUICK: SocketPace = SocketPace {
    socket: Pace {
        hello_within: Duration::from_secs(3),
        ping_every: Duration::from_millis(200),
        silence: Duration::from_secs(1),
        write_within: Duration::from_secs(1),
        close_within: Duration::from_millis(500),
    },
    pause: Duration::from_millis(100),
    longest_pause: Duration::from_secs(1),
    hopeless_pause: Duration::from_millis(1_500),
    steady_after: Duration::from_millis(500),
    linger: Duration::from_secs(2),
};

/// Which store a world lives on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    /// A real redis-server.
    Redis,
    /// One file.
    Embedded,
}

/// How a world is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Making {
    /// The store it lives on.
    pub(crate) on: On,
    /// What of the store is broken.
    pub(crate) sabotage: Option<Sabotage>,
    /// Time-outs of the calls.
    pub(crate) outbound: OutboundOptions,
    /// Whether the bot's calls go through a door that can refuse them.
    pub(crate) gated: bool,
    /// Tables of the configuration file.
    pub(crate) rules: &'static str,
}

impl Making {
    /// An ordinary world.
    pub(crate) fn on(on: On) -> Self {
        Self { on, sabotage: None, outbound: OutboundOptions::default(), gated: false, rules: "" }
    }
}

/// A world.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) clock: Arc<TestClock>,
    pub(crate) slack: Arc<SlackTwin>,
    pub(crate) devin: Arc<DevinTwin>,
    pub(crate) bobbin: Bobbin,
    /// The bot's process: it can be made to die at a boundary.
    pub(crate) life: Life,
    /// The store as that process sees it.
    pub(crate) store: Arc<CrashingStore>,
    pub(crate) base: String,
    pub(crate) outbound: Outbound,
    /// What the bot's calls go through, where they can be refused.
    pub(crate) gate: Option<Gate>,
    /// In Socket Mode: the tasks that keep sockets, and what ends them.
    sockets: Option<(CancellationToken, TaskTracker)>,
    config: Config,
    read: BTreeSet<Ts>,
    lenient: bool,
    stop: CancellationToken,
    on: On,
    doors: Arc<Mutex<Router>>,
    folder: tempfile::TempDir,
}

impl World {
    /// A world on Redis.
    pub(crate) async fn new() -> Self {
        Self::on(On::Redis).await
    }

    /// A world on a store.
    pub(crate) async fn on(on: On) -> Self {
        Self::made(Making::on(on)).await
    }

    /// A world as it is wanted.
    pub(crate) async fn made(making: Making) -> Self {
        Self::build(making, &[], |folder, clock| store_on(making.on, folder, clock)).await
    }

    /// A world whose configuration file has these tables.
    pub(crate) async fn ruled(rules: &'static str) -> Self {
        Self::made(Making { rules, ..Making::on(On::Embedded) }).await
    }

    /// A world with more settings, on a store that the test opens.
    pub(crate) async fn with(
        on: On,
        settings: &[(&str, &str)],
        open: impl FnOnce(&Path, Arc<dyn Clock>) -> SharedStore,
    ) -> Self {
        Self::build(Making::on(on), settings, open).await
    }

    /// A world without a public address and without a signing secret: everything comes over so many sockets.
    pub(crate) async fn over_sockets(on: On, count: usize) -> Self {
        Self::over_sockets_with(on, count, &[], |folder, clock| store_on(on, folder, clock)).await
    }

    /// The same with more settings, on a store that the test opens.
    pub(crate) async fn over_sockets_with(
        on: On,
        count: usize,
        settings: &[(&str, &str)],
        open: impl FnOnce(&Path, Arc<dyn Clock>) -> SharedStore,
    ) -> Self {
        let count = count.to_string();
        let mode = [
            ("BOBBIN_SLACK_APP_TOKEN", APP_TOKEN),
            ("BOBBIN_SLACK_SOCKETS", count.as_str()),
            ("BOBBIN_SLACK_SIGNING_SECRETS", ""),
            ("BOBBIN_SECRET_KEY", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
        ];
        let mut world = Self::build(Making::on(on), &[&mode[..], settings].concat(), open).await;
        world.slack.set_socket_patience(Duration::from_millis(800));
        world.keep_sockets(QUICK);
        world.until_open().await;
        world
    }

    /// Keeps sockets from now on.
    pub(crate) fn keep_sockets(&mut self, pace: SocketPace) {
        let sockets = Arc::new(self.bobbin.sockets.as_ref().unwrap().paced(pace));
        let (stop, tasks) = (self.stop.child_token(), TaskTracker::new());
        for _ in 0..sockets.wanted() {
            tasks.spawn(sockets.clone().keep(self.bobbin.receive.clone(), stop.clone()));
        }
        tasks.close();
        self.bobbin.sockets = Some(sockets);
        self.sockets = Some((stop, tasks));
    }

    /// Waits until as many sockets are open as there should be.
    pub(crate) async fn until_open(&self) {
        let sockets = self.bobbin.sockets.clone().unwrap();
        self.until("all sockets are open", || {
            self.slack.sockets().len() == sockets.wanted() && sockets.open() == sockets.wanted()
        })
        .await;
    }

    /// Closes the sockets, as a stop does.
    pub(crate) async fn close_sockets(&self) {
        let (stop, tasks) = self.sockets.as_ref().unwrap();
        stop.cancel();
        tokio::time::timeout(Duration::from_secs(6), tasks.wait()).await.expect("a stop takes seconds at most");
    }

    /// Waits in real time until something holds.
    pub(crate) async fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while !holds() {
            assert!(std::time::Instant::now() < deadline, "not in time: {what}: {:?}", self.slack.socket_history());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn build(
        making: Making,
        settings: &[(&str, &str)],
        open: impl FnOnce(&Path, Arc<dyn Clock>) -> SharedStore,
    ) -> Self {
        let clock = TestClock::new();
        let folder = folder();
        let inner = open(folder.path(), clock.clone());
        let shared: Arc<dyn Clock> = clock.clone();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let base = format!("http://{address}");
        let gate = if making.gated { Some(Gate::before(address).await) } else { None };
        let outside = gate.as_ref().map_or_else(|| base.clone(), Gate::url);
        let twin::World { slack, devin } = twin::world(&shared).unwrap();
        slack.set_base_url(&outside);
        devin.set_base_url(&outside);
        let life = Life::default();
        for faults in [slack.faults(), devin.faults()] {
            let life = life.clone();
            faults.tap(Box::new(move |operation| life.call(operation)));
        }
        founded(&inner).await;
        let store = Arc::new(CrashingStore::new(inner, life.clone(), making.sabotage));
        let outbound = Outbound::new(making.outbound).unwrap();
        let config = config(&outside, settings, making.rules);
        let bobbin = Bobbin::with_outbound(&config, store.clone(), shared, outbound.clone()).unwrap();
        let stop = CancellationToken::new();
        let doors = Arc::new(Mutex::new(bobbin.doors()));
        let knocked = doors.clone();
        let knock = move |request: Request| knocked.lock().unwrap().clone().oneshot(request);
        let router = Router::new().merge(slack.router()).merge(devin.router()).fallback(knock);
        TaskTracker::new().spawn(serve(listener, router, Limits::default(), stop.clone()));
        let (read, lenient) = (BTreeSet::new(), false);
        Self {
            clock,
            slack,
            devin,
            bobbin,
            life,
            store,
            base,
            outbound,
            gate,
            sockets: None,
            config,
            read,
            lenient,
            stop,
            on: making.on,
            doors,
            folder,
        }
    }

    /// The bot as another process on the same store.
    pub(crate) fn another(&self, life: Life) -> Bobbin {
        let store = Arc::new(self.store.for_another(life));
        Bobbin::with_outbound(&self.config, store, self.clock.clone(), self.outbound.clone()).unwrap()
    }

    /// A new process takes the place of the dead one, which takes everything with it that it had in mind.
    pub(crate) fn restart(&mut self) {
        self.life.live_on();
        self.bobbin = self.another(self.life.clone());
    }

    /// The bot goes on with a store that is empty, and does not know whether it is new.
    pub(crate) fn empty_store(&mut self) {
        self.go_on_with(store_on(self.on, self.folder.path(), self.clock.clone()));
    }

    /// The bot starts again with another store.
    pub(crate) fn go_on_with(&mut self, store: SharedStore) {
        self.store = Arc::new(CrashingStore::new(store, self.life.clone(), None));
        self.restart();
        *self.doors.lock().unwrap() = self.bobbin.doors();
    }

    /// With what the bot was made.
    pub(crate) fn config(&self) -> Config {
        self.config.clone()
    }

    /// Where the files of this world lie.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The first message of each thread of `#backend`, oldest first.
    pub(crate) fn thread_roots(&self) -> Vec<Ts> {
        let root = |m: &twin::slack::Message| m.thread_ts.as_ref().is_none_or(|root| *root == m.ts);
        let channel = id::<ChannelId>(BACKEND);
        self.slack
            .read(|state| state.channels[&channel].messages.iter().filter(|m| root(m)).map(|m| m.ts.clone()).collect())
    }

    /// What the bot does when its store is not founded.
    async fn found(&self) {
        match self.bobbin.rebuild.step().await {
            Ok(Founding::NotYet(wait)) => self.clock.advance(wait),
            Ok(Founding::Founded(_) | Founding::Already | Founding::NotOurs) => {}
            Err(error) if self.life.is_dead() => tracing::debug!(%error, "the process is dead"),
            // Devin or Slack is away: tried again later.
            Err(_) => self.clock.advance(Duration::from_secs(1)),
        }
    }

    /// Somebody mentions the bot in `#backend`; everything that follows happens.
    pub(crate) async fn mention(&mut self, user: &str, text: &str) -> Ts {
        let ts = self.say(user, BACKEND, &format!("<@{BOT_USER}> {text}"));
        self.settle().await;
        ts
    }

    /// Somebody answers in a thread of `#backend`; everything that follows happens.
    pub(crate) async fn reply(&mut self, user: &str, root: &Ts, text: &str) -> Ts {
        let ts = self.say_in(user, BACKEND, Some(root), text);
        self.settle().await;
        ts
    }

    /// Somebody writes; nothing is delivered yet.
    pub(crate) fn say(&self, user: &str, channel: &str, text: &str) -> Ts {
        self.say_in(user, channel, None, text)
    }

    /// Somebody writes, perhaps in a thread; nothing is delivered yet.
    pub(crate) fn say_in(&self, user: &str, channel: &str, thread: Option<&Ts>, text: &str) -> Ts {
        let options = SayOptions { thread: thread.cloned(), ..SayOptions::default() };
        self.slack.say(&id(user), &id::<ChannelId>(channel), text, options).unwrap()
    }

    /// The only session there is.
    pub(crate) fn session(&self) -> twin::devin::Session {
        let mut sessions = self.devin.sessions();
        assert_eq!(sessions.len(), 1, "sessions: {sessions:#?}");
        sessions.remove(0)
    }

    /// The id of the only session there is.
    pub(crate) fn session_id(&self) -> SessionId {
        self.session().id
    }

    /// Devin says something in the only session; everything that follows happens.
    pub(crate) async fn devin_says(&mut self, text: &str) {
        self.devin.say(&self.session_id(), text).unwrap();
        self.look().await;
    }

    /// The only session enters a state; everything that follows happens.
    pub(crate) async fn devin_becomes(&mut self, status: &str, detail: Option<&str>) {
        self.set(status, detail);
        self.look().await;
    }

    /// The only session enters a state; nobody looks yet.
    pub(crate) fn set(&self, status: &str, detail: Option<&str>) {
        let status = Status::from(status.to_owned());
        let detail = detail.map(|d| Detail::from(d.to_owned()));
        self.devin.set(&self.session_id(), status, detail).unwrap();
    }

    /// A little later the watch looks, and what it saw is handled.
    pub(crate) async fn look(&mut self) {
        self.clock.advance(Duration::from_secs(5));
        self.bobbin.watch.hurry().await;
        self.tick().await;
        self.settle().await;
    }

    /// One step of the watch; nothing, for a process that is dead or dies in it.
    pub(crate) async fn tick(&self) {
        for pauses in 0.. {
            match self.bobbin.watch.step().await {
                Ok(_) => break,
                Err(_) if self.life.is_dead() => break,
                // As in `settle`: the loop around the watch would go on after a pause, too.
                Err(StoreError::Unavailable(_)) if pauses < MAX_PAUSES => {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                Err(error) => panic!("the store failed: {error}"),
            }
        }
        self.turn_ends().await;
    }

    /// Whoever was refused has noticed by now.
    async fn turn_ends(&self) {
        if let Some(gate) = &self.gate {
            gate.open().await;
        }
    }

    /// Time passes, and whatever becomes due is done, the watch's looks included.
    pub(crate) async fn pass(&mut self, time: Duration) {
        let end = self.clock.now() + time;
        while self.clock.now() < end {
            self.clock.advance(Duration::from_secs(10).min(time));
            self.tick().await;
            self.settle().await;
        }
    }

    /// Delivers and handles everything that is there, and sits out short waits.
    pub(crate) async fn settle(&mut self) {
        let (end, mut pauses) = (self.clock.now() + PATIENCE, 0);
        for _ in 0..MAX_ROUNDS {
            let delivered = self.deliver_due().await;
            self.bobbin.lane.step().await;
            let stepped = self.bobbin.worker.step().await;
            self.turn_ends().await;
            let next = match stepped {
                Ok(Stepped::Handled) => continue,
                Ok(Stepped::Idle { next }) => next,
                Ok(Stepped::Unfounded) => {
                    self.found().await;
                    continue;
                }
                Err(error) if self.life.is_dead() => {
                    tracing::debug!(%error, "the process is dead");
                    return;
                }
                // A machine that is too busy for a moment: the loop around the worker would go on after a pause, too.
                Err(StoreError::Unavailable(_)) if pauses < MAX_PAUSES => {
                    pauses += 1;
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    continue;
                }
                Err(error) => panic!("the store failed: {error}"),
            };
            if delivered > 0 {
                continue;
            }
            match next.filter(|at| *at <= end) {
                Some(at) => self.rest_until(at).await,
                None => return,
            }
        }
        panic!("the world does not come to rest");
    }

    /// Moves the clock to when something is due, and to each request on the way that a twin processes late: it does so
    /// at its time, and not when it is asked for something the next time.
    async fn rest_until(&self, at: Timestamp) {
        let twins = [self.slack.faults(), self.devin.faults()];
        while let Some(late) = twins.iter().filter_map(|faults| faults.next_late()).min().filter(|late| *late <= at) {
            self.clock.advance_to(late);
            for faults in twins {
                faults.process_late(self.clock.now()).await;
            }
        }
        self.clock.advance_to(at);
    }

    /// Another replica on the same store, whose clock is ahead by some seconds.
    pub(crate) fn another_at(&self, ahead: i64) -> Bobbin {
        let clock = Skewed { right: self.clock.clone(), ahead: SignedDuration::from_secs(ahead) };
        Bobbin::new(&self.config, self.store.clone(), Arc::new(clock)).unwrap()
    }

    /// Delivers and handles everything for a time, turn by turn: this world's own replica and then each of the others.
    pub(crate) async fn take_turns(&mut self, others: &[&Bobbin], time: Duration) {
        let end = self.clock.now() + time;
        let mut workers: Vec<_> = others.iter().map(|other| other.worker.clone()).collect();
        workers.push(self.bobbin.worker.clone());
        for _ in 0..MAX_ROUNDS {
            self.deliver_due().await;
            self.bobbin.lane.step().await;
            let mut idle = true;
            let mut next = None;
            for worker in &workers {
                match worker.step().await.unwrap() {
                    Stepped::Handled => idle = false,
                    Stepped::Idle { next: at } => next = at,
                    Stepped::Unfounded => panic!("the store of a world is founded"),
                }
            }
            match next.filter(|at| *at <= end) {
                _ if !idle => {}
                Some(at) => self.clock.advance_to(at),
                None => return,
            }
        }
        panic!("the world does not come to rest");
    }

    /// A little later each replica's watch has had its chance to look, and what was seen is handled.
    pub(crate) async fn look_with(&mut self, others: &[&Bobbin]) {
        self.clock.advance(Duration::from_secs(50));
        for bobbin in others.iter().copied().chain([&self.bobbin.clone()]) {
            bobbin.watch.hurry().await;
            bobbin.watch.step().await.unwrap();
            self.clock.advance(Duration::from_secs(50));
        }
        self.take_turns(others, Duration::from_mins(1)).await;
    }

    /// After how many events a mention's handler has done this, counted on a world like this one.
    pub(crate) async fn events_until(&self, name: &str) -> usize {
        let mut other = Self::on(On::Embedded).await;
        other.lenient();
        other.say("U0ADA", BACKEND, "<@U0BOBBIN> fix it");
        other.deliver_due().await;
        other.life.die_after(usize::MAX);
        other.settle().await;
        1 + other.life.met().iter().position(|met| met == name).unwrap()
    }

    /// Handles what is ready, however much it is; time does not move.
    pub(crate) async fn work_off(&self) -> usize {
        let mut handled = 0;
        while self.bobbin.worker.step().await.unwrap() == Stepped::Handled {
            handled += 1;
        }
        handled
    }

    /// The watch of another replica, with a clock of its own.
    pub(crate) fn another_watch(&self, holder: &str, clock: Arc<dyn Clock>) -> Watch {
        let base = self.base.parse().unwrap();
        let devin = Devin::new(self.outbound.clone(), base, SecretString::from(DEVIN_KEY), id(ORG));
        let slack = Slack::new(
            self.outbound.clone(),
            format!("{}/api/", self.base).parse().unwrap(),
            SecretString::from(BOT_TOKEN),
            Vec::new(),
        );
        let deps = WatchDeps {
            store: self.store.clone(),
            clock,
            devin,
            workspaces: Arc::new(OneWorkspace::of(slack)),
            scope: Scope::default(),
            bell: Arc::default(),
        };
        Watch::new(deps, Duration::from_secs(10), holder.to_owned())
    }

    /// Delivers what is due; how many.
    pub(crate) async fn deliver_due(&self) -> usize {
        let mut count = 0;
        while self.deliver_one().await.is_some() {
            count += 1;
        }
        count
    }

    /// Delivers the first thing that is due.
    pub(crate) async fn deliver_one(&self) -> Option<Delivered> {
        if self.sockets.is_some() {
            return self.slack.deliver_next_by_socket().await;
        }
        self.slack.deliver_next(|request| self.send(request)).await
    }

    /// Sends a request as Slack would.
    pub(crate) async fn send(&self, request: Outgoing) -> Result<Answered, Undelivered> {
        send_as_slack(&self.outbound, &self.base, request).await
    }

    /// A thread of `#backend` as a text: who said what, with reactions.
    pub(crate) fn thread(&mut self, root: &Ts) -> String {
        self.thread_in(BACKEND, root)
    }

    /// A thread as a text: who said what, with reactions, and what only one person sees.
    pub(crate) fn thread_in(&mut self, channel: &str, root: &Ts) -> String {
        let channel = id::<ChannelId>(channel);
        let mut text = String::new();
        for message in self.slack.thread(&channel, root) {
            let name = self.name(&message.user);
            let is_card = message.metadata.as_ref().is_some_and(|m| m["event_type"] == "bobbin_card");
            let body = if is_card { card(&message.blocks) } else { message.text.clone() };
            let reactions: Vec<String> = message.reactions.iter().map(|r| format!(" [{}]", r.name)).collect();
            let body = body + &self.files(&message);
            writeln!(text, "{name}: {body}{}", reactions.concat()).unwrap();
            self.read.insert(message.ts);
        }
        let whispers = self.slack.read(|state| {
            // A mention that begins a thread is answered beside it.
            let near = |ts: &Option<Ts>| ts.as_ref().is_none_or(|ts| ts == root);
            let here = state.ephemerals.iter().filter(|e| e.channel == channel && near(&e.thread_ts));
            here.map(|e| (e.user.clone(), e.text.clone())).collect::<Vec<_>>()
        });
        for (user, whisper) in whispers {
            writeln!(text, "(only {} sees) {whisper}", self.name(&user)).unwrap();
        }
        // Addresses of sessions and of this world differ from run to run.
        for session in self.devin.sessions() {
            text = text.replace(session.id.bare(), "SESSION");
        }
        without_references(&without_durations(&text.replace(&self.base, "BASE")))
    }

    /// Everything that a post of the bot shows, one block a line, with its buttons.
    pub(crate) fn blocks(&self, post: &twin::slack::Message) -> String {
        let mut text = String::new();
        for part in card_parts(&post.blocks) {
            match part {
                Part::Section(words) => writeln!(text, "{}", moments_apart(&words)).unwrap(),
                Part::Context(words) => writeln!(text, "· {}", moments_apart(&words)).unwrap(),
                Part::Buttons(labels) => {
                    writeln!(text, "{}", labels.iter().map(|l| format!("<{l}>")).collect::<Vec<_>>().join(" "))
                        .unwrap();
                }
            }
        }
        for session in self.devin.sessions() {
            text = text.replace(session.id.bare(), "SESSION");
        }
        text.replace(&self.base, "BASE")
    }

    /// The files that the bot shows with a message.
    fn files(&self, message: &twin::slack::Message) -> String {
        let ours = message.files.iter().filter(|_| message.user.as_str() == BOT_USER);
        let name = |id: &String| self.slack.read(|state| format!("(file {})", state.files[id].name));
        ours.map(name).collect::<Vec<_>>().concat()
    }

    /// The only card in `#backend`, in full.
    pub(crate) fn card(&self) -> String {
        let cards = self.posts("bobbin_card");
        assert_eq!(cards.len(), 1, "cards: {cards:#?}");
        self.blocks(&cards[0])
    }

    /// All posts of the bot in `#backend`, by the type in their metadata.
    pub(crate) fn posts(&self, event_type: &str) -> Vec<twin::slack::Message> {
        let channel = id::<ChannelId>(BACKEND);
        let of_type = |m: &twin::slack::Message| {
            m.metadata.as_ref().and_then(|d| d["event_type"].as_str()) == Some(event_type) && !m.deleted
        };
        self.slack.read(|state| state.channels[&channel].messages.iter().filter(|m| of_type(m)).cloned().collect())
    }

    /// The test has looked at a post.
    pub(crate) fn looked_at(&mut self, ts: Ts) {
        self.read.insert(ts);
    }

    /// This test does not look at every post.
    pub(crate) fn lenient(&mut self) {
        self.lenient = true;
    }

    fn name(&self, user: &UserId) -> String {
        self.slack.read(|state| state.users.get(user).map_or_else(|| user.to_string(), |u| u.name.clone()))
    }

    /// Posts of the bot that the test has not looked at.
    fn unread(&self) -> Vec<String> {
        let bot = id::<UserId>(BOT_USER);
        self.slack.read(|state| {
            let all = state.channels.values().flat_map(|c| &c.messages);
            let unread = all.filter(|m| m.user == bot && !m.deleted && !self.read.contains(&m.ts));
            unread.map(|m| m.text.clone()).collect()
        })
    }
}

impl Drop for World {
    /// A world fails its test when it ends with posts that nobody looked at, or answers that Slack would not take.
    fn drop(&mut self) {
        self.stop.cancel();
        if std::thread::panicking() || self.lenient {
            return;
        }
        let unread = self.unread();
        assert!(unread.is_empty(), "posts that the test did not look at: {unread:#?}");
        let refused = self.slack.read(|state| {
            let payload = ["invalid_blocks", "invalid_arguments", "metadata", "no_text"];
            let wrong = |why: &&String| payload.iter().any(|p| why.contains(p));
            let calls = state.ledger.iter().filter_map(|c| Some((&c.method, c.outcome.as_ref().err().filter(wrong)?)));
            calls.map(|(method, why)| format!("{method} {why}")).collect::<Vec<_>>()
        });
        assert!(refused.is_empty(), "Slack refused what we sent: {refused:#?}");
        let unused = [self.slack.faults().waiting(), self.devin.faults().waiting()].concat();
        let unused: Vec<_> = unused.iter().filter(|fault| fault.times.is_some()).collect();
        assert!(unused.is_empty(), "faults that nothing met: {unused:#?}");
    }
}

/// What the stand-in of Devin knows of every session.
const USUAL: &str = " · Feature development · from API";

/// The text of a card's blocks in one line: title and state, pull requests, as whom it runs, the first button. The rest
/// of it, and every moment, stands in [`World::card`].
fn card(blocks: &[Value]) -> String {
    let mut parts = Vec::new();
    for part in card_parts(blocks) {
        match part {
            Part::Section(text) => {
                let line = timeless(&text.lines().take(2).collect::<Vec<_>>().join(" / "));
                parts.push(if text.starts_with(":arrow_heading_up:") { text.replace('\n', " / ") } else { line });
            }
            Part::Context(text) if text.starts_with("Runs as") => parts.push(text.replace(USUAL, "")),
            Part::Context(_) => {}
            Part::Buttons(buttons) => parts.extend(buttons.first().map(|label| format!("<{label}>"))),
        }
    }
    format!("[card] {}", parts.join(" | "))
}

/// A part of a card.
enum Part {
    Section(String),
    Context(String),
    Buttons(Vec<String>),
}

fn card_parts(blocks: &[Value]) -> Vec<Part> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let part = |block: &Value| match block["type"].as_str() {
        Some("context") => Part::Context(text(&block["elements"][0]["text"])),
        Some("actions") => {
            let labels = block["elements"].as_array().unwrap().iter().map(|button| text(&button["text"]["text"]));
            Part::Buttons(labels.collect())
        }
        Some("section") => Part::Section(text(&block["text"]["text"])),
        _ => Part::Section(block.to_string()),
    };
    blocks.iter().map(part).collect()
}

/// A text without the moments in it that begin with `since`.
fn timeless(text: &str) -> String {
    without(text, " · since <!date^", |rest| rest.find('>').map(|end| end + 1)).replace("<>", "")
}

/// A text whose moments are shown as `(when)`: they differ from run to run.
fn moments_apart(text: &str) -> String {
    without(text, "<!date^", |rest| rest.find('>').map(|end| end + 1)).replace("<>", "(when)")
}

/// A text without how long a session took: what is tried again takes longer.
fn without_durations(text: &str) -> String {
    without(text, " · took ", |rest| [rest.find(" · "), rest.find('_')].into_iter().flatten().min()).replace("<>", "")
}

/// A text without the names of inputs: they are made anew in every run.
fn without_references(text: &str) -> String {
    without(text, "Reference: `", |rest| rest.find('`')).replace("<>", "Reference: `INPUT")
}

/// A text with a mark (`<>`) in the place of everything from a word to the end of it that is found behind.
fn without(text: &str, from: &str, end: impl Fn(&str) -> Option<usize>) -> String {
    let mut pieces = text.split(from);
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| text + "<>" + piece.get(end(piece).unwrap()..).unwrap())
}

/// A store of its own.
fn store_on(on: On, folder: &Path, clock: Arc<dyn Clock>) -> SharedStore {
    match on {
        On::Redis => Arc::new(store_at(clock)),
        On::Embedded => {
            let file = folder.join(format!("{}.db", uuid::Uuid::now_v7()));
            Arc::new(EmbeddedStore::open(file, clock).unwrap())
        }
    }
}

/// A folder for a store; in memory where that is possible, because what a sync to the disk is worth is not asked here.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

fn config(base: &str, more: &[(&str, &str)], rules: &str) -> Config {
    let usual = [
        ("BOBBIN_SLACK_SIGNING_SECRETS", SIGNING_SECRET),
        ("BOBBIN_SLACK_BOT_TOKEN", BOT_TOKEN),
        ("BOBBIN_SLACK_API_URL", &format!("{base}/api/")),
        ("BOBBIN_SLACK_FILE_HOSTS", "127.0.0.1"),
        ("BOBBIN_DEVIN_API_URL", base),
        ("BOBBIN_DEVIN_API_KEY", DEVIN_KEY),
        ("BOBBIN_DEVIN_ORG_ID", ORG),
    ];
    let usual = usual.iter().filter(|(key, _)| !more.iter().any(|(other, _)| other == key));
    Config::from_values_and_file(usual.chain(more).copied(), rules).unwrap()
}

/// Founds a store; a machine that is too busy for a moment is asked again.
async fn founded(store: &SharedStore) {
    for _ in 0..MAX_PAUSES {
        match store.found().await {
            Err(StoreError::Unavailable(_)) => tokio::time::sleep(Duration::from_secs(1)).await,
            founded => return founded.unwrap(),
        }
    }
    store.found().await.unwrap();
}

/// Reads an id that the test wrote down.
pub(crate) fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}
