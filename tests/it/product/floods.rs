//! What the internet may do to the doors: connections that do nothing, bodies that do not end, and requests that nobody
//! signed. Beside all of it, what Slack sends is taken as fast as before, within a wide bound: the machine is busy.

use std::time::{Duration, Instant};

use bobbin::{
    clock::{Clock as _, SystemClock},
    slack::signature::sign,
    twin::world::SIGNING_SECRET,
};
use futures_util::future::join_all;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{outside::Outside, process::Process};

/// Memory that a process may have, whatever is done to it.
const MEMORY_BYTES: u64 = 256 * 1024 * 1024;
/// A connection that does nothing is closed by then.
const CLOSED_WITHIN: Duration = Duration::from_secs(15);
/// Good requests that are measured each time.
const MEASURED: usize = 100;
/// Pause between them.
const MEASURED_EVERY: Duration = Duration::from_millis(20);
/// What a busy machine may add to the slowest good answers: half of what Slack waits.
const BUSY: Duration = Duration::from_millis(1500);
/// Slack sends an event four times at most.
const SLACKS_TRIES: usize = 4;
const MEBIBYTE: usize = 1024 * 1024;

/// A bot at the mercy of the internet.
struct Target {
    bobbin: Process,
    address: String,
    _outside: Outside,
}

impl Target {
    async fn open() -> Self {
        let outside = Outside::open().await;
        let bobbin = Process::serve(&outside.settings());
        let address = bobbin.base().trim_start_matches("http://").to_owned();
        Self { bobbin, address, _outside: outside }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).await.unwrap()
    }

    /// Sends a request on a connection of its own; the status.
    async fn ask(&self, request: &[u8]) -> u16 {
        let mut stream = self.connect().await;
        stream.write_all(request).await.unwrap();
        status(&mut stream).await.unwrap()
    }

    /// Sends a good request as Slack does, again if the machine was too slow for it; how often.
    async fn send(&self, request: &[u8]) -> usize {
        for tries in 1.. {
            match self.ask(request).await {
                200 => return tries,
                408 | 503 => sleep(Duration::from_millis(500)).await,
                other => panic!("answered with {other}"),
            }
        }
        usize::MAX
    }

    /// Sends good requests, each on a connection of its own; how long the slowest but one took.
    async fn measure(&self, name: &str) -> Duration {
        let mut times = Vec::new();
        for number in 0..MEASURED {
            let request = profile_change(&format!("{name}{number}"), 0);
            let began = Instant::now();
            assert!(self.send(&request).await <= SLACKS_TRIES, "{name} {number}");
            times.push(began.elapsed());
            sleep(MEASURED_EVERY).await;
        }
        times.sort_unstable();
        times[MEASURED * 99 / 100 - 1]
    }

    fn check_memory(&self) {
        let resident = self.bobbin.resident();
        assert!(resident <= MEMORY_BYTES, "it has {} MiB", resident / 1024 / 1024);
    }
}

/// The status of the next answer; `None` when the other side closed.
async fn status(stream: &mut TcpStream) -> Option<u16> {
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        // A reset is an end as well.
        if stream.read_buf(&mut answer).await.unwrap_or(0) == 0 {
            return None;
        }
    }
    let text = String::from_utf8_lossy(&answer);
    text.split(' ').nth(1).and_then(|code| code.parse().ok())
}

/// A request with a body, signed with a secret.
fn signed(secret: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let at = SystemClock.now().as_second();
    let signature = sign(&secret.into(), at, body);
    let mut request = format!(
        "POST /slack/events HTTP/1.1\r\nhost: x\r\nx-slack-request-timestamp: {at}\r\n\
         x-slack-signature: {signature}\r\n{headers}\r\n"
    )
    .into_bytes();
    request.extend_from_slice(body);
    request
}

