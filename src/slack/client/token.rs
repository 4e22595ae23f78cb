//! Where a client's token comes from: the configuration, or an installation that may be renewed while we run.

use std::fmt;

use async_trait::async_trait;
use secrecy::SecretString;

use super::error::SlackError;

/// Gives the token to call with. Asked for every call, because tokens can be rotated.
#[async_trait]
pub trait Tokens: Send + Sync + fmt::Debug {
    /// The token that works now.
    ///
    /// # Errors
    ///
    /// [`SlackError::InstallationGone`] where there is none any more; [`SlackError::Unreachable`] where it could not be
    /// found out: nothing was sent then.
    async fn token(&self) -> Result<SecretString, SlackError>;

    /// Slack answered a call made with this token that the installation is gone, in Slack's word. Whoever gave the token
    /// draws the conclusion; a configured one stays what it is, because an operator may put it right.
    async fn refused(&self, _token: &SecretString, _code: &str) {}
}

/// One token for ever.
#[async_trait]
impl Tokens for SecretString {
    async fn token(&self) -> Result<Self, SlackError> {
        Ok(self.clone())
    }
}
