//! How things are written on the pages: times, phases, the frame around each page.

use jiff::{SignedDuration, Timestamp};

use super::{done::Done, pages, viewer::Viewer};
use crate::{
    domain::{
        pause::Pause,
        standing::{Refusal, Source},
    },
    oversight::LinkRow,
};

/// What stands around every page.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    /// The page that is open.
    pub(super) here: &'static str,
    /// Who looks.
    pub(super) viewer: Viewer,
    /// What was searched for.
    pub(super) query: String,
    /// New sessions are paused, and where.
    pub(super) pauses: Vec<PauseView>,
}

impl Frame {
    /// The pages, in their order.
    pub(super) const PAGES: [(&'static str, &'static str); 7] = [
        ("/console", "Now"),
        ("/console/sessions", "Sessions"),
        ("/console/people", "People"),
        ("/console/dead", "Dead letters"),
        ("/console/installs", "Installs"),
        ("/console/health", "Health"),
        ("/console/log", "Log"),
    ];

    /// What whoever looks did just now.
    pub(super) fn done(&self) -> Option<&'static str> {
        self.viewer.admin()?.done.map(Done::words)
    }

    /// Whether that page is open.
    pub(super) fn is(&self, path: &str) -> bool {
        self.here.split('?').next() == Some(path)
    }
}

/// A pause in words.
#[derive(Debug, Clone)]
pub(super) struct PauseView {
    /// The workspace's id; empty for all.
    pub(super) workspace: String,
    pub(super) target: String,
    pub(super) by: String,
    pub(super) reason: String,
    pub(super) since: When,
}

impl PauseView {
    pub(super) fn of(pause: &Pause, now: Timestamp) -> Self {
        Self {
            workspace: pause.workspace.as_ref().map(ToString::to_string).unwrap_or_default(),
            target: pause.workspace.as_ref().map_or("all workspaces".to_owned(), ToString::to_string),
            by: pause.said.by.clone(),
            reason: pause.said.reason.clone(),
            since: When::of(pause.since, now),
        }
    }
}

/// A time: exactly, and how long ago in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct When {
    pub(super) exact: String,
    /// The same as HTML wants it.
    pub(super) machine: String,
    pub(super) ago: String,
    /// With its direction: `3 min ago`, or `in 3 min`.
    pub(super) relative: String,
}

impl When {
    pub(super) fn of(at: Timestamp, now: Timestamp) -> Self {
        let since = now.duration_since(at);
        let ago = length(since);
        let relative = if since.is_negative() { format!("in {}", length(-since)) } else { format!("{ago} ago") };
        let exact = at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
        Self { exact, machine: at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), ago, relative }
    }
}

/// A length of time, in its largest unit; never less than nothing.
pub(super) fn length(lasted: SignedDuration) -> String {
    let seconds = lasted.as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// A phase in words, and how loud it is shown: `call` where a person has to act.
pub(super) fn phase_words(name: &str) -> (&'static str, &'static str) {
    match name {
        "your_turn" => ("waits for an answer", "call"),
        "needs_approval" => ("waits for an approval", "call"),
        "held" => ("held", "call"),
        "failed" => ("failed", "bad"),
        "failed_asleep" => ("failed, asleep", "bad"),
        "starting" => ("starting", "busy"),
        "working" => ("working", "busy"),
        "waking" => ("waking up", "busy"),
        "done" => ("done", "good"),
        "asleep" => ("asleep", "quiet"),
        "over" => ("ended", "quiet"),
        "archived" => ("archived", "quiet"),
        _ => ("in a state we do not know", "bad"),
    }
}

/// Why nobody acts for somebody, in words, and what helps.
pub(super) fn refusal_words(why: Refusal) -> (&'static str, &'static str) {
    match why {
        Refusal::Deactivated => ("the Slack account is deactivated", "Nobody acts for it."),
        Refusal::Bot => ("it is not a person", "Nobody acts for it."),
        Refusal::Guest => ("a guest of the workspace", "Guests stay out, whatever is said here."),
        Refusal::Outside => ("of another organisation", "People from outside stay out, whatever is said here."),
        Refusal::EmailMissing => {
            ("Slack shows no e-mail address", "Say who it is, or have an address entered in Slack.")
        }
        Refusal::EmailUnconfirmed => {
            ("the e-mail address is not confirmed", "Have it confirmed in Slack, or say who it is.")
        }
        Refusal::NoAccount => (
            "nobody in the Devin organisation has this e-mail address",
            "Invite them at Devin under that address, or say who it is.",
        ),
    }
}

/// How somebody was found, in words.
pub(super) fn source_words(source: Source) -> &'static str {
    match source {
        Source::Members => "by e-mail, a member",
        Source::IdpMembers => "by e-mail, through the identity provider",
        Source::Override => "an operator said so",
    }
}

/// A phase with a figure.
#[derive(Debug, Clone)]
pub(super) struct SumView {
    pub(super) words: &'static str,
    pub(super) tone: &'static str,
    pub(super) figure: String,
}

/// A session as a table shows it.
#[derive(Debug, Clone)]
pub(super) struct SessionView {
    /// The address of its thread's page.
    pub(super) page: String,
    pub(super) session: String,
    pub(super) title: String,
    pub(super) url: String,
    pub(super) workspace: String,
    pub(super) channel: String,
    pub(super) requester: String,
    pub(super) runs_as: String,
    pub(super) words: &'static str,
    pub(super) tone: &'static str,
    pub(super) since: When,
    pub(super) started: When,
    pub(super) no_news: Option<When>,
    /// Whether its thread takes no posts.
    pub(super) closed: bool,
}

impl SessionView {
    pub(super) fn of(row: &LinkRow, now: Timestamp) -> Self {
        let (words, tone) = phase_words(row.phase().name());
        let title = if row.title.is_empty() { row.session.to_string() } else { row.title.clone() };
        Self {
            page: pages::thread::address(&row.thread),
            session: row.session.to_string(),
            title,
            url: row.url.clone(),
            workspace: row.thread.team.to_string(),
            channel: row.thread.channel.to_string(),
            requester: row.requester.to_string(),
            runs_as: row.runs_as.clone(),
            words,
            tone,
            since: When::of(row.since, now),
            started: When::of(row.started_at, now),
            no_news: row.no_news_since.map(|since| When::of(since, now)),
            closed: row.closed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::phase::Phase;

    #[test]
    fn a_time_is_told_in_its_largest_unit_and_never_in_the_future() {
        let told = [-5, 0, 59, 60, 3_599, 3_600, 172_799, 172_800].map(|s| length(SignedDuration::from_secs(s)));
        assert_eq!(told, ["0 s", "0 s", "59 s", "1 min", "59 min", "1 h", "47 h", "2 days"]);
        let now = Timestamp::from_second(1_000).unwrap();
        let relative = |second| When::of(Timestamp::from_second(second).unwrap(), now).relative;
        assert_eq!([relative(940), relative(1_000), relative(1_030)], ["1 min ago", "0 s ago", "in 30 s"]);
    }

    #[test]
    fn every_phase_has_words_of_its_own() {
        let words: std::collections::BTreeSet<_> = Phase::NAMES.iter().map(|name| phase_words(name).0).collect();
        assert_eq!(words.len(), Phase::NAMES.len());
    }
}
