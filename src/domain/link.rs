//! The link: what ties one thread to one session, and what the thread has been told. It is the state of a thread's
//! mailbox, so whoever handles the thread reads and writes it as one piece.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    announce::{Observation, Told},
    fate::Fate,
    ids::{SessionId, Ts, UserId},
    lately::Lately,
    outbox::Waiting,
    settings::Settings,
    words::Options,
};

/// The state of a thread's mailbox.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Thread {
    /// Version of this form.
    pub v: u8,
    /// The session tied to the thread, once there is one.
    pub link: Option<Link>,
    /// A session of which the store has lost the link, or has an old one: the next turn restores it from outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<SessionId>,
    /// What may have happened twice and is looked for again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<Doubt>,
    /// People who were told that nobody acts for them: once is enough.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strangers: Vec<UserId>,
    /// Sessions that people untied from the thread: they are not tied to it again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub detached: Vec<SessionId>,
}

/// An effect whose outcome was not known for a while, so that it may have happened twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// Which.
    pub of: Effect,
    /// Since when it is finished as far as we know.
    pub since: Timestamp,
    /// How often it was looked for since.
    pub looks: usize,
    /// When the look that failed is taken again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Timestamp>,
}

/// An effect that can be found again, and which one of its kind is the right one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Effect {
    /// A session with this tag.
    Session {
        /// The tag, unique to the input.
        tag: String,
        /// The thread's own; `None` where nothing was to be started in the end.
        ours: Option<SessionId>,
    },
    /// A post with this mark.
    Post {
        /// The mark in its metadata.
        mark: String,
        /// The one that stays; `None` where nothing was to be posted in the end.
        ours: Option<Ts>,
    },
    /// A message sent into the session.
    Message {
        /// The session.
        session: SessionId,
        /// Stands for its text.
        digest: String,
        /// Messages are counted after this cursor...
        after: Option<String>,
        /// ... without these.
        passed: Vec<String>,
        /// How many of this text there should be.
        known: usize,
    },
}

/// Ties one thread to one session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// The session.
    pub session: SessionId,
    /// The message that asked for it.
    pub asked_in: Ts,
    /// Who asked: calls for attention mention this person.
    pub requester: UserId,
    /// As whom it runs, as people read it.
    pub runs_as: String,
    /// When it was started.
    pub started_at: Timestamp,
    /// The newest look at it, for the card.
    pub seen: Observation,
    /// The status card.
    pub card: Card,
    /// What the thread was told.
    pub told: Told,
    /// How far Devin's words were relayed.
    pub relayed: Relayed,
    /// When and how often Devin's words are looked at again without a new sign of change.
    #[serde(default)]
    pub reread: Reread,
    /// Set while the thread takes no posts: nothing is tried until somebody writes there again.
    #[serde(default)]
    pub closed: bool,
    /// Since when nothing can be expected of it; `None` while it lives.
    #[serde(default)]
    pub over: Option<Over>,
    /// Since when Devin cannot be reached, while that is so.
    #[serde(default)]
    pub no_news_since: Option<Timestamp>,
    /// When it was restored from outside, if it was: what was written before then may have been passed on already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored_at: Option<Timestamp>,
    /// What people set for the thread.
    #[serde(default, skip_serializing_if = "Settings::is_default")]
    pub settings: Settings,
    /// What people said and has not gone into the session yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outbox: Vec<Waiting>,
    /// What became of the newest messages of people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fates: Vec<Fate>,
    /// What the card says of the last while.
    #[serde(default, skip_serializing_if = "Lately::is_empty")]
    pub lately: Lately,
    /// What it was started with, as understood.
    #[serde(default, skip_serializing_if = "Options::is_empty")]
    pub options: Options,
    /// Whether an input was set aside that had something to tell, or whose turns may have told or sent what this link does
    /// not know of: Devin is asked anew, and everything is looked for before it is done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unaccounted: bool,
}

/// Who asked for a session, where, and as whom it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// The message that asked.
    pub asked_in: Ts,
    /// Who asked.
    pub requester: UserId,
    /// As whom it runs, as people read it.
    pub runs_as: String,
}

impl Link {
    /// The link of a session of which nothing was told yet.
    pub fn new(asker: Asker, seen: Observation, now: Timestamp) -> Self {
        let Asker { asked_in, requester, runs_as } = asker;
        Self {
            session: seen.session.clone(),
            asked_in,
            requester,
            runs_as,
            started_at: now,
            seen,
            card: Card { ts: None, shows: String::new(), written_at: now },
            told: Told::default(),
            relayed: Relayed::default(),
            reread: Reread { since: Some(now), times: 0 },
            closed: false,
            over: None,
            no_news_since: None,
            restored_at: None,
            settings: Settings::default(),
            outbox: Vec::new(),
            fates: Vec::new(),
            lately: Lately::default(),
            options: Options::default(),
            unaccounted: false,
        }
    }
}

/// The one card of a link, edited in place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// The message; `None` until it is posted.
    pub ts: Option<Ts>,
    /// A digest of what it shows, so that nothing is edited in vain.
    #[serde(default)]
    pub shows: String,
    /// When it was last written.
    pub written_at: Timestamp,
}

/// How far a session's messages were read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relayed {
    /// The last cursor that Devin issued; reading starts there.
    pub cursor: Option<String>,
    /// Messages after that cursor that were dealt with.
    #[serde(default)]
    pub seen: Vec<String>,
    /// Digests of messages we sent and have not met in the list yet.
    #[serde(default)]
    pub sent: Vec<String>,
    /// Digests of messages we sent and met, the newest ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub met: Vec<String>,
    /// Files of the session that were dealt with; `None` where nobody kept an account of them yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<String>>,
}

