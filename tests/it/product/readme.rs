//! The README's way to a real workspace, followed to the letter: what stands there to be typed is typed, in that order,
//! and what a person does at Slack and Devin in between is done at the twins, with what the README names and nothing
//! else. Only the vendors' addresses and the port are others.

use std::{collections::BTreeSet, path::Path, process::Stdio, time::Duration};

use bobbin::{
    domain::ids::ChannelId,
    twin::{
        slack::{Door, SayOptions},
        world::{ADA, BACKEND, BOT_TOKEN, BOT_USER, DEVIN_KEY, ORG, SIGNING_SECRET},
    },
};
use serde_yaml_ng::Value;

use super::{
    outside::{Outside, until},
    process::{Process, Settings, run, text, typed},
};
use crate::support::{redis::free_port, world::id};

/// The section that is followed.
const SECTION: &str = "## Connect a real workspace";
/// Longest wait for something to show in the thread: the watch looks every ten seconds, as it does by default.
const WITHIN: Duration = Duration::from_secs(40);

/// The section, as far as its numbered steps go.
#[derive(Debug)]
struct Way {
    /// What is to be typed, block by block.
    typed: Vec<String>,
    /// What stands in code in the sentences.
    named: Vec<String>,
}

impl Way {
    fn read(readme: &str) -> Self {
        let section = readme.split_once(SECTION).expect("the section is there").1;
        let steps = section.split("\n## ").next().unwrap().split("\nFor several workspaces").next().unwrap();
        let mut way = Self { typed: Vec::new(), named: Vec::new() };
        let mut fenced = false;
        for line in steps.lines().map(str::trim) {
            match (line, fenced) {
                ("```sh", false) => {
                    fenced = true;
                    way.typed.push(String::new());
                }
                ("```", true) => fenced = false,
                (command, true) => {
                    let block = way.typed.last_mut().unwrap();
                    block.push_str(command);
                    block.push('\n');
                }
                (words, false) => way.named.extend(words.split('`').skip(1).step_by(2).map(str::to_owned)),
            }
        }
        way
    }

    /// What is named that begins so.
    fn one(&self, begins: &str) -> &str {
        let mut found = self.named.iter().filter_map(|name| name.strip_prefix(begins));
        let one = found.next().unwrap_or_else(|| panic!("nothing begins with {begins:?}: {:?}", self.named));
        assert_eq!(found.next(), None, "more than one thing begins with {begins:?}");
        one
    }
}

/// Puts what an operator noted in the place of each `…`.
fn filled_in(block: &str) -> String {
    let noted = [
        ("BOBBIN_SLACK_SIGNING_SECRETS", SIGNING_SECRET),
        ("BOBBIN_SLACK_BOT_TOKEN", BOT_TOKEN),
        ("BOBBIN_DEVIN_API_KEY", DEVIN_KEY),
        ("BOBBIN_DEVIN_ORG_ID", ORG),
    ];
    let word = |word: &str| match word.split_once('=').zip(word.strip_suffix('…')) {
        Some(((name, shown), _)) => {
            let (_, value) =
                noted.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("what is {name}?"));
            assert!(value.starts_with(shown.trim_end_matches('…')), "{name} does not look like {shown}");
            format!("{name}='{value}'")
        }
        None => word.to_owned(),
    };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    let filled: Vec<String> = block.lines().map(line).collect();
    let filled = filled.join("\n");
    assert!(!filled.contains('…'), "something is left to be filled in: {filled}");
    filled
}

