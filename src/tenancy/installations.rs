//! The installations that the store has: kept, ended, listed.
//!
//! Only who is invited installs. Slack says who somebody is only together with a token, so that a stranger's code is turned
//! in, the token given back at once, and nothing kept. What was installed before and is not invited any more is treated like
//! what was taken out: no token, no session, and its inputs wait for a day, so that an operator who forgot to name a
//! workspace loses nothing. Refusing only new ones was rejected: whoever was taken out of the list for cause would go on
//! acting as other people.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use super::{Installation, Workspaces};
use crate::{
    clock::Clock,
    config::Live,
    domain::{ids::TeamId, invited::Invited},
    slack::{Grant, OAuth, SlackError},
    store::{SharedStore, Store, StoreError, seal::Seal},
};

/// As good as for ever: an installation ends when somebody ends it.
const KEPT_FOR: Duration = Duration::from_hours(20 * 365 * 24);
/// The list of all.
const INDEX: &str = "installs";
/// How long one change of the list, or one renewal, may take.
pub(super) const HELD_FOR: Duration = Duration::from_secs(30);
/// How often a change that somebody else is at is tried again, and after which wait.
pub(super) const TRIES: u32 = 40;
pub(super) const TRY_EVERY: Duration = Duration::from_millis(250);
/// How often a stranger's token is given back where Slack does not answer.
const REVOKE_TRIES: u32 = 3;

/// Why an installation was not kept.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// Slack refused.
    #[error(transparent)]
    Slack(#[from] SlackError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nobody invited them.
    #[error("{id} is not invited to install the app")]
    NotInvited {
        /// The workspace or organisation.
        id: TeamId,
        /// Its name.
        name: Option<String>,
    },
    /// Slack gave something else than a bot's installation.
    #[error("Slack granted no bot installation: {0}")]
    NotABot(&'static str),
}

/// The installations.
#[derive(Debug)]
pub struct Installations {
    pub(super) store: SharedStore,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) seal: Seal,
    pub(super) oauth: OAuth,
    invited: Live<Invited>,
}

impl Installations {
    /// Those of this app in this store, for whoever is invited.
    pub fn new(store: SharedStore, clock: Arc<dyn Clock>, seal: Seal, oauth: OAuth, invited: Invited) -> Self {
        Self { store, clock, seal, oauth, invited: Live::new(invited) }
    }

    /// Invites these, and nobody else; whoever is not among them any more has no token from now on.
    pub fn invite(&self, invited: Invited) {
        self.invited.replace(invited);
    }

    /// Whether an installation is of somebody who is invited.
    pub fn invites(&self, one: &Installation) -> bool {
        self.invited.now().has(&one.id, one.enterprise.as_ref())
    }

    /// The app towards Slack.
    pub fn oauth(&self) -> &OAuth {
        &self.oauth
    }

    /// Keeps what Slack granted, in the place of what was granted before. What it granted of somebody who is not invited is
    /// given back.
    pub async fn keep(&self, grant: &Grant) -> Result<Installation, InstallError> {
        if !matches!(grant.token_type.as_str(), "" | "bot") {
            return Err(InstallError::NotABot("the token is not a bot's"));
        }
        let made = Installation::granted(grant, &self.seal, self.clock.now());
        let made = made.ok_or(InstallError::NotABot("it names neither a workspace nor an organisation"))?;
        if !self.invites(&made) {
            self.give_back(&made.id, &grant.access_token).await;
            return Err(InstallError::NotInvited { id: made.id, name: made.name });
        }
        self.alone(&right(&made.id), self.write(&made)).await?;
        self.enlist(&made.id).await?;
        Ok(made)
    }

    /// A token that nobody keeps ends at Slack as well.
    async fn give_back(&self, id: &TeamId, token: &SecretString) {
        for _ in 0..REVOKE_TRIES {
            match self.oauth.revoke(token).await {
                Ok(()) | Err(SlackError::InstallationGone { .. }) => return,
                Err(error) => {
                    tracing::warn!(workspace = %id, %error, "a token that nobody keeps is not given back yet");
                }
            }
            tokio::time::sleep(TRY_EVERY).await;
        }
        tracing::error!(workspace = %id, "a token could not be given back; it was not kept, and nobody has it");
    }

    /// Ends an installation, unless it was made anew since `at`. The record stays, without tokens.
    pub async fn end(&self, id: &TeamId, why: &str, at: Timestamp) -> Result<bool, StoreError> {
        let change = async {
            let Some(mut known) = self.read(id).await?.filter(|known| known.gone.is_none() && known.at <= at) else {
                return Ok(false);
            };
            known.end(why, self.clock.now());
            self.write(&known).await.map(|()| true)
        };
        let ended = self.alone(&right(id), change).await?;
        if ended {
            tell_ended(id, why);
        }
        Ok(ended)
    }

    /// A call in a workspace was refused for good: the installation that lent its token has ended, unless it has another
    /// token by now.
    pub(super) async fn refused(&self, team: &TeamId, token: &SecretString, code: &str) -> Result<(), StoreError> {
        let Some(known) = self.of(team).await? else { return Ok(()) };
        let same = known.token(&self.seal).is_some_and(|kept| kept.expose_secret() == token.expose_secret());
        if same {
            self.end(&known.id, code, known.at).await?;
        }
        Ok(())
    }

    /// All of them, those that are gone included.
    pub async fn list(&self) -> Result<Vec<Installation>, StoreError> {
        let mut all = Vec::new();
        for id in self.ids().await? {
            all.extend(self.read(&id).await?);
        }
        Ok(all)
    }

