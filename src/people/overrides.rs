//! Who an operator said somebody is: goes above the match by e-mail address, never above what Slack says of a profile
//! (guests, strangers and machines stay out). Only [`oversight`](crate::oversight) writes these, each in one operation with
//! the record of who did it.

use serde::{Deserialize, Serialize};

use super::key_in;
use crate::{
    domain::{
        ids::{DevinUserId, TeamId, UserId},
        standing::{Linked, Refusal, Source, Standing},
    },
    store::{Change, Row, StoreError},
};

/// The register of who was said to be whom.
pub const OVERRIDES: &str = "overrides";

/// As whom somebody's sessions run because an operator said so, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// Version of this form.
    pub v: u8,
    /// As whom.
    pub devin: DevinUserId,
    /// How an operator finds that account.
    pub account: String,
    /// Who said so.
    pub by: String,
}

impl Override {
    /// The version written today.
    pub const VERSION: u8 = 1;

    /// The change that says so.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn set(&self, organisation: Option<&str>, team: &TeamId, user: &UserId) -> Result<Change, StoreError> {
        let text = serde_json::to_string(self).map_err(|e| StoreError::Corrupt(format!("an override: {e}")))?;
        Ok(Change::put(OVERRIDES, &key_in(organisation, team, user), text))
    }

    /// The change that takes back what was said.
    pub fn unset(organisation: Option<&str>, team: &TeamId, user: &UserId) -> Change {
        Change::remove(OVERRIDES, &key_in(organisation, team, user))
    }

    /// Reads a row.
    ///
    /// # Errors
    /// When it is not in its form: then nobody acts for the person.
    pub fn read(row: &Row) -> Result<Self, StoreError> {
        let corrupt = || StoreError::Corrupt("what an operator said of a person cannot be read".to_owned());
        let found: Self = serde_json::from_str(&row.value).map_err(|_| corrupt())?;
        if found.v > Self::VERSION { Err(corrupt()) } else { Ok(found) }
    }
}

/// Whether what is remembered of a person is what would be found now, as far as overrides go.
pub(super) fn agrees(standing: &Standing, set: Option<&Override>) -> bool {
    match (standing, set) {
        (Standing::Linked(Linked { source: Source::Override, devin, .. }), set) => {
            set.is_some_and(|set| set.devin == *devin)
        }
        (Standing::Linked(_), set) => set.is_none(),
        (Standing::Refused { why }, Some(_)) => !is_settled_by_override(*why),
        (Standing::Refused { .. }, None) => true,
    }
}

/// Whether a reason not to act for somebody falls away when an operator says who they are.
pub fn is_settled_by_override(why: Refusal) -> bool {
    match why {
        Refusal::EmailMissing | Refusal::EmailUnconfirmed | Refusal::NoAccount => true,
        Refusal::Deactivated | Refusal::Bot | Refusal::Guest | Refusal::Outside => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(devin: &str) -> Override {
        Override { v: 1, devin: devin.parse().unwrap(), account: "a@example.com".to_owned(), by: "U1".to_owned() }
    }

    fn linked(devin: &str, source: Source) -> Standing {
        Standing::Linked(Linked { devin: devin.parse().unwrap(), name: "Ada".to_owned(), source })
    }

    #[test]
    fn what_is_remembered_never_outlives_what_an_operator_said() {
        let (one, other) = (said("user-1"), said("user-2"));
        assert!(agrees(&linked("user-1", Source::Override), Some(&one)));
        assert!(!agrees(&linked("user-1", Source::Override), Some(&other)));
        assert!(!agrees(&linked("user-1", Source::Override), None));
        assert!(!agrees(&linked("user-1", Source::Members), Some(&one)));
        assert!(agrees(&linked("user-1", Source::Members), None));
        assert!(!agrees(&Standing::Refused { why: Refusal::NoAccount }, Some(&one)));
        for why in [Refusal::Guest, Refusal::Outside, Refusal::Bot, Refusal::Deactivated] {
            assert!(agrees(&Standing::Refused { why }, Some(&one)), "{why:?} stays, whatever an operator says");
        }
    }

    #[test]
    fn a_stored_override_is_read() {
        let sample = r#"{"v":1,"devin":"user-1","account":"a@example.com","by":"U1"}"#;
        assert_eq!(serde_json::to_string(&said("user-1")).unwrap(), sample);
        let row = |value: &str| Row { at: jiff::Timestamp::UNIX_EPOCH, name: String::new(), value: value.to_owned() };
        assert_eq!(Override::read(&row(sample)).unwrap(), said("user-1"));
        assert!(Override::read(&row("{}")).is_err());
    }
}
