//! One socket: what comes over it, what goes back, and whether anybody is still there.
//!
//! A peer that vanished says nothing, and neither does one with nothing to say. So a ping of our own goes out every few
//! seconds, and a socket over which nothing came for a while, not even its answer, is dead. Slack's own pings are answered
//! by the library.

use std::{fmt, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        protocol::{Role, WebSocketConfig},
    },
};

use super::wire::{Disconnect, Heard, Hello, acknowledgement};

/// Longest message that is read: a body of the longest kind that a door reads, with every byte escaped twice.
const MAX_MESSAGE_BYTES: usize = 8 << 20;

/// Times of a socket.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How long the greeting may take.
    pub hello_within: Duration,
    /// How often we ask whether somebody is there.
    pub ping_every: Duration,
    /// A socket over which nothing came for so long is dead.
    pub silence: Duration,
    /// How long a message of ours may take to leave.
    pub write_within: Duration,
    /// How long we wait for the other side to close, too.
    pub close_within: Duration,
}

impl Default for Pace {
    /// A dead socket is noticed after 25 seconds: two of our pings were not answered then.
    fn default() -> Self {
        Self {
            hello_within: Duration::from_secs(10),
            ping_every: Duration::from_secs(10),
            silence: Duration::from_secs(25),
            write_within: Duration::from_secs(3),
            close_within: Duration::from_secs(1),
        }
    }
}

/// Why a socket is of no use any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// Slack closed it.
    #[error("it was closed")]
    Closed,
    /// It broke.
    #[error("it broke: {0}")]
    Broken(String),
    /// Nobody answers.
    #[error("nothing comes over it any more")]
    Silent,
    /// Slack ends it before it began.
    #[error("Slack does not want it: {}", .0.word())]
    Unwanted(Disconnect),
}

impl Lost {
    /// The reason as a metrics label.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Broken(_) => "broken",
            Self::Silent => "silent",
            Self::Unwanted(reason) => reason.name(),
        }
    }
}

/// Anything that bytes go through both ways.
trait Pipe: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Pipe for T {}

/// An open socket.
pub struct Connection {
    frames: WebSocketStream<Box<dyn Pipe>>,
    pace: Pace,
    heard: Instant,
    pinged: Instant,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("pace", &self.pace).finish_non_exhaustive()
    }
}

impl Connection {
    /// Waits for the greeting on a connection that was just opened.
    ///
    /// # Errors
    ///
    /// [`Lost`], when none came.
    pub(in crate::slack) async fn greeted(
        io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        pace: Pace,
    ) -> Result<(Self, Hello), Lost> {
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        let io: Box<dyn Pipe> = Box::new(io);
        let frames = WebSocketStream::from_raw_socket(io, Role::Client, Some(config)).await;
        let now = Instant::now();
        let mut connection = Self { frames, pace, heard: now, pinged: now };
        let hello = timeout(pace.hello_within, connection.hello()).await.map_err(|_elapsed| Lost::Silent)??;
        Ok((connection, hello))
    }

    async fn hello(&mut self) -> Result<Hello, Lost> {
        loop {
            match self.next().await? {
                Heard::Hello(hello) => return Ok(hello),
                Heard::Disconnect(reason) => return Err(Lost::Unwanted(reason)),
                // Not acknowledged, so that it comes again.
                Heard::Envelope(_) | Heard::Other { .. } => {}
            }
        }
    }

