//! Redis as an operator meets it: away at the start, or set up so that it may lose what it took.
//! What goes wrong with it later stands in `redis_troubles`.

use std::time::{Duration, Instant};

use bobbin::slack::signature::sign;
use reqwest::{Method, StatusCode};

use super::{
    outside::{Outside, until},
    process::{Process, Settings},
};
use crate::support::redis::RedisServer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_comes_later_is_waited_for() {
    let mut redis = RedisServer::prepare(&[]);
    let outside = Outside::open().await;
    let mut settings = outside.settings();
    settings.insert("BOBBIN_STORE", redis.url());
    let bobbin = Process::serve(&settings);

    assert_eq!(bobbin.get("/healthz").await, (StatusCode::OK, "ok\n".to_owned()));
    let (status, why) = bobbin.get("/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(why.starts_with("not ready: store: "), "{why}");
    assert!(bobbin.stderr().contains("the store is away"), "{}", bobbin.stderr());
    let began = Instant::now();
    assert_eq!(knock(&bobbin.base()).await, 503);
    assert!(began.elapsed() < Duration::from_secs(1), "the refusal took {:?}", began.elapsed());

    outside.deliver_to(&bobbin.base());
    let root = outside.mention("fix the flaky login test");
    redis.restart();
    assert_eq!(bobbin.until_ready_is(StatusCode::OK).await, "ready\n");
    until("the mention is handled", Duration::from_secs(15), || outside.posts(&root, "bobbin_card").len() == 1).await;
    assert_eq!((outside.sessions(&root), outside.receipts(&root)), (1, 1));
}

/// Posts a signed mention of a person who does not exist; the status.
async fn knock(base: &str) -> u16 {
    use bobbin::{
        clock::{Clock as _, SystemClock},
        outbound::{Call, Outbound, OutboundOptions},
        twin::world::SIGNING_SECRET,
    };
    let body = include_bytes!("../../fixtures/slack/event.app_mention.json").to_vec();
    let at = SystemClock.now().as_second();
    let outbound = Outbound::new(OutboundOptions::default()).unwrap();
    let request = outbound
        .request(Method::POST, format!("{base}/slack/events").parse().unwrap())
        .header("content-type", "application/json")
        .header("x-slack-request-timestamp", at.to_string())
        .header("x-slack-signature", sign(&SIGNING_SECRET.into(), at, &body))
        .body(body);
    let call = Call { service: "bobbin", method: "knock".into(), timeout: Duration::from_secs(3) };
    outbound.send(&call, request).await.unwrap().status
}

/// What the start-up log says of a server's settings.
async fn told(arguments: &[&str]) -> String {
    let redis = RedisServer::start(arguments);
    let outside = Outside::open().await;
    let mut settings: Settings = outside.settings();
    settings.insert("BOBBIN_STORE", redis.url());
    let bobbin = Process::serve(&settings);
    let log = bobbin.stderr();
    assert!(log.contains("durability"), "{log}");
    log
}

#[tokio::test]
async fn the_log_says_what_stored_survives_and_warns_by_name() {
    let good = told(&["--appendonly", "yes", "--appendfsync", "always"]).await;
    assert!(good.contains("class=\"D2") && !good.contains("WARN"), "{good}");

    let evicting = ["--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "allkeys-lru"];
    for (arguments, class, setting) in [
        (&["--appendonly", "no"][..], "D0", "appendonly"),
        (&["--appendonly", "yes", "--appendfsync", "everysec"], "D1", "appendfsync"),
        (&evicting, "D2", "maxmemory-policy"),
    ] {
        let log = told(arguments).await;
        assert!(log.contains(&format!("class=\"{class}")), "{arguments:?}: {log}");
        let warned = log.lines().any(|line| line.contains("WARN") && line.contains(setting));
        assert!(warned, "{arguments:?}: no warning names {setting}: {log}");
    }
}
