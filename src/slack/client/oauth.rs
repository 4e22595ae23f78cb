//! The calls of an installation: a code becomes tokens, and tokens that run out become new ones.
//!
//! They are made as the app and not as an installation: client id and secret go as HTTP Basic, as Slack prefers.
//! <https://docs.slack.dev/authentication/installing-with-oauth> <https://docs.slack.dev/authentication/using-token-rotation>

use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{
    error::{SlackError, judged},
    transport::{CALL_TIMEOUT, call_named, part},
};
use crate::{
    domain::ids::{TeamId, UserId},
    outbound::Outbound,
};

/// The app towards Slack's OAuth. Cheap to clone.
#[derive(Debug, Clone)]
pub struct OAuth {
    pub(super) outbound: Outbound,
    api: Url,
    pub(super) client_id: String,
    client_secret: SecretString,
}

/// What Slack gave for a code or for a refresh token.
#[derive(Debug, Clone, Deserialize)]
pub struct Grant {
    /// The bot's token.
    pub access_token: SecretString,
    /// `bot` for the token that we asked for.
    #[serde(default)]
    pub token_type: String,
    /// What was granted, separated by commas.
    #[serde(default)]
    pub scope: String,
    /// The bot's user.
    #[serde(default)]
    pub bot_user_id: Option<UserId>,
    /// The app.
    #[serde(default)]
    pub app_id: Option<String>,
    /// The workspace; `None` for an organisation's installation.
    #[serde(default)]
    pub team: Option<Named>,
    /// The organisation, on Enterprise Grid.
    #[serde(default)]
    pub enterprise: Option<Named>,
    /// Whether it is for the whole organisation.
    #[serde(default)]
    pub is_enterprise_install: bool,
    /// Who installed it.
    #[serde(default)]
    pub authed_user: Option<Installer>,
    /// Seconds after which the token runs out, where tokens rotate.
    #[serde(default)]
    pub expires_in: Option<u64>,
    /// Becomes the next pair, once.
    #[serde(default)]
    pub refresh_token: Option<SecretString>,
}

/// An id and a name.
#[derive(Debug, Clone, Deserialize)]
pub struct Named {
    /// `T…` or `E…`.
    pub id: TeamId,
    /// As people know it.
    #[serde(default)]
    pub name: Option<String>,
}

/// Who installed the app.
#[derive(Debug, Clone, Deserialize)]
pub struct Installer {
    /// Them.
    pub id: UserId,
}

/// What the person at the browser is sent to Slack with.
#[derive(Debug)]
pub struct AuthorizeRequest<'a> {
    /// Scopes of the bot.
    pub scopes: &'a [String],
    /// Where Slack sends the person back to.
    pub redirect_uri: &'a str,
    /// Comes back unchanged.
    pub state: &'a str,
    /// The PKCE challenge, `S256`, where the app has PKCE.
    pub challenge: Option<&'a str>,
}

impl OAuth {
    /// An app with these credentials; `api` is the address of the Web API with a slash at its end, and the pages for people
    /// lie beside it.
    pub fn new(outbound: Outbound, api: Url, client_id: String, client_secret: SecretString) -> Self {
        Self { outbound, api, client_id, client_secret }
    }

    /// The page on which a person allows the installation.
    /// <https://docs.slack.dev/authentication/installing-with-oauth#asking>
    ///
    /// # Errors
    ///
    /// [`SlackError::Unreachable`] where the API's address cannot carry it.
    pub fn authorize_url(&self, request: &AuthorizeRequest<'_>) -> Result<Url, SlackError> {
        let mut url = self.beside("oauth/v2/authorize")?;
        url.query_pairs_mut()
            .append_pair("client_id", &self.client_id)
            .append_pair("scope", &request.scopes.join(","))
            .append_pair("redirect_uri", request.redirect_uri)
            .append_pair("state", request.state);
        Ok(Self::challenged(url, request.challenge))
    }

    /// A code becomes tokens. <https://docs.slack.dev/reference/methods/oauth.v2.access>
    ///
    /// # Errors
    ///
    /// [`SlackError`]; a code that was used, has run out or is another app's is [`SlackError::Refused`].
    pub async fn redeem(&self, code: &str, redirect_uri: &str, verifier: Option<&str>) -> Result<Grant, SlackError> {
        let mut form = vec![("code", code), ("redirect_uri", redirect_uri)];
        form.extend(verifier.map(|verifier| ("code_verifier", verifier)));
        self.access(&form).await
    }

    /// A refresh token becomes the next pair; it works once.
    /// <https://docs.slack.dev/authentication/using-token-rotation#refresh>
    ///
    /// # Errors
    ///
    /// [`SlackError`]; after [`SlackError::Unsure`] the old refresh token may still work for a short while.
    pub async fn refresh(&self, token: &SecretString) -> Result<Grant, SlackError> {
        self.access(&[("grant_type", "refresh_token"), ("refresh_token", token.expose_secret())]).await
    }

    /// Gives a token back that we do not want.
    /// <https://docs.slack.dev/reference/methods/auth.revoke>
    ///
    /// # Errors
    ///
    /// [`SlackError`]; a token that has ended already is [`SlackError::InstallationGone`].
    pub async fn revoke(&self, token: &SecretString) -> Result<(), SlackError> {
        let answer = self.send("auth.revoke", |request| request.bearer_auth(token.expose_secret())).await?;
        match answer.get("revoked").and_then(Value::as_bool) {
            Some(true) => Ok(()),
            Some(false) | None => Err(SlackError::Unsure { why: "Slack does not say that it is revoked".to_owned() }),
        }
    }

    async fn access(&self, form: &[(&str, &str)]) -> Result<Grant, SlackError> {
        part(&mut self.call("oauth.v2.access", form).await?, "")
    }

    /// A page for people; those lie beside the API.
    pub(super) fn beside(&self, path: &str) -> Result<Url, SlackError> {
        self.api
            .join("..")
            .and_then(|pages| pages.join(path))
            .map_err(|e| SlackError::Unreachable { why: e.to_string() })
    }

    /// A page's address with the PKCE challenge, where there is one.
    pub(super) fn challenged(mut url: Url, challenge: Option<&str>) -> Url {
        if let Some(challenge) = challenge {
            url.query_pairs_mut().append_pair("code_challenge", challenge).append_pair("code_challenge_method", "S256");
        }
        url
    }

    /// A call as the app.
    pub(super) async fn call(&self, method: &'static str, form: &[(&str, &str)]) -> Result<Value, SlackError> {
        let as_app =
            |request: RequestBuilder| request.basic_auth(&self.client_id, Some(self.client_secret.expose_secret()));
        self.send(method, |request| as_app(request).form(form)).await
    }

    async fn send(
        &self,
        method: &'static str,
        with: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Value, SlackError> {
        let url = self.api.join(method).map_err(|error| SlackError::Unreachable { why: error.to_string() })?;
        let request = with(self.outbound.request(Method::POST, url));
        self.outbound.send_judged(&call_named(method, CALL_TIMEOUT), request, |answer| judged(&answer)).await?.0
    }
}
