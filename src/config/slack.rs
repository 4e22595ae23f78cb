//! The Slack side.

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::Source;
use crate::domain::{ids::TeamId, invited::Invited};

/// The key of the app-level token.
const APP_TOKEN: &str = "BOBBIN_SLACK_APP_TOKEN";
/// The key of the key.
const SECRET_KEY: &str = "BOBBIN_SECRET_KEY";
/// The key of those who may install.
const WORKSPACES: &str = "BOBBIN_SLACK_WORKSPACES";
/// Sockets that Slack allows an app.
const MAX_SOCKETS: usize = 10;

/// The Slack side.
#[derive(Debug, Clone)]
pub struct SlackConfig {
    /// Signing secrets, newest first; never empty in a usable configuration without Socket Mode.
    pub signing_secrets: Vec<SecretString>,
    /// Socket Mode, where Slack is to be reached so.
    pub socket_mode: Option<SocketModeConfig>,
    /// The bot token of the one workspace; `None`: workspaces install by OAuth.
    pub bot_token: Option<SecretString>,
    /// The app's credentials: workspaces install with them where there is no bot token, and people sign in.
    pub oauth: Option<OAuthConfig>,
    /// Who may install by OAuth; never nobody in a usable configuration without a bot token.
    pub invited: Invited,
    /// The Web API.
    pub api_url: Url,
    /// Hosts that files may be downloaded from.
    pub file_hosts: Vec<String>,
    /// The key for the marks on our posts, 32 bytes; `None`: derived from the signing secret.
    pub secret_key: Option<SecretString>,
}

/// Socket Mode.
#[derive(Debug, Clone)]
pub struct SocketModeConfig {
    /// The app-level token.
    pub app_token: SecretString,
    /// Sockets that one process keeps open.
    pub sockets: usize,
}

/// The app's credentials.
#[derive(Debug, Clone)]
pub struct OAuthConfig {
    /// Client id.
    pub client_id: String,
    /// Client secret.
    pub client_secret: SecretString,
    /// Whether PKCE is switched on in the app's settings. Slack refuses it otherwise, and switching it on cannot be undone.
    pub pkce: bool,
}

impl SlackConfig {
    /// Reads the keys; the file has tables for these workspaces.
    pub(super) fn read(source: &mut Source, workspaces: Vec<TeamId>) -> Self {
        let (bot_token, oauth) = (source.secret("BOBBIN_SLACK_BOT_TOKEN"), oauth(source));
        let invited = invited(source, workspaces, bot_token.is_none() && oauth.is_some());
        if bot_token.is_none() {
            installs_by_oauth(source, oauth.is_some());
        }
        let socket_mode = socket_mode(source);
        Self {
            signing_secrets: signing_secrets(source, socket_mode.is_some()),
            socket_mode,
            bot_token,
            oauth,
            invited,
            api_url: source.url("BOBBIN_SLACK_API_URL").unwrap_or_else(crate::config::devin::nowhere),
            file_hosts: list(&source.text("BOBBIN_SLACK_FILE_HOSTS").unwrap_or_default()),
            secret_key: secret_key(source),
        }
    }
}

fn socket_mode(source: &mut Source) -> Option<SocketModeConfig> {
    let allowed = format!("a whole number from 1 to {MAX_SOCKETS}: Slack allows an app no more, over all its replicas");
    let sockets = source.parse("BOBBIN_SLACK_SOCKETS", &allowed, |text| {
        text.parse().ok().filter(|count| (1..=MAX_SOCKETS).contains(count))
    });
    let app_token = source.secret(APP_TOKEN)?;
    if !app_token.expose_secret().starts_with("xapp-") {
        let allowed = "an app-level token, xapp-…, with the scope connections:write (Slack: Basic Information, App-Level \
                       Tokens)";
        source.problem(APP_TOKEN, "something else", allowed);
    }
    Some(SocketModeConfig { app_token, sockets: sockets.unwrap_or(1) })
}

