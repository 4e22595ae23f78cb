//! SIGHUP: what changes without a restart, and that a configuration which cannot be used changes nothing.

use std::{fs, path::Path, time::Duration};

use bobbin::twin::world::SIGNING_SECRET;

use super::{
    outside::{Outside, until},
    process::{Process, Settings, run, text},
};

const WITHIN: Duration = Duration::from_secs(15);
/// What a payload is signed with after the change.
const NEW: &str = "the next signing secret";

/// The status that a payload gets which is signed with this secret.
fn answer(base: &str, secret: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/slack/event.url_verification.json");
    let settings = Settings::from([("BOBBIN_SLACK_SIGNING_SECRETS", secret.to_owned())]);
    let output = run(&["replay", file.to_str().unwrap(), "--to", base], &settings);
    text(&output.stdout).split_whitespace().next().unwrap_or_default().to_owned()
}

async fn reread(bobbin: &Process, said: &str) {
    let before = bobbin.stderr().matches(said).count();
    bobbin.hang_up();
    until(said, WITHIN, || bobbin.stderr().matches(said).count() > before).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hangup_takes_over_secrets_rules_and_the_log_filter() {
    let outside = Outside::open().await;
    let folder = tempfile::tempdir().unwrap();
    let (secret, file) = (folder.path().join("signing"), folder.path().join("bobbin.toml"));
    fs::write(&secret, SIGNING_SECRET).unwrap();
    fs::write(&file, "[defaults]\ntags = ['before']").unwrap();
    let mut settings = outside.settings();
    settings.remove("BOBBIN_SLACK_SIGNING_SECRETS");
    settings.insert("BOBBIN_SLACK_SIGNING_SECRETS_FILE", secret.display().to_string());
    settings.insert("BOBBIN_CONFIG", file.display().to_string());
    let mut bobbin = Process::serve(&settings);
    let base = bobbin.base();
    let answers = || (answer(&base, SIGNING_SECRET), answer(&base, NEW));
    let (yes, no) = ("200".to_owned(), "401".to_owned());
    assert_eq!(answers(), (yes.clone(), no.clone()));

    // Both can be used while one replaces the other, then the old one is refused.
    fs::write(&secret, format!("{NEW},{SIGNING_SECRET}\n")).unwrap();
    reread(&bobbin, "changed=\"BOBBIN_SLACK_SIGNING_SECRETS\"").await;
    assert_eq!(answers(), (yes.clone(), yes.clone()));
    fs::write(&secret, NEW).unwrap();
    reread(&bobbin, "changed=\"BOBBIN_SLACK_SIGNING_SECRETS\"").await;
    assert_eq!(answers(), (no.clone(), yes.clone()));

    // Wrong in one place: nothing at all is taken over, and what is wrong is named.
    fs::write(&secret, SIGNING_SECRET).unwrap();
    fs::write(&file, "BOBBIN_LOG = 'debug'\n[defaults]\nmod = 'fast'\ntags = ['between']").unwrap();
    reread(&bobbin, "the configuration stays as it was").await;
    assert!(
        bobbin.stderr().contains("defaults.mod: found a key that does not exist; allowed: "),
        "{}",
        bobbin.stderr()
    );
    fs::write(&file, "[defaults").unwrap();
    reread(&bobbin, "the configuration stays as it was").await;
    assert_eq!(answers(), (no, yes.clone()));
    assert!(!bobbin.stderr().contains("DEBUG"), "{}", bobbin.stderr());

    fs::write(&file, "BOBBIN_LOG = 'debug'\n[defaults]\ntags = ['after']").unwrap();
    reread(&bobbin, "changed=\"BOBBIN_LOG, BOBBIN_SLACK_SIGNING_SECRETS, defaults\"").await;
    assert_eq!(answer(&base, SIGNING_SECRET), yes);
    outside.deliver_to(&base);
    let root = outside.mention("with the new tags");
    until("the card", WITHIN, || outside.posts(&root, "bobbin_card").len() == 1).await;
    let tags = outside.devin.sessions().remove(0).tags;
    assert!(tags.contains(&"after".to_owned()) && !tags.contains(&"before".to_owned()), "{tags:?}");
    until("more in the log", WITHIN, || bobbin.stderr().contains("DEBUG")).await;
    assert!(bobbin.stop().await.success());
    assert!(![SIGNING_SECRET, NEW].iter().any(|secret| bobbin.stderr().contains(secret)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_needs_a_restart_is_said_each_time_until_there_was_one() {
    let outside = Outside::open().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bobbin.toml");
    fs::write(&file, "").unwrap();
    let mut settings = outside.settings();
    settings.remove("BOBBIN_POLL_INTERVAL");
    settings.insert("BOBBIN_CONFIG", file.display().to_string());
    let bobbin = Process::serve(&settings);
    reread(&bobbin, "changed=\"\" after_a_restart=\"\"").await;
    fs::write(&file, "BOBBIN_POLL_INTERVAL = '3s'").unwrap();
    reread(&bobbin, "changed=\"\" after_a_restart=\"BOBBIN_POLL_INTERVAL\"").await;
    reread(&bobbin, "changed=\"\" after_a_restart=\"BOBBIN_POLL_INTERVAL\"").await;
}
