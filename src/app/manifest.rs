//! `bobbin manifest`: the Slack app manifest with the operator's address filled in.

use url::Url;

/// The manifest, with the address that stands for the operator's.
pub const TEMPLATE: &str = include_str!("../../manifest/slack-app.yaml");
/// The address in the template.
const PLACEHOLDER: &str = "https://bobbin.example.com";

/// The manifest for a bot reached at `url`.
pub fn filled(url: &Url) -> String {
    TEMPLATE.replace(PLACEHOLDER, url.as_str().trim_end_matches('/'))
}
