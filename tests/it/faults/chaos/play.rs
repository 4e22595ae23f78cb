//! What a seed plays.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::Router;
use bobbin::{
    app::{Bobbin, Limits, send_as_slack, serve},
    clock::Clock as _,
    domain::{
        ids::{SessionId, Ts},
        status::{Detail, Status},
    },
    twin::{
        FaultAction,
        slack::{Delivery, SayOptions, Undelivered},
        world::{ADA, BACKEND, BOT_USER, GRACE},
    },
    work::Stepped,
};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::support::{
    chance::Chance,
    crash::Life,
    world::{Making, World, id},
};

/// Turns of one play.
const TURNS: usize = 60;
/// Threads of one play.
const THREADS: usize = 4;
/// Rounds of two minutes in which everything comes to rest: Slack's last retry is six minutes late, the watch waits up to
/// five.
const REST_ROUNDS: usize = 6;
/// One of them.
const REST_ROUND: Duration = Duration::from_mins(2);
/// Rounds after which a world that does not come to rest is a failure.
const MAX_ROUNDS: usize = 600;
/// What fails: the calls that matter, and any.
const OPERATIONS: [&str; 12] = [
    "sessions.create",
    "messages.send",
    "chat.postMessage",
    "chat.update",
    "reactions.add",
    "sessions.list",
    "messages.list",
    "conversations.replies",
    "users.info",
    "members.users",
    "auth.test",
    "*",
];
/// What an edit adds to a message.
pub(super) const EDITED: &str = " (edited)";
/// Where a session's states are taken from, with what a person would call them.
const STATES: [(&str, &str); 4] =
    [("running", "working"), ("running", "waiting_for_user"), ("running", "finished"), ("suspended", "inactivity")];

/// A message of a person that is for us.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) root: Ts,
    pub(super) ts: Ts,
    pub(super) text: String,
    pub(super) user: &'static str,
    /// When it was stored, in the order of all that was stored.
    pub(super) stored: Option<usize>,
    /// Whether Slack was told that it was taken, although it had not been stored before.
    pub(super) acknowledged: Option<usize>,
}

/// One process.
#[derive(Debug)]
struct Process {
    life: Life,
    bobbin: Bobbin,
    base: String,
}

/// A play.
#[derive(Debug)]
pub(super) struct Play {
    pub(super) world: World,
    pub(super) said: Vec<Said>,
    /// The states that each session was in, in order.
    pub(super) states: Vec<(SessionId, Status, Option<Detail>)>,
    /// What happened, for whoever plays a seed again.
    pub(super) log: Vec<String>,
    chance: Chance,
    processes: Vec<Process>,
    /// Whose turn it is: its calls fail when it dies.
    turn: Arc<AtomicUsize>,
    counter: usize,
    deliveries: usize,
    stop: CancellationToken,
}

