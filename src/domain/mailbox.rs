//! Whose turn it is: every input waits in the mailbox of one thread, one person or one workspace, and each mailbox is
//! handled by one writer at a time, in order.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::ids::{ChannelId, InvalidId, TeamId, Ts, UserId};

/// The tag on a session that names its thread: `bobbin-thread:<workspace>/<channel>/<root ts>`.
const THREAD_TAG: &str = "bobbin-thread:";

/// One Slack thread: the workspace, the channel and the timestamp of the thread's first message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThreadKey {
    /// Workspace.
    pub team: TeamId,
    /// Channel.
    pub channel: ChannelId,
    /// Timestamp of the thread's first message (its own `ts` when nobody has answered yet).
    pub root: Ts,
}

impl ThreadKey {
    /// The tag that a session of this thread carries.
    pub fn tag(&self) -> String {
        format!("{THREAD_TAG}{}/{}/{}", self.team, self.channel, self.root)
    }

    /// Reads a session's tag; `None` for tags that are not a thread's.
    pub fn from_tag(tag: &str) -> Option<Self> {
        Self::from_path(tag.strip_prefix(THREAD_TAG)?).ok()
    }

    /// Whether the thread is of this installation: of its workspace, or of any where it is an organisation's (`E…`).
    pub fn is_of(&self, installation: &TeamId) -> bool {
        self.team == *installation || installation.as_str().starts_with('E')
    }

    /// The address of a message of the thread, in the form that Slack gives: asking for each would be a call for each.
    /// `home` is the workspace's own address; `None` where that is not known.
    ///
    /// <https://docs.slack.dev/reference/methods/chat.getPermalink>
    pub fn permalink(&self, home: &str, message: &Ts) -> Option<String> {
        let digits: String = message.as_str().chars().filter(char::is_ascii_digit).collect();
        let home = home.strip_suffix('/').unwrap_or(home);
        let Self { channel, root, .. } = self;
        let in_thread = if message == root { String::new() } else { format!("?thread_ts={root}&cid={channel}") };
        (!home.is_empty()).then(|| format!("{home}/archives/{channel}/p{digits}{in_thread}"))
    }

    fn from_path(path: &str) -> Result<Self, InvalidId> {
        let mut parts = path.splitn(3, '/');
        let mut next = || parts.next().unwrap_or_default();
        Ok(Self { team: next().parse()?, channel: next().parse()?, root: next().parse()? })
    }
}

/// Where an input waits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Mailbox {
    /// A thread: mentions, replies, buttons, and what the watch saw.
    Thread(ThreadKey),
    /// A person: commands and changes of their profile.
    Person {
        /// Workspace.
        team: TeamId,
        /// The person.
        user: UserId,
    },
    /// A workspace: what concerns its installation.
    Workspace {
        /// Workspace.
        team: TeamId,
    },
}

impl Mailbox {
    /// What inputs that could be duplicates of one another have in common: the conversation, or the person.
    ///
    /// The store keeps everything with one such place together, so that refusing a duplicate is one atomic step; places
    /// take turns, and posts are paced by place.
    pub fn place(&self) -> String {
        match self {
            Self::Thread(thread) => format!("{}/{}", thread.team, thread.channel),
            Self::Person { team, user } => format!("{team}/{user}"),
            Self::Workspace { team } => team.to_string(),
        }
    }

    /// Under which name the store remembers the last stop that somebody asked for here: what was asked for before it and
    /// has not begun does not begin any more.
    pub fn stop_note(&self) -> String {
        format!("stopped:{self}")
    }

    /// The workspace it belongs to.
    pub fn team(&self) -> &TeamId {
        match self {
            Self::Thread(thread) => &thread.team,
            Self::Person { team, .. } | Self::Workspace { team } => team,
        }
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Thread(t) => write!(f, "thread:{}/{}/{}", t.team, t.channel, t.root),
            Self::Person { team, user } => write!(f, "person:{team}/{user}"),
            Self::Workspace { team } => write!(f, "workspace:{team}"),
        }
    }
}

impl FromStr for Mailbox {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let wrong =
            || InvalidId {
                kind: "mailbox", found: text.to_owned(), expected: "thread:…, person:… or workspace:…"
            };
        let (kind, path) = text.split_once(':').ok_or_else(wrong)?;
        match kind {
            "thread" => ThreadKey::from_path(path).map(Self::Thread),
            "person" => {
                let (team, user) = path.split_once('/').ok_or_else(wrong)?;
                Ok(Self::Person { team: team.parse()?, user: user.parse()? })
            }
            "workspace" => Ok(Self::Workspace { team: path.parse()? }),
            _ => Err(wrong()),
        }
    }
}

impl TryFrom<String> for Mailbox {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<Mailbox> for String {
    fn from(mailbox: Mailbox) -> Self {
        mailbox.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_prints_and_reads_back() {
        for text in ["thread:T1/C1/1700000000.000100", "person:T1/U1", "workspace:T1"] {
            assert_eq!(text.parse::<Mailbox>().unwrap().to_string(), text);
        }
        assert!("thread:T1/C1".parse::<Mailbox>().is_err());
        assert!("room:T1".parse::<Mailbox>().is_err());
    }

    #[test]
    fn every_message_of_a_thread_has_an_address() {
        let thread = ThreadKey::from_tag("bobbin-thread:T1/C1/1700000000.000100").unwrap();
        let of = |home: &str, message: &str| thread.permalink(home, &message.parse().unwrap());
        let first = "https://acme.slack.com/archives/C1/p1700000000000100";
        assert_eq!(of("https://acme.slack.com/", "1700000000.000100").as_deref(), Some(first));
        let reply = "https://acme.slack.com/archives/C1/p1700000009000900?thread_ts=1700000000.000100&cid=C1";
        assert_eq!(of("https://acme.slack.com", "1700000009.000900").as_deref(), Some(reply));
        assert_eq!(of("", "1700000000.000100"), None);
    }

    #[test]
    fn a_tag_names_its_thread() {
        let thread = ThreadKey::from_tag("bobbin-thread:T1/C1/1700000000.000100").unwrap();
        assert_eq!(thread.tag(), "bobbin-thread:T1/C1/1700000000.000100");
        assert!(ThreadKey::from_tag("bobbin").is_none());
        let of = |installation: &str| thread.is_of(&installation.parse().unwrap());
        assert_eq!((of("T1"), of("T2"), of("E1")), (true, false, true));
    }
}
