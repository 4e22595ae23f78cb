//! What people and Devin do while the bot is tormented, and what must have come of it in the end.
//!
//! Everything that is said carries a number, so that the end can be judged from outside alone: by what stands in Slack
//! and at Devin. What was acknowledged must have had its effect once, what was not may have had it once at most.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use bobbin::{
    domain::ids::{ChannelId, SessionId, Ts},
    slack::wire::interaction::START_HERE,
    twin::{
        devin,
        slack::{Door, Message, SayOptions, State},
        world::{ADA, BACKEND, BOT_USER, GRACE, OPS, SHARED},
    },
};

use super::outside::{Outside, number_in, numbered, numbers_in};
use crate::support::{chance::Chance, world::id};

/// Who speaks: the two people that Devin knows.
const PEOPLE: [&str; 2] = [ADA, GRACE];
/// Where they speak. Slack takes one post a second in each, so one alone would fill for minutes with what is told at the
/// end.
const CHANNELS: [&str; 3] = [BACKEND, OPS, SHARED];
/// Wait between two looks at whether everything is there.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Everything that was done.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    last: u32,
    threads: Vec<Thread>,
    commands: Vec<Command>,
    pub(crate) presses: u32,
}

/// A message that asked for a session.
#[derive(Debug)]
struct Thread {
    number: u32,
    channel: ChannelId,
    root: Ts,
    /// A mention comes as an event; the shortcut as an interaction, which Slack sends only once.
    door: Door,
    replies: Vec<(u32, Ts)>,
    /// What Devin said in its session.
    said: Vec<u32>,
}

/// A slash command that asked for a session, whose thread the bot opens.
#[derive(Debug)]
struct Command {
    number: u32,
    /// The name of its answer's address.
    hook: String,
}

/// How much there was, for the report.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Sums {
    pub(crate) sent: usize,
    pub(crate) acknowledged: usize,
    pub(crate) sessions: usize,
    pub(crate) unanswered_commands: usize,
}

impl Traffic {
    /// Does one thing.
    pub(crate) fn go_on(&mut self, outside: &Outside, chance: &mut Chance) {
        let (user, channel) = (*chance.one_of(&PEOPLE), *chance.one_of(&CHANNELS));
        match chance.below(100) {
            0..30 => self.mention_in(channel, outside, user),
            30..60 => self.reply(outside, user, chance),
            60..72 => self.shortcut(channel, outside, user),
            72..84 => self.command(channel, outside, user),
            84..90 => self.press(outside, user, chance),
            _ => self.devin_speaks(outside, chance),
        }
    }

    /// Somebody mentions the bot in `#backend`.
    pub(crate) fn mention(&mut self, outside: &Outside, user: &str) {
        self.mention_in(BACKEND, outside, user);
    }

    fn mention_in(&mut self, channel: &str, outside: &Outside, user: &str) {
        let number = self.next();
        let root = say(outside, user, channel, &format!("<@{BOT_USER}> please do {}", numbered(number)), None);
        self.begun(number, channel, root, Door::Events);
    }

    fn begun(&mut self, number: u32, channel: &str, root: Ts, door: Door) {
        let thread = Thread { number, channel: id(channel), root, door, replies: Vec::new(), said: Vec::new() };
        self.threads.push(thread);
    }

    fn reply(&mut self, outside: &Outside, user: &str, chance: &mut Chance) {
        let number = self.last + 1;
        let known = |thread: &&mut Thread| outside.line.took(thread.door, thread.number);
        let mut known: Vec<&mut Thread> = self.threads.iter_mut().filter(known).collect();
        if known.is_empty() {
            return self.mention(outside, user);
        }
        let at = chance.below(known.len());
        let (channel, root) = (known[at].channel.as_str(), Some(&known[at].root));
        let ts = say(outside, user, channel, &format!("and {}", numbered(number)), root);
        known[at].replies.push((number, ts));
        self.last = number;
    }

