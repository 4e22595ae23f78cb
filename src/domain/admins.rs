//! Who may act in the console. Each is named by workspace and user together: a user's id counts inside its workspace
//! alone, so that an id without one would let in whoever has it elsewhere.

use std::collections::BTreeSet;

use super::ids::{TeamId, UserId};

/// The people who may act in the console.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Admins(BTreeSet<(TeamId, UserId)>);

impl Admins {
    /// The form of a list of them.
    pub const FORM: &'static str =
        "people of the console as WORKSPACE/USER, comma-separated, such as T0123ABCD/U0456EFGH";

    /// Reads a list.
    ///
    /// # Errors
    ///
    /// The first part that names nobody.
    pub fn read(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let person = |part: &str| {
            let (team, user) = part.split_once('/')?;
            Some((team.trim().parse().ok()?, user.trim().parse().ok()?))
        };
        parts.map(|part| person(part).ok_or_else(|| part.to_owned())).collect::<Result<_, _>>().map(Self)
    }

    /// Whether somebody is one of them.
    pub fn has(&self, team: &TeamId, user: &UserId) -> bool {
        self.0.iter().any(|(of, who)| of == team && who == user)
    }

    /// Whether nobody is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The workspace of all of them, where there is but one.
    pub fn one_team(&self) -> Option<&TeamId> {
        let (first, _) = self.0.first()?;
        self.0.iter().all(|(team, _)| team == first).then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_of_another_workspace_is_nobody_here_whatever_their_id() {
        let admins = Admins::read("T1/U1, T2/U2,").unwrap();
        let has = |team: &str, user: &str| admins.has(&team.parse().unwrap(), &user.parse().unwrap());
        assert!(has("T1", "U1") && has("T2", "U2"));
        assert!(!has("T2", "U1") && !has("T1", "U2") && !has("T1", "U11"));
        assert_eq!(admins.one_team(), None);
        assert_eq!(Admins::read("T1/U1,T1/U2").unwrap().one_team().map(TeamId::as_str), Some("T1"));
        assert!(Admins::read(" , ").unwrap().is_empty());
    }

    #[test]
    fn what_names_nobody_is_refused_by_its_part() {
        for (text, part) in
            [("U1", "U1"), ("T1/U1,ada@x.example", "ada@x.example"), ("U1/T1", "U1/T1"), ("T1/*", "T1/*")]
        {
            assert_eq!(Admins::read(text), Err(part.to_owned()));
        }
    }
}
