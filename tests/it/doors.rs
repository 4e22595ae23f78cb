//! The doors, knocked at with raw requests.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
    time::{Duration, Instant},
};

use bobbin::{
    clock::Clock as _,
    slack::signature::sign,
    store::Store as _,
    twin::{
        slack::{Answered, Outgoing},
        world::{ADA, BACKEND, BOT_USER, SIGNING_SECRET},
    },
};
use secrecy::SecretString;

use crate::support::world::World;

/// Longest time in which a slow connection must be cut off: the limit is five seconds.
const CUT_OFF_WITHIN: Duration = Duration::from_secs(9);

/// A request as it would be signed at a time.
fn signed(secret: &str, seconds: i64, path: &'static str, body: &[u8]) -> Outgoing {
    let signature = sign(&SecretString::from(secret), seconds, body);
    let headers = vec![("x-slack-request-timestamp", seconds.to_string()), ("x-slack-signature", signature)];
    Outgoing { path, headers, body: body.to_vec() }
}

async fn status(world: &World, request: Outgoing) -> u16 {
    world.send(request).await.unwrap().status
}

async fn now(world: &World, path: &'static str, body: &[u8]) -> Answered {
    world.send(signed(SIGNING_SECRET, world.clock.now().as_second(), path, body)).await.unwrap()
}

#[tokio::test]
async fn what_is_not_signed_right_is_refused_without_a_word() {
    let world = World::new().await;
    let at = world.clock.now().as_second();
    let body = br#"{"type":"event_callback","team_id":"T0ACME","event":{"type":"app_mention"}}"#;
    let path = "/slack/events";
    let good = signed(SIGNING_SECRET, at, path, body);
    let with = |change: fn(&mut Outgoing)| {
        let mut request = signed(SIGNING_SECRET, at, path, body);
        change(&mut request);
        request
    };
    let wrong = [
        ("wrong secret", signed("another secret", at, path, body)),
        ("301 s ago", signed(SIGNING_SECRET, at - 301, path, body)),
        ("301 s ahead", signed(SIGNING_SECRET, at + 302, path, body)),
        ("no headers", with(|r| r.headers.clear())),
        ("no signature", with(|r| r.headers.truncate(1))),
        ("altered body", with(|r| r.body.push(b' '))),
        ("two signatures", with(|r| r.headers.push(r.headers[1].clone()))),
        ("no number", with(|r| r.headers[0].1 = "soon".to_owned())),
        ("v1", with(|r| r.headers[1].1 = r.headers[1].1.replace("v0=", "v1="))),
        ("half", with(|r| r.headers[1].1.truncate(20))),
        ("empty", with(|r| r.headers[1].1 = "v0=".to_owned())),
    ];
    for (name, request) in wrong {
        let answer = world.send(request).await.unwrap();
        assert_eq!((answer.status, answer.body.len()), (401, 0), "{name}");
    }
    assert_eq!(status(&world, good).await, 200);
}

