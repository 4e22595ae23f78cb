//! Which workspaces may have the app. Whoever installs it decides which e-mail addresses the people of their workspace
//! have, and by those people act at Devin: a stranger's workspace could make anybody of anyone. So nobody is admitted who
//! was not named.

use std::collections::BTreeSet;

use super::ids::TeamId;

/// The workspaces, and organisations of Enterprise Grid, that may have the app.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Invited {
    all: bool,
    named: BTreeSet<TeamId>,
}

impl Invited {
    /// The form of a list of them.
    pub const FORM: &'static str = "the workspaces that may install the app, T…, or organisations of Enterprise Grid, E…, \
                                    comma-separated; or * for any, whose people then act as whomever their e-mail address \
                                    leads to";

    /// Reads a list.
    ///
    /// # Errors
    ///
    /// The first part that names nobody.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut invited = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match part {
                "*" => invited.all = true,
                id => drop(invited.named.insert(id.parse().map_err(|_| part.to_owned())?)),
            }
        }
        Ok(invited)
    }

    /// Invites these as well.
    #[must_use]
    pub fn and(mut self, more: impl IntoIterator<Item = TeamId>) -> Self {
        self.named.extend(more);
        self
    }

    /// Whether a workspace may have it, by its own name or by that of the organisation it is of; or an organisation.
    pub fn has(&self, id: &TeamId, enterprise: Option<&TeamId>) -> bool {
        self.all || self.named.contains(id) || enterprise.is_some_and(|enterprise| self.named.contains(enterprise))
    }

    /// Whether nobody may.
    pub fn is_empty(&self) -> bool {
        !self.all && self.named.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> TeamId {
        text.parse().unwrap()
    }

    #[test]
    fn only_who_is_named_or_of_a_named_organisation_may_have_it() {
        let invited = Invited::read(" T1, E1 ,").unwrap().and([id("T3")]);
        assert!(invited.has(&id("T1"), None) && invited.has(&id("E1"), None) && invited.has(&id("T3"), None));
        assert!(invited.has(&id("T2"), Some(&id("E1"))), "of that organisation");
        assert!(!invited.has(&id("T2"), None) && !invited.has(&id("T2"), Some(&id("E2"))));
        assert!(!invited.has(&id("E2"), Some(&id("T2"))));
        assert!(Invited::read("*").unwrap().has(&id("T9"), None));
    }

    #[test]
    fn without_a_name_there_is_nobody_and_what_is_no_name_is_refused_by_its_part() {
        for text in ["", " , "] {
            let nobody = Invited::read(text).unwrap();
            assert!(nobody.is_empty() && !nobody.has(&id("T1"), Some(&id("E1"))));
        }
        assert!(!Invited::read("*").unwrap().is_empty());
        for (text, part) in [("acme", "acme"), ("T1,U1", "U1"), ("T1 T2", "T1 T2"), ("T*", "T*")] {
            assert_eq!(Invited::read(text), Err(part.to_owned()));
        }
    }
}
