//! SIGKILL in the middle of the work: what was acknowledged ends in exactly one session, one card and one receipt.

use std::time::Duration;

use super::{
    outside::{Outside, until},
    process::{Process, Settings},
};
use crate::support::redis::RedisServer;

/// Mentions before each kill.
const WAVE: usize = 4;
/// How long after a wave the process dies, in milliseconds: before the first 200, between steps, near the end. The
/// twins answer on loopback, so that a mention is handled within some tens of milliseconds.
const DEATHS_MS: [u64; 5] = [7, 31, 58, 103, 190];
/// A creation that was cut off before it reached Devin is made again after 70 seconds: as long as the call itself may
/// take, and ten more.
const HEALED_WITHIN: Duration = Duration::from_mins(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_lose_and_double_nothing_in_a_file() {
    let outside = Outside::open().await;
    let settings = outside.settings();
    survive(&outside, &settings).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_lose_and_double_nothing_on_redis() {
    let redis = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let outside = Outside::open().await;
    let mut settings = outside.settings();
    settings.insert("BOBBIN_STORE", redis.url());
    survive(&outside, &settings).await;
}

async fn survive(outside: &Outside, settings: &Settings) {
    let mut bobbin = Process::serve(settings);
    outside.deliver_to(&bobbin.base());
    let mut mentions = Vec::new();
    for (wave, ms) in DEATHS_MS.into_iter().enumerate() {
        mentions.extend((0..WAVE).map(|n| outside.mention(&format!("task {wave}.{n}"))));
        tokio::time::sleep(Duration::from_millis(ms)).await;
        bobbin.kill();
        bobbin = Process::serve(settings);
        outside.deliver_to(&bobbin.base());
    }
    let all = |holds: &dyn Fn(&_) -> bool| mentions.iter().all(holds);
    until("every mention has its session, its receipt and its card", HEALED_WITHIN, || {
        outside.slack.pending().is_empty()
            && all(&|ts| outside.sessions(ts) > 0 && outside.receipts(ts) > 0)
            && all(&|ts| !outside.posts(ts, "bobbin_card").is_empty())
    })
    .await;
    // A task that was taken up again may still wait for its second look: everything is told once it is done.
    until("every thread hears of the end", HEALED_WITHIN, || {
        finish_all(outside);
        all(&|ts| !outside.posts(ts, "bobbin_transition").is_empty())
    })
    .await;
    for ts in &mentions {
        assert_eq!(outside.sessions(ts), 1, "sessions of {ts}");
        assert_eq!(outside.receipts(ts), 1, "receipts of {ts}");
        assert_eq!(outside.posts(ts, "bobbin_card").len(), 1, "cards of {ts}");
        assert_eq!(outside.posts(ts, "bobbin_transition").len(), 1, "transitions of {ts}");
    }
    assert!(bobbin.stop().await.success());
}

/// Ends every session that still runs.
fn finish_all(outside: &Outside) {
    for session in outside.devin.sessions() {
        if session.status.as_str() != "exit" {
            outside.devin.set(&session.id, "exit".to_owned().into(), None).unwrap();
        }
    }
}
