//! `bobbin doctor` as an operator or a script runs it: a sound world, and every kind of trouble in it by itself.

use bobbin::twin::{
    slack::SlackTwin,
    world::{BOT_TOKEN, DEVIN_KEY, SIGNING_SECRET},
};
use serde_json::Value;

use super::{
    outside::Outside,
    process::{Process, Settings, run, text},
};
use crate::support::redis::RedisServer;

/// What a Redis needs to lose nothing.
const SOUND: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

/// A sound world: the twins, a Redis, a bot that runs, and the settings with which the doctor is asked.
struct Sound {
    outside: Outside,
    redis: RedisServer,
    bobbin: Process,
    settings: Settings,
}

impl Sound {
    async fn new() -> Self {
        let (outside, redis) = (Outside::open().await, RedisServer::start(&SOUND));
        let mut settings = outside.settings();
        settings.insert("BOBBIN_STORE", redis.url());
        let bobbin = Process::serve(&settings);
        settings.insert("BOBBIN_LISTEN", bobbin.base().trim_start_matches("http://").to_owned());
        settings.insert("BOBBIN_PUBLIC_URL", bobbin.base());
        bobbin.until_ready_is(reqwest::StatusCode::OK).await;
        Self { outside, redis, bobbin, settings }
    }

    fn with(&self, key: &'static str, value: &str) -> Settings {
        let mut settings = self.settings.clone();
        settings.insert(key, value.to_owned());
        settings
    }

    /// The settings with a store of its own, in which nothing waits.
    fn beside(&self, arguments: &[&str]) -> (RedisServer, Settings) {
        let redis = RedisServer::start(arguments);
        let settings = self.with("BOBBIN_STORE", &redis.url());
        (redis, settings)
    }
}

/// What the doctor says, as exit code and checks.
async fn ask(settings: &Settings) -> (i32, Vec<Value>) {
    let settings = settings.clone();
    let output = tokio::task::spawn_blocking(move || run(&["doctor", "--json"], &settings)).await.unwrap();
    let said = text(&output.stdout) + &text(&output.stderr);
    for secret in [SIGNING_SECRET, BOT_TOKEN, DEVIN_KEY, "another-secret", "cog_wrong"] {
        assert!(!said.contains(secret), "{secret} is told: {said}");
    }
    let read: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {said}"));
    assert_eq!(read["v"], 1);
    (output.status.code().unwrap(), read["checks"].as_array().unwrap().clone())
}

/// The names of the checks in a state.
fn named<'c>(checks: &'c [Value], state: &str) -> Vec<&'c str> {
    let of = checks.iter().filter(|check| check["state"] == state);
    of.map(|check| check["name"].as_str().unwrap()).collect()
}

/// The doctor finds this one failure, and says this to do.
async fn fails(settings: &Settings, names: &[&str], remedy: &str) {
    let (code, checks) = ask(settings).await;
    assert_eq!((code, named(&checks, "fail")), (1, names.to_vec()), "{checks:#?}");
    let first = checks.iter().find(|check| check["state"] == "fail").unwrap();
    assert!(first["remedy"].as_str().unwrap().contains(remedy), "{first:#}");
}

