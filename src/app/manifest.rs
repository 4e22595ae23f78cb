//! `bobbin manifest`: the Slack app manifest with the operator's address filled in.

use url::Url;

/// The manifest, with the address that stands for the operator's.
pub const TEMPLATE: &str = include_str!("../../manifest/slack-app.yaml");
/// The address in the template.
const PLACEHOLDER: &str = "https://bobbin.example.com";

/// The scopes that the bot asks for.
pub(super) fn scopes() -> Vec<String> {
    list("bot:")
}

/// The events that the bot is told of.
pub(super) fn bot_events() -> Vec<String> {
    list("bot_events:")
}

fn list(key: &str) -> Vec<String> {
    let rows = TEMPLATE.lines().skip_while(|line| line.trim() != key).skip(1);
    rows.map_while(|line| line.trim().strip_prefix("- ")).map(str::to_owned).collect()
}

/// The manifest for a bot reached at `url`.
pub fn filled(url: &Url) -> String {
    TEMPLATE.replace(PLACEHOLDER, url.as_str().trim_end_matches('/'))
}
