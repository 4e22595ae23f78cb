//! Socket Mode with the built binary: no signing secret, no address, and real times.

use std::time::Duration;

use bobbin::twin::{
    Fault, FaultAction,
    slack::SocketOrder,
    world::{APP_TOKEN, BOT_TOKEN, SIGNING_SECRET},
};
use reqwest::StatusCode;
use serde_json::Value;

use super::{
    outside::{Manner, Outside, until},
    process::{Process, Settings, run, text},
};
use crate::support::chance::Chance;

/// What both sockets say when they are open.
const READY: &str = "ready; socket mode: 2 of 2 sockets are open\n";
/// Longest time until a dead socket has its successor.
const NOTICED_WITHIN: Duration = Duration::from_secs(30);

async fn outside() -> Outside {
    Outside::with(Manner::Sockets, Chance::of("sockets")).await
}

async fn until_ready(bobbin: &Process) {
    bobbin.until_ready_is(StatusCode::OK).await;
    let both = || async { bobbin.get("/readyz").await.1 == READY };
    for _ in 0..100 {
        if both().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{}", bobbin.get("/readyz").await.1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mention_over_a_socket_becomes_a_session_and_a_dead_socket_is_replaced_in_time() {
    let outside = outside().await;
    let mut settings = outside.settings();
    settings.insert("BOBBIN_LOG", "trace".to_owned());
    let mut bobbin = Process::serve(&settings);
    until_ready(&bobbin).await;
    let root = outside.mention("the canary mention");
    until("the card", Duration::from_secs(15), || outside.posts(&root, "bobbin_card").len() == 1).await;
    assert_eq!((outside.sessions(&root), outside.receipts(&root)), (1, 1));
    assert!(bobbin.metric("bobbin_sockets_open").await >= 2.0);

    let dead = outside.slack.sockets()[0];
    outside.slack.order_socket(dead, SocketOrder::Silence);
    until("its successor", NOTICED_WITHIN, || outside.slack.sockets().iter().any(|number| *number > 2)).await;
    assert!(bobbin.metric("bobbin_socket_replacements_total{reason=\"silent\"}").await >= 1.0);
    outside.slack.order_socket(dead, SocketOrder::Cut);
    let root = outside.mention("another canary");
    until("the card", Duration::from_secs(15), || outside.posts(&root, "bobbin_card").len() == 1).await;

    assert!(bobbin.stop().await.success());
    until("all are closed", Duration::from_secs(2), || outside.slack.sockets().is_empty()).await;
    let log = bobbin.stderr();
    for secret in [APP_TOKEN, BOT_TOKEN, "ticket-", "canary"] {
        let told = log.lines().find(|line| line.contains(secret));
        assert_eq!(told, None, "{secret:?} is in the log");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_socket_it_is_not_ready_and_says_why() {
    let outside = outside().await;
    let action = FaultAction::OkFalse("invalid_auth".to_owned());
    outside.slack.faults().push(Fault { matcher: "apps.connections.open".to_owned(), action, times: None });
    let bobbin = Process::serve(&outside.settings());
    until("it is told", Duration::from_secs(10), || bobbin.stderr().contains("BOBBIN_SLACK_APP_TOKEN")).await;
    let (status, why) = bobbin.get("/readyz").await;
    let expected = "not ready: socket mode: no socket is open: the installation is gone: invalid_auth\n";
    assert_eq!((status, why.as_str()), (StatusCode::SERVICE_UNAVAILABLE, expected));
    // It is asked once for each socket, and then not again for a while.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(outside.slack.calls("apps.connections.open"), 2);
    outside.slack.faults().clear();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_between_two_replicas_loses_nothing() {
    let outside = outside().await;
    let redis = crate::support::redis::RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let mut settings = outside.settings();
    settings.insert("BOBBIN_STORE", redis.url());
    let (mut first, second) = (Process::serve(&settings), Process::serve(&settings));
    until_ready(&first).await;
    until_ready(&second).await;
    let mut roots = Vec::new();
    for n in 0..30 {
        roots.push(outside.mention(&format!("task {n}")));
        if n == 10 {
            assert!(first.stop().await.success());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    until("every session", Duration::from_mins(1), || roots.iter().all(|root| outside.sessions(root) == 1)).await;
    until("every card", Duration::from_mins(1), || {
        roots.iter().all(|root| outside.posts(root, "bobbin_card").len() == 1)
    })
    .await;
}

/// What the doctor says, as exit code and checks.
async fn ask(settings: &Settings) -> (i32, Vec<Value>) {
    let settings = settings.clone();
    let output = tokio::task::spawn_blocking(move || run(&["doctor", "--json"], &settings)).await.unwrap();
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(![APP_TOKEN, SIGNING_SECRET, "ticket-"].iter().any(|secret| said.contains(secret)), "{said}");
    let read: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {said}"));
    (output.status.code().unwrap(), read["checks"].as_array().unwrap().clone())
}

fn state<'c>(checks: &'c [Value], name: &str) -> (&'c str, &'c str) {
    let check = checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name}: {checks:#?}"));
    (check["state"].as_str().unwrap(), check["remedy"].as_str().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_asks_for_a_socket_in_the_place_of_an_address_and_takes_none() {
    let outside = outside().await;
    let redis = crate::support::redis::RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let mut settings = outside.settings();
    settings.insert("BOBBIN_STORE", redis.url());
    let bobbin = Process::serve(&settings);
    until_ready(&bobbin).await;
    let asked = settings.clone();
    settings.insert("BOBBIN_LISTEN", bobbin.base().trim_start_matches("http://").to_owned());
    let (code, checks) = ask(&settings).await;
    let failed: Vec<&Value> = checks.iter().filter(|check| check["state"] == "fail").collect();
    assert_eq!((code, failed), (0, vec![]), "{checks:#?}");
    for name in ["keys", "app_token", "socket_host", "token", "ready"] {
        assert_eq!(state(&checks, name).0, "ok", "{name}: {checks:#?}");
    }
    assert!(!checks.iter().any(|check| check["name"] == "public_url"), "{checks:#?}");
    assert_eq!(outside.slack.sockets().len(), 2, "the doctor took a socket");

    let slack = &outside.slack;
    slack.change(|state| state.features.socket_mode = false);
    let (code, checks) = ask(&settings).await;
    let (app_token, remedy) = state(&checks, "app_token");
    assert!(code == 1 && app_token == "fail" && remedy.contains("switch Socket Mode on"), "{checks:#?}");
    slack.change(|state| state.features.socket_mode = true);
    settings.insert("BOBBIN_SLACK_APP_TOKEN", "xapp-another".to_owned());
    let (_, checks) = ask(&settings).await;
    assert!(state(&checks, "app_token").1.contains("new app-level token"), "{checks:#?}");
    slack.change(|state| state.tokens.get_mut(APP_TOKEN).unwrap().scopes.clear());
    let (_, checks) = ask(&asked).await;
    assert!(state(&checks, "app_token").1.contains("connections:write"), "{checks:#?}");
}

#[test]
fn the_manifest_of_socket_mode_has_no_address_to_post_to() {
    let output = run(&["manifest", "--socket-mode"], &Settings::new());
    let manifest = text(&output.stdout);
    assert!(output.status.success() && manifest.contains("socket_mode_enabled: true"), "{manifest}");
    assert!(!manifest.contains("/slack/events"), "{manifest}");
    assert!(!run(&["manifest"], &Settings::new()).status.success(), "one of both has to be said");
}
