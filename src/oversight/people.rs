//! People: who maps to whom, by which source; who could not be linked and why; and saying who somebody is.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{Actor, Oversight, OversightError, Result};
use crate::{
    domain::{
        ids::{TeamId, UserId},
        standing::{Linked, Refusal, Standing},
    },
    people::{self, FAILING, LINKED, OVERRIDES, Override, People, Seen},
    store::{Cursor, PAGE_MAX, Row},
};

/// A chat user in an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Workspace.
    pub team: TeamId,
    /// Who.
    pub user: UserId,
    /// The organisation, where it is not the one for all.
    pub organisation: Option<String>,
}

/// Somebody for whom we act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Who.
    pub person: Person,
    /// As whom.
    pub linked: Linked,
    /// When that was found out last.
    pub at: Timestamp,
}

/// Somebody for whom nobody acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// Who.
    pub person: Person,
    /// Why not.
    pub why: Refusal,
    /// How often they tried.
    pub times: u32,
    /// When they tried last.
    pub at: Timestamp,
}

/// Somebody of whom an operator said who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overridden {
    /// Who.
    pub person: Person,
    /// As whom they act.
    pub set: Override,
    /// Since when.
    pub at: Timestamp,
}

/// What an operator says of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Who.
    pub person: Person,
    /// The Devin account: its e-mail address or its id.
    pub account: String,
}

impl Oversight {
    /// People for whom we act, those found out last first.
    pub async fn mappings(&self, after: Option<&Cursor>, limit: usize) -> Result<(Vec<Mapping>, Option<Cursor>)> {
        self.page(LINKED, after, limit, mapping).await
    }

    /// People for whom nobody acts, those who tried last first.
    pub async fn unlinked(&self, after: Option<&Cursor>, limit: usize) -> Result<(Vec<Failing>, Option<Cursor>)> {
        self.page(FAILING, after, limit, failing).await
    }

    /// People for whom nobody acted since then, those who tried last first.
    pub async fn failing(&self, now: Timestamp, within: Duration) -> Result<Vec<Failing>> {
        let since = now.saturating_sub(within).unwrap_or(Timestamp::MIN);
        let (mut failing, _) = self.unlinked(None, PAGE_MAX).await?;
        failing.retain(|one| one.at >= since);
        Ok(failing)
    }

    /// People of whom an operator said who they are, the newest first.
    pub async fn overrides(&self, after: Option<&Cursor>, limit: usize) -> Result<(Vec<Overridden>, Option<Cursor>)> {
        self.page(OVERRIDES, after, limit, overridden).await
    }

    /// Says as whom somebody acts; it has to be a member of the organisation.
    pub async fn set_override(&self, actor: &Actor, said: &Said) -> Result<()> {
        let Said { person, account } = said;
        let people = self.people_of(person)?;
        let Some(member) = people.member(account).await? else {
            return Err(OversightError::Refused(format!(
                "The Devin organisation has no one member with the e-mail address or id {account:?}. Look it up in Devin's \
                 member list."
            )));
        };
        let set = Override {
            v: Override::VERSION,
            devin: member.user_id.clone(),
            account: member.email.unwrap_or_else(|| account.clone()),
            by: actor.name.clone(),
        };
        let detail = format!("acts as {} ({})", set.devin, set.account);
        let change = set.set(person.organisation.as_deref(), &person.team, &person.user)?;
        self.act(actor, ("people.set", &target(person)), &detail, vec![change]).await?;
        Ok(people.forget(&person.team, &person.user).await?)
    }

    /// Takes back what was said: from now on the e-mail address counts again.
    pub async fn remove_override(&self, actor: &Actor, person: &Person) -> Result<()> {
        let people = self.people_of(person)?;
        let Some(set) = people.overridden(&person.team, &person.user).await? else {
            return Err(OversightError::Refused(format!("Nobody said who {} is.", person.user)));
        };
        let change = Override::unset(person.organisation.as_deref(), &person.team, &person.user);
        let detail = format!("acted as {} ({})", set.devin, set.account);
        self.act(actor, ("people.remove", &target(person)), &detail, vec![change]).await?;
        Ok(people.forget(&person.team, &person.user).await?)
    }

    /// A page of a register, and where the next begins; rows that a newer program wrote are left out.
    async fn page<T>(
        &self,
        register: &str,
        after: Option<&Cursor>,
        limit: usize,
        read: fn(&Row) -> Option<T>,
    ) -> Result<(Vec<T>, Option<Cursor>)> {
        let rows = self.store.rows(register, after, limit).await?;
        let next = rows.last().filter(|_| rows.len() == limit).map(Row::cursor);
        Ok((rows.iter().filter_map(read).collect(), next))
    }

    fn people_of(&self, person: &Person) -> Result<&Arc<People>> {
        let unknown = || OversightError::Refused("There is no Devin organisation of that name here.".to_owned());
        self.people.get(&person.organisation).ok_or_else(unknown)
    }
}

fn target(Person { team, user, organisation }: &Person) -> String {
    match organisation {
        None => format!("{team}/{user}"),
        Some(organisation) => format!("{team}/{user}@{organisation}"),
    }
}

fn mapping(row: &Row) -> Option<Mapping> {
    match Seen::read(row)?.standing {
        Standing::Linked(linked) => Some(Mapping { person: person(row)?, linked, at: row.at }),
        Standing::Refused { .. } => None,
    }
}

fn failing(row: &Row) -> Option<Failing> {
    match Seen::read(row)? {
        Seen { standing: Standing::Refused { why }, times, .. } => {
            Some(Failing { person: person(row)?, why, times, at: row.at })
        }
        Seen { standing: Standing::Linked(_), .. } => None,
    }
}

fn overridden(row: &Row) -> Option<Overridden> {
    Some(Overridden { person: person(row)?, set: Override::read(row).ok()?, at: row.at })
}

fn person(row: &Row) -> Option<Person> {
    let (team, user, organisation) = people::person_of(&row.name)?;
    Some(Person { team, user, organisation })
}
