//! What became of the messages that people wrote in a thread, for whoever asks why Devin does not react: kept with the
//! link for the newest ones, written down where it happens.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    ids::{Ts, UserId},
    link::Ended,
    standing::Refusal,
};

/// How many messages are remembered.
pub const REMEMBERED: usize = 30;

/// What became of one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fate {
    /// The message.
    pub ts: Ts,
    /// Who wrote it.
    pub user: UserId,
    /// Since when it is so.
    pub at: Timestamp,
    /// What became of it.
    pub became: Became,
    /// What was done about it after it had gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub later: Option<Later>,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Became {
    /// It waits for those that may follow it, and goes in a moment.
    Waiting,
    /// It was sent into the session.
    Sent {
        /// As whom.
        runs_as: String,
        /// Stands for what it was sent in, until that is met among the session's messages.
        digest: String,
    },
    /// It was deleted before it had gone.
    Withdrawn,
    /// Nobody acts for whoever wrote it.
    Refused {
        /// Why not.
        why: Refusal,
    },
    /// The session was over.
    Over {
        /// How it ended.
        how: Ended,
    },
    /// Devin did not take it, or could not be reached for too long.
    NotTaken {
        /// Why, in a few words.
        why: String,
    },
    /// Nothing of it could be passed on: no words, and none of its files.
    Empty,
    /// It was not meant for Devin.
    Kept {
        /// By which rule.
        by: Rule,
    },
}

/// Why a message in a thread is not meant for the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// It was marked as an aside.
    Aside,
    /// Only messages that mention the bot go into this thread's session.
    MentionsOnly,
}

/// What was done about a message after it had gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Later {
    /// It was edited, and the session was told the new words.
    Corrected {
        /// When.
        at: Timestamp,
    },
    /// It was deleted, which takes nothing back.
    Deleted {
        /// When.
        at: Timestamp,
    },
}

/// Writes down what became of a message, in the place of what was known of it.
pub fn note(fates: &mut Vec<Fate>, fate: Fate) {
    if let Some(known) = fates.iter_mut().find(|known| known.ts == fate.ts) {
        *known = fate;
        return;
    }
    fates.push(fate);
    let surplus = fates.len().saturating_sub(REMEMBERED);
    fates.drain(..surplus);
}

/// Writes down what was done about a message after it had gone.
pub fn note_later(fates: &mut [Fate], ts: &Ts, later: Later) {
    if let Some(known) = fates.iter_mut().find(|known| known.ts == *ts) {
        known.later = Some(later);
    }
}

/// What is known of a message.
pub fn of<'a>(fates: &'a [Fate], ts: &Ts) -> Option<&'a Fate> {
    fates.iter().find(|known| known.ts == *ts)
}

/// The last messages of somebody, newest first.
pub fn last_of<'a>(fates: &'a [Fate], user: &UserId, most: usize) -> Vec<&'a Fate> {
    let mut theirs: Vec<&Fate> = fates.iter().filter(|known| known.user == *user).collect();
    theirs.sort_by(|one, other| other.ts.cmp(&one.ts));
    theirs.truncate(most);
    theirs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fate(second: u32, user: &str, became: Became) -> Fate {
        let ts = format!("{}.000100", 1_700_000_000 + second).parse().unwrap();
        Fate { ts, user: user.parse().unwrap(), at: Timestamp::UNIX_EPOCH, became, later: None }
    }

    #[test]
    fn the_newest_are_remembered_each_once() {
        let mut fates = Vec::new();
        for second in 0..40 {
            note(&mut fates, fate(second, "U1", Became::Waiting));
        }
        assert_eq!((fates.len(), fates[0].ts.as_str()), (REMEMBERED, "1700000010.000100"));
        let sent = Became::Sent { runs_as: "Ada".to_owned(), digest: "00ff".to_owned() };
        note(&mut fates, fate(39, "U1", sent.clone()));
        assert_eq!((fates.len(), &fates[REMEMBERED - 1].became), (REMEMBERED, &sent));
        let ts = fates[REMEMBERED - 1].ts.clone();
        note_later(&mut fates, &ts, Later::Deleted { at: Timestamp::UNIX_EPOCH });
        assert!(of(&fates, &ts).unwrap().later.is_some());
    }

    #[test]
    fn the_last_messages_of_somebody_are_theirs_and_the_newest_first() {
        let fates = [fate(1, "U1", Became::Withdrawn), fate(3, "U1", Became::Empty), fate(2, "U2", Became::Waiting)];
        let ada = "U1".parse().unwrap();
        assert_eq!(last_of(&fates, &ada, 3), [&fates[1], &fates[0]]);
        assert_eq!(last_of(&fates, &ada, 1), [&fates[1]]);
        assert!(last_of(&fates, &"U3".parse().unwrap(), 3).is_empty());
    }

    /// Stored forms that exist already are read for ever.
    #[test]
    fn stored_fates_are_read() {
        let all = [
            r#"{"is":"waiting"}"#,
            r#"{"is":"sent","runs_as":"Ada","digest":"00ff"}"#,
            r#"{"is":"withdrawn"}"#,
            r#"{"is":"refused","why":"guest"}"#,
            r#"{"is":"over","how":"exited"}"#,
            r#"{"is":"not_taken","why":"Forbidden"}"#,
            r#"{"is":"empty"}"#,
            r#"{"is":"kept","by":"mentions_only"}"#,
        ];
        for became in all {
            let later = r#","later":{"is":"corrected","at":"2026-11-24T02:00:00Z"}"#;
            let stored = format!(
                r#"{{"ts":"1700000000.000100","user":"U1","at":"2026-11-24T02:00:00Z","became":{became}{later}}}"#
            );
            let fate: Fate = serde_json::from_str(&stored).unwrap();
            assert_eq!(serde_json::to_string(&fate).unwrap(), stored);
        }
    }
}
