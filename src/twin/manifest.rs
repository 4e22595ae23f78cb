//! The app as its manifest declares it: the stand-in workspace installs the same one that operators install.
//!
//! The manifest is read line by line: it is ours, and has nothing in it but names, values and lists of them.

use std::collections::BTreeMap;

use super::slack::{AppShortcut, Features};

/// The manifest.
const MANIFEST: &str = include_str!("../../manifest/slack-app.yaml");

/// The scopes that the bot asks for.
pub(super) fn scopes() -> Vec<&'static str> {
    list("bot")
}

/// What the app can do, and what it is subscribed to.
pub(super) fn features() -> Features {
    let shortcut = |entry: &BTreeMap<&str, &str>| {
        let of = |name: &str| entry.get(name).copied().unwrap_or_default();
        AppShortcut {
            name: of("name").to_owned(),
            on_message: of("type") == "message",
            callback_id: of("callback_id").to_owned(),
        }
    };
    let command = |entry: &BTreeMap<&str, &str>| {
        let of = |name: &str| (*entry.get(name).unwrap_or(&"")).to_owned();
        (of("command"), of("description"))
    };
    Features {
        home_tab: MANIFEST.contains("home_tab_enabled: true"),
        agent_view: MANIFEST.contains("agent_view:"),
        socket_mode: true,
        agents_refused: None,
        subscribed: Some(list("bot_events").into_iter().map(str::to_owned).collect()),
        shortcuts: entries("shortcuts").iter().map(shortcut).collect(),
        commands: entries("slash_commands").iter().map(command).collect(),
    }
}

fn list(key: &str) -> Vec<&'static str> {
    section(key).into_iter().filter_map(|line| line.trim().strip_prefix("- ")).collect()
}

/// The lines below a key.
fn section(key: &str) -> Vec<&'static str> {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let mut lines = MANIFEST.lines().skip_while(|line| line.trim().strip_suffix(':') != Some(key));
    let Some(head) = lines.next() else { return Vec::new() };
    lines.take_while(|line| depth(line) > depth(head)).collect()
}

/// The entries of a list of names and values.
fn entries(key: &str) -> Vec<BTreeMap<&'static str, &'static str>> {
    let mut entries: Vec<BTreeMap<_, _>> = Vec::new();
    for line in section(key) {
        let line = line.trim();
        let field = line.strip_prefix("- ").unwrap_or(line);
        if field.len() < line.len() {
            entries.push(BTreeMap::new());
        }
        if let (Some((name, value)), Some(entry)) = (field.split_once(": "), entries.last_mut()) {
            entry.insert(name, value.trim_matches('"'));
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_is_read_as_operators_install_it() {
        let features = features();
        assert!(
            scopes().contains(&"chat:write")
                && scopes().iter().all(|scope| scope.contains(':') || *scope == "commands")
        );
        assert!(features.agent_view);
        assert!(features.subscribed.unwrap().contains("message.channels"));
        let here = features.shortcuts.iter().find(|shortcut| shortcut.callback_id == "start_here").unwrap();
        assert_eq!((here.name.as_str(), here.on_message), ("Start Devin here", true));
        assert_eq!(features.commands[0].0, "/devin");
    }
}
