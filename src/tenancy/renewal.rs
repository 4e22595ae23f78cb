//! Tokens that run out become new ones, before they do.
//!
//! One replica asks Slack, under a lock, and writes the new pair down before anybody uses it; the others go on with the old
//! one, or wait where that has run out. Only Slack's word that the refresh token is worth nothing ends the installation.
//! Whatever else is wrong (an outage, a proxy's refusal, a client secret that the operator mistyped) is tried again at the
//! next call, and told: an installation that was ended for it would need its installer back.

use std::time::Duration;

use uuid::Uuid;

use super::{
    Installation, Installations,
    installations::{HELD_FOR, TRIES, TRY_EVERY, right, unreachable},
};
use crate::{clock::later, domain::ids::TeamId, slack::SlackError};

/// A token is renewed when it has less than this left: longer than Slack has ever been away.
const RENEWED_BEFORE: Duration = Duration::from_hours(2);
/// A token that is about to be renewed by somebody else is still used until so long before its end.
const USED_UNTIL: Duration = Duration::from_mins(1);
/// Slack's words for a refresh token that nothing brings back to life.
const ENDS: [&str; 4] = ["invalid_refresh_token", "token_revoked", "token_expired", "account_inactive"];

impl Installations {
    /// The installation with a token that has some time left.
    pub(super) async fn fresh(&self, known: Installation) -> Result<Installation, SlackError> {
        match known.rotation(&self.seal) {
            Some((_, expires)) if later(self.clock.now(), RENEWED_BEFORE) >= expires => self.renewed(known).await,
            Some(_) | None => Ok(known),
        }
    }

    /// The installation with a pair of tokens that was not used yet, or the old one as long as that may be used.
    async fn renewed(&self, known: Installation) -> Result<Installation, SlackError> {
        let (right, me) = (right(&known.id), Uuid::now_v7().to_string());
        for _ in 0..TRIES {
            if self.store.hold(&right, &me, HELD_FOR).await.map_err(|e| unreachable(&e))? {
                let renewed = self.renew(&known.id).await;
                self.store.hold(&right, &me, Duration::ZERO).await.map_err(|e| unreachable(&e))?;
                return renewed.map(|renewed| renewed.unwrap_or(known));
            }
            if known.rotation(&self.seal).is_some_and(|(_, end)| later(self.clock.now(), USED_UNTIL) < end) {
                return Ok(known);
            }
            tokio::time::sleep(TRY_EVERY).await;
        }
        Err(SlackError::Unreachable { why: "another replica renews the token and does not come to an end".to_owned() })
    }

    async fn renew(&self, id: &TeamId) -> Result<Option<Installation>, SlackError> {
        // Read anew: somebody may have been faster.
        let Some(mut known) = self.read(id).await.map_err(|e| unreachable(&e))? else { return Ok(None) };
        let Some((refresh, expires)) = known.rotation(&self.seal) else { return Ok(Some(known)) };
        let now = self.clock.now();
        if later(now, RENEWED_BEFORE) < expires {
            return Ok(Some(known));
        }
        let answer = self.oauth.refresh(&refresh).await;
        // Ended, or installed anew, while Slack was asked: what was made of the old installation is not kept.
        let now_known = self.read(id).await.map_err(|e| unreachable(&e))?;
        if now_known.as_ref() != Some(&known) {
            return Ok(now_known);
        }
        match answer {
            Ok(grant) => {
                known.renew(&grant, &self.seal, now);
                self.write(&known).await.map_err(|e| unreachable(&e))?;
                count("renewed");
                tracing::info!(workspace = %id, "the workspace's token was renewed");
                Ok(Some(known))
            }
            Err(error) if error.code().is_some_and(|code| ENDS.contains(&code)) => {
                let code = error.code().unwrap_or_default();
                count("ended");
                tracing::error!(workspace = %id, code, "the workspace's token cannot be renewed; it has to install again");
                metrics::counter!("bobbin_installations_ended_total", "why" => "refresh_refused").increment(1);
                known.end(code, now);
                self.write(&known).await.map_err(|e| unreachable(&e))?;
                Ok(Some(known))
            }
            // The old token may have some time left; the next call tries again.
            Err(error) => {
                count("not_yet");
                tracing::warn!(workspace = %id, %error, until = %expires, "the workspace's token could not be renewed yet");
                if expires > now { Ok(Some(known)) } else { Err(not_yet(error)) }
            }
        }
    }
}

/// What a call without a token is told. A refusal of the renewal is none of the call: that was not made, and is later.
fn not_yet(error: SlackError) -> SlackError {
    match error {
        SlackError::RateLimited { .. } => error,
        SlackError::InstallationGone { .. }
        | SlackError::MissingScope { .. }
        | SlackError::Target { .. }
        | SlackError::Payload { .. }
        | SlackError::Refused { .. }
        | SlackError::Unsure { .. }
        | SlackError::Unreachable { .. } => {
            SlackError::Unreachable { why: format!("the workspace's token could not be renewed yet: {error}") }
        }
    }
}

fn count(end: &'static str) {
    metrics::counter!("bobbin_token_renewals_total", "end" => end).increment(1);
}