    /// How many there are in each state; those that are gone, or not invited, included.
    pub async fn states(&self) -> Result<[(&'static str, usize); 3], StoreError> {
        let all = self.list().await?;
        let gone = all.iter().filter(|one| one.gone.is_some()).count();
        let idle = all.iter().filter(|one| one.gone.is_none() && !self.invites(one)).count();
        Ok([("works", all.len() - gone - idle), ("gone", gone), ("not_invited", idle)])
    }

    /// The installation through which we speak in a workspace: its own, or its organisation's; none of anybody who is not
    /// invited.
    pub async fn of(&self, team: &TeamId) -> Result<Option<Installation>, StoreError> {
        let own = self.read(team).await?.filter(|own| self.invites(own));
        if own.as_ref().is_some_and(|own| own.gone.is_none()) {
            return Ok(own);
        }
        let Some(enterprise) = enterprise_of(&*self.store, team).await? else { return Ok(own) };
        Ok(self.read(&enterprise).await?.filter(|theirs| self.invites(theirs)).or(own))
    }

    /// Whether anything may be done in a workspace: not where it has the app, by itself or by its organisation, and nobody
    /// invites it. What people have been looked up before would be enough to act as them, without a call to Slack.
    pub async fn admits(&self, team: &TeamId) -> Result<bool, StoreError> {
        if self.invited.now().has(team, None) || self.of(team).await?.is_some() {
            return Ok(true);
        }
        let own = self.read(team).await?.is_some();
        Ok(!own && enterprise_of(&*self.store, team).await?.is_none())
    }

    /// Tells the operators whose installations lie idle because nobody invites them.
    pub async fn tell_uninvited(&self) -> Result<(), StoreError> {
        for one in self.list().await?.iter().filter(|one| one.gone.is_none() && !self.invites(one)) {
            tracing::warn!(
                workspace = %one.id,
                name = one.name,
                "a workspace has the app and is not invited: nothing is done for it until BOBBIN_SLACK_WORKSPACES names it"
            );
        }
        Ok(())
    }

    /// A workspace was seen to be of an organisation.
    pub async fn note_enterprise(&self, team: &TeamId, enterprise: &TeamId) -> Result<(), StoreError> {
        self.store.remember(&enterprise_key(team), enterprise.as_str(), KEPT_FOR).await
    }

    /// The token of a workspace and until when it may be used without asking again; `None`: there is none.
    pub(super) async fn token(&self, team: &TeamId) -> Result<Option<(SecretString, Option<Timestamp>)>, SlackError> {
        let Some(known) = self.of(team).await.map_err(|e| unreachable(&e))? else { return Ok(None) };
        let known = self.fresh(known).await?;
        let until = known.rotation(&self.seal).map(|(_, expires)| expires);
        Ok(known.token(&self.seal).map(|token| (token, until)))
    }

    pub(super) async fn read(&self, id: &TeamId) -> Result<Option<Installation>, StoreError> {
        self.store.recall(&key(id)).await?.map(|text| Installation::read(&text)).transpose()
    }

    pub(super) async fn write(&self, installation: &Installation) -> Result<(), StoreError> {
        self.store.remember(&key(&installation.id), &installation.text()?, KEPT_FOR).await
    }

    async fn ids(&self) -> Result<Vec<TeamId>, StoreError> {
        installed(&*self.store).await
    }

    /// Puts it into the list.
    async fn enlist(&self, id: &TeamId) -> Result<(), StoreError> {
        let change = async {
            let mut ids = self.ids().await?;
            ids.retain(|known| known != id);
            ids.push(id.clone());
            let text = serde_json::to_string(&ids).map_err(|e| StoreError::Corrupt(e.to_string()))?;
            self.store.remember(INDEX, &text, KEPT_FOR).await
        };
        self.alone(INDEX, change).await
    }

    /// Changes something while nobody else does, in any replica.
    async fn alone<T>(
        &self,
        right: &str,
        change: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let me = Uuid::now_v7().to_string();
        for _ in 0..TRIES {
            if self.store.hold(right, &me, HELD_FOR).await? {
                let made = change.await;
                self.store.hold(right, &me, Duration::ZERO).await?;
                return made;
            }
            tokio::time::sleep(TRY_EVERY).await;
        }
        Err(StoreError::Unavailable("another replica changes the installations".to_owned()))
    }
}

#[async_trait]
impl Workspaces for Installations {
    async fn has(&self, team: &TeamId) -> Result<bool, SlackError> {
        Ok(self.of(team).await.map_err(|e| unreachable(&e))?.is_some())
    }
}

/// The workspaces and organisations that ever installed the app.
pub(super) async fn installed(store: &dyn Store) -> Result<Vec<TeamId>, StoreError> {
    let text = store.recall(INDEX).await?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

/// The organisation at Slack that a workspace was seen to be of.
pub(super) async fn enterprise_of(store: &dyn Store, team: &TeamId) -> Result<Option<TeamId>, StoreError> {
    Ok(store.recall(&enterprise_key(team)).await?.and_then(|text| text.parse().ok()))
}

/// Tells the operators, once for each end.
pub fn tell_ended(id: &TeamId, why: &str) {
    metrics::counter!("bobbin_installations_ended_total", "why" => why.to_owned()).increment(1);
    tracing::error!(
        workspace = %id,
        why,
        "the workspace took the app out: nothing is done for it any more; what waits is kept for a day, in case it installs \
         again"
    );
}

/// Where the store does not say, nothing is sent.
pub(super) fn unreachable(error: &StoreError) -> SlackError {
    SlackError::Unreachable { why: error.to_string() }
}

/// Whoever has it may change the installation.
pub(super) fn right(id: &TeamId) -> String {
    format!("rotate:{id}")
}

fn key(id: &TeamId) -> String {
    format!("install:{id}")
}

fn enterprise_key(team: &TeamId) -> String {
    format!("enterprise-of:{team}")
}