/// Second looks at Devin's words: the last message of a turn may be listed later than the change that ended it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reread {
    /// The change after which to look again.
    pub since: Option<Timestamp>,
    /// How often that was done.
    pub times: usize,
}

/// Why nothing can be expected of a session any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Over {
    /// Since when.
    pub since: Timestamp,
    /// How it ended.
    pub how: Ended,
    /// Whether the time in which something may still come (a late pull request) has passed, too.
    #[serde(default)]
    pub tail_ended: bool,
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// It exited.
    Exited,
    /// It failed.
    Failed,
    /// It was archived.
    Archived,
    /// Devin does not know it any more.
    Vanished,
}

impl Thread {
    /// The newest version that is read. It is written only where an older program would lose what it does not know: a
    /// message that waits to be sent.
    pub const VERSION: u8 = 2;
    /// The version that every program reads.
    const PLAIN: u8 = 1;

    /// The same, in the oldest version that keeps all of it.
    #[must_use]
    pub fn in_its_version(self) -> Self {
        let waits = self.link.as_ref().is_some_and(|link| !link.outbox.is_empty());
        Self { v: if waits { Self::VERSION } else { Self::PLAIN }, ..self }
    }

    /// A thread without a session.
    pub fn empty() -> Self {
        Self { v: Self::PLAIN, link: None, lost: None, doubts: Vec::new(), strangers: Vec::new(), detached: Vec::new() }
    }

    /// A thread whose link to this session has to be restored.
    pub fn lost(session: SessionId) -> Self {
        Self { lost: Some(session), ..Self::empty() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored forms that exist already are read for ever: a sample is never changed, a new form gets a new one.
    const SAMPLE: &str = r#"{"v":1,"link":{"session":"0f3a","asked_in":"1700000000.000100","requester":"U0ADA","runs_as":"Ada Lovelace","started_at":"2026-11-24T02:00:00Z","seen":{"session":"0f3a","state":{"status":"running","detail":"waiting_for_user","archived":false},"updated_at":1795640420,"seen_at":"2026-11-24T02:00:00Z","title":null,"url":"https://app.devin.ai/sessions/0f3a","acus":0.0,"pull_requests":{}},"card":{"ts":"1700000001.000100","shows":"00ff","written_at":"2026-11-24T02:00:00Z"},"told":{"at":{"updated_at":1795640420,"seen_at":"2026-11-24T02:00:00Z"},"state":{"status":"running","detail":"waiting_for_user","archived":false},"pull_requests":{},"answered_at":"2026-11-24T02:00:00Z","spoken":false},"relayed":{"cursor":"c1","seen":["ev_1"],"sent":["00ff"]},"reread":{"since":"2026-11-24T02:00:00Z","times":1},"closed":false,"over":{"since":"2026-11-24T02:00:00Z","how":"vanished","tail_ended":false},"no_news_since":null}}"#;

    #[test]
    fn a_stored_link_is_read() {
        let thread: Thread = serde_json::from_str(SAMPLE).unwrap();
        assert_eq!(serde_json::to_string(&thread).unwrap(), SAMPLE);
    }

    /// A thread whose effects are in doubt.
    const DOUBTS: &str = r#"{"v":1,"link":null,"doubts":[{"of":{"is":"session","tag":"bobbin-input:1","ours":"0f3a"},"since":"2026-11-24T02:00:00Z","looks":1},{"of":{"is":"post","mark":"00ff","ours":null},"since":"2026-11-24T02:00:00Z","looks":0},{"of":{"is":"message","session":"0f3a","digest":"00ff","after":"c1","passed":["ev_1"],"known":1},"since":"2026-11-24T02:00:00Z","looks":0}]}"#;

    #[test]
    fn stored_doubts_are_read() {
        let thread: Thread = serde_json::from_str(DOUBTS).unwrap();
        assert_eq!(serde_json::to_string(&thread).unwrap(), DOUBTS);
    }

    #[test]
    fn a_lost_link_is_read() {
        let sample = r#"{"v":1,"link":null,"lost":"0f3a"}"#;
        let thread: Thread = serde_json::from_str(sample).unwrap();
        assert_eq!(thread, Thread::lost("0f3a".parse().unwrap()));
        assert_eq!(serde_json::to_string(&thread).unwrap(), sample);
    }

    #[test]
    fn a_message_that_waits_is_kept_from_programs_that_would_forget_it() {
        let mut thread: Thread = serde_json::from_str(SAMPLE).unwrap();
        let waits = r#"{"ts":"1700000000.000100","user":"U1","devin":"user-1","name":"Ada","words":"use main","since":"2026-11-24T02:00:00Z"}"#;
        thread.link.as_mut().unwrap().outbox.push(serde_json::from_str(waits).unwrap());
        thread = thread.in_its_version();
        assert_eq!(thread.v, 2);
        thread.link.as_mut().unwrap().outbox.clear();
        assert_eq!(serde_json::to_string(&thread.in_its_version()).unwrap(), SAMPLE);
    }

    #[test]
    fn a_thread_without_a_link_is_read() {
        let thread: Thread = serde_json::from_str(r#"{"v":1,"link":null}"#).unwrap();
        assert_eq!(thread, Thread::empty());
    }
}