    /// Somebody says something to others, and uses the shortcut on it.
    fn shortcut(&mut self, channel: &str, outside: &Outside, user: &str) {
        let number = self.next();
        let root = say(outside, user, channel, &format!("who does {}?", numbered(number)), None);
        outside.slack.message_shortcut(&id(user), &id(channel), &root, START_HERE).unwrap();
        self.begun(number, channel, root, Door::Interactions);
    }

    fn command(&mut self, channel: &str, outside: &Outside, user: &str) {
        let number = self.next();
        let before: Vec<String> = outside.slack.read(|state| state.hooks.keys().cloned().collect());
        outside.slack.command(&id(user), &id(channel), "/bobbin", &numbered(number)).unwrap();
        let new = outside.slack.read(|state| state.hooks.keys().find(|hook| !before.contains(hook)).cloned());
        self.commands.push(Command { number, hook: new.unwrap() });
    }

    /// Somebody presses the card's button, which is a link: it is acknowledged and nothing else.
    fn press(&mut self, outside: &Outside, user: &str, chance: &mut Chance) {
        if self.threads.is_empty() {
            return;
        }
        let at = chance.below(self.threads.len());
        let Thread { channel, root, .. } = &self.threads[at];
        if let Some(card) = outside.posts_in(channel, root, "bobbin_card").first() {
            outside.slack.press(&id(user), channel, &card.ts, "open_session").unwrap();
            self.presses += 1;
        }
    }

    /// Devin says something in a session that runs.
    fn devin_speaks(&mut self, outside: &Outside, chance: &mut Chance) {
        let number = self.next();
        let sessions = outside.devin.read(|state| state.sessions.iter().map(facts).collect::<Vec<_>>());
        if sessions.is_empty() {
            return;
        }
        let (session, end) = chance.one_of(&sessions).clone();
        if let Some(thread) = self.threads.iter_mut().find(|thread| end == thread.root.to_string()) {
            outside.devin.say(&session, &format!("I looked at {}.", numbered(number))).unwrap();
            thread.said.push(number);
        }
    }

    /// Waits until everything that must come has come, ends all sessions, and waits until that is told; then nothing
    /// may have come twice.
    pub(crate) async fn settle(&self, outside: &Outside, within: Duration) -> Sums {
        let deadline = Instant::now() + within;
        self.all_there(outside, deadline, false).await;
        self.all_there(outside, deadline, true).await;
        let surplus = self.surplus(outside);
        assert!(surplus.is_empty(), "more than there should be: {surplus:#?}");
        self.sums(outside)
    }

