//! How a session behaves when nobody controls it: believable enough for a demo without accounts.
//!
//! A script is a list of things with their times. It is played whenever somebody looks (every request does, and `app`
//! calls [`DevinTwin::script_step`] so that a page sees it live), so a test moves the clock instead of waiting.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    server::DevinTwin,
    state::{Act, Session, State, Step},
};
use crate::{
    clock::later,
    domain::{
        ids::SessionId,
        status::{Detail, Status},
    },
};

/// How long a woken session takes to run again.
const WAKE_SECS: u64 = 2;
/// Agent compute units for each thing a scripted session does.
const ACUS_PER_STEP: f64 = 0.15;

/// A question that comes with its answers.
const CHOICES: &str = "Two ways are open, and they cost about the same. Which one do you want?\n\n\
    1. Keep the old behaviour behind a flag\n\
    2. Change it for everybody and say so in the changelog\n\
    3. Write both down and decide later";
/// Words with everything that Markdown has.
const REPORT: &str = "## What I compared\n\n\
    Each way of retrying, over **10,000** simulated outages:\n\n\
    | way | lost | doubled | p99 |\n| --- | ---: | ---: | ---: |\n\
    | none | 312 | 0 | 0.2 s |\n| blind | 0 | 287 | 1.4 s |\n| look, then retry | 0 | 0 | 1.9 s |\n\n\
    What follows from it:\n\n\
    - [x] the looking way is the only one that neither loses nor doubles\n\
    - [ ] its p99 could be better\n    - the second look is what costs most\n    - see `steps/journal.rs`\n\n\
    > Numbers from one machine; the order will hold, the digits won't.\n\n\
    ```rust\nlet sent = steps.once(\"send\", within, act, find).await?;\n```";

impl DevinTwin {
    /// Plays what is due in every session; gives whether anything happened.
    pub fn script_step(&self) -> bool {
        let now = self.now();
        let due = self.read(|state| state.sessions.iter().any(|session| is_due(session, now)));
        if due {
            self.change(|state| state.advance(now));
        }
        due
    }

    /// Whether new sessions do things on their own.
    pub fn script_new_sessions(&self, yes: bool) {
        self.change(|state| state.scripted = yes);
    }
}

impl State {
    /// Plays what is due in every session.
    pub(super) fn advance(&mut self, now: Timestamp) {
        let ids: Vec<SessionId> =
            self.sessions.iter().filter(|session| is_due(session, now)).map(|session| session.id.clone()).collect();
        for id in ids {
            while let Some(step) = self.session_mut(&id).and_then(|session| next_due(session, now)) {
                self.play(&id, step);
            }
        }
    }

    /// Gives a new session its script.
    pub(super) fn begin_script(&mut self, id: &SessionId, now: Timestamp) {
        let task = self.task(id);
        let Some(session) = self.session_mut(id).filter(|session| session.scripted) else { return };
        session.script.extend(timed(now, opening(&task)));
    }

    /// Lets a scripted session go on after somebody spoke to it.
    pub(super) fn continue_script(&mut self, id: &SessionId, now: Timestamp) {
        let Some(session) = self.session_mut(id).filter(|session| session.scripted) else { return };
        let asleep = session.status == Status::Resuming;
        if session.detail == Some(Detail::WaitingForApproval) {
            session.become_status(now, Status::Running, Some(Detail::Working));
        }
        let busy = !session.script.is_empty() && !asleep;
        let first = later(now, Duration::from_secs(if asleep { WAKE_SECS } else { 0 }));
        let answer = session.messages.last().map(|message| message.message.clone()).unwrap_or_default();
        let steps = if busy { heard() } else { rest(&answer, session.pull_requests.is_empty()) };
        let mut steps = timed(first, steps);
        if busy {
            steps.extend(session.script.drain(..));
            steps.sort_by_key(|step| step.due);
        }
        session.script.extend(steps);
    }