fn strings(list: &Value) -> BTreeSet<String> {
    list.as_sequence().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

/// Makes the app from the manifest: what is not in it, the app has not.
fn create_app(outside: &Outside, printed: &str, address: &str) {
    let manifest: Value = serde_yaml_ng::from_str(printed).unwrap();
    let (events, scopes) =
        (&manifest["settings"]["event_subscriptions"], strings(&manifest["oauth_config"]["scopes"]["bot"]));
    assert_eq!(events["request_url"].as_str(), Some(format!("{address}{}", Door::Events.path()).as_str()));
    outside.slack.change(|state| {
        state.features.subscribed = Some(strings(&events["bot_events"]));
        state.tokens.get_mut(BOT_TOKEN).unwrap().scopes = scopes;
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_readmes_way_to_a_real_workspace_leads_to_an_answer_in_the_thread() {
    let way = Way::read(&std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap());
    let outside = Outside::open().await;
    let (backend, bot) = (id::<ChannelId>(BACKEND), id(BOT_USER));
    outside.slack.leave(&bot, &backend).unwrap();
    let settings = outside.redirected(free_port());
    let in_folder = |lines: &str| {
        let mut command = typed(lines, &settings);
        command.current_dir(outside.folder());
        command
    };

    // 1. The binary is on the path.
    assert_eq!(way.one("cargo "), "install --locked --path .");
    let [manifest, start] = &way.typed[..] else { panic!("two blocks to type: {way:?}") };

    // 2. The app, made from what is printed.
    let address = manifest.trim().strip_prefix("bobbin manifest --url ").expect("the manifest is printed first");
    let printed = in_folder(manifest).output().unwrap();
    assert!(printed.status.success(), "{}", text(&printed.stderr));
    create_app(&outside, &text(&printed.stdout), address);

    // 3. The service user, with the permissions that are named and no others.
    let named: BTreeSet<String> =
        way.named.iter().filter(|name| name.contains("Org") || *name == "UseDevinSessions").cloned().collect();
    assert!(named.contains("ImpersonateOrgSessions") && !named.iter().any(|name| name.contains('…')), "{named:?}");
    outside.devin.change(|state| state.keys.get_mut(DEVIN_KEY).unwrap().permissions = named);

    // 4. Everything is looked at, and it starts; Slack checks the address.
    let before = filled_in(start);
    let before = before.strip_suffix("\nbobbin serve").expect("it ends with the start");
    assert!(before.ends_with("\nbobbin doctor"), "{before}");
    let mut bobbin = Process::of(in_folder(&format!("{before}\nexec bobbin serve")));
    outside.deliver_to(&bobbin.base());
    let looked = bobbin.stdout();
    assert!(looked.contains("\n0 failed, "), "{looked}");
    let challenge = "tests/fixtures/slack/event.url_verification.json";
    let signed = Settings::from([("BOBBIN_SLACK_SIGNING_SECRETS", SIGNING_SECRET.to_owned())]);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(challenge).display().to_string();
    let saved = text(&run(&["replay", &file, "--to", &bobbin.base()], &signed).stdout);
    assert!(saved.starts_with("200 events "), "{saved}");

    // 5. The bot is invited and mentioned, and answers.
    assert_eq!(way.one("/invite "), "@bobbin");
    outside.slack.join(&bot, &backend).unwrap();
    let task = way.one("@bobbin ").to_owned();
    let said = format!("<@{BOT_USER}> {task}");
    let root = outside.slack.say(&id(ADA), &backend, &said, SayOptions::default()).unwrap();
    until("the card", WITHIN, || outside.posts(&root, "bobbin_card").len() == 1).await;
    let session = outside.devin.sessions().remove(0);
    assert!(session.prompt.contains(&task), "{}", session.prompt);
    outside.devin.say(&session.id, "It was a race; here is the fix.").unwrap();
    until("Devin's answer", WITHIN, || outside.posts(&root, "bobbin_relay").len() == 1).await;
    assert!(outside.posts(&root, "bobbin_relay")[0].text.contains("It was a race"));
    assert!(bobbin.stop().await.success());
}

#[test]
fn what_is_left_out_of_the_way_is_missed() {
    let way = Way::read(&format!(
        "# x\n{SECTION}\n1. `cargo build`\n\n   ```sh\n   a b\n   c\n   ```\n5. `/invite @bobbin`\n## y\n`z`"
    ));
    assert_eq!(
        (way.typed, way.named),
        (vec!["a b\nc\n".to_owned()], vec!["cargo build".to_owned(), "/invite @bobbin".to_owned()])
    );
    assert!(std::panic::catch_unwind(|| filled_in("export BOBBIN_NEW=…")).is_err());
    assert!(std::panic::catch_unwind(|| filled_in("export BOBBIN_SLACK_BOT_TOKEN=xoxp-…")).is_err());
    // A command that fails ends the way, also when another would follow.
    let status = typed("bobbin no-such-command\ntrue", &Settings::new()).stderr(Stdio::null()).status().unwrap();
    assert!(!status.success());
}
