//! Whether a chat user may start sessions, and as whom: the outcome of looking them up, without the looking.

use serde::{Deserialize, Serialize};

use super::ids::DevinUserId;

/// What a look-up found about a chat user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Standing {
    /// They are a user of the Devin organisation.
    Linked(Linked),
    /// They are not to be acted for.
    Refused {
        /// Why not.
        why: Refusal,
    },
}

/// A chat user who is a user of the Devin organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linked {
    /// As whom their sessions run.
    pub devin: DevinUserId,
    /// Their name, as people read it.
    pub name: String,
    /// Which list of the organisation they were found in.
    pub source: Source,
}

/// Which list of the organisation a person was found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// People with a role of their own.
    Members,
    /// People who belong through a group of the identity provider.
    IdpMembers,
    /// None: an operator said who they are.
    Override,
}

/// Why nobody acts for a chat user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The Slack account is deactivated.
    Deactivated,
    /// It is not a person.
    Bot,
    /// A guest of the workspace.
    Guest,
    /// A person of another organisation, in a shared channel.
    Outside,
    /// Slack shows no e-mail address.
    EmailMissing,
    /// The e-mail address is not confirmed.
    EmailUnconfirmed,
    /// Nobody in the Devin organisation has this e-mail address.
    NoAccount,
}

impl Source {
    /// The word used in lists and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::IdpMembers => "idp_members",
            Self::Override => "override",
        }
    }
}

impl Refusal {
    /// Every reason, for tests and help.
    pub const ALL: [Self; 7] = [
        Self::Deactivated,
        Self::Bot,
        Self::Guest,
        Self::Outside,
        Self::EmailMissing,
        Self::EmailUnconfirmed,
        Self::NoAccount,
    ];

    /// The word used in logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deactivated => "deactivated",
            Self::Bot => "bot",
            Self::Guest => "guest",
            Self::Outside => "outside",
            Self::EmailMissing => "email_missing",
            Self::EmailUnconfirmed => "email_unconfirmed",
            Self::NoAccount => "no_account",
        }
    }

    /// Whether the person may be told: people from outside and machines get nothing but a log line.
    pub fn is_told(self) -> bool {
        match self {
            Self::Outside | Self::Bot | Self::Deactivated => false,
            Self::Guest | Self::EmailMissing | Self::EmailUnconfirmed | Self::NoAccount => true,
        }
    }
}
