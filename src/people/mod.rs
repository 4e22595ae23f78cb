//! Which chat user is which user of the Devin organisation.
//!
//! Slack says who somebody is, Devin's member lists say whether that e-mail address belongs to the organisation. A
//! look-up that fails is an error and nothing else: it is never taken for "not found", and nobody else is ever put in
//! the person's place. What was found is remembered in the store, not in the process: when a profile changes, the
//! replica that hears of it must make all of them forget.

mod directory;
mod overrides;
mod profile;
mod seen;

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::directory::Found;
pub use self::{
    overrides::{OVERRIDES, Override, is_settled_by_override},
    seen::{FAILING, LINKED, Seen},
};
use crate::{
    devin::{Devin, DevinError, Member},
    domain::{
        ids::{TeamId, UserId},
        standing::{Refusal, Source, Standing},
    },
    slack::{Slack, SlackError},
    store::{SharedStore, StoreError},
};

/// How long a person who was found is remembered: a change of their profile makes us forget at once.
const FOUND_FOR: Duration = Duration::from_hours(24);
/// How long a refusal is remembered: short, because the person was told what to do about it and will try again.
const REFUSED_FOR: Duration = Duration::from_mins(10);
/// How long it is known that somebody was forgotten: longer than a look-up takes that began before.
const FORGOTTEN_FOR: Duration = Duration::from_mins(10);
/// Look-ups of one person in a row, when their profile changes during them; the last one's answer is not remembered.
const LOOK_UPS: usize = 2;

/// Slack's words for a person whom it does not show us. <https://docs.slack.dev/reference/methods/users.info#errors>
const HIDDEN: [&str; 2] = ["user_not_found", "user_not_visible"];

