//! The token of an installed workspace, asked for at every call and remembered for a moment.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;

use super::Installations;
use crate::{
    clock::{Clock, later},
    domain::ids::TeamId,
    slack::{SlackError, Tokens},
};

/// How long a token is used without asking the store: an end of the installation holds at Slack at once, and a renewed
/// one replaces a token that goes on to work for a while.
const REMEMBERED_FOR: Duration = Duration::from_secs(10);

/// Slack's words for a token that nothing brings back to life except a new installation.
const ENDS: [&str; 2] = ["account_inactive", "token_revoked"];

/// The token of one workspace.
#[derive(Debug)]
pub struct InstalledTokens {
    installations: Arc<Installations>,
    clock: Arc<dyn Clock>,
    team: TeamId,
    known: Mutex<Option<Known>>,
}

#[derive(Debug, Clone)]
struct Known {
    token: SecretString,
    until: Timestamp,
}

impl InstalledTokens {
    /// The token of this workspace.
    pub fn new(installations: Arc<Installations>, clock: Arc<dyn Clock>, team: TeamId) -> Self {
        Self { installations, clock, team, known: Mutex::new(None) }
    }
}

#[async_trait]
impl Tokens for InstalledTokens {
    async fn token(&self) -> Result<SecretString, SlackError> {
        let now = self.clock.now();
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known.filter(|known| now < known.until) {
            return Ok(known.token);
        }
        let Some((token, expires)) = self.installations.token(&self.team).await? else {
            return Err(SlackError::InstallationGone { code: "not_installed".to_owned() });
        };
        let soon = later(now, REMEMBERED_FOR);
        let until = expires.map_or(soon, |expires| expires.min(soon));
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(Known { token: token.clone(), until });
        Ok(token)
    }

    /// The event that tells of an end may be lost or late: what a call was told counts as much.
    async fn refused(&self, token: &SecretString, code: &str) {
        if !ENDS.contains(&code) {
            return;
        }
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if let Err(error) = self.installations.refused(&self.team, token, code).await {
            tracing::warn!(workspace = %self.team, %error, "the end of the installation could not be written down yet");
        }
    }
}
