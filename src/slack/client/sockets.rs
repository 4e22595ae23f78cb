//! Sockets are opened as the app and not as an installation: with the app-level token, which has no other use.

use std::time::Duration;

use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::{
    error::{SlackError, judged},
    transport::{CALL_TIMEOUT, call_named, part},
};
use crate::{
    outbound::Outbound,
    slack::socket::{Connection, Hello, Lost, Pace},
};

/// Time for the handshake of a socket.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The app towards Socket Mode. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SocketMode {
    outbound: Outbound,
    api: Url,
    token: SecretString,
}

impl SocketMode {
    /// An app with its app-level token (`xapp-…`); `api` is the address of the Web API with a slash at its end.
    pub fn new(outbound: Outbound, api: Url, token: SecretString) -> Self {
        Self { outbound, api, token }
    }

    /// An address for one socket. It works once and soon, and is a secret.
    ///
    /// <https://docs.slack.dev/reference/methods/apps.connections.open>
    ///
    /// # Errors
    ///
    /// [`SlackError`].
    pub async fn address(&self) -> Result<SecretString, SlackError> {
        let method = "apps.connections.open";
        let url = self.api.join(method).map_err(|error| SlackError::Unreachable { why: error.to_string() })?;
        let empty: [(&str, &str); 0] = [];
        let request = self.outbound.request(Method::POST, url).bearer_auth(self.token.expose_secret()).form(&empty);
        let mut answer =
            self.outbound.send_judged(&call_named(method, CALL_TIMEOUT), request, |answer| judged(&answer)).await?.0?;
        part(&mut answer, "url")
    }

    /// Opens a socket and waits for its greeting.
    ///
    /// <https://docs.slack.dev/apis/events-api/using-socket-mode#connect>
    ///
    /// # Errors
    ///
    /// [`SlackError`]; one that Slack ends at once is [`SlackError::Refused`] with Slack's reason.
    pub async fn connect(&self, pace: Pace) -> Result<(Connection, Hello), SlackError> {
        let address = self.address().await?;
        let url = address.expose_secret().parse();
        let url = url.map_err(|_| SlackError::Refused { code: "socket_url_malformed".to_owned() })?;
        let io = self.outbound.upgrade(&call_named("socket", HANDSHAKE_TIMEOUT), url).await?;
        Connection::greeted(io, pace).await.map_err(|lost| match &lost {
            Lost::Unwanted(reason) => SlackError::Refused { code: reason.word().to_owned() },
            Lost::Closed | Lost::Broken(_) | Lost::Silent => SlackError::Unreachable { why: lost.to_string() },
        })
    }
}