fn oauth(source: &mut Source) -> Option<OAuthConfig> {
    const ID: &str = "BOBBIN_SLACK_CLIENT_ID";
    const SECRET: &str = "BOBBIN_SLACK_CLIENT_SECRET";
    let pkce = source.parse("BOBBIN_SLACK_PKCE", "true or false", |text| text.parse().ok()).unwrap_or_default();
    match (source.text(ID), source.secret(SECRET)) {
        (Some(client_id), Some(client_secret)) => Some(OAuthConfig { client_id, client_secret, pkce }),
        (None, None) => None,
        (given, _) => {
            let missing = if given.is_some() { SECRET } else { ID };
            source.problem(missing, "nothing", "both the client id and the client secret (Slack: Basic Information)");
            None
        }
    }
}

/// Who is named in the list or has a table of their own; somebody has to be, where workspaces install.
fn invited(source: &mut Source, workspaces: Vec<TeamId>, installs: bool) -> Invited {
    let text = source.text(WORKSPACES).unwrap_or_default();
    let found = match Invited::read(&text).map(|listed| listed.and(workspaces)) {
        Ok(invited) if !(installs && invited.is_empty()) => return invited,
        Ok(_) => "nothing".to_owned(),
        Err(part) => format!("{part:?}"),
    };
    source.problem(WORKSPACES, &found, Invited::FORM);
    Invited::default()
}

/// Without a bot token workspaces install by OAuth, and what that needs has to be there.
fn installs_by_oauth(source: &mut Source, has_credentials: bool) {
    if !has_credentials {
        let allowed = "the bot token, xoxb-…; or none, and BOBBIN_SLACK_CLIENT_ID and BOBBIN_SLACK_CLIENT_SECRET, with \
                       which workspaces install by OAuth";
        return source.problem("BOBBIN_SLACK_BOT_TOKEN", "nothing", allowed);
    }
    if source.text("BOBBIN_PUBLIC_URL").is_none() {
        let allowed = "the address that Slack sends people back to after an installation, https://…";
        source.problem("BOBBIN_PUBLIC_URL", "nothing", allowed);
    }
    // A key derived from the signing secret would change with it, and no token could be opened any more.
    if source.secret(SECRET_KEY).is_none() {
        let allowed = "32 bytes as hex, which seal the workspaces' tokens, such as `openssl rand -hex 32` prints";
        source.problem(SECRET_KEY, "nothing", allowed);
    }
}

/// Refuses to go on without a usable secret: a bot that cannot verify must not listen. In Socket Mode it need not.
fn signing_secrets(source: &mut Source, socket_mode: bool) -> Vec<SecretString> {
    let secrets = source.signing_secrets();
    if !secrets.is_empty() {
        return secrets;
    }
    if !socket_mode {
        let allowed = "at least one signing secret (Slack: Basic Information, App Credentials); or none, and \
                       BOBBIN_SLACK_APP_TOKEN for Socket Mode";
        source.problem("BOBBIN_SLACK_SIGNING_SECRETS", "nothing usable", allowed);
    } else if source.secret(SECRET_KEY).is_none() && source.secret("BOBBIN_SLACK_BOT_TOKEN").is_some() {
        let allowed =
            "32 bytes as hex, such as `openssl rand -hex 32` prints; there is no signing secret to derive them from";
        source.problem(SECRET_KEY, "nothing", allowed);
    }
    secrets
}

fn secret_key(source: &mut Source) -> Option<SecretString> {
    let key = SECRET_KEY;
    let secret = source.secret(key)?;
    let good = hex::decode(secret.expose_secret()).is_ok_and(|bytes| bytes.len() == 32);
    if !good {
        source.problem(
            key,
            "something else",
            "32 bytes as 64 hexadecimal digits, such as `openssl rand -hex 32` prints",
        );
    }
    good.then_some(secret)
}

/// A secret that must be there.
pub(super) fn required_secret(source: &mut Source, key: &str, allowed: &str) -> SecretString {
    source.secret(key).unwrap_or_else(|| {
        source.problem(key, "nothing", allowed);
        SecretString::from("")
    })
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
