//! A store that was emptied under the running product, lost while it was stopped, or restored from an old copy.

use std::{
    fs,
    time::{Duration, Instant},
};

use bobbin::{
    domain::ids::{ChannelId, SessionId, Ts},
    twin::{
        Fault, FaultAction,
        slack::SayOptions,
        world::{ADA, BACKEND},
    },
};
use reqwest::StatusCode;

use super::{
    outside::{Outside, until},
    process::{Process, Settings, run, text},
};
use crate::support::{redis::RedisServer, world::id};

/// A store is founded after 16 seconds, and then a link is restored every two.
const RESTORED_WITHIN: Duration = Duration::from_mins(2);
/// How long a card is under way: longer than the product needs to look for it.
const SLOW: Duration = Duration::from_secs(8);
/// Time for what needs no waiting.
const HANDLED_WITHIN: Duration = Duration::from_secs(30);

fn session(outside: &Outside, root: &Ts) -> Option<SessionId> {
    let end = format!("/{root}");
    outside.devin.sessions().into_iter().find(|s| s.tags.iter().any(|t| t.ends_with(&end))).map(|s| s.id)
}

/// Mentions that were handled: each has its session and its card.
async fn handled(outside: &Outside, count: usize, text: &str) -> Vec<Ts> {
    let roots: Vec<Ts> = (0..count).map(|n| outside.mention(&format!("{text} {n}"))).collect();
    until("the mentions are handled", HANDLED_WITHIN, || {
        roots.iter().all(|root| !outside.posts(root, "bobbin_card").is_empty())
    })
    .await;
    roots
}

/// In each thread Devin asks something, and its question and the call for an answer are posted.
async fn asked_back(outside: &Outside, roots: &[Ts]) {
    for root in roots {
        let session = session(outside, root).unwrap();
        outside.devin.say(&session, "Which branch?").unwrap();
        outside.devin.set(&session, "running".to_owned().into(), Some("waiting_for_user".to_owned().into())).unwrap();
    }
    until("the questions are posted", HANDLED_WITHIN, || {
        roots.iter().all(|root| !outside.posts(root, "bobbin_transition").is_empty())
    })
    .await;
}

/// Ada answers in each thread, and the answers reach the sessions.
async fn answered(outside: &Outside, roots: &[Ts], within: Duration) {
    for root in roots {
        let options = SayOptions { thread: Some(root.clone()), ..SayOptions::default() };
        outside.slack.say(&id(ADA), &id::<ChannelId>(BACKEND), "main", options).unwrap();
    }
    until("the answers reach Devin", within, || roots.iter().all(|root| answers(outside, root) > 0)).await;
}

fn answers(outside: &Outside, root: &Ts) -> usize {
    let session = session(outside, root).unwrap();
    outside.devin.read(|state| state.session(&session).unwrap().messages.iter().filter(|m| m.message == "main").count())
}

/// Every session ends, and its thread hears of it.
async fn ended(outside: &Outside, roots: &[Ts], transitions: usize) {
    for session in outside.devin.sessions() {
        outside.devin.set(&session.id, "exit".to_owned().into(), None).unwrap();
    }
    until("every thread hears of the end", RESTORED_WITHIN, || {
        roots.iter().all(|root| outside.posts(root, "bobbin_transition").len() >= transitions)
    })
    .await;
}

/// Cards, relayed words, states told, and answers sent, in each thread.
fn counted(outside: &Outside, roots: &[Ts]) -> Vec<[usize; 5]> {
    let count = |root: &Ts, kind| outside.posts(root, kind).len();
    let row = |root: &Ts| {
        let [card, relay, transition] = ["bobbin_card", "bobbin_relay", "bobbin_transition"].map(|k| count(root, k));
        [outside.sessions(root), card, relay, transition, answers(outside, root)]
    };
    roots.iter().map(row).collect()
}

