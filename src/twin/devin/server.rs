//! The stand-in Devin as one shareable thing.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::watch;

use super::state::{LeftOpen, Session, State, TagFilter};
use crate::{clock::Clock, domain::ids::OrgId, twin::faults::Faults};

/// A stand-in Devin with one organisation.
#[derive(Debug)]
pub struct DevinTwin {
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
    faults: Faults,
    changed: watch::Sender<u64>,
}

impl DevinTwin {
    /// An empty organisation: no keys, people or sessions.
    pub fn new(clock: Arc<dyn Clock>, org: OrgId) -> Self {
        let state = State {
            org,
            keys: BTreeMap::new(),
            users: Vec::new(),
            idp_users: Vec::new(),
            sessions: Vec::new(),
            attachments: BTreeMap::new(),
            playbooks: Vec::new(),
            secrets: Vec::new(),
            list_lag: Duration::ZERO,
            messages_lag: Duration::ZERO,
            messages_move_updated_at: true,
            tag_filter: TagFilter::default(),
            left_open: LeftOpen::default(),
            scripted: false,
            base_url: "http://devin.invalid".to_owned(),
            ledger: Vec::new(),
            cursors: BTreeMap::new(),
            last_id: 0,
        };
        Self { state: Mutex::new(state), clock, faults: Faults::default(), changed: watch::Sender::new(0) }
    }

    /// Looks at everything that is remembered.
    pub fn read<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        look(&self.lock())
    }

    /// Changes what is remembered, and tells those who watch.
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

    /// Failures for the coming requests, by operation: `self`, `sessions.create`, `.list`, `.get`, `.terminate`,
    /// `.archive`, `.unarchive`, `messages.list`, `.send`, `tags.get`, `.append`, `.replace`, `attachments.upload`,
    /// `.download`, `.list`, `presigned`, `members.users`, `members.idp-users`, `playbooks.list`,
    /// `secrets.list`.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Where clients reach this twin; attachment addresses begin with it.
    pub fn set_base_url(&self, url: &str) {
        self.change(|state| url.trim_end_matches('/').clone_into(&mut state.base_url));
    }

    /// All sessions in the order of their creation.
    pub fn sessions(&self) -> Vec<Session> {
        self.read(|state| state.sessions.clone())
    }

    /// How often an operation was asked for, refused and broken requests included.
    pub fn calls(&self, operation: &str) -> usize {
        self.read(|state| state.ledger.iter().filter(|call| call.method == operation).count())
    }

    /// The twin's time.
    pub(super) fn now(&self) -> Timestamp {
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