impl Drop for Play {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Play {
    pub(super) async fn begin(seed: u64, making: Making) -> Self {
        let mut world = World::made(making).await;
        world.lenient();
        let stop = CancellationToken::new();
        let first = Process { life: world.life.clone(), bobbin: world.bobbin.clone(), base: world.base.clone() };
        let life = Life::default();
        let bobbin = world.another(life.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let doors = Router::new().merge(bobbin.doors());
        TaskTracker::new().spawn(serve(listener, doors, Limits::default(), stop.clone()));
        let processes = vec![first, Process { life, bobbin, base }];
        let turn = Arc::new(AtomicUsize::new(0));
        for faults in [world.slack.faults(), world.devin.faults()] {
            let lives: Vec<Life> = processes.iter().map(|process| process.life.clone()).collect();
            let turn = turn.clone();
            faults.tap(Box::new(move |operation| lives[turn.load(Ordering::SeqCst)].call(operation)));
        }
        let (chance, said, states, log) = (Chance::new(seed), Vec::new(), Vec::new(), Vec::new());
        Self { world, said, states, log, chance, processes, turn, counter: 0, deliveries: 0, stop }
    }

    /// Plays its turns.
    pub(super) async fn run(&mut self) {
        let lag = Duration::from_secs(u64::try_from(self.chance.below(6)).unwrap());
        self.world.devin.change(|state| (state.list_lag, state.messages_lag) = (lag, lag));
        self.world.slack.change(|state| state.replies_lag = lag);
        for _ in 0..TURNS {
            match self.chance.below(10) {
                0..=2 => self.somebody_acts(),
                3 => self.slack_confuses(),
                4 => self.something_fails(),
                _ => self.work_goes_on().await,
            }
            self.note_states();
        }
    }

    /// The troubles stop, and time passes until all has come to rest.
    pub(super) async fn rest(&mut self) {
        self.log.push("the troubles stop".to_owned());
        self.world.devin.faults().clear();
        self.world.slack.faults().clear();
        for index in 0..self.processes.len() {
            self.restart(index);
        }
        for _ in 0..REST_ROUNDS {
            for index in 0..self.processes.len() {
                self.look(index).await;
            }
            self.settle().await;
            self.world.clock.advance(REST_ROUND);
            for faults in [self.world.slack.faults(), self.world.devin.faults()] {
                faults.process_late(self.world.clock.now()).await;
            }
        }
        self.settle().await;
        self.note_states();
    }

    async fn settle(&mut self) {
        let end = self.world.clock.now() + Duration::from_mins(3);
        for round in 0..MAX_ROUNDS {
            while self.deliver().await {}
            let index = round % self.processes.len();
            match self.step(index).await {
                Some(Stepped::Handled) => {}
                Some(Stepped::Idle { next }) => match next.filter(|at| *at <= end) {
                    Some(at) => self.world.clock.advance_to(at),
                    None => return,
                },
                Some(Stepped::Unfounded) => panic!("the store of a world is founded"),
                None => panic!("a process died although the troubles had stopped"),
            }
        }
        panic!("the world does not come to rest: {:#?}", self.log);
    }

    fn somebody_acts(&mut self) {
        let sessions = self.world.devin.sessions();
        let roots: Vec<Ts> = self.said.iter().filter(|said| said.ts == said.root).map(|s| s.root.clone()).collect();
        self.counter += 1;
        let n = self.counter;
        let who = *self.chance.one_of(&[ADA, GRACE]);
        match self.chance.below(10) {
            0..=2 if roots.len() < THREADS => self.say(who, None, &format!("<@{BOT_USER}> do thing {n}")),
            0..=4 if !roots.is_empty() => {
                let root = self.chance.one_of(&roots).clone();
                self.say(who, Some(root), &format!("answer {n}"));
            }
            5 if !self.said.is_empty() => {
                let said = self.chance.one_of(&self.said).clone();
                self.log.push(format!("{} edits {:?}", said.user, said.text));
                self.world
                    .slack
                    .edit(&id(said.user), &id(BACKEND), &said.ts, &format!("{}{EDITED}", said.text))
                    .unwrap();
            }
            6 | 7 if !sessions.is_empty() => {
                let session = self.chance.one_of(&sessions).id.clone();
                self.log.push(format!("Devin says: words {n}"));
                self.world.devin.say(&session, &format!("words {n}")).unwrap();
            }
            8 if !sessions.is_empty() => {
                let session = self.chance.one_of(&sessions).id.clone();
                let (status, detail) = *self.chance.one_of(&STATES);
                self.log.push(format!("Devin becomes {status}/{detail}"));
                let detail = Some(Detail::from(detail.to_owned()));
                self.world.devin.set(&session, Status::from(status.to_owned()), detail).unwrap();
            }
            9 if !sessions.is_empty() => {
                let session = self.chance.one_of(&sessions).id.clone();
                self.log.push("Devin opens a pull request".to_owned());
                self.world.devin.open_pr(&session).unwrap();
            }
            _ => {}
        }
    }

    fn say(&mut self, user: &'static str, thread: Option<Ts>, text: &str) {
        self.log.push(format!("{user} says {text:?} in {thread:?}"));
        let options = SayOptions { thread: thread.clone(), ..SayOptions::default() };
        let ts = self.world.slack.say(&id(user), &id(BACKEND), text, options).unwrap();
        let root = thread.unwrap_or_else(|| ts.clone());
        self.said.push(Said { root, ts, text: text.to_owned(), user, stored: None, acknowledged: None });
    }

    /// Slack repeats, reorders, and gives up an attempt.
    fn slack_confuses(&mut self) {
        let pending = self.world.slack.pending();
        if pending.is_empty() {
            return;
        }
        let delivery = self.chance.one_of(&pending).id;
        match self.chance.below(3) {
            0 => self.world.slack.duplicate_delivery(delivery),
            1 => self.world.slack.change(|state| state.deliveries.rotate_left(1)),
            _ => {
                if let Some(delivery) = self.world.slack.take_due() {
                    self.world.slack.settle(delivery, Err(Undelivered::Timeout));
                }
            }
        }
    }

    fn something_fails(&mut self) {
        let index = self.chance.below(self.processes.len());
        if self.processes[index].life.is_dead() {
            return;
        }
        if self.chance.percent(40) {
            let events = 1 + self.chance.below(7);
            self.log.push(format!("process {index} dies after {events} events"));
            self.processes[index].life.die_after(events);
            return;
        }
        let operation = *self.chance.one_of(&OPERATIONS);
        let late = Duration::from_secs(u64::try_from(self.chance.below(9)).unwrap());
        let action = self
            .chance
            .one_of(&[
                FaultAction::DropBefore,
                FaultAction::DropAfter,
                FaultAction::Late(late),
                FaultAction::Status(503),
                FaultAction::StatusAfter(502),
                FaultAction::RateLimited { after: None },
                FaultAction::RateLimited { after: Some(9) },
                FaultAction::Garbage,
                FaultAction::AnswerAfter(r#"{"ok":true}"#.to_owned()),
            ])
            .clone();
        self.log.push(format!("{operation} will fail: {action:?}"));
        let devins = ["sessions", "messages", "members"].iter().any(|family| operation.starts_with(family));
        let faults = if devins { self.world.devin.faults() } else { self.world.slack.faults() };
        faults.once(operation, action);
    }

    async fn work_goes_on(&mut self) {
        let index = self.chance.below(self.processes.len());
        if self.processes[index].life.is_dead() {
            self.restart(index);
        }
        match self.chance.below(8) {
            0..=2 => drop(self.deliver().await),
            3..=5 => drop(self.step(index).await),
            6 => self.look(index).await,
            _ => {
                let seconds = 1 + self.chance.below(30);
                self.log.push(format!("{seconds} s pass"));
                self.world.clock.advance(Duration::from_secs(u64::try_from(seconds).unwrap()));
            }
        }
    }

    async fn step(&mut self, index: usize) -> Option<Stepped> {
        self.turn.store(index, Ordering::SeqCst);
        let stepped = self.processes[index].bobbin.worker.step().await;
        self.log.push(format!("process {index} works: {stepped:?}"));
        match stepped {
            Ok(stepped) => Some(stepped),
            Err(_) if self.processes[index].life.is_dead() => None,
            Err(error) => panic!("the store failed: {error}"),
        }
    }

    async fn look(&mut self, index: usize) {
        self.turn.store(index, Ordering::SeqCst);
        let watch = self.processes[index].bobbin.watch.clone();
        watch.hurry().await;
        let looked = watch.step().await;
        self.log.push(format!("process {index} looks: {looked:?}"));
        assert!(looked.is_ok() || self.processes[index].life.is_dead(), "{looked:?}");
    }

    fn restart(&mut self, index: usize) {
        let life = self.processes[index].life.clone();
        life.live_on();
        self.processes[index].bobbin = self.world.another(life);
    }

    /// Hands the next delivery to either process; whether there was one.
    async fn deliver(&mut self) -> bool {
        let Some(delivery) = self.world.slack.take_due() else { return false };
        let process = &self.processes[self.chance.below(self.processes.len())];
        let stored = || process.life.met().iter().filter(|event| *event == "accept").count();
        let before = stored();
        let request = self.world.slack.outgoing(&delivery);
        let answer = send_as_slack(&self.world.outbound, &process.base, request).await;
        let taken = stored() > before;
        self.deliveries += 1;
        let acknowledged = answer.as_ref().is_ok_and(|answer| answer.status == 200);
        self.log.push(format!(
            "{} delivered: {:?}, stored: {taken}",
            delivery.label,
            answer.as_ref().map(|a| a.status)
        ));
        if let Some(said) = subject(&delivery).and_then(|ts| self.said.iter_mut().find(|said| said.ts == ts)) {
            said.stored = said.stored.or(taken.then_some(self.deliveries));
            said.acknowledged = said.acknowledged.or(acknowledged.then_some(self.deliveries));
        }
        self.world.slack.settle(delivery, answer);
        true
    }

    /// Remembers the state of every session where it changed.
    fn note_states(&mut self) {
        for session in self.world.devin.sessions() {
            let last = self.states.iter().rev().find(|(id, ..)| *id == session.id);
            if last.is_none_or(|(_, status, detail)| (status, detail) != (&session.status, &session.detail)) {
                self.states.push((session.id, session.status, session.detail));
            }
        }
    }
}

/// The message that an event is about, when it is somebody's new words.
fn subject(delivery: &Delivery) -> Option<Ts> {
    let body: Value = serde_json::from_slice(&delivery.body).ok()?;
    let event = &body["event"];
    let words = matches!(event["type"].as_str(), Some("message" | "app_mention")) && event["subtype"].is_null();
    event["ts"].as_str().filter(|_| words)?.parse().ok()
}
