//! The stand-in Slack as one shareable thing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::watch;

use super::{
    oauth::OAuthApp,
    sockets::Sockets,
    state::{App, Channel, File, Message, State, Team, Token, User},
    surfaces::Features,
};
use crate::{
    clock::Clock,
    domain::ids::{ChannelId, Ts, UserId},
    twin::faults::Faults,
};

/// A stand-in Slack with one workspace, in which one app is installed.
#[derive(Debug)]
pub struct SlackTwin {
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
    faults: Faults,
    pub(super) sockets: Sockets,
    changed: watch::Sender<u64>,
}

impl SlackTwin {
    /// An empty workspace: no users, channels or tokens.
    pub fn new(clock: Arc<dyn Clock>, team: Team, app: App) -> Self {
        let state = State {
            team,
            app,
            tokens: BTreeMap::new(),
            users: BTreeMap::new(),
            channels: BTreeMap::new(),
            ephemerals: Vec::new(),
            files: BTreeMap::new(),
            uploads: BTreeMap::new(),
            tickets: BTreeSet::new(),
            hooks: BTreeMap::new(),
            views: Vec::new(),
            triggers: BTreeMap::new(),
            agent_sessions: BTreeMap::new(),
            titles: BTreeMap::new(),
            prompts: BTreeMap::new(),
            features: Features::default(),
            oauth: OAuthApp::default(),
            deliveries: Vec::new(),
            ledger: Vec::new(),
            base_url: "http://slack.invalid".to_owned(),
            mention_order: super::MentionOrder::default(),
            replies_lag: Duration::ZERO,
            last_id: 0,
            last_ts: 0,
        };
        let (faults, sockets) = (Faults::default(), Sockets::default());
        Self { state: Mutex::new(state), clock, faults, sockets, changed: watch::Sender::new(0) }
    }

    /// Looks at everything that is remembered.
    pub fn read<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        look(&self.lock())
    }

    /// Changes what is remembered without any event, and tells those who watch.
    pub fn change<R>(&self, edit: impl FnOnce(&mut State) -> R) -> R {
        let result = edit(&mut self.lock());
        self.changed.send_modify(|count| *count += 1);
        result
    }

    /// A number that grows with every change, to be waited on by a page that updates itself. Requests that only read
    /// do not move it, although they are written into the ledger.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Failures for the coming requests, by method name; downloads are `files`, uploads `upload`, `response_url`s `hooks`,
    /// handshakes of sockets `link`.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Where the app can reach this twin; files and `response_url`s begin with it.
    pub fn set_base_url(&self, url: &str) {
        self.change(|state| url.trim_end_matches('/').clone_into(&mut state.base_url));
    }

    /// Adds a person or bot, without an event.
    pub fn add_user(&self, user: User) {
        self.change(|state| state.users.insert(user.id.clone(), user));
    }

    /// Adds a conversation, without an event.
    pub fn add_channel(&self, channel: Channel) {
        self.change(|state| state.channels.insert(channel.id.clone(), channel));
    }

    /// Accepts a token with these scopes.
    pub fn add_token(&self, token: &str, scopes: &[&str]) {
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        self.change(|state| state.tokens.insert(token.to_owned(), Token { scopes, refused: None }));
    }

    /// Adds a file, without an event.
    pub fn add_file(&self, file: File) {
        self.change(|state| state.files.insert(file.id.clone(), file));
    }

    /// The messages of a thread that were not deleted, the parent first.
    pub fn thread(&self, channel: &ChannelId, root: &Ts) -> Vec<Message> {
        self.read(|state| state.channels.get(channel).map(|c| c.thread(root).cloned().collect()).unwrap_or_default())
    }

    /// The direct conversation between the bot and a person.
    pub fn direct(&self, user: &UserId) -> Option<ChannelId> {
        self.read(|state| state.direct(user).map(|channel| channel.id.clone()))
    }

    /// How often a method was called, refused and broken calls included.
    pub fn calls(&self, method: &str) -> usize {
        self.read(|state| state.ledger.iter().filter(|call| call.method == method).count())
    }

    /// The twin's time.
    pub(in crate::twin) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Changes what is remembered without telling those who watch: for what a page need not show at once.
    pub(super) fn quietly<R>(&self, edit: impl FnOnce(&mut State) -> R) -> R {
        edit(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