    fn play(&mut self, id: &SessionId, step: Step) {
        let Step { due, act } = step;
        if let Some(session) = self.session_mut(id).filter(|session| session.scripted) {
            session.acus = ((session.acus + ACUS_PER_STEP) * 100.0).round() / 100.0;
        }
        match act {
            Act::Become(status, detail) => {
                if let Some(session) = self.session_mut(id) {
                    session.become_status(due, status, detail);
                }
            }
            Act::Say(text) => drop(self.speak(due, id, text)),
            Act::OpenPullRequest => drop(self.open_pr(id, due)),
        }
    }
}

impl Session {
    /// Begins to wake up; it runs a moment later.
    pub(super) fn wake(&mut self, now: Timestamp) {
        self.become_status(now, Status::Resuming, None);
        let act = Act::Become(Status::Running, Some(Detail::Working));
        self.script.push_front(Step { due: later(now, Duration::from_secs(WAKE_SECS)), act });
    }
}

fn is_due(session: &Session, now: Timestamp) -> bool {
    session.script.front().is_some_and(|step| step.due <= now)
}

fn next_due(session: &mut Session, now: Timestamp) -> Option<Step> {
    if is_due(session, now) { session.script.pop_front() } else { None }
}

/// Seconds after the step before, and what happens.
type Beat = (u64, Act);

fn timed(from: Timestamp, beats: Vec<Beat>) -> Vec<Step> {
    let mut due = from;
    let step = |(seconds, act): Beat| {
        due = later(due, Duration::from_secs(seconds));
        Step { due, act }
    };
    beats.into_iter().map(step).collect()
}

fn running(detail: Detail) -> Act {
    Act::Become(Status::Running, Some(detail))
}

fn say(text: &str) -> Act {
    Act::Say(text.to_owned())
}

/// From the prompt to the first stop.
fn opening(task: &str) -> Vec<Beat> {
    let words = task.to_lowercase();
    let mut beats = vec![
        (1, Act::Become(Status::Claimed, None)),
        (2, running(Detail::Working)),
        (
            2,
            Act::Say(format!(
                "I'll start on this: **{task}**\n\nFirst I read the code around it, then I write a test."
            )),
        ),
        (5, say("I found the place. The test I wrote fails as expected; now the change itself.")),
    ];
    if words.contains("sleep") {
        beats.push((4, Act::Become(Status::Suspended, Some(Detail::Inactivity))));
    } else if words.contains("deploy") {
        beats.push((4, say("Everything is ready. The next command changes production: `make deploy ENV=production`.")));
        beats.push((1, running(Detail::WaitingForApproval)));
    } else if words.contains("crash") {
        beats.push((3, Act::Become(Status::Error, None)));
    } else if words.contains("choose") {
        beats.push((4, say(CHOICES)));
        beats.push((1, running(Detail::WaitingForUser)));
    } else if words.contains("report") {
        beats.push((4, say(REPORT)));
        beats.push((1, running(Detail::Finished)));
    } else if words.contains('?') || words.contains("ask") {
        beats.push((4, say("One question before I go on: should the old behaviour stay available behind a flag?")));
        beats.push((1, running(Detail::WaitingForUser)));
    } else {
        beats.extend(finish(true));
    }
    beats
}

/// What follows somebody's words while the session works.
fn heard() -> Vec<Beat> {
    vec![(1, say("Got it, I'll take that into account."))]
}

/// From an answer to the end.
fn rest(answer: &str, opens: bool) -> Vec<Beat> {
    let answer = super::sessions::first_line(answer);
    let mut beats = vec![(1, running(Detail::Working)), (2, Act::Say(format!("Thanks. Going on with: {answer}")))];
    beats.extend(finish(opens));
    beats
}

fn finish(opens: bool) -> Vec<Beat> {
    let mut beats = vec![(5, say("The tests pass here:\n\n```sh\ncargo test\n# 212 passed, 0 failed\n```"))];
    if opens {
        beats.push((2, Act::OpenPullRequest));
    }
    beats.push((
        3,
        say("Done. The pull request has the change, its test and a note for the changelog; it is yours to merge."),
    ));
    beats.push((1, running(Detail::Finished)));
    beats
}
