//! `serve` and `demo`, with real workers over real time.

use std::{path::Path, time::Duration};

use bobbin::twin::world::{BOT_TOKEN, DEVIN_KEY, SIGNING_SECRET};
use reqwest::StatusCode;

use super::{
    outside::{Outside, until},
    process::{Process, Settings, run, text},
};

/// Every recorded payload of Slack.
fn fixtures() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/slack");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path().display().to_string());
    let mut files: Vec<String> = files.filter(|path| !path.ends_with("signatures.json")).collect();
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorded_payloads_are_taken_and_forgeries_are_not() {
    let outside = Outside::open().await;
    let settings = outside.settings();
    let bobbin = Process::serve(&settings);
    let (base, files) = (bobbin.base(), fixtures());
    let words: Vec<&str> =
        ["replay"].into_iter().chain(files.iter().map(String::as_str)).chain(["--to", &base]).collect();
    let secret = |secret: &str| Settings::from([("BOBBIN_SLACK_SIGNING_SECRETS", secret.to_owned())]);

    let output = run(&words, &secret(SIGNING_SECRET));
    let answers = text(&output.stdout);
    assert!(output.status.success() && files.len() > 30, "{}", text(&output.stderr));
    assert_eq!(answers.lines().count(), files.len());
    for answer in answers.lines() {
        assert!(answer.starts_with("200 "), "{answer}");
    }
    for door in ["200 events ", "200 commands ", "200 interactions "] {
        assert!(answers.contains(door), "nothing for {door}: {answers}");
    }

    let forged = text(&run(&words, &secret("another secret")).stdout);
    assert!(forged.lines().count() == files.len() && forged.lines().all(|l| l.starts_with("401 ")), "{forged}");
    let (_, metrics) = bobbin.get("/metrics").await;
    assert!(metrics.contains("bobbin_"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mention_becomes_a_session_and_no_log_line_tells_secrets_or_words() {
    let outside = Outside::open().await;
    let mut settings = outside.settings();
    settings.insert("BOBBIN_LOG", "trace".to_owned());
    let mut bobbin = Process::serve(&settings);
    outside.deliver_to(&bobbin.base());
    let root = outside.mention("the canary mention");
    until("the card", Duration::from_secs(15), || outside.posts(&root, "bobbin_card").len() == 1).await;
    let session = outside.devin.sessions().remove(0);
    outside.devin.say(&session.id, "the canary answer").unwrap();
    until("Devin's words", Duration::from_secs(15), || outside.posts(&root, "bobbin_relay").len() == 1).await;
    assert_eq!((outside.sessions(&root), outside.receipts(&root)), (1, 1));

    assert_eq!(bobbin.get("/").await.0, StatusCode::OK);
    assert!(bobbin.stop().await.success());
    let log = bobbin.stderr();
    assert!(log.contains("TRACE") && log.contains("handled speech: done"));
    assert!(!log.contains('\u{1b}'), "colours where nobody sees them");
    let secrets = [SIGNING_SECRET, BOT_TOKEN, DEVIN_KEY, "canary mention", "canary answer", "ada@acme.example"];
    for secret in secrets {
        let told = log.lines().find(|line| line.contains(secret));
        assert_eq!(told, None, "{secret:?} is in the log");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_needs_nothing_and_answers_in_the_thread() {
    let mut demo = Process::start(&["demo", "--listen", "127.0.0.1:0"], &Settings::new());
    assert_eq!(demo.get("/playground").await.0, StatusCode::OK);
    assert_eq!(demo.get("/healthz").await, (StatusCode::OK, "ok\n".to_owned()));
    assert_eq!(demo.until_ready_is(StatusCode::OK).await, "ready\n");
    assert_eq!(demo.get("/metrics").await.0, StatusCode::OK);

    let fields = [("as", "U0ADA"), ("channel", "C0BACKEND"), ("in", "C0BACKEND"), ("reply_to", "")];
    demo.submit("/playground/say", &[&fields[..], &[("text", "@bobbin fix the flaky login test")]].concat()).await;
    let channel = demo.until_shown("/playground?as=U0ADA&channel=C0BACKEND", &["class=\"replies"]).await;
    let link = channel.split("class=\"replies").nth(1).unwrap().split("href=\"").nth(1).unwrap();
    let thread = link.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
    let part = thread.replace("/playground?", "/playground/part/thread?");
    demo.until_shown(&part, &["Open session", "Runs as", "start on this: <strong>fix the flaky login test</strong>"])
        .await;
    assert!(demo.stop().await.success());
}
