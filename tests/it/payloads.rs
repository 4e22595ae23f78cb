//! Recorded payloads at the doors: none of them makes a 5xx, and each ends as it should.

use std::{collections::BTreeMap, fs, path::Path};

use bobbin::{
    clock::Clock as _,
    slack::signature::sign,
    twin::{slack::Outgoing, world::SIGNING_SECRET},
};
use secrecy::SecretString;

use crate::support::world::World;

/// A payload: its file, the door it goes to, and its body as Slack sends it.
struct Payload {
    name: String,
    path: &'static str,
    body: Vec<u8>,
}

/// Payloads of a folder: `event.*.json`, `interaction.*` (as JSON or as a form) and `command.*.form`.
fn payloads(folder: &Path) -> Vec<Payload> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(payloads(&path));
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let body = fs::read(&path).unwrap();
        let form = path.extension().is_some_and(|e| e == "form");
        let (door, body) = if name.starts_with("event.") {
            ("/slack/events", body)
        } else if name.starts_with("interaction.") && form {
            ("/slack/interactions", body)
        } else if name.starts_with("interaction.") {
            let text = String::from_utf8(body).unwrap();
            let form = url::form_urlencoded::Serializer::new(String::new()).append_pair("payload", &text).finish();
            ("/slack/interactions", form.into_bytes())
        } else if name.starts_with("command.") && form {
            ("/slack/commands", body)
        } else {
            continue;
        };
        found.push(Payload { name, path: door, body });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// Posts each payload, signed, and counts the answers by status.
async fn post_all(world: &World, payloads: &[Payload]) -> BTreeMap<u16, usize> {
    let mut answers = BTreeMap::new();
    for payload in payloads {
        let at = world.clock.now().as_second();
        let signature = sign(&SecretString::from(SIGNING_SECRET), at, &payload.body);
        let headers = vec![("x-slack-request-timestamp", at.to_string()), ("x-slack-signature", signature)];
        let request = Outgoing { path: payload.path, headers, body: payload.body.clone() };
        let status = world.send(request).await.unwrap().status;
        assert!(status == 200 || status == 400, "{}: {status}", payload.name);
        *answers.entry(status).or_insert(0) += 1;
    }
    answers
}

#[tokio::test]
async fn our_own_fixtures_are_taken() {
    let mut world = World::new().await;
    let fixtures = payloads(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/slack"));
    assert!(fixtures.len() >= 30, "only {} fixtures", fixtures.len());
    for (door, least) in [("/slack/events", 21), ("/slack/interactions", 8), ("/slack/commands", 2)] {
        let posted = fixtures.iter().filter(|p| p.path == door).count();
        assert!(posted >= least, "only {posted} fixtures at {door}");
    }
    let answers = post_all(&world, &fixtures).await;
    assert_eq!(answers.get(&400), None, "{answers:?}");
    world.lenient();
    world.settle().await;
}

#[tokio::test]
async fn recorded_payloads_make_no_server_error_and_no_panic() {
    let mut world = World::new().await;
    // Recordings lie beside the project on some machines only; our own fixtures above are always there.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/payloads");
    let recorded = payloads(&folder);
    assert!(!folder.exists() || recorded.len() >= 100, "only {} recorded payloads", recorded.len());
    let answers = post_all(&world, &recorded).await;
    assert_eq!(answers.values().sum::<usize>(), recorded.len());
    world.lenient();
    world.settle().await;
}
