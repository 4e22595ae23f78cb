//! The calls of a sign-in: where a person is sent, what their code becomes, and the keys that sign it.
//!
//! The keys are asked for at every sign-in: people sign in a few times a day, and Slack changes its keys when it likes.
//! <https://docs.slack.dev/authentication/sign-in-with-slack>

use jiff::Timestamp;
use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

use super::{
    error::SlackError,
    oauth::OAuth,
    transport::{CALL_TIMEOUT, call_named, part},
};
use crate::{
    domain::ids::TeamId,
    slack::openid::{self, Expected, IdTokenError, Keys, Person},
};

/// What we ask to be told.
const SCOPES: &str = "openid profile email";

/// What the person at the browser is sent to Slack with.
#[derive(Debug)]
pub struct SignInRequest<'a> {
    /// Where Slack sends the person back to.
    pub redirect_uri: &'a str,
    /// Comes back unchanged.
    pub state: &'a str,
    /// Comes back in the token.
    pub nonce: &'a str,
    /// The one workspace of which somebody may sign in, so that Slack need not ask for it.
    pub team: Option<&'a TeamId>,
    /// The PKCE challenge, `S256`, where the app has PKCE.
    pub challenge: Option<&'a str>,
}

/// What becomes a person.
#[derive(Debug)]
pub struct SignInCode<'a> {
    /// The code that the person came back with.
    pub code: &'a str,
    /// Where Slack sent them back to.
    pub redirect_uri: &'a str,
    /// The PKCE verifier, where the app has PKCE.
    pub verifier: Option<&'a str>,
}

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Slack did not answer as it should.
    #[error(transparent)]
    Slack(#[from] SlackError),
    /// It did, with something that is not believed.
    #[error(transparent)]
    IdToken(#[from] IdTokenError),
}

#[derive(Debug, Deserialize)]
struct Granted {
    id_token: SecretString,
}

impl OAuth {
    /// The page on which a person signs in.
    ///
    /// # Errors
    ///
    /// [`SlackError::Unreachable`] where the API's address cannot carry it.
    pub fn sign_in_url(&self, request: &SignInRequest<'_>) -> Result<Url, SlackError> {
        let mut url = self.beside("openid/connect/authorize")?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("scope", SCOPES)
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", request.redirect_uri)
            .append_pair("state", request.state)
            .append_pair("nonce", request.nonce);
        if let Some(team) = request.team {
            url.query_pairs_mut().append_pair("team", team.as_str());
        }
        Ok(Self::challenged(url, request.challenge))
    }

    /// A code becomes the person who signed in. <https://docs.slack.dev/reference/methods/openid.connect.token>
    ///
    /// # Errors
    ///
    /// [`SlackError::Refused`] for a code that was used, has run out or is another app's; [`IdTokenError`] for a token
    /// that says something else than this sign-in needs.
    pub async fn sign_in(&self, with: &SignInCode<'_>, nonce: &str, now: Timestamp) -> Result<Person, SignInError> {
        let mut form = vec![("code", with.code), ("redirect_uri", with.redirect_uri)];
        form.extend(with.verifier.map(|verifier| ("code_verifier", verifier)));
        let mut answer = self.call("openid.connect.token", &form).await?;
        let Granted { id_token } = part(&mut answer, "")?;
        let keys = self.keys().await?;
        let expected = Expected { client_id: &self.client_id, nonce, now };
        Ok(openid::verify(id_token.expose_secret(), &keys, expected)?)
    }

    async fn keys(&self) -> Result<Keys, SlackError> {
        let request = self.outbound.request(Method::GET, self.beside("openid/connect/keys")?);
        let answer = self.outbound.send(&call_named("openid.connect.keys", CALL_TIMEOUT), request).await?;
        let unusable = || SlackError::Refused { code: format!("http_{}", answer.status) };
        if answer.status != 200 {
            return Err(unusable());
        }
        serde_json::from_slice(&answer.body).map_err(|_| unusable())
    }
}
