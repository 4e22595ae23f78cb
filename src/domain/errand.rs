//! An errand: what the handler of one mailbox asks of another. A mailbox has one writer, so whoever wants something done
//! in a thread or for a person puts it into their mailbox like any other input.

use serde::{Deserialize, Serialize};

use super::ids::{Ts, UserId};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "errand", rename_all = "snake_case")]
pub enum Errand {
    /// Start a session in a thread that was opened for it.
    Begin(Begin),
    /// Somebody put a reaction on a message of the thread, or took it away.
    Reaction {
        /// Who.
        user: UserId,
        /// On which message.
        ts: Ts,
        /// Its name, without colons.
        name: String,
        /// Whether it was put there.
        added: bool,
    },
    /// Take a message from elsewhere into the thread's session.
    HandOver(HandOver),
    /// One of the person's sessions changed: their Home tab, if they use it, is out of date.
    RefreshHome,
    /// The person installed the app: tell them what to do next.
    Welcome {
        /// Permissions that were asked for and not granted.
        missing: Vec<String>,
    },
}

/// A session that is to be started in a thread that was opened for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begin {
    /// Who asked, and so as whom it runs.
    pub user: UserId,
    /// The task as it was typed, words that set options included.
    pub text: String,
    /// The message that stands for the asking: the first of the thread.
    pub asked_in: Ts,
    /// Secrets for the session alone, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<String>,
}

/// A message that somebody hands to a session whose thread it is not in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOver {
    /// Who hands it over, and so as whom it goes in.
    pub user: UserId,
    /// What it says, in Slack's markup.
    pub text: String,
    /// Who wrote it, when somebody else did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<UserId>,
    /// Words to go with it, as they were typed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Its files, by their ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Its address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub permalink: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored forms that exist already are read for ever.
    #[test]
    fn stored_errands_are_read() {
        let samples = [
            r#"{"errand":"begin","user":"U0ADA","text":"fix it","asked_in":"1700000000.000100"}"#,
            r#"{"errand":"begin","user":"U0ADA","text":"fix it","asked_in":"1700000000.000100","sealed":"00ff"}"#,
            r#"{"errand":"hand_over","user":"U0ADA","text":"it fails","author":"U0GRACE","note":"look","files":["F1"],"permalink":"https://acme.slack.com/archives/C1/p1"}"#,
            r#"{"errand":"reaction","user":"U0ADA","ts":"1700000000.000100","name":"x","added":true}"#,
            r#"{"errand":"refresh_home"}"#,
        ];
        for sample in samples {
            let errand: Errand = serde_json::from_str(sample).unwrap();
            assert_eq!(serde_json::to_string(&errand).unwrap(), sample);
        }
    }
}
