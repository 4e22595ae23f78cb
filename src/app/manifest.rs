//! `bobbin manifest`: the Slack app manifest with the operator's address filled in.

use url::Url;

/// The manifest, with the address that stands for the operator's.
pub const TEMPLATE: &str = include_str!("../../manifest/slack-app.yaml");
/// The address in the template.
const PLACEHOLDER: &str = "https://bobbin.example.com";

/// The scopes that the bot asks for.
pub(super) fn scopes() -> Vec<String> {
    let bot = TEMPLATE.lines().skip_while(|line| line.trim() != "bot:").skip(1);
    bot.map_while(|line| line.trim().strip_prefix("- ")).map(str::to_owned).collect()
}

/// The manifest for a bot reached at `url`.
pub fn filled(url: &Url) -> String {
    TEMPLATE.replace(PLACEHOLDER, url.as_str().trim_end_matches('/'))
}
