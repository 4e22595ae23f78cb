//! The commands beside `serve`.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use bobbin::{
    clock::{Clock, SystemClock},
    domain::{ids::InputId, mailbox::Mailbox},
    store::{Admit, Body, Commit, Door, Founding as _, Input, Offer, Store as _, Turn, embedded::EmbeddedStore},
};
use serde_json::Value;

use super::process::{Process, Settings, run, text};

#[test]
fn manifest_prints_the_apps_manifest_with_the_address() {
    let output = run(&["manifest", "--url", "https://bobbin.acme.example"], &Settings::new());
    let manifest = text(&output.stdout);
    assert!(output.status.success() && output.stderr.is_empty());
    for path in ["/slack/events", "/slack/commands", "/slack/interactions"] {
        assert!(manifest.contains(&format!("https://bobbin.acme.example{path}")), "no {path} in {manifest}");
    }
    assert!(!manifest.contains("example.com"), "{manifest}");
    for line in manifest.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#')) {
        let content = line.trim_start();
        assert!((line.len() - content.len()).is_multiple_of(2) && !line.contains('\t'), "indentation: {line:?}");
        assert!(content.starts_with("- ") || content.contains(':'), "neither an item nor a key: {line:?}");
    }
    known_names(&manifest);
}

/// Documented by Slack, but younger than its schema: <https://docs.slack.dev/reference/app-manifest>.
const YOUNGER: [&str; 5] = ["agent_view", "agent_description", "suggested_prompts", "title", "message"];

/// Every key of the manifest is a property somewhere in Slack's own schema, where that lies beside the project.
fn known_names(manifest: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/schemas/slack-app-manifest/slack-app-manifest.json");
    let Ok(schema) = std::fs::read_to_string(path) else { return };
    let mut names = BTreeSet::new();
    properties(&serde_json::from_str(&schema).unwrap(), &mut names);
    let lines = manifest.lines().map(|line| line.trim_start().trim_start_matches("- "));
    for line in lines.filter(|line| !line.starts_with('#')) {
        let Some((key, _)) = line.split_once(": ").or_else(|| line.split_once(':').filter(|(_, v)| v.is_empty()))
        else {
            continue;
        };
        assert!(names.contains(key) || YOUNGER.contains(&key), "{key:?} is no property of a manifest");
    }
}

fn properties(schema: &Value, names: &mut BTreeSet<String>) {
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        names.extend(properties.keys().cloned());
    }
    match schema {
        Value::Object(parts) => parts.values().for_each(|part| properties(part, names)),
        Value::Array(parts) => parts.iter().for_each(|part| properties(part, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A file with two inputs that were set aside.
async fn buried(path: &std::path::Path) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = EmbeddedStore::open(path, clock.clone()).unwrap();
    store.found().await.unwrap();
    let mailbox: Mailbox = "thread:T1/C1/1700000000.000001".parse().unwrap();
    for name in ["letter-1", "letter-2"] {
        let id: InputId = name.parse().unwrap();
        let body = Body::from(format!("{{\"text\":\"body of {name}\"}}").into_bytes());
        let input = Input { v: Input::VERSION, id, at: clock.now(), door: Door::Events, body };
        let offer = Offer { mailbox: mailbox.clone(), input, seen: vec![name.to_owned()], admit: Admit::Always };
        store.accept(&offer).await.unwrap();
        let Turn::Taken(leased) = store.lease(Duration::from_secs(5)).await.unwrap() else { panic!("nothing to take") };
        store.bury(&leased.lease, "because", &Commit::default()).await.unwrap();
    }
}

#[tokio::test]
async fn dead_letters_are_listed_shown_put_back_and_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bobbin.db");
    buried(&file).await;
    let settings = Settings::from([("BOBBIN_STORE", format!("embedded:{}", file.display()))]);
    let dead = |words: &[&str]| {
        let output = run(&[&["dead"], words].concat(), &settings);
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    };

    let (_, listed, _) = dead(&["list"]);
    let lines: Vec<&str> = listed.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with("letter-2 ") && lines[1].starts_with("letter-1 "), "{listed}");
    assert!(lines[0].contains("T1/C1/1700000000.000001") && lines[0].ends_with("because"), "{listed}");
    assert!(!listed.contains("body of"), "a list shows no message: {listed}");

    let (_, shown, _) = dead(&["show", "letter-1"]);
    assert!(shown.contains("why: because") && shown.contains(r#"{"text":"body of letter-1"}"#), "{shown}");

    assert_eq!(dead(&["replay", "letter-1"]).1, "letter-1 is back in its mailbox.\n");
    assert_eq!(dead(&["drop", "letter-2"]).1, "letter-2 is forgotten.\n");
    assert_eq!(dead(&["list"]).1, "Nothing is set aside.\n");
    for words in [["show", "letter-2"], ["replay", "letter-2"], ["drop", "letter-2"]] {
        let (worked, _, said) = dead(&words);
        assert!(!worked && said.contains("set aside as letter-2"), "{words:?}: {said}");
    }
    let store = EmbeddedStore::open(&file, Arc::new(SystemClock)).unwrap();
    let Turn::Taken(leased) = store.lease(Duration::from_secs(5)).await.unwrap() else { panic!("not put back") };
    assert_eq!(leased.input.map(|input| input.id.to_string()).as_deref(), Some("letter-1"));
}

#[tokio::test]
async fn dead_letters_of_a_file_in_use_are_refused_with_a_reason() {
    let outside = super::outside::Outside::open().await;
    let settings = outside.settings();
    let _running = Process::serve(&settings);
    let store = Settings::from([("BOBBIN_STORE", settings["BOBBIN_STORE"].clone())]);
    let output = run(&["dead", "list"], &store);
    let said = text(&output.stderr);
    assert!(!output.status.success() && said.contains("bobbin.db"), "{said}");
}
