//! `bobbin manifest`: the Slack app manifest with the operator's address filled in, or as Socket Mode needs it.

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

/// The manifest of a bot that is reached at an address, or over sockets.
pub fn wanted(url: Option<&Url>, socket_mode: bool) -> String {
    let text = if socket_mode { over_sockets(url.is_some()) } else { TEMPLATE.to_owned() };
    url.map_or(text.clone(), |url| text.replace(PLACEHOLDER, url.as_str().trim_end_matches('/')))
}

/// Without addresses that Slack posts to; those that people come back to after an installation stay where there is one.
fn over_sockets(has_address: bool) -> String {
    let of_posts = ["request_url: ", "url: "];
    let of_installing = ["redirect_urls:", "- https://"];
    let begins = |line: &str, names: &[&str]| names.iter().any(|name| line.trim_start().starts_with(name));
    let kept = TEMPLATE.lines().filter(|line| !begins(line, &of_posts));
    let kept = kept.filter(|line| has_address || !begins(line, &of_installing));
    let text: Vec<&str> = kept.collect();
    (text.join("\n") + "\n").replace("socket_mode_enabled: false", "socket_mode_enabled: true")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_sockets_there_is_no_address_that_slack_posts_to() {
        let text = wanted(None, true);
        assert!(text.contains("socket_mode_enabled: true") && !text.contains("socket_mode_enabled: false"));
        assert!(!text.contains("request_url") && !text.contains("redirect_urls") && text.contains("bot_events:"));
        let settings: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(settings.iter().all(|line| !line.contains("https://")), "{settings:#?}");
        let lines = |text: &str| text.lines().count();
        let removed = "three addresses to post to, and two to come back to with their key";
        assert_eq!(lines(&text), lines(TEMPLATE) - 6, "{removed}");

        let url: Url = "https://bobbin.acme.example/".parse().unwrap();
        let installable = wanted(Some(&url), true);
        assert!(installable.contains("    - https://bobbin.acme.example/slack/oauth/callback"), "{installable}");
        assert!(!installable.contains("/slack/events"), "{installable}");
    }
}
