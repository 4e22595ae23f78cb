//! Sentences that answer a person: refusals, troubles, and news that are neither Devin's words nor a state.

use askama::Template;

use super::{
    Said,
    card::{is_web, pull_request_name},
    say,
};
use crate::domain::{ids::InputId, link::Ended, standing::Refusal};

/// A sentence of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A pull request is new or its state changed.
    PullRequest {
        /// Its address; empty when it cannot be a link.
        url: String,
        /// Its short name, such as `acme/api#42`.
        name: String,
        /// Its state as Devin wrote it; empty when it said none.
        state: String,
    },
    /// Files that did not reach Devin.
    SkippedFiles {
        /// Which, and why.
        files: Vec<SkippedFile>,
    },
    /// Devin can't be reached; we go on trying.
    DevinUnreachable,
    /// Devin can be reached again. Replaces [`Notice::DevinUnreachable`].
    DevinRecovered,
    /// Devin refuses our key.
    DevinUnauthorized,
    /// Devin does not allow this.
    DevinForbidden {
        /// What was tried, such as `starting a session`.
        doing: String,
        /// As whom.
        runs_as: String,
        /// Devin's own words.
        detail: String,
    },
    /// We may not look people up.
    LookupForbidden {
        /// `Slack` or `Devin`.
        system: String,
        /// Its own words.
        detail: String,
    },
    /// Devin did not accept the request.
    DevinInvalid {
        /// Devin's own words.
        detail: String,
    },
    /// A limit or billing stands in the way.
    DevinBilling {
        /// Devin's own words.
        detail: String,
    },
    /// A reply to a session that is over.
    NotDelivered {
        /// How it ended.
        ended: Ended,
        /// Web address of the session.
        url: String,
    },
    /// The session is gone.
    Vanished,
    /// We gave up.
    Buried {
        /// The id of the input.
        reference: String,
    },
    /// An input that broke us several times was set aside.
    BrokeDown {
        /// The id of the input.
        reference: String,
    },
    /// A message stands twice in the session, and can't be taken back there.
    SentTwice,
    /// A mention without a task.
    NothingAsked,
    /// The answer to the slash command.
    CommandHelp,
    /// The shortcut was used where we are not.
    NotInside,
    /// No session is started: an operator paused them.
    Paused {
        /// Why; may be empty.
        reason: String,
    },
    /// The same, beside something else.
    PausedNow {
        /// Why; may be empty.
        reason: String,
    },
    /// Devin does not know our organisation or address.
    DevinUnknown {
        /// Devin's own words.
        detail: String,
    },
}

impl Notice {
    /// Whether something outside refused, so that an operator or an administrator may have to look.
    fn is_trouble(&self) -> bool {
        match self {
            Self::DevinUnauthorized
            | Self::DevinForbidden { .. }
            | Self::LookupForbidden { .. }
            | Self::DevinInvalid { .. }
            | Self::DevinBilling { .. }
            | Self::DevinUnknown { .. } => true,
            // The first two have the reference in their own words.
            Self::Buried { .. }
            | Self::BrokeDown { .. }
            | Self::PullRequest { .. }
            | Self::SkippedFiles { .. }
            | Self::DevinUnreachable
            | Self::DevinRecovered
            | Self::NotDelivered { .. }
            | Self::Vanished
            | Self::SentTwice
            | Self::NothingAsked
            | Self::CommandHelp
            | Self::NotInside
            | Self::Paused { .. }
            | Self::PausedNow { .. } => false,
        }
    }

    /// News of a pull request.
    pub fn pull_request(url: &str, state: Option<&str>) -> Self {
        let link = if is_web(url) { url } else { "" };
        let name = pull_request_name(url);
        Self::PullRequest { url: link.to_owned(), name, state: state.unwrap_or_default().to_owned() }
    }
}

/// A file that did not reach Devin.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SkippedFile {
    /// Its name.
    pub name: String,
    /// Why.
    pub why: Skipped,
}

impl SkippedFile {
    /// The size that it was not to have, as people say it.
    fn limit(&self) -> String {
        const KIB: usize = 1024;
        const MIB: usize = KIB * KIB;
        match self.why {
            Skipped::TooLarge { limit_bytes: bytes @ MIB.. } => format!("{} MiB", bytes / MIB),
            Skipped::TooLarge { limit_bytes: bytes @ KIB.. } => format!("{} KiB", bytes / KIB),
            Skipped::TooLarge { limit_bytes: bytes } => format!("{bytes} bytes"),
            Skipped::TooMany { .. } | Skipped::KeptElsewhere | Skipped::NotReadable | Skipped::NotTaken => {
                String::new()
            }
        }
    }
}

/// Why a file did not reach Devin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skipped {
    /// It is larger than we pass on.
    TooLarge {
        /// The limit, in bytes.
        #[serde(default)]
        limit_bytes: usize,
    },
    /// More files came with one message than are passed on.
    TooMany {
        /// How many are.
        limit: usize,
    },
    /// Slack only has a link to it.
    KeptElsewhere,
    /// Slack did not give it to us.
    NotReadable,
    /// Devin did not take it.
    NotTaken,
}

#[derive(Template)]
#[template(path = "voice/notice.mrkdwn", config = ".askama.toml")]
struct NoticeText<'a> {
    notice: &'a Notice,
}

#[derive(Template)]
#[template(path = "voice/reference.mrkdwn", config = ".askama.toml")]
struct Reference<'a> {
    reference: &'a str,
}

#[derive(Template)]
#[template(path = "voice/refusal.mrkdwn", config = ".askama.toml")]
struct RefusalText {
    why: Refusal,
}

/// The words of a notice.
pub fn notice(notice: &Notice) -> Said {
    Said::text(say(&NoticeText { notice }))
}

/// The words of a notice that answers an input: where somebody else has to help, with the name under which they find it.
pub fn answering(answer: &Notice, input: &InputId) -> Said {
    let said = notice(answer);
    if !answer.is_trouble() {
        return said;
    }
    Said::text(format!("{} {}", said.text, say(&Reference { reference: input.as_str() })))
}

/// Why we do nothing for this person, and what they can do.
pub fn refusal(why: Refusal) -> Said {
    Said::text(say(&RefusalText { why }))
}