fn scopes(slack: &SlackTwin, edit: impl FnOnce(&mut std::collections::BTreeSet<String>)) {
    slack.change(|state| edit(&mut state.tokens.get_mut(BOT_TOKEN).unwrap().scopes));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sound_world_is_said_to_be_sound_in_words_and_for_scripts() {
    let sound = Sound::new().await;
    let before = (sound.outside.devin.sessions().len(), sound.outside.slack.read(|state| state.channels.clone()));
    let (code, checks) = ask(&sound.settings).await;
    assert_eq!((code, named(&checks, "fail"), named(&checks, "warn")), (0, vec![], vec![]), "{checks:#?}");
    let well = named(&checks, "ok");
    for name in
        ["keys", "reachable", "signature", "forgery", "takes_writes", "scopes", "agent", "key", "clock", "ready"]
    {
        assert!(well.contains(&name), "{name}: {checks:#?}");
    }
    assert!(named(&checks, "skipped").contains(&"events"));
    let settings = sound.settings.clone();
    let output = tokio::task::spawn_blocking(move || run(&["doctor"], &settings)).await.unwrap();
    let words = text(&output.stdout);
    assert!(output.status.success() && output.stderr.is_empty());
    for part in
        ["Configuration\n  ok    keys", "\n\nSlack\n", "ManageOrgSessions (org-acme)", "\n0 failed, 0 to look at, "]
    {
        assert!(words.contains(part), "{part:?}: {words}");
    }
    let after = (sound.outside.devin.sessions().len(), sound.outside.slack.read(|state| state.channels.clone()));
    assert_eq!(before, after, "the doctor left something behind");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_at_slack_or_devin_is_named_with_its_remedy() {
    let sound = Sound::new().await;
    let Outside { slack, devin, .. } = &sound.outside;

    scopes(slack, |scopes| assert!(scopes.remove("files:write")));
    fails(&sound.settings, &["scopes"], "bobbin manifest").await;
    scopes(slack, |scopes| assert!(scopes.insert("files:write".to_owned())));

    slack.change(|state| state.features.agents_refused = Some("not_agent_app".to_owned()));
    let (code, checks) = ask(&sound.settings).await;
    assert_eq!((code, named(&checks, "warn")), (0, vec!["agent"]), "{checks:#?}");
    slack.change(|state| state.features.agents_refused = None);

    for permission in ["ViewOrgSessions", "UseDevinSessions", "ManageOrgSessions", "ViewOrgMembership"] {
        // Either of two permissions lets a key create.
        let held: &[&str] = match permission {
            "UseDevinSessions" => &["UseDevinSessions", "ManageOrgSessions"],
            _ => &[permission],
        };
        let key = |edit: &dyn Fn(&mut std::collections::BTreeSet<String>)| {
            devin.change(|state| edit(&mut state.keys.get_mut(DEVIN_KEY).unwrap().permissions));
        };
        key(&|have| have.retain(|name| !held.contains(&name.as_str())));
        fails(&sound.settings, held, "this permission").await;
        key(&|have| have.extend(held.iter().map(|&name| name.to_owned())));
    }

    fails(&sound.with("BOBBIN_DEVIN_API_KEY", "cog_wrong"), &["key"], "new key").await;
    fails(&sound.with("BOBBIN_DEVIN_ORG_ID", "org-other"), &["key"], "BOBBIN_DEVIN_ORG_ID").await;
    let token = sound.with("BOBBIN_SLACK_BOT_TOKEN", "xoxb-another-secret");
    fails(&token, &["token"], "install the app in the workspace again").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_on_the_way_from_slack_is_named_with_its_remedy() {
    let mut sound = Sound::new().await;
    let secret = sound.with("BOBBIN_SLACK_SIGNING_SECRETS", "another-secret");
    fails(&secret, &["signature"], "another signing secret").await;
    let twins = sound.with("BOBBIN_PUBLIC_URL", &format!("http://127.0.0.1:{}", sound.outside.port()));
    fails(&twins, &["signature", "forgery"], "/slack/events").await;
    fails(&sound.with("BOBBIN_PUBLIC_URL", "http://127.0.0.1:1"), &["reachable"], "bobbin serve").await;

    assert!(sound.bobbin.stop().await.success());
    let (code, checks) = ask(&sound.settings).await;
    assert_eq!((code, named(&checks, "fail")), (1, vec!["reachable"]), "{checks:#?}");
    assert!(named(&checks, "skipped").contains(&"ready"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_redis_is_named_with_its_remedy() {
    let sound = Sound::new().await;
    let (_evicting, settings) = sound.beside(&[&SOUND[..], &["--maxmemory-policy", "allkeys-lru"]].concat());
    fails(&settings, &["eviction"], "noeviction").await;
    let (_full, settings) = sound.beside(&[&SOUND[..], &["--maxmemory", "1mb"]].concat());
    let (code, checks) = ask(&settings).await;
    let failed = named(&checks, "fail");
    assert!(code == 1 && (failed.contains(&"memory") || failed.contains(&"takes_writes")), "{checks:#?}");
    let (_forgetful, settings) = sound.beside(&["--appendonly", "no"]);
    let (code, checks) = ask(&settings).await;
    assert_eq!((code, named(&checks, "warn")), (0, vec!["persistence"]), "{checks:#?}");

    let nobody = "redis://bobbin:another-secret@127.0.0.1:1";
    fails(&sound.with("BOBBIN_STORE", nobody), &["takes_writes"], "BOBBIN_STORE").await;
    let lonely = sound.with("BOBBIN_REDIS_WAIT", "2");
    fails(&lonely, &["replicas"], "connect replicas").await;
    assert!(sound.redis.url().starts_with("redis://"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_is_wrong_with_the_configuration_is_named_and_the_rest_is_looked_at() {
    let sound = Sound::new().await;
    let mut settings = sound.with("BOBBIN_LISTEN", "everywhere");
    settings.insert("BOBBIN_SLACK_PKCE", "perhaps".to_owned());
    let (code, checks) = ask(&settings).await;
    assert_eq!((code, named(&checks, "fail")), (1, vec!["BOBBIN_LISTEN", "BOBBIN_SLACK_PKCE"]), "{checks:#?}");
    assert!(named(&checks, "skipped").contains(&"token"), "Slack is left out: {checks:#?}");
    assert!(named(&checks, "ok").contains(&"ManageOrgSessions"), "Devin is looked at: {checks:#?}");

    let output = run(&["doctor", "--config", "/nowhere/bobbin.toml"], &Settings::new());
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("/nowhere/bobbin.toml") && output.stdout.is_empty());
}