    async fn all_there(&self, outside: &Outside, deadline: Instant, ended: bool) {
        loop {
            if ended {
                finish_all(outside);
            }
            let missing = self.missing(outside, ended);
            if missing.is_empty() && outside.is_quiet() {
                return;
            }
            assert!(Instant::now() < deadline, "not there in time: {missing:#?}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// What must be there and is not yet; the end of each session only once all were `ended`.
    pub(crate) fn missing(&self, outside: &Outside, ended: bool) -> Vec<String> {
        let world = Picture::of(outside);
        let mut missing = Vec::new();
        let mut must = |there: bool, what: &str, number: u32| {
            if !there {
                missing.push(format!("{what} of {}", numbered(number)));
            }
        };
        for thread in &self.threads {
            let started = world.sessions.contains_key(&thread.root.to_string());
            let taken = outside.line.took(thread.door, thread.number);
            must(started || !taken, "session", thread.number);
            must(world.receipts(&thread.root) > 0 || !taken, "receipt", thread.number);
            if started {
                must(world.posts(&thread.root, "bobbin_card") > 0, "card", thread.number);
                must(!ended || world.posts(&thread.root, "bobbin_transition") > 0, "transition", thread.number);
            }
            for (number, ts) in thread.replies.iter().filter(|(number, _)| outside.line.took(Door::Events, *number)) {
                must(world.heard(*number) > 0, "message into the session", *number);
                must(world.receipts(ts) > 0, "receipt", *number);
            }
            for number in &thread.said {
                must(world.relayed(*number) > 0, "relay", *number);
            }
        }
        for command in self.commands.iter().filter(|command| outside.line.took(Door::Commands, command.number)) {
            must(!world.commanded(command.number).is_empty(), "session", command.number);
            for root in world.commanded(command.number) {
                must(world.posts(root, "bobbin_card") > 0, "card", command.number);
                must(!ended || world.posts(root, "bobbin_transition") > 0, "transition", command.number);
            }
        }
        missing
    }

    /// What is there more often than it may be, or in the wrong order.
    pub(crate) fn surplus(&self, outside: &Outside) -> Vec<String> {
        let world = Picture::of(outside);
        let mut surplus = Vec::new();
        let mut most = |count: usize, what: &str, number: u32| {
            if count > 1 {
                surplus.push(format!("{count} × {what} of {}", numbered(number)));
            }
        };
        for thread in &self.threads {
            let sessions = world.sessions.get(&thread.root.to_string()).map_or(0, Vec::len);
            most(sessions, "session", thread.number);
            most(world.receipts(&thread.root), "receipt", thread.number);
            for (root, kind) in each_once(&thread.root) {
                most(world.posts(root, kind), kind, thread.number);
            }
            for (number, ts) in &thread.replies {
                most(world.heard(*number), "message into the session", *number);
                most(world.receipts(ts), "receipt", *number);
            }
            thread.said.iter().for_each(|number| most(world.relayed(*number), "relay", *number));
        }
        // A command has one answer beside its thread.
        for command in &self.commands {
            most(world.answers(&command.hook), "answer", command.number);
            most(world.commanded(command.number).len(), "session", command.number);
            for (root, kind) in world.commanded(command.number).into_iter().flat_map(each_once) {
                most(world.posts(root, kind), kind, command.number);
            }
        }
        surplus.extend(world.keys.iter().filter(|(_, count)| **count > 1).map(|(key, n)| format!("{n} × mark {key}")));
        for thread in &self.threads {
            let told = world.order.get(&thread.root.to_string()).cloned().unwrap_or_default();
            if !told.is_sorted() {
                surplus
                    .push(format!("Devin's words out of order in the thread of {}: {told:?}", numbered(thread.number)));
            }
        }
        surplus
    }

    /// How much there was.
    pub(crate) fn sums(&self, outside: &Outside) -> Sums {
        let world = Picture::of(outside);
        let mut inputs: Vec<(Door, u32)> = self.commands.iter().map(|c| (Door::Commands, c.number)).collect();
        for thread in &self.threads {
            inputs.push((thread.door, thread.number));
            inputs.extend(thread.replies.iter().map(|(number, _)| (Door::Events, *number)));
        }
        let taken = |command: &&Command| outside.line.took(Door::Commands, command.number);
        let unanswered = self.commands.iter().filter(taken).filter(|c| world.answers(&c.hook) == 0).count();
        Sums {
            sent: inputs.len(),
            acknowledged: inputs.iter().filter(|(door, number)| outside.line.took(*door, *number)).count(),
            sessions: world.sessions.len(),
            unanswered_commands: unanswered,
        }
    }

    fn next(&mut self) -> u32 {
        self.last += 1;
        self.last
    }
}

/// The world, counted.
#[derive(Debug, Default)]
struct Picture {
    /// Sessions by the root of their thread.
    sessions: HashMap<String, Vec<SessionId>>,
    /// Roots of the sessions' threads, each with the number that the prompt begins with.
    asked: Vec<(u32, Ts)>,
    /// Messages of people in sessions, by number.
    heard: HashMap<u32, usize>,
    /// Posts of the bot by thread and type.
    posts: HashMap<(Ts, String), usize>,
    relayed: HashMap<u32, usize>,
    /// Numbers of Devin's words in each thread, in the order of the posts.
    order: HashMap<String, Vec<u32>>,
    receipts: HashMap<Ts, usize>,
    /// Marks of the bot's posts.
    keys: BTreeMap<String, usize>,
    /// How often each answer's address was used.
    answers: HashMap<String, usize>,
}

impl Picture {
    fn of(outside: &Outside) -> Self {
        let mut picture = Self::default();
        outside.devin.read(|state| {
            for session in &state.sessions {
                let (id, root) = facts(session);
                picture.asked.extend(number_in(&session.prompt).zip(root.parse().ok()));
                picture.sessions.entry(root).or_default().push(id);
                let people = session.messages.iter().filter(|m| m.as_user.is_some());
                let numbers = people.flat_map(|m| numbers_in(&m.message));
                numbers.for_each(|number| *picture.heard.entry(number).or_default() += 1);
            }
        });
        outside.slack.read(|state| picture.look_at(state));
        picture
    }

    fn look_at(&mut self, state: &State) {
        for message in CHANNELS.iter().flat_map(|channel| &state.channels[&id::<ChannelId>(channel)].messages) {
            let eyes = message.reactions.iter().filter(|r| r.name == "eyes").map(|r| r.users.len()).sum::<usize>();
            self.receipts.insert(message.ts.clone(), eyes);
            if message.user.as_str() == BOT_USER && !message.deleted {
                self.look_at_post(message);
            }
        }
        let used = |left: u8| 5 - usize::from(left);
        self.answers = state.hooks.iter().map(|(id, hook)| (id.clone(), used(hook.uses_left))).collect();
    }

    fn look_at_post(&mut self, message: &Message) {
        let (Some(root), Some(metadata)) = (&message.thread_ts, &message.metadata) else { return };
        let word = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let kind = word(&metadata["event_type"]);
        *self.keys.entry(word(&metadata["event_payload"]["key"])).or_default() += 1;
        if let Some(number) = number_in(&message.text).filter(|_| kind == "bobbin_relay") {
            *self.relayed.entry(number).or_default() += 1;
            self.order.entry(root.to_string()).or_default().push(number);
        }
        *self.posts.entry((root.clone(), kind)).or_default() += 1;
    }

    fn receipts(&self, ts: &Ts) -> usize {
        self.receipts.get(ts).copied().unwrap_or_default()
    }

    fn posts(&self, root: &Ts, kind: &str) -> usize {
        self.posts.get(&(root.clone(), kind.to_owned())).copied().unwrap_or_default()
    }

    /// Threads of the sessions that a command asked for.
    fn commanded(&self, number: u32) -> Vec<&Ts> {
        self.asked.iter().filter(|(asked, _)| *asked == number).map(|(_, root)| root).collect()
    }

    fn heard(&self, number: u32) -> usize {
        self.heard.get(&number).copied().unwrap_or_default()
    }

    fn relayed(&self, number: u32) -> usize {
        self.relayed.get(&number).copied().unwrap_or_default()
    }

    fn answers(&self, hook: &str) -> usize {
        self.answers.get(hook).copied().unwrap_or_default()
    }
}

/// What a thread has one of at most.
fn each_once(root: &Ts) -> [(&Ts, &'static str); 2] {
    [(root, "bobbin_card"), (root, "bobbin_transition")]
}

/// Ends every session that still runs.
pub(crate) fn finish_all(outside: &Outside) {
    let running = |state: &devin::State| {
        let running = state.sessions.iter().filter(|s| s.status.as_str() != "exit");
        running.map(|s| s.id.clone()).collect::<Vec<_>>()
    };
    for session in outside.devin.read(running) {
        outside.devin.set(&session, "exit".to_owned().into(), None).unwrap();
    }
}

/// A session's id and the root of its thread.
fn facts(session: &devin::Session) -> (SessionId, String) {
    let root = session.tags.iter().find(|t| t.starts_with("bobbin-thread:")).and_then(|t| t.rsplit('/').next());
    (session.id.clone(), root.unwrap_or_default().to_owned())
}

fn say(outside: &Outside, user: &str, channel: &str, text: &str, thread: Option<&Ts>) -> Ts {
    let options = SayOptions { thread: thread.cloned(), ..SayOptions::default() };
    outside.slack.say(&id(user), &id::<ChannelId>(channel), text, options).unwrap()
}
