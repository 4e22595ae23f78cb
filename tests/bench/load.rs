//! The load: keep-alive connections that each send the next signed mention when the last one was answered.
//!
//! Bodies differ in numbers of fixed width only, so that a request is put together by copying and the client takes as
//! little as possible of the processors it shares with the server. Signatures are made before the clock starts.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use bobbin::{
    clock::{Clock as _, SystemClock},
    slack::signature::sign,
};
use secrecy::SecretString;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

use super::disk::Times;

/// A mention as Slack sends it.
const MENTION: &str = include_str!("../fixtures/slack/event.app_mention.json");
/// Stands where a mention's number goes, nine digits wide.
const NUMBER: &str = "#########";
/// What people write is longer than the fixture's line: this makes the body one to two kilobytes.
const WORDS: &str = "it fails about one time in ten since the session store moved, mostly on the first run after a \
                     deploy; the log only says that the cookie was not set. Please open a draft pull request";

/// Mentions that differ, signed.
#[derive(Debug, Clone)]
pub(crate) struct Mentions(Arc<Signed>);

#[derive(Debug)]
struct Signed {
    head: String,
    /// The body, cut where the number goes.
    pieces: Vec<String>,
    bytes: usize,
    signatures: Vec<String>,
}

/// What to do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Connections at once.
    pub(crate) connections: usize,
    /// Requests begun within it are answered but not measured.
    pub(crate) warm_up: Duration,
    /// How long to measure after that.
    pub(crate) measured: Duration,
    /// Requests to send at most.
    pub(crate) most: usize,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Answers, the warm-up's too; each was a 200.
    pub(crate) answered: usize,
    /// Answers per second, without the warm-up.
    pub(crate) per_second: f64,
    /// From the first byte sent to the last byte read.
    pub(crate) times: Times,
}

impl Mentions {
    /// So many mentions, signed now: they are good for five minutes.
    pub(crate) fn signed(count: usize, secret: &SecretString) -> anyhow::Result<Self> {
        let pieces = pieces()?;
        let at = SystemClock.now().as_second();
        let mut body = Vec::new();
        let mut signatures = Vec::with_capacity(count);
        for number in 0..count {
            body.clear();
            join(&pieces, number, &mut body);
            signatures.push(sign(secret, at, &body));
        }
        let bytes = body.len();
        let head = format!(
            "POST /slack/events HTTP/1.1\r\nhost: bobbin.example.com\r\naccept: */*\r\naccept-encoding: gzip,deflate\r\n\
             user-agent: Slackbot 1.0 (+https://api.slack.com/robots)\r\ncontent-type: application/json\r\n\
             content-length: {bytes}\r\nx-slack-request-timestamp: {at}\r\nx-slack-signature: "
        );
        Ok(Self(Arc::new(Signed { head, pieces, bytes, signatures })))
    }

    /// Length of a body in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.0.bytes
    }

    /// The next request; beyond the last mention they begin anew.
    fn request(&self, number: usize, request: &mut Vec<u8>) {
        let number = number % self.0.signatures.len().max(1);
        request.clear();
        request.extend_from_slice(self.0.head.as_bytes());
        request.extend_from_slice(self.0.signatures.get(number).map_or(&[], |signature| signature.as_bytes()));
        request.extend_from_slice(b"\r\n\r\n");
        join(&self.0.pieces, number, request);
    }
}

/// The fixture as Slack spells it (compact), with a new id, time and thread for each mention.
fn pieces() -> anyhow::Result<Vec<String>> {
    let text = MENTION.replace("tell <@U07LIN0001>", WORDS);
    let mut mention: Value = serde_json::from_str(&text).context("the fixture")?;
    let ts = Value::from(format!("1{NUMBER}.000100"));
    for (path, value) in [
        ("/event_id", Value::from(format!("Ev07{NUMBER}"))),
        ("/event/ts", ts.clone()),
        ("/event/event_ts", ts),
        ("/event/client_msg_id", Value::from(format!("0b0bb100-0000-4000-8000-000{NUMBER}"))),
    ] {
        *mention.pointer_mut(path).with_context(|| format!("the fixture has no {path}"))? = value;
    }
    Ok(mention.to_string().split(NUMBER).map(str::to_owned).collect())
}

fn join(pieces: &[String], number: usize, into: &mut Vec<u8>) {
    let number = format!("{number:09}");
    for (place, piece) in pieces.iter().enumerate() {
        if place > 0 {
            into.extend_from_slice(number.as_bytes());
        }
        into.extend_from_slice(piece.as_bytes());
    }
}

/// Sends mentions to a server, from a thread and a runtime of its own.
pub(crate) fn drive(server: SocketAddr, mentions: &Mentions, plan: &Plan) -> anyhow::Result<Measured> {
    let (mentions, plan) = (mentions.clone(), *plan);
    let driver = thread::Builder::new().name("load".to_owned()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(connections(server, mentions, plan))
    })?;
    driver.join().map_err(|_| anyhow::anyhow!("the load's thread failed"))?
}

async fn connections(server: SocketAddr, mentions: Mentions, plan: Plan) -> anyhow::Result<Measured> {
    let next = Arc::new(AtomicUsize::new(0));
    let begin = Instant::now() + plan.warm_up;
    let mut senders = JoinSet::new();
    for _ in 0..plan.connections {
        senders.spawn(send(server, mentions.clone(), plan, next.clone(), begin));
    }
    let (mut answered, mut times, mut end) = (0, Vec::new(), begin);
    while let Some(sender) = senders.join_next().await {
        let sent = sender??;
        answered += sent.answered;
        times.extend(sent.times);
        end = end.max(sent.end);
    }
    ensure!(!times.is_empty(), "nothing was measured: all {} mentions were sent before", plan.most);
    let per_second = f64::from(u32::try_from(times.len())?) / end.duration_since(begin).as_secs_f64();
    Ok(Measured { answered, per_second, times: Times::of(times) })
}

struct Sent {
    answered: usize,
    times: Vec<Duration>,
    end: Instant,
}

async fn send(
    server: SocketAddr,
    mentions: Mentions,
    plan: Plan,
    next: Arc<AtomicUsize>,
    begin: Instant,
) -> anyhow::Result<Sent> {
    let mut stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    let mut sent = Sent { answered: 0, times: Vec::new(), end: begin };
    let (mut request, mut answer) = (Vec::new(), Vec::new());
    loop {
        let start = Instant::now();
        if start >= begin + plan.measured {
            return Ok(sent);
        }
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= plan.most {
            return Ok(sent);
        }
        mentions.request(number, &mut request);
        stream.write_all(&request).await?;
        read_ok(&mut stream, &mut answer).await?;
        sent.answered += 1;
        sent.end = Instant::now();
        if start >= begin {
            sent.times.push(sent.end - start);
        }
    }
}

/// Reads an answer, which has to be an empty 200.
async fn read_ok(stream: &mut TcpStream, answer: &mut Vec<u8>) -> anyhow::Result<()> {
    answer.clear();
    while !answer.ends_with(b"\r\n\r\n") {
        ensure!(stream.read_buf(answer).await? > 0, "the server hung up");
    }
    let text = String::from_utf8_lossy(answer);
    ensure!(text.starts_with("HTTP/1.1 200 ") && text.contains("content-length: 0\r\n"), "not an empty 200: {text}");
    Ok(())
}
