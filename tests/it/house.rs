//! The house rules that a compiler does not know: which room may import which, that the map in `src/lib.rs` is true,
//! how long a file may be, and that what is written down elsewhere says the same as the code.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use bobbin::{
    app::manifest,
    config::keys::KEYS,
    receive,
    slack::wire::interaction::{SEND_TO_SESSION, START_DEVIN, START_HERE},
};

/// Longest file, in lines above its first test module.
const MAX_LINES: usize = 400;
/// Half of all files are at most this long.
const MEDIAN_LINES: usize = 160;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Every Rust file below a folder.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The lines of a file that are not tests.
fn production(path: &Path) -> Vec<String> {
    if path.file_name().is_some_and(|n| n == "tests.rs") {
        return Vec::new();
    }
    let text = fs::read_to_string(path).unwrap();
    text.lines().take_while(|line| line.trim() != "#[cfg(test)]").map(str::to_owned).collect()
}

/// The room table of `src/lib.rs`: room to layer.
fn layers() -> BTreeMap<String, u8> {
    let table = read("src/lib.rs");
    let rows = table.lines().filter_map(|line| line.strip_prefix("//! | "));
    rows.filter_map(|row| {
        let (layer, rest) = row.split_once(" | ")?;
        let room = rest.split_once("[`")?.1.split_once("`]")?.0;
        Some((room.to_owned(), layer.parse().ok()?))
    })
    .collect()
}

/// The room that a file below `src` belongs to; `None` for the crate's roots.
fn room(path: &Path) -> Option<String> {
    let inside = path.strip_prefix(root().join("src")).unwrap();
    let first = inside.components().next()?.as_os_str().to_str()?;
    let name = first.strip_suffix(".rs").unwrap_or(first);
    (!matches!(name, "lib" | "main")).then(|| name.to_owned())
}

