//! Who signs in to the console, and what signing in needs.

use url::{Host, Url};

use super::Source;
use crate::domain::admins::Admins;

const KEY: &str = "BOBBIN_ADMINS";

/// The console.
#[derive(Debug, Clone, Default)]
pub struct ConsoleConfig {
    /// Who may act in it; without any nobody signs in.
    pub admins: Admins,
}

impl ConsoleConfig {
    pub(super) fn read(source: &mut Source) -> Self {
        let Some(text) = source.text(KEY) else { return Self::default() };
        let admins = Admins::read(&text).unwrap_or_else(|part| {
            source.problem(KEY, &format!("{part:?}"), Admins::FORM);
            Admins::default()
        });
        if !admins.is_empty() {
            needs(source);
        }
        Self { admins }
    }
}

/// People sign in by Slack, which knows the app by its credentials and sends them back to where it is reached.
fn needs(source: &mut Source) {
    if source.text("BOBBIN_SLACK_CLIENT_ID").is_none() && source.secret("BOBBIN_SLACK_CLIENT_SECRET").is_none() {
        let allowed = "the app's client id, with which the people of BOBBIN_ADMINS sign in, and its \
                       BOBBIN_SLACK_CLIENT_SECRET (Slack: Basic Information)";
        source.problem("BOBBIN_SLACK_CLIENT_ID", "nothing", allowed);
    }
    let allowed = "the https:// address that the people of BOBBIN_ADMINS come back to from Slack";
    let Some(text) = source.text("BOBBIN_PUBLIC_URL") else {
        return source.problem("BOBBIN_PUBLIC_URL", "nothing", allowed);
    };
    // Anybody on the way could take a session that travels in the clear. An address that cannot be read is told elsewhere.
    if text.parse::<Url>().is_ok_and(|url| url.scheme() == "http" && !is_loopback(&url)) {
        source.problem("BOBBIN_PUBLIC_URL", &format!("{text:?}"), allowed);
    }
}

/// Whether an address leads to this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}