/// An event that is stored and costs its handler nothing, as Slack sends it: somebody's profile changed.
fn profile_change(name: &str, bytes: usize) -> Vec<u8> {
    let event = r#""type":"user_change","user":{"id":"U0NOBODY"}"#;
    let mut body =
        format!(r#"{{"type":"event_callback","team_id":"T0ACME","event_id":"{name}","event":{{{event}}},"pad":""#);
    let padding = bytes.saturating_sub(body.len() + 2);
    body.push_str(&"x".repeat(padding));
    body.push_str("\"}");
    signed(SIGNING_SECRET, &format!("content-length: {}\r\nconnection: close\r\n", body.len()), body.as_bytes())
}

/// Ways to waste a connection.
#[derive(Debug, Clone, Copy)]
enum Slow {
    Silent,
    HalfAHeader,
    DrippingBody,
    IdleAfterwards,
}

/// Wastes a connection until the other side closes it; how long that took.
async fn waste(mut stream: TcpStream, how: Slow) -> Duration {
    let began = Instant::now();
    let mut rest = Vec::new();
    // The other side may close at any moment: then the rest of what was to be said fails, and the time is what counts.
    let _said = match how {
        Slow::Silent => Ok(()),
        Slow::HalfAHeader => stream.write_all(b"POST /slack/events HTTP/1.1\r\nhost: x\r\nx-sl").await,
        Slow::DrippingBody => {
            let head = b"POST /slack/events HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n";
            let mut said = stream.write_all(head).await;
            while said.is_ok() && timeout(Duration::from_secs(1), stream.readable()).await.is_err() {
                said = stream.write_all(b"x").await;
            }
            said
        }
        Slow::IdleAfterwards => stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await,
    };
    let _closed = timeout(CLOSED_WITHIN * 2, stream.read_to_end(&mut rest)).await;
    began.elapsed()
}

/// So many connections that do nothing, beside good traffic.
pub(crate) async fn slow_connections(count: usize) {
    let target = Target::open().await;
    let before = target.measure("before").await;
    let kinds = [Slow::Silent, Slow::HalfAHeader, Slow::DrippingBody, Slow::IdleAfterwards];
    let mut slow = JoinSet::new();
    for number in 0..count {
        slow.spawn(waste(target.connect().await, kinds[number % kinds.len()]));
    }
    let during = target.measure("during").await;
    target.check_memory();
    let last = slow.join_all().await.into_iter().max().unwrap();
    assert!(last <= CLOSED_WITHIN, "the last of {count} was closed after {last:?}");
    assert!(during <= 3 * before + BUSY, "good answers took {before:?} before and {during:?} beside {count}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f30_connections_that_do_nothing_are_closed_and_harm_nobody() {
    slow_connections(400).await;
}

/// So many bodies of the greatest length, so often; and then too long and endless ones.
pub(crate) async fn large_bodies(count: u32, every: Duration) {
    let target = Target::open().await;
    let large = (0..count).map(|number| {
        let request = profile_change(&format!("large{number}"), MEBIBYTE);
        let target = &target;
        async move {
            sleep(every * number).await;
            target.send(&request).await
        }
    });
    let tries = join_all(large).await;
    assert!(tries.iter().all(|tries| *tries <= SLACKS_TRIES), "{tries:?}");
    assert_eq!(target.ask(&profile_change("larger", MEBIBYTE + 1)).await, 413);
    target.check_memory();

    let endless = join_all((0..20).map(|_| endless(&target))).await;
    for (status, sent) in endless {
        assert!(status.is_none_or(|status| status == 413), "answered with {status:?}");
        assert!(sent < 16 * MEBIBYTE, "it took {sent} bytes");
    }
    target.check_memory();
    // One that waits for its answer after the bound hears why.
    let chunk = [format!("{:x}\r\n", MEBIBYTE + 1).into_bytes(), vec![b'x'; MEBIBYTE + 1], b"\r\n".to_vec()].concat();
    let mut stream = target.connect().await;
    let head = b"POST /slack/events HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head).await.unwrap();
    stream.write_all(&chunk).await.unwrap();
    assert_eq!(status(&mut stream).await, Some(413));
    assert_eq!(target.ask(&profile_change("afterwards", 0)).await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f31_large_bodies_are_served_and_endless_ones_end() {
    // A build without optimisation takes a tenth of a second to verify a mebibyte.
    large_bodies(12, Duration::from_millis(100)).await;
}

/// Sends chunks until the other side has had enough; what it said then, and how much was sent.
async fn endless(target: &Target) -> (Option<u16>, usize) {
    let mut stream = target.connect().await;
    let head = b"POST /slack/events HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let chunk = [b"10000\r\n".to_vec(), vec![b'x'; 0x10000], b"\r\n".to_vec()].concat();
    let mut sent = 0;
    while timeout(CLOSED_WITHIN, stream.write_all(&chunk)).await.is_ok_and(|written| written.is_ok()) {
        sent += chunk.len();
        assert!(sent < 1024 * MEBIBYTE, "it takes everything");
    }
    (status(&mut stream).await, sent)
}

/// Bad requests of so many of each kind, on a few connections, beside good traffic.
pub(crate) async fn bad_signatures(of_each: u32) {
    let target = Target::open().await;
    let before = target.measure("before").await;
    let body = br#"{"type":"event_callback","team_id":"T0ACME","event":{"type":"user_change"}}"#;
    let length = format!("content-length: {}\r\n", body.len());
    let stale = format!("{length}x-slack-request-timestamp: 1\r\n");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let kinds = [
        ("wrong_signature", signed("another secret", &length, body)),
        ("duplicate_header", signed(SIGNING_SECRET, &stale, body)),
        ("malformed_signature", text(&signed(SIGNING_SECRET, &length, body)).replace("v0=", "v9=").into_bytes()),
        (
            "missing_signature",
            text(&signed(SIGNING_SECRET, &length, body)).replace("x-slack-sig", "x-sig").into_bytes(),
        ),
    ];
    let floods = kinds.iter().map(|(_, request)| async {
        let mut stream = target.connect().await;
        for _ in 0..of_each {
            stream.write_all(request).await.unwrap();
            assert_eq!(status(&mut stream).await, Some(401));
        }
    });
    let began = Instant::now();
    let (_, during) = tokio::join!(join_all(floods), target.measure("during"));
    let seconds = began.elapsed().as_secs();
    assert!(during <= 3 * before + BUSY, "good answers took {before:?} before and {during:?} beside the flood");
    for (why, _) in &kinds {
        let counted = target.bobbin.metric(&format!("bobbin_inbound_refused_total{{why=\"{why}\"}}")).await;
        assert!((counted - f64::from(of_each)).abs() < 0.5, "{counted} of {of_each} are counted as {why}");
    }
    let lines = target.bobbin.stderr().lines().filter(|line| line.contains("requests were refused")).count() as u64;
    assert!((1..=seconds + 2).contains(&lines), "{lines} lines tell of {} refusals", 4 * of_each);
    target.check_memory();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f32_a_flood_of_bad_signatures_is_counted_by_reason_and_harms_nobody() {
    bad_signatures(1500).await;
}
