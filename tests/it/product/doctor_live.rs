//! `bobbin doctor --live`: what it finds out at stand-ins that play either answer, and that it leaves nothing behind.

use std::{sync::Arc, time::Duration};

use bobbin::{
    clock::SystemClock,
    domain::{findings::Findings, ids::ChannelId, status::Status},
    store::{notes, redis::RedisStore},
    twin::{
        devin::{LeftOpen, TagFilter},
        faults::FaultAction,
        world::{ADA_AT_DEVIN, BACKEND, BOT_TOKEN, DEVIN_KEY, SIGNING_SECRET},
    },
};
use serde_json::Value;

use super::{
    outside::{Outside, until},
    process::{Process, Settings, run, text},
};
use crate::support::{redis::RedisServer, world::id};

const WORDS: [&str; 9] =
    ["doctor", "--live", "--json", "--channel", BACKEND, "--as", "Ada@acme.example", "--within", "8"];

struct Bench {
    outside: Outside,
    redis: RedisServer,
    settings: Settings,
}

impl Bench {
    async fn new() -> Self {
        let (outside, redis) = (Outside::open().await, RedisServer::start(&[]));
        let mut settings = outside.settings();
        settings.insert("BOBBIN_STORE", redis.url());
        Self { outside, redis, settings }
    }

    /// Tries everything out: the exit code, what it said, and what was kept.
    async fn try_out(&self) -> (i32, Vec<Value>, Findings) {
        let settings = self.settings.clone();
        let output = tokio::task::spawn_blocking(move || run(&WORDS, &settings)).await.unwrap();
        let said = text(&output.stdout) + &text(&output.stderr);
        for secret in [SIGNING_SECRET, BOT_TOKEN, DEVIN_KEY] {
            assert!(!said.contains(secret), "{secret} is told: {said}");
        }
        let read: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {said}"));
        (output.status.code().unwrap(), read["checks"].as_array().unwrap().clone(), self.kept().await)
    }

    async fn kept(&self) -> Findings {
        let store = RedisStore::new(&self.redis.url(), Arc::new(SystemClock), 0).unwrap();
        notes::findings(&store).await.unwrap()
    }

    /// Nothing is left: the post is deleted, each session over and archived.
    fn assert_clean(&self, sessions: usize) {
        let channel = id::<ChannelId>(BACKEND);
        let left = |message: &&bobbin::twin::slack::Message| {
            !message.deleted && message.metadata.as_ref().is_some_and(|data| data["event_type"] == "bobbin_doctor")
        };
        assert_eq!(self.outside.slack.read(|state| state.channels[&channel].messages.iter().filter(left).count()), 0);
        let all = self.outside.devin.sessions();
        assert_eq!(all.len(), sessions);
        for session in all {
            assert!(session.archived && session.status == Status::Exit, "{session:?}");
            assert_eq!(session.user_id, Some(id(ADA_AT_DEVIN)), "it ran as the person who was named");
        }
    }
}