/// The rooms that a file names in its imports and paths.
fn imported(lines: &[String]) -> BTreeSet<String> {
    let text: String = lines.iter().map(|l| l.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join(" ");
    let mut rooms = BTreeSet::new();
    for rest in text.split("crate::").skip(1) {
        let rest = rest.trim_start();
        let Some(group) = rest.strip_prefix('{') else {
            rooms.insert(word(rest));
            continue;
        };
        // `use crate::{a::b, c::{d, e}}`: the words at depth one.
        let mut depth = 1;
        let mut at_start = true;
        for (index, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => at_start = true,
                c if depth == 1 && at_start && !c.is_whitespace() => {
                    rooms.insert(word(group.split_at(index).1));
                    at_start = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    rooms.into_iter().filter(|r| !r.is_empty()).collect()
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

#[test]
fn imports_go_downward_only() {
    let layers = layers();
    let mut wrong = Vec::new();
    for file in rust_files(&root().join("src")) {
        let Some(room) = room(&file) else { continue };
        let layer = layers[&room];
        for other in imported(&production(&file)) {
            let allowed = other == room || layers.get(&other).is_some_and(|l| *l < layer);
            if !allowed {
                wrong.push(format!("{} ({room}, layer {layer}) imports {other}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "imports that go sideways or up:\n{}", wrong.join("\n"));
}

#[test]
fn the_doors_touch_nothing_that_calls_out() {
    for file in rust_files(&root().join("src/receive")) {
        let rooms = imported(&production(&file));
        for forbidden in ["outbound", "devin", "people", "steps", "voice"] {
            assert!(!rooms.contains(forbidden), "{} imports {forbidden}", file.display());
        }
        assert!(!fs::read_to_string(&file).unwrap().contains("slack::client"), "{} has a client", file.display());
    }
}

#[test]
fn the_map_names_exactly_the_rooms_there_are() {
    let there: BTreeSet<String> = rust_files(&root().join("src")).iter().filter_map(|f| room(f)).collect();
    let named: BTreeSet<String> = layers().into_keys().collect();
    assert_eq!(named, there, "the table in src/lib.rs against the folders of src");
}

#[test]
fn files_stay_short_and_say_why_they_exist() {
    let mut sizes = Vec::new();
    for file in rust_files(&root().join("src")) {
        let lines = production(&file);
        if lines.is_empty() {
            continue;
        }
        assert!(lines[0].starts_with("//!"), "{} does not begin with its reason", file.display());
        assert!(lines.len() <= MAX_LINES, "{} has {} lines; at most {MAX_LINES}", file.display(), lines.len());
        sizes.push(lines.len());
    }
    sizes.sort_unstable();
    let median = sizes[sizes.len() / 2];
    assert!(median <= MEDIAN_LINES, "half of the files are longer than {median} lines");
}

#[test]
fn nothing_is_left_undone_or_skipped() {
    // Written in two parts, so that this file does not find itself.
    let forbidden = [concat!("todo", "!("), concat!("unimplemented", "!("), concat!("#[", "ignore")];
    for file in rust_files(&root().join("src")).into_iter().chain(rust_files(&root().join("tests"))) {
        let text = fs::read_to_string(&file).unwrap();
        for word in forbidden {
            assert!(!text.contains(word), "{} has {word}", file.display());
        }
    }
}

#[test]
fn the_readmes_configuration_table_is_the_codes() {
    let readme = read("README.md");
    let rows: Vec<Vec<String>> = readme
        .lines()
        .filter(|line| line.starts_with("| `BOBBIN_"))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect())
        .collect();
    let expected: Vec<Vec<String>> = KEYS
        .iter()
        .map(|key| {
            let default = key.default.map_or_else(|| "–".to_owned(), |d| format!("`{d}`"));
            vec![format!("`{}`", key.name), default, key.meaning.to_owned()]
        })
        .collect();
    assert_eq!(rows, expected);
    assert!(readme.lines().count() < 150, "the README is for a first reading: under 150 lines");
}

/// The items of a list in the manifest, by the key above it.
fn manifest_list(key: &str) -> BTreeSet<String> {
    let lines = manifest::TEMPLATE.lines().skip_while(|line| line.trim() != format!("{key}:")).skip(1);
    lines.map_while(|line| line.trim().strip_prefix("- ")).map(str::to_owned).collect()
}

#[test]
fn the_manifest_subscribes_to_what_is_handled() {
    let handled: BTreeSet<String> = receive::HANDLED_EVENTS.iter().map(|e| (*e).to_owned()).collect();
    assert_eq!(manifest_list("bot_events"), handled);
    for shortcut in [START_HERE, SEND_TO_SESSION, START_DEVIN] {
        assert!(manifest::TEMPLATE.contains(&format!("callback_id: {shortcut}")), "{shortcut}");
    }
}

/// The scopes that each event and each method we call needs (`slack.md`, sections 3.4 and 6.2).
const NEEDED: [(&str, &[&str]); 34] = [
    // With the app-level token, whose scope is no bot's.
    ("apps.connections.open", &[]),
    ("agent_session_stopped", &["chat:write"]),
    ("app_home_opened", &[]),
    ("app_mention", &["app_mentions:read"]),
    ("message.channels", &["channels:history"]),
    ("message.groups", &["groups:history"]),
    ("message.im", &["im:history"]),
    ("message.mpim", &["mpim:history"]),
    ("reaction_added", &["reactions:read"]),
    ("reaction_removed", &["reactions:read"]),
    ("user_change", &["users:read"]),
    ("agents.sessions.setStatus", &["chat:write"]),
    ("auth.revoke", &[]),
    ("auth.test", &[]),
    ("chat.delete", &["chat:write"]),
    ("chat.getPermalink", &[]),
    ("chat.postEphemeral", &["chat:write"]),
    ("chat.postMessage", &["chat:write"]),
    ("chat.update", &["chat:write"]),
    ("conversations.history", &["channels:history", "groups:history", "im:history", "mpim:history"]),
    ("conversations.info", &["channels:read", "groups:read", "im:read", "mpim:read"]),
    ("conversations.replies", &["channels:history", "groups:history", "im:history", "mpim:history"]),
    ("reactions.add", &["reactions:write"]),
    ("reactions.remove", &["reactions:write"]),
    ("users.info", &["users:read", "users:read.email"]),
    ("files.completeUploadExternal", &["files:write"]),
    ("files.getUploadURLExternal", &["files:write"]),
    ("files.info", &["files:read"]),
    ("commands", &["commands"]),
    ("views.open", &[]),
    ("views.publish", &[]),
    ("views.update", &[]),
    ("assistant.threads.setSuggestedPrompts", &["assistant:write"]),
    ("assistant.threads.setTitle", &["assistant:write"]),
];

/// Every Web API method that the client's code names.
fn methods_called() -> BTreeSet<String> {
    let families = [
        "agents.",
        "apps.",
        "auth.",
        "chat.",
        "conversations.",
        "files.",
        "reactions.",
        "users.",
        "views.",
        "assistant.",
    ];
    let mut methods = BTreeSet::new();
    for file in rust_files(&root().join("src/slack/client")) {
        for line in production(&file).iter().filter(|l| !l.trim_start().starts_with("//")) {
            let quoted = line.split('"').skip(1).step_by(2);
            methods.extend(quoted.filter(|q| families.iter().any(|f| q.starts_with(f))).map(str::to_owned));
        }
    }
    methods
}

#[test]
fn the_manifests_scopes_are_what_the_code_needs() {
    let called = methods_called();
    assert!(called.contains("chat.postMessage"), "found only {called:?}");
    let needed: BTreeMap<&str, &[&str]> = NEEDED.into_iter().collect();
    for method in &called {
        assert!(needed.contains_key(method.as_str()), "{method} is called; say above which scopes it needs");
    }
    for named in needed.keys().filter(|n| n.contains('.') && !n.starts_with("message.")) {
        assert!(called.contains(*named), "{named} is listed above, but nothing calls it");
    }
    let scopes: BTreeSet<String> = needed.values().flat_map(|s| s.iter()).copied().map(str::to_owned).collect();
    assert_eq!(manifest_list("bot"), scopes);
}