fn on_redis(outside: &Outside, redis: &RedisServer) -> Settings {
    let mut settings = outside.settings();
    settings.insert("BOBBIN_STORE", redis.url());
    settings
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f09_a_redis_emptied_under_two_replicas_heals_by_itself() {
    let redis = RedisServer::start(&[]);
    let outside = Outside::open().await;
    let settings = on_redis(&outside, &redis);
    let (bobbin, _other) = (Process::serve(&settings), Process::serve(&settings));
    outside.deliver_to(&bobbin.base());
    bobbin.until_ready_is(StatusCode::OK).await;
    let old = handled(&outside, 4, "task").await;
    asked_back(&outside, &old).await;

    // The cards of some are under way and reach Slack only after the store has forgotten that they were begun; some
    // mentions are anywhere in their steps; some come while the store knows nothing.
    let slow = Fault { matcher: "chat.postMessage".to_owned(), action: FaultAction::Delay(SLOW), times: Some(3) };
    outside.slack.faults().push(slow);
    let slow: Vec<Ts> = (0..3).map(|n| outside.mention(&format!("slow {n}"))).collect();
    until("the cards are under way", HANDLED_WITHIN, || outside.slack.faults().waiting().is_empty()).await;
    let caught: Vec<Ts> = (0..4).map(|n| outside.mention(&format!("caught {n}"))).collect();
    tokio::time::sleep(Duration::from_millis(40)).await;
    redis.command(&["FLUSHALL"]);
    let all_came = Instant::now() + SLOW + Duration::from_secs(1);
    assert!(slow.iter().all(|root| outside.posts(root, "bobbin_card").is_empty()), "the cards came too early");
    let new: Vec<Ts> = (0..2).map(|n| outside.mention(&format!("new {n}"))).collect();
    let why = bobbin.until_ready_is(StatusCode::SERVICE_UNAVAILABLE).await;
    assert!(why.contains("new or was emptied"), "{why}");
    answered(&outside, &old, RESTORED_WITHIN).await;
    assert_eq!(bobbin.until_ready_is(StatusCode::OK).await, "ready\n");
    let carded = |root: &Ts| !outside.posts(root, "bobbin_card").is_empty();
    until("what came later is handled", RESTORED_WITHIN, || new.iter().chain(&slow).all(carded)).await;
    until("what was caught has its card, if it has a session", RESTORED_WITHIN, || {
        caught.iter().all(|root| outside.sessions(root) == 0 || carded(root))
    })
    .await;

    let caught: Vec<Ts> = caught.into_iter().filter(|root| outside.sessions(root) > 0).collect();
    ended(&outside, &old, 2).await;
    ended(&outside, &[new.clone(), slow.clone(), caught.clone()].concat(), 1).await;
    // Long past, unless links were restored before the slow cards had come.
    tokio::time::sleep_until(all_came.into()).await;
    assert_eq!(counted(&outside, &old), [[1, 1, 1, 2, 1]; 4]);
    assert_eq!(counted(&outside, &new), [[1, 1, 0, 1, 0]; 2]);
    assert_eq!(counted(&outside, &slow), [[1, 1, 0, 1, 0]; 3]);
    assert_eq!(counted(&outside, &caught), vec![[1, 1, 0, 1, 0]; caught.len()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f09_an_old_copy_is_compared_with_what_is_there_by_rebuild() {
    let redis = RedisServer::start(&[]);
    let outside = Outside::open().await;
    let settings = on_redis(&outside, &redis);
    let mut bobbin = Process::serve(&settings);
    outside.deliver_to(&bobbin.base());
    let old = handled(&outside, 2, "task").await;
    let copy = redis.copy();
    asked_back(&outside, &old).await;
    answered(&outside, &old, HANDLED_WITHIN).await;
    let new = handled(&outside, 2, "later task").await;
    assert!(bobbin.stop().await.success());
    redis.put_back(&copy);

    let output = run(&["rebuild", "--all"], &settings);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = "2 sessions were not known and are adopted, 2 are known, 0 are not ours.\n";
    assert_eq!(text(&output.stdout), said);
    let bobbin = Process::serve(&settings);
    outside.deliver_to(&bobbin.base());
    ended(&outside, &old, 2).await;
    ended(&outside, &new, 1).await;
    assert_eq!(counted(&outside, &old), [[1, 1, 1, 2, 1]; 2]);
    assert_eq!(counted(&outside, &new), [[1, 1, 0, 1, 0]; 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f09_a_file_that_is_gone_is_made_again_by_rebuild() {
    let outside = Outside::open().await;
    let settings = outside.settings();
    let mut bobbin = Process::serve(&settings);
    outside.deliver_to(&bobbin.base());
    let roots = handled(&outside, 2, "task").await;
    asked_back(&outside, &roots).await;
    assert!(bobbin.stop().await.success());
    fs::remove_file(settings["BOBBIN_STORE"].strip_prefix("embedded:").unwrap()).unwrap();

    let output = run(&["rebuild"], &settings);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = "2 sessions were not known and are adopted, 0 are known, 0 are not ours.\n";
    assert_eq!(text(&output.stdout), said);
    let bobbin = Process::serve(&settings);
    outside.deliver_to(&bobbin.base());
    answered(&outside, &roots, RESTORED_WITHIN).await;
    ended(&outside, &roots, 2).await;
    assert_eq!(counted(&outside, &roots), [[1, 1, 1, 2, 1]; 2]);
}
