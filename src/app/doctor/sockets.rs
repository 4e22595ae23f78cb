//! Whether Slack can be reached for Socket Mode: it gives an address for a socket, and somebody answers there.
//!
//! No socket is opened: Slack would give it inputs that are the running bot's. The address is asked without its ticket.

use std::time::Duration;

use reqwest::Method;
use secrecy::ExposeSecret as _;
use url::Url;

use super::check::{Area, Check};
use crate::{
    outbound::{Answer, Call, Outbound, SendError},
    slack::{SlackError, SocketMode},
};

const AREA: Area = Area::Reach;
/// How long we wait.
const TIMEOUT: Duration = Duration::from_secs(8);

/// Asks for an address, and knocks at it.
pub(super) async fn examine(slack: &SocketMode, outbound: &Outbound) -> Vec<Check> {
    let address = match slack.address().await {
        Ok(address) => address,
        Err(error) => return vec![Check::fail(AREA, "app_token", error.to_string(), remedy(&error))],
    };
    let given = Check::ok(AREA, "app_token", "Slack gives addresses for sockets");
    let Some((url, host)) = address.expose_secret().parse::<Url>().ok().and_then(front) else {
        let remedy = "look at BOBBIN_SLACK_API_URL: something else answers there in Slack's place";
        return vec![given, Check::fail(AREA, "socket_host", "the address cannot be read", remedy)];
    };
    let call = Call { service: "slack", method: "socket_host".into(), timeout: TIMEOUT };
    let answer = outbound.send(&call, outbound.request(Method::GET, url)).await;
    vec![given, knocked(&host, &answer)]
}

/// The host of a socket's address as a page, without its ticket.
fn front(mut url: Url) -> Option<(Url, String)> {
    let scheme = if url.scheme() == "wss" { "https" } else { "http" };
    url.set_scheme(scheme).ok()?;
    url.set_path("/");
    url.set_query(None);
    let host = url.host_str()?.to_owned();
    Some((url, host))
}

fn knocked(host: &str, answer: &Result<Answer, SendError>) -> Check {
    match answer {
        // Any answer is one: there is no page.
        Ok(_) => Check::ok(AREA, "socket_host", format!("{host} answers")),
        Err(error) => {
            let remedy = "let this machine reach https://*.slack.com by WebSocket: look at DNS, proxy and firewall";
            Check::fail(AREA, "socket_host", format!("{host} does not answer: {error}"), remedy)
        }
    }
}

fn remedy(error: &SlackError) -> &'static str {
    match error {
        SlackError::InstallationGone { .. } => {
            "make a new app-level token (Slack: Basic Information, App-Level Tokens) and set BOBBIN_SLACK_APP_TOKEN"
        }
        SlackError::MissingScope { .. } => {
            "set BOBBIN_SLACK_APP_TOKEN to an app-level token, xapp-…, with the scope connections:write (Slack: Basic \
             Information, App-Level Tokens)"
        }
        SlackError::RateLimited { .. } => "ask again in a minute",
        SlackError::Unreachable { .. } => "look at BOBBIN_SLACK_API_URL, DNS, proxy and firewall of this machine",
        SlackError::Refused { .. } | SlackError::Target { .. } | SlackError::Payload { .. } => {
            "switch Socket Mode on (Slack: Settings, Socket Mode), or take BOBBIN_SLACK_APP_TOKEN out"
        }
        SlackError::Unsure { .. } => "ask again; if it stays, look at https://slack-status.com",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ticket_stays_out_of_what_is_asked() {
        let address = "wss://wss-primary.slack.com/link/?ticket=secret&app_id=A1".parse().unwrap();
        let (url, host) = front(address).unwrap();
        assert_eq!((url.as_str(), host.as_str()), ("https://wss-primary.slack.com/", "wss-primary.slack.com"));
        let near = "ws://127.0.0.1:3000/link/?ticket=secret".parse().unwrap();
        assert_eq!(front(near).unwrap().0.as_str(), "http://127.0.0.1:3000/");
    }
}
