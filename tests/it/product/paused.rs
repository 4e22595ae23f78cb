//! The kill switch from the command line: what a running bot then says and does.

use std::time::Duration;

use reqwest::StatusCode;

use super::{
    outside::{Outside, until},
    process::{Process, Settings, run, text},
};
use crate::support::redis::RedisServer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pausing_shows_in_readiness_and_metrics_and_ends_with_resume() {
    let redis = RedisServer::start(&[]);
    let outside = Outside::open().await;
    let mut settings = outside.settings();
    settings.insert("BOBBIN_STORE", redis.url());
    let bobbin = Process::serve(&settings);
    assert_eq!(bobbin.until_ready_is(StatusCode::OK).await, "ready\n");
    assert!(bobbin.metric("bobbin_paused").await < 0.5);
    let store = Settings::from([("BOBBIN_STORE", redis.url())]);
    let say = |words: &[&str]| {
        let output = run(words, &store);
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    };

    let (worked, said, error) = say(&["pause", "--reason", "maintenance", "--by", "ada"]);
    assert!(worked && said.starts_with("New sessions are paused in all workspaces."), "{said} {error}");
    assert_eq!(bobbin.get("/readyz").await.1, "ready; new sessions are paused in all workspaces\n");
    assert!(bobbin.metric("bobbin_paused").await > 0.5);
    outside.deliver_to(&bobbin.base());
    let root = outside.mention("fix the flaky login test");
    until("the refusal", Duration::from_secs(15), || outside.posts(&root, "bobbin_notice").len() == 1).await;
    assert_eq!(outside.sessions(&root), 0);

    let (worked, said, error) = say(&["resume", "--workspace", "T0OTHER"]);
    assert!(!worked && error.contains("not paused"), "{said} {error}");
    let (worked, said, error) = say(&["resume", "--by", "ada"]);
    assert!(worked && said.contains("started again in all workspaces"), "{said} {error}");
    assert_eq!(bobbin.get("/readyz").await.1, "ready\n");
    let root = outside.mention("and this one");
    until("the card", Duration::from_secs(15), || outside.posts(&root, "bobbin_card").len() == 1).await;
}
