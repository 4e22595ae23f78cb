//! A store that counts the operations asked of it.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use bobbin::{
    domain::{
        ids::{InputId, SessionId},
        mailbox::Mailbox,
    },
    store::{
        Accepted, Activity, Adoption, Backlog, Change, Commit, Cursor, Dead, Durability, Founding, Input, Inside,
        Lease, Listed, Listing, Offer, Pace, Registers, Result, Row, SharedStore, Store, Survey, Tracked, Turn,
        Unfinished, Unlisted,
    },
};
use jiff::Timestamp;

/// Counts, and passes on.
#[derive(Debug)]
pub(crate) struct Counting {
    inner: SharedStore,
    operations: AtomicUsize,
}

impl Counting {
    /// Counts the operations of this store.
    pub(crate) fn new(inner: SharedStore) -> Self {
        Self { inner, operations: AtomicUsize::new(0) }
    }

    /// Operations since the last reset.
    pub(crate) fn operations(&self) -> usize {
        self.operations.load(Ordering::SeqCst)
    }

    /// Counts from zero.
    pub(crate) fn reset(&self) {
        self.operations.store(0, Ordering::SeqCst);
    }
}

macro_rules! counting {
    ($contract:ident: $($name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)+) => {
        #[async_trait]
        impl $contract for Counting {
            $(async fn $name(&self, $($argument: $kind),*) -> Result<$answer> {
                self.operations.fetch_add(1, Ordering::SeqCst);
                self.inner.$name($($argument),*).await
            })+
        }
    };
}

counting! {
    Founding:
    is_founded() -> bool;
    found() -> ();
    adopt(adoption: &Adoption) -> bool;
}

counting! {
    Survey:
    listed(under: &str, after: Option<&Cursor>, limit: usize) -> Vec<Listed>;
    listed_counts(under: &[&str]) -> Vec<u64>;
    inside(mailbox: &Mailbox) -> Inside;
    unlisted(from: Option<&str>) -> Unlisted;
    enlist(mailbox: &Mailbox, state: &str, listing: &Listing) -> bool;
    letters(after: Option<&Cursor>, limit: usize) -> Vec<Dead>;
    letter(id: &InputId) -> Option<Dead>;
}

counting! {
    Registers:
    register(changes: &[Change]) -> ();
    row(register: &str, name: &str) -> Option<Row>;
    rows(register: &str, after: Option<&Cursor>, limit: usize) -> Vec<Row>;
}

counting! {
    Store:
    accept(offer: &Offer) -> Accepted;
    lease(ttl: Duration) -> Turn;
    renew(lease: &Lease, ttl: Duration) -> ();
    begin(lease: &Lease, step: &str, record: &str) -> ();
    finish(lease: &Lease, step: &str, record: &str) -> ();
    commit(lease: &Lease, commit: &Commit) -> ();
    defer(lease: &Lease, until: Timestamp, how: Unfinished) -> ();
    pace(mailbox: &Mailbox, pace: Pace) -> Option<Timestamp>;
    bury(lease: &Lease, why: &str, commit: &Commit) -> ();
    set_aside(input: &Input, why: &str) -> ();
    dead(limit: usize) -> Vec<Dead>;
    replay_dead(id: &InputId) -> bool;
    drop_dead(id: &InputId) -> bool;
    state(mailbox: &Mailbox) -> Option<String>;
    recall(key: &str) -> Option<String>;
    remember(key: &str, value: &str, ttl: Duration) -> ();
    forget(key: &str) -> ();
    hold(name: &str, holder: &str, ttl: Duration) -> bool;
    tracked(activity: Activity, after: Option<&SessionId>, limit: usize) -> Vec<Tracked>;
    tracked_counts() -> BTreeMap<Activity, u64>;
    backlog() -> Backlog;
    check() -> ();
    durability() -> Durability;
}
