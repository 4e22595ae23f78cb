//! One type per identifier, so that a channel can never be passed where a user is meant.
//!
//! Identifiers are opaque text: only the first letters are looked at, and they are printed as the vendor wrote them.

use std::{cmp::Ordering, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An identifier that has not the form its kind must have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a {kind}: expected {expected}")]
pub struct InvalidId {
    /// What was wanted, in words.
    pub kind: &'static str,
    /// What was found.
    pub found: String,
    /// The form that is allowed.
    pub expected: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $expected:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The identifier as its vendor wrote it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                let check: fn(&str) -> bool = $check;
                if check(&text) {
                    Ok(Self(text))
                } else {
                    Err(InvalidId { kind: $kind, found: text, expected: $expected })
                }
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// Longest identifier accepted: the vendors' own are under 70 bytes, and identifiers become parts of keys.
const MAX_ID_BYTES: usize = 200;

/// Letters, digits and the marks seen in real identifiers; never white space, a slash or a brace, which our keys use.
fn plain(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_ID_BYTES
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'|' | b'@' | b':'))
}

fn opaque(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_ID_BYTES && !text.chars().any(char::is_control)
}

fn starts(text: &str, letters: &[char]) -> bool {
    plain(text) && text.starts_with(letters)
}

id!(
    /// A Slack workspace (`T…`), or the organisation of an org-wide install (`E…`).
    TeamId, "Slack workspace id", "T… or E…", |t| starts(t, &['T', 'E'])
);
id!(
    /// A Slack conversation: public (`C…`), private (`G…` or `C…`) or direct (`D…`).
    ChannelId, "Slack channel id", "C…, D… or G…", |t| starts(t, &['C', 'D', 'G'])
);
id!(
    /// A Slack user (`U…`, on Enterprise Grid also `W…`).
    UserId, "Slack user id", "U… or W…", |t| starts(t, &['U', 'W'])
);
id!(
    /// A Devin organisation (`org-…`; some accounts show `org_…`).
    OrgId, "Devin organisation id", "org-…", |t| plain(t) && (t.starts_with("org-") || t.starts_with("org_"))
);
id!(
    /// A user of a Devin organisation: opaque, sometimes an identity provider's form such as `okta|u3`. It is only sent
    /// back in JSON and never part of a key, so that it may be nearly any text.
    DevinUserId, "Devin user id", "up to 200 bytes without control characters", opaque
);
id!(
    /// One stored input; also the last part of the `bobbin-input:` tag on a session.
    InputId, "input id", "letters, digits and - _ . | @ :", plain
);

impl From<Uuid> for InputId {
    /// As a trace id is written, so that an input has one name in logs, in traces, in threads and among dead letters.
    fn from(uuid: Uuid) -> Self {
        // Hexadecimal digits: of the form that an id must have.
        Self(uuid.simple().to_string())
    }
}

impl InputId {
    /// The id of what this input asks another mailbox to do: it begins with this id, so that both are one trace. `name`
    /// tells the errands of one input apart.
    #[must_use]
    pub fn errand(&self, name: &str) -> Self {
        let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        Self::try_from(format!("{self}-{name}")).unwrap_or_else(|_too_long| Uuid::now_v7().into())
    }
}

impl ChannelId {
    /// Whether this is a direct conversation with one person (`D…`).
    pub fn is_direct(&self) -> bool {
        self.0.starts_with('D')
    }
}

/// A Devin session. Compared and stored without the `devin-` prefix, which the API sometimes gives and sometimes not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SessionId(String);

impl SessionId {
    /// The id without prefix, as it stands in the web address of the session.
    pub fn bare(&self) -> &str {
        &self.0
    }

    /// The id as paths of the API want it: `devin-…`.
    pub fn prefixed(&self) -> String {
        format!("devin-{}", self.0)
    }
}

impl TryFrom<String> for SessionId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        let bare = text.strip_prefix("devin-").unwrap_or(&text);
        if plain(bare) {
            Ok(Self(bare.to_owned()))
        } else {
            Err(InvalidId { kind: "Devin session id", found: text, expected: "devin-… or its bare form" })
        }
    }
}

impl FromStr for SessionId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::try_from(text.to_owned())
    }
}

impl From<SessionId> for String {
    fn from(id: SessionId) -> Self {
        id.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A Slack message timestamp, `seconds.microseconds`: the identity of a message within its channel, and its order.
///
/// Kept as text, because a float would damage it; ordered by its two whole numbers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ts(String);

impl Ts {
    /// The timestamp as Slack wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The whole seconds of its time, since 1970.
    pub fn second(&self) -> i64 {
        i64::try_from(self.parts().0).unwrap_or(i64::MAX)
    }

    fn parts(&self) -> (u64, u64) {
        let (seconds, micros) = self.0.split_once('.').unwrap_or((&self.0, "0"));
        (seconds.parse().unwrap_or(0), micros.parse().unwrap_or(0))
    }
}

impl TryFrom<String> for Ts {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        let (seconds, micros) = text.split_once('.').unwrap_or((&text, "0"));
        let number = |part: &str| !part.is_empty() && part.len() <= 16 && part.bytes().all(|b| b.is_ascii_digit());
        if number(seconds) && number(micros) {
            Ok(Self(text))
        } else {
            Err(InvalidId { kind: "Slack timestamp", found: text, expected: "seconds.microseconds" })
        }
    }
}

impl FromStr for Ts {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::try_from(text.to_owned())
    }
}

impl From<Ts> for String {
    fn from(ts: Ts) -> Self {
        ts.0
    }
}

impl fmt::Display for Ts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialOrd for Ts {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ts {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(&other.parts()).then_with(|| self.0.cmp(&other.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_required_and_kept() {
        assert_eq!("U07ABC".parse::<UserId>().unwrap().to_string(), "U07ABC");
        assert!("C07ABC".parse::<UserId>().is_err());
        assert!("U07 ABC".parse::<UserId>().is_err());
        assert!("C1/2".parse::<ChannelId>().is_err());
    }

    #[test]
    fn a_devin_user_may_have_nearly_any_id() {
        for text in ["user-1", "okta|u3", "auth0|a/b c+d={e}", "samlp|Zoë#1"] {
            assert_eq!(text.parse::<DevinUserId>().unwrap().as_str(), text);
        }
        for text in ["", "a\nb", "a\u{7f}", &"x".repeat(201)] {
            assert!(text.parse::<DevinUserId>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn both_forms_of_a_session_id_are_one() {
        let bare: SessionId = "0f3a9c".parse().unwrap();
        let prefixed: SessionId = "devin-0f3a9c".parse().unwrap();
        assert_eq!(bare, prefixed);
        assert_eq!(bare.prefixed(), "devin-0f3a9c");
    }

    #[test]
    fn timestamps_order_by_number_not_by_text() {
        let early: Ts = "999999999.000100".parse().unwrap();
        let late: Ts = "1000000000.000001".parse().unwrap();
        assert!(early < late);
        assert!("1.5e3".parse::<Ts>().is_err());
    }
}