#[tokio::test]
async fn a_body_of_one_mebibyte_is_read_and_one_byte_more_is_not() {
    let world = World::new().await;
    let mut body = br#"{"type":"something_new","pad":""#.to_vec();
    body.resize(1024 * 1024 - 2, b'x');
    body.extend_from_slice(br#""}"#);
    assert_eq!(now(&world, "/slack/events", &body).await.status, 200);
    body.push(b' ');
    assert_eq!(now(&world, "/slack/events", &body).await.status, 413);
}

#[tokio::test]
async fn slacks_check_of_the_address_is_answered() {
    let world = World::new().await;
    let answer = now(&world, "/slack/events", br#"{"token":"t","challenge":"3eZb","type":"url_verification"}"#).await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"3eZb".as_slice()));
    assert_eq!(now(&world, "/slack/commands", b"ssl_check=1&token=t").await.status, 200);
}

#[tokio::test]
async fn what_we_do_not_know_is_acknowledged() {
    let world = World::new().await;
    let bodies: [&[u8]; 5] = [
        br#"{"type":"app_rate_limited","team_id":"T0ACME","minute_rate_limited":1518467820,"api_app_id":"A1"}"#,
        br#"{"type":"event_callback","team_id":"T0ACME","event_id":"Ev1","event":{"type":"moon_landed"}}"#,
        br#"{"type":"event_callback","team_id":"T0ACME","event":{"type":"message","subtype":"new_subtype","channel":"C1","ts":"1.0"}}"#,
        br#"{"type":"brand_new_envelope"}"#,
        br#"{"type":"event_callback","team_id":null,"event":{"type":"message","user":null,"channel":null,"ts":null}}"#,
    ];
    for body in bodies {
        assert_eq!(now(&world, "/slack/events", body).await.status, 200, "{}", String::from_utf8_lossy(body));
    }
    let unknown = b"payload=%7B%22type%22%3A%22brand_new%22%7D";
    assert_eq!(now(&world, "/slack/interactions", unknown).await.status, 200);
    assert!(world.store.dead(10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_verified_body_that_cannot_be_read_is_refused_and_kept() {
    let world = World::new().await;
    for (path, body) in [
        ("/slack/events", b"{\"type\": \"event_callback\"".as_slice()),
        ("/slack/events", b"\xff\xfe not text".as_slice()),
        ("/slack/interactions", b"payload=%7Bbroken".as_slice()),
        ("/slack/commands", b"text=without+a+command".as_slice()),
    ] {
        assert_eq!(now(&world, path, body).await.status, 400, "{path}");
    }
    let kept = world.store.dead(10).await.unwrap();
    assert_eq!(kept.len(), 4);
    assert!(kept.iter().any(|d| d.input.body.bytes() == b"\xff\xfe not text"), "byte for byte");
}

#[tokio::test]
async fn the_store_being_away_is_503_within_a_second_and_slack_sends_it_again() {
    let mut world = World::new().await;
    world.life.die_after(0);
    let root = world.say(ADA, BACKEND, &format!("<@{BOT_USER}> fix it"));
    let started = Instant::now();
    let delivered = world.deliver_one().await.unwrap();
    assert_eq!(delivered.answer.unwrap().status, 503);
    assert!(started.elapsed() < Duration::from_secs(1));
    world.life.live_on();
    world.settle().await;
    world.pass(Duration::from_mins(2)).await;
    assert_eq!(world.devin.sessions().len(), 1, "the retry got through");
    world.thread(&root);
}

#[tokio::test]
async fn f32_what_is_not_signed_right_never_asks_the_store() {
    let world = World::new().await;
    world.life.die_after(0);
    let (path, at) = ("/slack/events", world.clock.now().as_second());
    let body = br#"{"type":"event_callback","team_id":"T0ACME","event":{"type":"user_change","user":{"id":"U1"}}}"#;
    for (request, expected) in [
        (signed("another secret", at, path, body), 401),
        (signed(SIGNING_SECRET, at - 301, path, body), 401),
        // A body that cannot be read would be set aside.
        (signed("another secret", at, path, b"{"), 401),
        (signed(SIGNING_SECRET, at, path, body), 503),
    ] {
        assert_eq!(status(&world, request).await, expected);
    }
}

#[tokio::test]
async fn a_hundred_copies_at_once_start_one_session() {
    let mut world = World::new().await;
    let root = world.say(ADA, BACKEND, &format!("<@{BOT_USER}> fix it"));
    let delivery = world.slack.take_due().unwrap();
    let request = world.slack.outgoing(&delivery);
    let world_ref = Arc::new(&world);
    let sends = (0..100).map(|_| world_ref.send(request.clone()));
    let answers = futures_util::future::join_all(sends).await;
    assert!(answers.into_iter().all(|a| a.unwrap().status == 200));
    world.settle().await;
    assert_eq!(world.devin.sessions().len(), 1);
    assert_eq!(world.posts("bobbin_card").len(), 1);
    world.thread(&root);
}

/// Opens a connection, sends what `talk` says to, and waits until the other side closes it.
fn closed_after(base: &str, talk: impl FnOnce(&mut TcpStream)) -> Duration {
    let mut stream = TcpStream::connect(base.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(CUT_OFF_WITHIN + Duration::from_secs(5))).unwrap();
    let started = Instant::now();
    talk(&mut stream);
    let mut rest = Vec::new();
    // A reset is an end as well.
    let _end = stream.read_to_end(&mut rest);
    started.elapsed()
}

/// Sends a byte ten times a second, for four seconds or until the other side has had enough.
fn drip(stream: &mut TcpStream) {
    for _ in 0..40 {
        if stream.write_all(b"x").is_err() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_half_sent_and_dripping_connections_are_cut_off_within_seconds() {
    let world = World::new().await;
    let base = world.base.clone();
    let silent = {
        let base = base.clone();
        tokio::task::spawn_blocking(move || closed_after(&base, |_| {}))
    };
    let half = {
        let base = base.clone();
        tokio::task::spawn_blocking(move || {
            closed_after(&base, |s| s.write_all(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nX-Sl").unwrap())
        })
    };
    let dripping = tokio::task::spawn_blocking(move || {
        closed_after(&base, |stream| {
            stream.write_all(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n").unwrap();
            drip(stream);
        })
    });
    for (name, closed) in [("silent", silent), ("half-sent", half), ("dripping", dripping)] {
        let after = closed.await.unwrap();
        assert!(after < CUT_OFF_WITHIN, "{name}: closed after {after:?}");
    }
}