/// Why a person could not be looked up.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// Slack did not tell.
    #[error("looking a person up in Slack: {0}")]
    Slack(#[from] SlackError),
    /// Devin did not tell.
    #[error("looking a person up in Devin: {0}")]
    Devin(#[from] DevinError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The answer as it is remembered, version 1.
#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    v: u8,
    standing: Standing,
}

const VERSION: u8 = 1;

/// Looks people up.
#[derive(Debug, Clone)]
pub struct People {
    slack: Slack,
    devin: Devin,
    store: SharedStore,
    /// The organisation that people are looked up in, where it is not the one for all.
    organisation: Option<String>,
    /// All organisations that people may be remembered for.
    organisations: Arc<[String]>,
    /// Whether nobody is to act for them: then it is no trouble that nobody can.
    only_looking: bool,
}

impl People {
    /// Looks people up with these clients and remembers in this store.
    pub fn new(slack: Slack, devin: Devin, store: SharedStore, organisations: Arc<[String]>) -> Arc<Self> {
        Arc::new(Self { slack, devin, store, organisation: None, organisations, only_looking: false })
    }

    /// Looks people up with other clients, for another organisation.
    pub fn with(&self, slack: Slack, devin: Devin, organisation: Option<&str>) -> Arc<Self> {
        Arc::new(Self { slack, devin, organisation: organisation.map(str::to_owned), ..self.clone() })
    }

    /// Looks people up without anybody wanting to act for them: whoever has no account here is not noted as somebody who could
    /// not be linked.
    pub fn only_looking(&self) -> Arc<Self> {
        Arc::new(Self { only_looking: true, ..self.clone() })
    }

    /// Who a chat user is.
    pub async fn who(&self, team: &TeamId, user: &UserId) -> Result<Standing, PeopleError> {
        let set = match self.overridden(team, user).await {
            Err(StoreError::Corrupt(why)) => {
                tracing::error!(%team, %user, why, "nobody acts for this person until an operator says anew who they are");
                return Ok(Standing::Refused { why: Refusal::NoAccount });
            }
            set => set?,
        };
        if let Some(standing) = self.recall(team, user).await?.filter(|s| overrides::agrees(s, set.as_ref())) {
            return Ok(standing);
        }
        for _ in 1..LOOK_UPS {
            let before = self.store.recall(&forgotten(team, user)).await?;
            let standing = self.look_up(team, user).await?;
            if self.only_looking && matches!(standing, Standing::Refused { .. }) {
                return Ok(standing);
            }
            self.remember(team, user, &standing).await?;
            seen::note(&self.store, &self.key(team, user), &standing).await?;
            // Read after remembering: whoever forgets later than this takes away what was remembered here.
            if self.store.recall(&forgotten(team, user)).await? == before {
                return Ok(standing);
            }
            self.store.forget(&self.key(team, user)).await?;
        }
        self.look_up(team, user).await
    }

    /// Forgets what was found about a person, because their profile changed; also what a look-up that goes on now is
    /// about to find, because it may have read the old profile.
    pub async fn forget(&self, team: &TeamId, user: &UserId) -> Result<(), StoreError> {
        let mark = Uuid::now_v7().to_string();
        self.store.remember(&forgotten(team, user), &mark, FORGOTTEN_FOR).await?;
        self.store.forget(&key(team, user)).await?;
        for organisation in self.organisations.iter() {
            self.store.forget(&key_in(Some(organisation), team, user)).await?;
        }
        Ok(())
    }

    /// What an operator said of somebody.
    ///
    /// # Errors
    /// When it cannot be read: then nobody acts for them.
    pub async fn overridden(&self, team: &TeamId, user: &UserId) -> Result<Option<Override>, StoreError> {
        self.store.row(OVERRIDES, &self.key(team, user)).await?.as_ref().map(Override::read).transpose()
    }

    /// The member of the organisation with this e-mail address or user id; `None` when there is none, or more than one.
    pub async fn member(&self, account: &str) -> Result<Option<Member>, DevinError> {
        directory::account(&self.devin, account).await
    }

    /// The organisation that people are looked up in, where it is not the one for all.
    pub fn organisation(&self) -> Option<&str> {
        self.organisation.as_deref()
    }

    fn key(&self, team: &TeamId, user: &UserId) -> String {
        key_in(self.organisation.as_deref(), team, user)
    }

    async fn remember(&self, team: &TeamId, user: &UserId, standing: &Standing) -> Result<(), StoreError> {
        let ttl = match standing {
            Standing::Linked(_) => FOUND_FOR,
            Standing::Refused { .. } => REFUSED_FOR,
        };
        let remembered = Remembered { v: VERSION, standing: standing.clone() };
        let text = serde_json::to_string(&remembered).map_err(|e| StoreError::Corrupt(e.to_string()))?;
        self.store.remember(&self.key(team, user), &text, ttl).await
    }

    async fn recall(&self, team: &TeamId, user: &UserId) -> Result<Option<Standing>, StoreError> {
        let text = self.store.recall(&self.key(team, user)).await?;
        // What a newer or older version remembered is looked up anew instead of being guessed at.
        let remembered = text.and_then(|t| serde_json::from_str::<Remembered>(&t).ok());
        Ok(remembered.filter(|r| r.v == VERSION).map(|r| r.standing))
    }

    async fn look_up(&self, team: &TeamId, user: &UserId) -> Result<Standing, PeopleError> {
        let profile = match self.slack.user(user).await {
            // Whom Slack does not show us is not of this workspace.
            Err(SlackError::Target { code }) if HIDDEN.contains(&code.as_str()) => {
                return Ok(Standing::Refused { why: Refusal::Outside });
            }
            profile => profile?,
        };
        let email = profile::email(&profile, team);
        let refused = email.as_ref().err().copied();
        // Read here and not by the caller: what an operator says while we look goes above what we find.
        if refused.is_none_or(is_settled_by_override)
            && let Some(set) = self.overridden(team, user).await?
        {
            return Ok(Standing::Linked(profile::linked(&profile, set.devin, Source::Override)));
        }
        let email = match email {
            Ok(email) => email,
            Err(why) => return Ok(Standing::Refused { why }),
        };
        match directory::find(&self.devin, &email).await? {
            Found::One(devin, source) => Ok(Standing::Linked(profile::linked(&profile, devin, source))),
            Found::Several => {
                tracing::warn!(%team, %user, "several Devin users have this person's e-mail address: nobody acts for them");
                Ok(Standing::Refused { why: Refusal::NoAccount })
            }
            Found::Nobody => Ok(Standing::Refused { why: Refusal::NoAccount }),
        }
    }
}

fn key(team: &TeamId, user: &UserId) -> String {
    key_in(None, team, user)
}

/// Whom a row of a register is about: the person, and the organisation where it is not the one for all.
pub fn person_of(name: &str) -> Option<(TeamId, UserId, Option<String>)> {
    let (path, organisation) = match name.split_once('@') {
        Some((path, organisation)) => (path, Some(organisation.to_owned())),
        None => (name, None),
    };
    let (team, user) = path.strip_prefix("person:")?.split_once('/')?;
    Some((team.parse().ok()?, user.parse().ok()?, organisation))
}

fn key_in(organisation: Option<&str>, team: &TeamId, user: &UserId) -> String {
    match organisation {
        None => format!("person:{team}/{user}"),
        Some(organisation) => format!("person:{team}/{user}@{organisation}"),
    }
}

fn forgotten(team: &TeamId, user: &UserId) -> String {
    format!("person-forgotten:{team}/{user}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored forms that exist already are read for ever: a sample is never changed, a new form gets a new one.
    const SAMPLES: [&str; 2] = [
        r#"{"v":1,"standing":{"is":"linked","devin":"okta|grace","name":"Grace Hopper","source":"idp_members"}}"#,
        r#"{"v":1,"standing":{"is":"refused","why":"no_account"}}"#,
    ];

    #[test]
    fn what_is_remembered_of_people_is_read() {
        for sample in SAMPLES {
            let remembered: Remembered = serde_json::from_str(sample).unwrap();
            assert_eq!(serde_json::to_string(&remembered).unwrap(), sample);
        }
    }
}