    /// The next thing that Slack says. May be dropped while it waits: nothing is lost by that.
    ///
    /// # Errors
    ///
    /// [`Lost`], when nothing will come any more.
    pub async fn next(&mut self) -> Result<Heard, Lost> {
        loop {
            let (ping_at, dead_at) = (self.pinged + self.pace.ping_every, self.heard + self.pace.silence);
            let message = tokio::select! {
                message = self.frames.next() => message,
                () = sleep_until(dead_at) => return Err(Lost::Silent),
                () = sleep_until(ping_at) => {
                    self.pinged = Instant::now();
                    self.write(Message::Ping(Vec::new().into())).await?;
                    continue;
                }
            };
            self.heard = Instant::now();
            match message {
                Some(Ok(Message::Text(text))) => match Heard::parse(&text) {
                    Ok(heard) => return Ok(heard),
                    Err(error) => tracing::warn!(%error, bytes = text.len(), "a message on a socket cannot be read"),
                },
                Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_))) => {
                    // The library answers it with the next look.
                    let _answered = timeout(self.pace.close_within, self.frames.next()).await.is_ok();
                    return Err(Lost::Closed);
                }
                Some(Err(error)) => return Err(Lost::Broken(error.to_string())),
                None => return Err(Lost::Closed),
            }
        }
    }

    /// Acknowledges an envelope, with an answer where it takes one.
    ///
    /// # Errors
    ///
    /// [`Lost`], when that does not get through: Slack sends the envelope again.
    pub async fn acknowledge(&mut self, id: &str, answer: Option<&Value>) -> Result<(), Lost> {
        self.write(Message::text(acknowledgement(id, answer))).await
    }

    /// Closes it; what Slack sends into it now, it sends again elsewhere.
    pub async fn close(mut self) {
        let within = self.pace.close_within;
        let _in_time = timeout(within, self.closed()).await.is_ok();
    }

    /// Closes it and waits for the other side to do the same.
    async fn closed(&mut self) {
        let mut open = self.frames.close(None).await.is_ok();
        while open {
            open = matches!(self.frames.next().await, Some(Ok(_)));
        }
    }

    async fn write(&mut self, message: Message) -> Result<(), Lost> {
        match timeout(self.pace.write_within, self.frames.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Lost::Broken(error.to_string())),
            Err(_elapsed) => Err(Lost::Silent),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::DuplexStream;

    use super::*;

    const HELLO: &str = r#"{"type":"hello","num_connections":1}"#;
    /// Fast enough for a test, and slow enough for a busy machine.
    const FAST: Pace = Pace {
        hello_within: Duration::from_millis(600),
        ping_every: Duration::from_millis(100),
        silence: Duration::from_millis(600),
        write_within: Duration::from_millis(300),
        close_within: Duration::from_millis(300),
    };

    type Slack = WebSocketStream<DuplexStream>;

    /// A socket, and Slack at its other end.
    async fn socket() -> (Connection, Slack) {
        let (io, mut slack) = pipe(64 * 1024).await;
        slack.send(Message::text(HELLO)).await.unwrap();
        let (connection, hello) = Connection::greeted(io, FAST).await.unwrap();
        assert_eq!(hello.connections, Some(1));
        (connection, slack)
    }

    async fn pipe(bytes: usize) -> (DuplexStream, Slack) {
        let (ours, theirs) = tokio::io::duplex(bytes);
        (ours, WebSocketStream::from_raw_socket(theirs, Role::Server, None).await)
    }

    /// Reads at Slack's end, which answers pings, until there is nothing more.
    async fn ended(slack: &mut Slack) {
        while let Some(Ok(_)) = slack.next().await {}
    }

    async fn lost(connection: &mut Connection) -> Lost {
        loop {
            if let Err(lost) = connection.next().await {
                return lost;
            }
        }
    }

    #[test]
    fn a_dead_socket_is_noticed_within_half_a_minute() {
        let Pace { silence, ping_every, write_within, .. } = Pace::default();
        assert!(silence + write_within < Duration::from_secs(30) && ping_every * 2 < silence);
    }

    #[tokio::test]
    async fn envelopes_come_in_order_and_are_acknowledged() {
        let (mut connection, mut slack) = socket().await;
        for id in ["e1", "e2"] {
            let text = format!(r#"{{"envelope_id":"{id}","type":"events_api","payload":{{}}}}"#);
            slack.send(Message::text(text)).await.unwrap();
        }
        slack.send(Message::text("not JSON")).await.unwrap();
        slack.send(Message::text(r#"{"type":"disconnect","reason":"warning"}"#)).await.unwrap();
        for id in ["e1", "e2"] {
            let heard = connection.next().await;
            assert!(matches!(&heard, Ok(Heard::Envelope(envelope)) if envelope.id() == id), "{heard:?}");
            connection.acknowledge(id, None).await.unwrap();
            let said = slack.next().await.unwrap().unwrap();
            assert_eq!(said, Message::text(format!(r#"{{"envelope_id":"{id}"}}"#)));
        }
        assert!(matches!(connection.next().await, Ok(Heard::Disconnect(Disconnect::Warning))));
    }

    #[tokio::test]
    async fn a_peer_that_only_answers_pings_is_alive_and_one_that_does_not_is_dead() {
        let (mut connection, mut slack) = socket().await;
        tokio::select! {
            lost = lost(&mut connection) => panic!("{lost}"),
            () = ended(&mut slack) => panic!("it was closed"),
            () = tokio::time::sleep(FAST.silence * 3) => {}
        }
        // From now on nobody reads at the other end.
        let before = Instant::now();
        assert_eq!(lost(&mut connection).await, Lost::Silent);
        assert!(before.elapsed() < FAST.silence * 3);
    }

    #[tokio::test]
    async fn what_cannot_be_written_is_not_waited_for() {
        let (io, mut slack) = pipe(256).await;
        let greeting = slack.send(Message::text(HELLO));
        let (greeted, _) = tokio::join!(Connection::greeted(io, FAST), greeting);
        let (mut connection, _) = greeted.unwrap();
        assert_eq!(connection.acknowledge(&"x".repeat(4096), None).await, Err(Lost::Silent));
    }

    #[tokio::test]
    async fn a_close_and_a_cut_are_told_apart() {
        let (mut connection, mut slack) = socket().await;
        let (told, closed) = tokio::join!(lost(&mut connection), slack.close(None));
        assert_eq!((told, closed.is_ok()), (Lost::Closed, true));
        let (mut connection, slack) = socket().await;
        drop(slack);
        assert!(matches!(lost(&mut connection).await, Lost::Broken(_)));
        let (connection, mut slack) = socket().await;
        tokio::join!(connection.close(), ended(&mut slack));
    }

    #[tokio::test]
    async fn without_a_greeting_it_is_none() {
        let (io, _slack) = pipe(1024).await;
        assert_eq!(Connection::greeted(io, FAST).await.unwrap_err(), Lost::Silent);
        let (io, mut slack) = pipe(1024).await;
        slack.send(Message::text(r#"{"type":"disconnect","reason":"link_disabled"}"#)).await.unwrap();
        assert_eq!(Connection::greeted(io, FAST).await.unwrap_err(), Lost::Unwanted(Disconnect::LinkDisabled));
    }
}
