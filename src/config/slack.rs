//! The Slack side.

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::Source;

/// The Slack side.
#[derive(Debug, Clone)]
pub struct SlackConfig {
    /// Signing secrets, newest first; never empty in a usable configuration.
    pub signing_secrets: Vec<SecretString>,
    /// The workspace's bot token.
    pub bot_token: SecretString,
    /// The Web API.
    pub api_url: Url,
    /// Hosts that files may be downloaded from.
    pub file_hosts: Vec<String>,
    /// The key for the marks on our posts, 32 bytes; `None`: derived from the signing secret.
    pub secret_key: Option<SecretString>,
}

impl SlackConfig {
    pub(super) fn read(source: &mut Source) -> Self {
        Self {
            signing_secrets: signing_secrets(source),
            bot_token: required_secret(source, "BOBBIN_SLACK_BOT_TOKEN", "the bot token, xoxb-…"),
            api_url: source.url("BOBBIN_SLACK_API_URL").unwrap_or_else(crate::config::devin::nowhere),
            file_hosts: list(&source.text("BOBBIN_SLACK_FILE_HOSTS").unwrap_or_default()),
            secret_key: secret_key(source),
        }
    }
}

/// Refuses to go on without a usable secret: a bot that cannot verify must not listen.
fn signing_secrets(source: &mut Source) -> Vec<SecretString> {
    let secrets = source.signing_secrets();
    if secrets.is_empty() {
        let allowed = "at least one signing secret (Slack: Basic Information, App Credentials)";
        source.problem("BOBBIN_SLACK_SIGNING_SECRETS", "nothing usable", allowed);
    }
    secrets
}

fn secret_key(source: &mut Source) -> Option<SecretString> {
    let key = "BOBBIN_SECRET_KEY";
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
