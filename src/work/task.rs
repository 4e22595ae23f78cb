//! What every handler is given: the handles to the outside, the input in hand, and the state of its mailbox.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::sync::OnceCell;

use super::{halt::Halt, organisations::Organisation};
use crate::{
    clock::{Clock, later},
    config::Live,
    devin::Devin,
    domain::{
        ids::{InputId, SessionId, Ts, UserId},
        link::{Doubt, Effect, Link, Thread},
        phase::{Pace, Phase, State},
        rules::Rules,
    },
    people::People,
    slack::{Identity, Slack, SlackError},
    steps::{Marks, Steps},
    store::{Activity, Bell, Commit, SharedStore, StoreError, Track, notes, seal::Seal},
    tenancy::Installations,
};

/// How long Devin is given to react to a message before its session is watched as closely as its state asks for.
const REACTS_WITHIN: Duration = Duration::from_mins(10);

/// The handles that work needs, of one workspace and one organisation.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Mailboxes and memory.
    pub store: SharedStore,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Slack.
    pub slack: Slack,
    /// Devin.
    pub devin: Devin,
    /// Who is who.
    pub people: Arc<People>,
    /// What the configuration says about channels and people.
    pub rules: Live<Rules>,
    /// Rung when a mailbox got something.
    pub bell: Bell,
    /// Opens what was sealed at the door.
    pub seal: Seal,
    /// Marks on what we do.
    pub marks: Marks,
    /// Rung when something was sent to Devin, so that the watch looks at once.
    pub nudge: Bell,
    /// The installations, where workspaces install.
    pub installations: Option<Arc<Installations>>,
    /// The organisations that people of the workspace may meet, its own first; empty where there is but one.
    pub organisations: Arc<[Organisation]>,
    /// Who we are in Slack; asked once, when it is first needed.
    pub me: OnceCell<Identity>,
}

impl Deps {
    /// Who we are in Slack. The workspace's address is left where operators' pages find it.
    pub(super) async fn me(&self) -> Result<&Identity, Halt> {
        Ok(self.me.get_or_try_init(|| self.ask_who_we_are()).await?)
    }

    async fn ask_who_we_are(&self) -> Result<Identity, SlackError> {
        let me = self.slack.auth_test().await?;
        if let Err(error) = notes::keep_home(&*self.store, &me.team, &me.url).await {
            tracing::debug!(%error, "the workspace's address could not be kept");
        }
        Ok(me)
    }
}

/// One unit of work.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) deps: Arc<Deps>,
    /// What the configuration said about channels and people when the input was taken in hand.
    pub(super) rules: Arc<Rules>,
    /// The input's id; for a mailbox that woke by itself, a name that is the same for every attempt.
    pub(super) id: InputId,
    /// When the input came; when the mailbox woke, where there is none.
    pub(super) came: Timestamp,
    /// How often it was taken, this time included.
    pub(super) attempt: u32,
    /// Who it is from, where a person is.
    pub(super) by: Option<UserId>,
    /// What they wrote, where that is a message.
    pub(super) wrote: Option<Ts>,
    /// The store's time.
    pub(super) clock: Arc<dyn Clock>,
    pub(super) steps: Steps,
    /// What is kept of the thread beside its link.
    pub(super) thread: Thread,
    /// Names the look that the thread was told last when the input was taken in hand, the same for every attempt.
    pub(super) told: String,
}

impl Task {
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Has an effect looked for again later, because it may have happened twice.
    pub(super) fn doubt(&mut self, of: Effect) {
        if !self.thread.doubts.iter().any(|doubt| doubt.of == of) {
            self.thread.doubts.push(Doubt { of, since: self.now(), looks: 0, again: None });
        }
    }

    /// The mark of one effect of this input.
    pub(super) fn mark(&self, step: &str) -> String {
        self.deps.marks.of(&["input", self.id.as_str(), step])
    }

    /// The link as it now is, when to wake next, and how its session is to be watched.
    pub(super) fn keep(&self, link: Link, wake: Option<Timestamp>) -> Result<Commit, Halt> {
        let track = Track { session: link.session.clone(), activity: activity(&link, self.now()) };
        let thread = Thread { link: Some(link), ..self.thread.clone() };
        Ok(Commit { state: Some(write(&thread)?), wake, track: Some(track), ..Commit::default() })
    }
}

/// What is left behind in a thread whose session is not ours after all.
pub(super) fn forsaken(task: &Task, session: SessionId) -> Result<Commit, StoreError> {
    let track = Some(Track { session, activity: Activity::Over });
    Ok(Commit { state: Some(write(&task.thread)?), track, ..Commit::default() })
}

/// Reads the state of a thread's mailbox.
pub(super) fn read(state: Option<&str>) -> Result<Thread, StoreError> {
    let Some(text) = state else { return Ok(Thread::empty()) };
    let thread: Thread =
        serde_json::from_str(text).map_err(|e| StoreError::Corrupt(format!("a thread's state: {e}")))?;
    if thread.v > Thread::VERSION {
        return Err(StoreError::Corrupt(format!("a thread's state has version {}: newer than this program", thread.v)));
    }
    Ok(thread)
}

pub(super) fn write(thread: &Thread) -> Result<String, StoreError> {
    serde_json::to_string(&thread.clone().in_its_version())
        .map_err(|e| StoreError::Corrupt(format!("a thread's state: {e}")))
}

/// How closely a link's session is watched. What is over is watched rarely for a while (a pull request may still come)
/// and then not at all.
fn activity(link: &Link, now: Timestamp) -> Activity {
    if let Some(over) = &link.over {
        return if over.tail_ended { Activity::Over } else { Activity::Asleep };
    }
    if link.told.answered_at.is_some_and(|at| now < later(at, REACTS_WITHIN)) {
        // Somebody wrote: until Devin reacts, what the last look showed is yesterday's news.
        return Activity::Working;
    }
    pace(&link.seen.state)
}

fn pace(state: &State) -> Activity {
    match Phase::of(state).pace() {
        Pace::Fast => Activity::Working,
        Pace::Slow => Activity::Waiting,
        Pace::Rare => Activity::Asleep,
    }
}
