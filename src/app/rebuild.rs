//! Founds a store that is new or was emptied: lists our sessions at Devin and gives each thread its mailbox back. The
//! links themselves are restored thread by thread, working sessions first, because reading fifty thousand threads at
//! Slack's pace takes a day; a thread in which somebody writes does not wait for its turn.
//!
//! One replica does it. It begins after a while in which every call at Slack that was under way when the store was
//! emptied has ended: a post that is still to come would be taken for missing.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::{Mutex, Notify};
use uuid::Uuid;

use super::bobbin::Bobbin;
use crate::{
    clock::{Clock, later},
    devin::{Devin, DevinError, Page, Session, SessionQuery},
    domain::{
        ids::{SessionId, TeamId},
        mailbox::{Mailbox, ThreadKey},
        phase::{Pace, Phase, State},
    },
    outbound::Failure as _,
    slack::client::CALL_TIMEOUT,
    store::{Bell, SharedStore, StoreError},
    tenancy::Workspaces,
    watch::{OUR_TAG, Orphan, Scope, adopt, doubt},
};

/// The single right that replicas share, and the name of what is remembered meanwhile.
const RIGHT: &str = "rebuild";
/// Longer than a page of sessions takes, tried again and again.
const RIGHT_FOR: Duration = Duration::from_mins(5);
/// What was under way at Slack when the store was emptied has ended after this.
const GRACE: Duration = Duration::from_secs(CALL_TIMEOUT.as_secs() + 1);
/// Time between the wakes of two threads: each reads its thread, and Slack allows about fifty such calls a minute.
const WAKE_EVERY: Duration = Duration::from_secs(2);
/// Of sessions that were over for longer, nothing can be owed but to somebody who asks.
const OVER_FOR_SECONDS: i64 = 86_400;
/// How often a page is asked for again.
const PAGE_TRIES: u32 = 5;
/// First wait in between, where Devin does not say how long; doubles.
const PAGE_WAIT: Duration = Duration::from_secs(1);

/// How long to wait for another process that is at it.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// What it reads and writes.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The store.
    pub store: SharedStore,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where the sessions are: each organisation, and whose threads' sessions are looked for there.
    pub devins: Vec<(Scope, Devin)>,
    /// Says which threads are ours.
    pub workspaces: Arc<dyn Workspaces>,
}

/// What one step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Founding {
    /// The store was founded before.
    Already,
    /// Another replica is at it.
    NotOurs,
    /// There are sessions to adopt, after this time.
    NotYet(Duration),
    /// The store is founded now.
    Founded(Report),
}

/// How many sessions were found at Devin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Threads that the store did not know.
    pub adopted: usize,
    /// Threads that it knew.
    pub known: usize,
    /// Of another workspace, or without a thread.
    pub foreign: usize,
}

/// Founds a store.
#[derive(Debug)]
pub struct Rebuild {
    sources: Sources,
    holder: String,
    /// Rung by whoever is refused work, because the store is not founded.
    pub(super) needed: Bell,
    noticed: Mutex<Option<Timestamp>>,
    doing: std::sync::Mutex<String>,
}

/// A session with a thread of ours, in the order in which links are restored.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    turn: Turn,
    /// Where a thread has two, the older one is the first.
    created_at: i64,
    session: SessionId,
    thread: ThreadKey,
}

/// When a link is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Works,
    Waits,
    Sleeps,
    JustOver,
    /// When somebody writes.
    Later,
}

impl Rebuild {
    /// Founds with these sources; `holder` names this process among the replicas.
    pub fn new(sources: Sources, holder: String) -> Self {
        let doing = std::sync::Mutex::new("its sessions are looked for at Devin first".to_owned());
        Self { sources, holder, needed: Arc::new(Notify::new()), noticed: Mutex::default(), doing }
    }

    /// Does what can be done now to found the store.
    pub async fn step(&self) -> anyhow::Result<Founding> {
        let step = self.try_step().await;
        if let Err(error) = &step {
            *self.doing.lock().unwrap_or_else(PoisonError::into_inner) = format!("{error:#}");
        }
        step
    }

    async fn try_step(&self) -> anyhow::Result<Founding> {
        let Sources { store, clock, .. } = &self.sources;
        let mut noticed = self.noticed.lock().await;
        if store.is_founded().await? {
            *noticed = None;
            return Ok(Founding::Already);
        }
        let now = clock.now();
        let from = later(*noticed.get_or_insert(now), GRACE);
        if !store.hold(RIGHT, &self.holder, RIGHT_FOR).await? {
            return Ok(Founding::NotOurs);
        }
        for (_, devin) in &self.sources.devins {
            if now < from && !page(devin, None).await?.items.is_empty() {
                return Ok(Founding::NotYet(from.duration_since(now).unsigned_abs()));
            }
        }
        // A store that is emptied once more meanwhile has forgotten this, too.
        let run = Uuid::now_v7().to_string();
        store.remember(RIGHT, &run, RIGHT_FOR * 12).await?;
        let report = self.adopt(false).await?;
        anyhow::ensure!(store.recall(RIGHT).await?.as_deref() == Some(&run), "the store was emptied once more");
        store.found().await?;
        *noticed = None;
        tracing::info!(report.adopted, report.known, report.foreign, "the store is founded");
        Ok(Founding::Founded(report))
    }