fn state<'c>(checks: &'c [Value], name: &str) -> &'c str {
    let check = checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("{name}: {checks:#?}"));
    check["state"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn either_answer_is_found_out_said_and_kept() {
    let bench = Bench::new().await;
    let Outside { slack, devin, .. } = &bench.outside;
    devin.change(|state| state.tag_filter = TagFilter::Any);
    let (code, checks, kept) = bench.try_out().await;
    assert_eq!(code, 0, "{checks:#?}");
    let expected = Findings {
        at: kept.at,
        messages_move_updated_at: Some(true),
        list_lag_s: Some(0),
        tags_want_all: Some(false),
        metadata_lag_s: Some(0),
        agent_sessions: Some(true),
        stranger: Some("Devin does not know it".to_owned()),
        prompt_is_first: Some(true),
        over: Some(kept.over.clone().unwrap()),
        archived_listed: Some(true),
        ..Findings::default()
    };
    assert_eq!(kept, expected);
    assert!(kept.at.is_some() && checks.iter().all(|check| check["state"] == "ok"), "{checks:#?}");
    let told = checks.iter().filter(|check| check["found"].as_str().unwrap().contains("; therefore ")).count();
    assert!(kept.over.unwrap().contains("already exited"));
    assert_eq!(told, 11, "each finding says what follows: {checks:#?}");
    bench.assert_clean(1);

    devin.change(|state| {
        state.tag_filter = TagFilter::All;
        state.messages_move_updated_at = false;
        state.list_lag = Duration::from_secs(2);
        state.left_open = LeftOpen { prompt_is_message: false, shows_archived: false, takes_when_over: true };
    });
    slack.change(|state| {
        state.features.agents_refused = Some("feature_disabled".to_owned());
        state.replies_lag = Duration::from_secs(2);
    });
    let (code, checks, kept) = bench.try_out().await;
    assert_eq!(code, 0, "{checks:#?}");
    assert_eq!(
        (kept.messages_move_updated_at, kept.tags_want_all, kept.agent_sessions),
        (Some(false), Some(true), Some(false))
    );
    assert_eq!(
        (kept.prompt_is_first, kept.over.as_deref(), kept.archived_listed),
        (Some(false), Some("taken"), Some(false))
    );
    assert!((2..5).contains(&kept.list_lag_s.unwrap()) && (2..5).contains(&kept.metadata_lag_s.unwrap()), "{kept:?}");
    bench.assert_clean(2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_cleans_up_after_a_failure_in_the_middle() {
    let bench = Bench::new().await;
    let Outside { slack, devin, .. } = &bench.outside;
    // The answers are lost, the post and the session are there.
    slack.faults().once("chat.postMessage", FaultAction::DropAfter);
    devin.faults().once("sessions.create", FaultAction::DropAfter);
    slack.faults().once("chat.delete", FaultAction::RateLimited { after: None });
    let (code, checks, kept) = bench.try_out().await;
    assert_eq!((code, state(&checks, "post"), state(&checks, "session")), (1, "fail", "fail"), "{checks:#?}");
    assert_eq!((state(&checks, "cleaned_up"), kept.list_lag_s), ("ok", None));
    bench.assert_clean(1);

    devin.faults().once("messages.send", FaultAction::Status(500));
    devin.faults().once("sessions.terminate", FaultAction::DropBefore);
    let (code, checks, kept) = bench.try_out().await;
    assert_eq!((code, state(&checks, "stranger"), kept.stranger), (0, "warn", None), "{checks:#?}");
    bench.assert_clean(2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_cleans_up_when_it_is_stopped() {
    let bench = Bench::new().await;
    bench.outside.devin.change(|state| state.list_lag = Duration::MAX);
    let mut words = WORDS.to_vec();
    *words.last_mut().unwrap() = "600";
    let mut doctor = Process::start(&words, &bench.settings);
    let devin = &bench.outside.devin;
    until("the list is read", Duration::from_secs(15), || devin.calls("sessions.list") > 1).await;
    assert_eq!(doctor.stop().await.code(), Some(1));
    let said = doctor.stdout();
    assert!(said.contains("stopped before its end") && said.contains("is deleted, the session ended"), "{said}");
    bench.assert_clean(1);
    assert_eq!(bench.kept().await.metadata_lag_s, Some(0), "what was found until then is kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_needs_is_asked_for_by_name() {
    let bench = Bench::new().await;
    let output = run(&["doctor", "--live", "--channel", BACKEND], &bench.settings);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--as <ADDRESS>"), "{}", text(&output.stderr));

    let settings = bench.settings.clone();
    let words = ["doctor", "--live", "--channel", "C0GENERAL", "--as", "nobody@acme.example"];
    let output = tokio::task::spawn_blocking(move || run(&words, &settings)).await.unwrap();
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for part in ["FAIL  post", "/invite", "FAIL  person", "--as ADDRESS"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    bench.assert_clean(0);
}
