//! Redis away under a running `serve` with a spool, which is killed and started again meanwhile.

use std::time::{Duration, Instant};

use bobbin::{
    domain::{ids::Ts, outbox::BETWEEN},
    twin::{
        devin::Source,
        slack::SayOptions,
        world::{ADA, BACKEND, GRACE},
    },
};
use reqwest::StatusCode;

use super::{
    outside::{Outside, until},
    process::Process,
};
use crate::support::{redis::RedisServer, world::id};

/// Longest wait for something to be handled.
const WITHIN: Duration = Duration::from_mins(1);
/// Longest time from Redis's return to the first handled input; less than a second where nothing else runs.
const BACK_WITHIN: Duration = Duration::from_secs(10);
/// Threads that begin in each part of the outage.
const THREADS: usize = 5;

/// What Ada does in one part of the outage; each delivery comes twice.
fn act(outside: &Outside, root: &Ts, part: usize) -> Vec<Ts> {
    outside.deliver_to_nobody();
    let say = |user: &str, thread: Option<&Ts>, text: &str| {
        let options = SayOptions { thread: thread.cloned(), ..SayOptions::default() };
        outside.slack.say(&id(user), &id(BACKEND), text, options).unwrap()
    };
    let mut begun = Vec::new();
    for n in 0..THREADS {
        let mentioned = outside.mention(&format!("task {part}.{n}"));
        say(ADA, Some(&mentioned), "reply 1 of 2");
        say(ADA, Some(root), &format!("reply {} of {}", part * THREADS + n, 2 * THREADS));
        say(ADA, Some(&mentioned), "reply 2 of 2");
        begun.push(mentioned);
    }
    outside.slack.command(&id(ADA), &id(BACKEND), "/devin", "help").unwrap();
    let message = say(GRACE, None, "The search is slow");
    outside.slack.message_shortcut(&id(ADA), &id(BACKEND), &message, "start_here").unwrap();
    begun.push(message);
    for delivery in outside.slack.pending() {
        outside.slack.duplicate_delivery(delivery.id);
    }
    begun
}

/// What people said in the session of a thread, in order.
fn replies(outside: &Outside, root: &Ts) -> Vec<String> {
    let ends = format!("/{root}");
    let sessions = outside.devin.sessions();
    let session = sessions.iter().find(|s| s.tags.iter().any(|tag| tag.ends_with(&ends)));
    let said = session.iter().flat_map(|s| &s.messages).filter(|message| message.source == Source::User);
    let reply = |text: &str| text.split_once("reply ").map(|(_, rest)| format!("reply {rest}"));
    said.flat_map(|message| message.message.split(BETWEEN)).filter_map(reply).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f15_a_process_that_is_killed_while_redis_is_away_goes_on_with_its_spool() {
    let mut redis = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let outside = Outside::open().await;
    let folder = tempfile::tempdir().unwrap();
    let mut settings = outside.settings();
    settings.insert("BOBBIN_STORE", redis.url());
    settings.insert("BOBBIN_SPOOL", folder.path().join("spool.db").display().to_string());
    let mut bobbin = Process::serve(&settings);
    outside.deliver_to(&bobbin.base());
    let root = outside.mention("task before");
    until("the first card", WITHIN, || outside.posts(&root, "bobbin_card").len() == 1).await;
    assert_eq!(bobbin.metric("bobbin_spool_inputs").await.to_bits(), 0.0_f64.to_bits());

    redis.kill();
    let mut begun = act(&outside, &root, 0);
    outside.deliver_to(&bobbin.base());
    until("all is taken", WITHIN, || outside.slack.pending().is_empty()).await;
    let ready = bobbin.until_ready_is(StatusCode::OK).await;
    assert!(ready.starts_with("ready, but Redis is away: ") && ready.contains(" inputs wait in the spool"), "{ready}");
    assert!(bobbin.metric("bobbin_spool_bytes").await > 1000.0);
    assert!(bobbin.metric("bobbin_spool_oldest_seconds").await > 0.0);
    let waiting = bobbin.metric("bobbin_spool_inputs").await;
    bobbin.kill();

    begun.extend(act(&outside, &root, 1));
    bobbin = Process::serve(&settings);
    assert_eq!(bobbin.metric("bobbin_spool_inputs").await.to_bits(), waiting.to_bits(), "what was kept is there");
    outside.deliver_to(&bobbin.base());
    until("all is taken", WITHIN, || outside.slack.pending().is_empty()).await;
    let (_, metrics) = bobbin.get("/metrics").await;
    assert!(metrics.contains("end=\"spooled\"") && !metrics.contains("end=\"store_away\""), "{metrics}");

    redis.restart();
    let returned = Instant::now();
    let carded = |ts: &Ts| outside.posts(ts, "bobbin_card").len() == 1;
    until("the first input", WITHIN, || answers(&outside) > 0 || begun.iter().any(carded)).await;
    let first = returned.elapsed();
    until("everything is handled", WITHIN, || {
        begun.iter().all(carded)
            && replies(&outside, &root).len() >= 2 * THREADS
            && begun.iter().filter(|ts| replies(&outside, ts).len() >= 2).count() == 2 * THREADS
            && answers(&outside) >= 2
    })
    .await;
    assert!(first < BACK_WITHIN, "the first input was handled {first:?} after Redis came back");
    assert_eq!(bobbin.until_ready_is(StatusCode::OK).await, "ready\n");
    until("the spool is empty", WITHIN, || bobbin.stderr().contains("the spool is empty")).await;
    assert_eq!(bobbin.metric("bobbin_spool_inputs").await.to_bits(), 0.0_f64.to_bits());
    let in_order: Vec<String> = (0..2 * THREADS).map(|n| format!("reply {n} of {}", 2 * THREADS)).collect();
    assert_eq!(replies(&outside, &root), in_order);
    for ts in &begun {
        assert_eq!(outside.sessions(ts), 1, "sessions of {ts}");
        let said = replies(&outside, ts);
        assert!(said.is_empty() || said == ["reply 1 of 2", "reply 2 of 2"], "{said:?}");
    }
    assert_eq!((outside.devin.sessions().len(), answers(&outside)), (begun.len() + 1, 2));
    assert!(bobbin.stop().await.success());
}

/// Answers to slash commands.
fn answers(outside: &Outside) -> usize {
    outside.slack.read(|state| state.ephemerals.iter().filter(|e| e.text.contains(":wave:")).count())
}