    /// Adopts every session that the store does not know. `anew`: has the links of those that it does know restored as
    /// well, because what is stored may be an old copy.
    pub async fn adopt(&self, anew: bool) -> anyhow::Result<Report> {
        let Sources { store, clock, devins, .. } = &self.sources;
        let (mut report, mut rows) = (Report::default(), Vec::new());
        for (scope, devin) in devins {
            rows.extend(self.rows(scope, devin, &mut report).await?);
        }
        rows.sort_unstable();
        let mut wake = clock.now();
        for Row { turn, session, thread, .. } in rows {
            let orphan = Orphan { session, thread, wake: (turn != Turn::Later).then_some(wake) };
            wake = later(wake, WAKE_EVERY);
            let is_known = !adopt(store, orphan.clone()).await?;
            if is_known && anew {
                doubt(store, orphan).await?;
            }
            *(if is_known { &mut report.known } else { &mut report.adopted }) += 1;
        }
        Ok(report)
    }

    /// What stands in the way of work; `None` when the store is founded.
    pub(super) async fn trouble(&self) -> Result<Option<String>, StoreError> {
        if self.sources.store.is_founded().await? {
            return Ok(None);
        }
        let doing = self.doing.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Some(format!("store: it is new or was emptied; {doing}")))
    }

    /// Our sessions with their threads.
    async fn rows(&self, scope: &Scope, devin: &Devin, report: &mut Report) -> anyhow::Result<Vec<Row>> {
        let now = self.sources.clock.now();
        let (mut rows, mut after) = (Vec::new(), None);
        let mut known = HashMap::new();
        loop {
            let page = page(devin, after.as_deref()).await?;
            self.sources.store.hold(RIGHT, &self.holder, RIGHT_FOR).await?;
            let next = page.next().map(str::to_owned);
            for session in page.items {
                let thread = session.thread().filter(|thread| scope.has(&Mailbox::Thread(thread.clone())));
                let is_ours = match &thread {
                    Some(thread) => self.is_ours(&thread.team, &mut known).await?,
                    None => false,
                };
                match thread.filter(|_| is_ours) {
                    Some(thread) => rows.push(Row {
                        turn: Turn::of(&session, now),
                        created_at: session.created_at,
                        session: session.id,
                        thread,
                    }),
                    None => report.foreign += 1,
                }
            }
            if next.is_none() || next == after {
                return Ok(rows);
            }
            after = next;
        }
    }

    /// Whether we are in a workspace: asked once for each, because there may be hundreds of sessions of it.
    async fn is_ours(&self, team: &TeamId, known: &mut HashMap<TeamId, bool>) -> anyhow::Result<bool> {
        if let Some(is_ours) = known.get(team) {
            return Ok(*is_ours);
        }
        let is_ours = self.sources.workspaces.has(team).await?;
        known.insert(team.clone(), is_ours);
        Ok(is_ours)
    }
}

/// One page of the list. All but the first are asked for again while Devin only needs patience: there may be hundreds,
/// and one refusal must not begin the list anew.
async fn page(devin: &Devin, after: Option<&str>) -> Result<Page<Session>, DevinError> {
    let query =
        SessionQuery { tags: vec![OUR_TAG.to_owned()], after: after.map(str::to_owned), ..SessionQuery::default() };
    for tried in 0..after.map_or(0, |_| PAGE_TRIES) {
        match devin.sessions(&query).await {
            Err(error @ (DevinError::RateLimited { .. } | DevinError::Unsure { .. })) => {
                tokio::time::sleep(error.retry_after().unwrap_or(PAGE_WAIT * 2_u32.pow(tried))).await;
            }
            outcome => return outcome,
        }
    }
    devin.sessions(&query).await
}

impl Turn {
    fn of(session: &Session, now: Timestamp) -> Self {
        let state =
            State { status: session.status.clone(), detail: session.detail.clone(), archived: session.archived };
        let phase = Phase::of(&state);
        match phase.pace() {
            _ if phase.is_final() && now.as_second() - session.updated_at > OVER_FOR_SECONDS => Self::Later,
            _ if phase.is_final() => Self::JustOver,
            Pace::Fast => Self::Works,
            Pace::Slow => Self::Waits,
            Pace::Rare => Self::Sleeps,
        }
    }
}

/// Founds the store where it is not, and adopts what it does not know where it is; once, whoever else is at it.
pub(super) async fn by_hand(bobbin: &Bobbin, anew: bool) -> anyhow::Result<Report> {
    loop {
        let wait = match bobbin.rebuild.step().await? {
            Founding::Founded(report) if !anew => return Ok(report),
            Founding::Founded(_) | Founding::Already => return bobbin.rebuild.adopt(anew).await,
            Founding::NotOurs => ASK_AGAIN,
            Founding::NotYet(wait) => wait,
        };
        tokio::time::sleep(wait).await;
    }
}
