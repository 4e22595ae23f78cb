//! The door of Socket Mode: takes what comes over one socket, and acknowledges each envelope once the store has it.
//!
//! What the store would not take is not acknowledged at all: there is no other way to say no here, and Slack sends it again
//! over whichever socket it likes. Several envelopes are in hand at once, as several requests are; they reach the store in
//! the order in which they came.

use std::time::Duration;

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use serde_json::Value;
use tokio::{sync::oneshot, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{
    Receive,
    accept::{self, Ending},
    body::VerifiedInput,
};
use crate::{
    slack::socket::{Connection, Disconnect, Envelope, Heard, Kind, Lost},
    store::Door,
};

/// Envelopes of one socket in hand at once; more wait in the socket.
const IN_HAND: usize = 64;
/// How long a socket that is not wanted any more still listens: what is on its way would have to be sent again, and a
/// command is not.
const LAST_ENVELOPES_WITHIN: Duration = Duration::from_millis(250);

/// Why a socket needs a successor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Over {
    /// Slack says that it will end. It still works.
    #[error("Slack ends it: {}", .0.word())]
    Told(Disconnect),
    /// It is of no use any more.
    #[error(transparent)]
    Lost(#[from] Lost),
}

impl Over {
    /// The reason as a metrics label.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Told(reason) => reason.name(),
            Self::Lost(lost) => lost.name(),
        }
    }
}

/// Serves a socket until it is lost or not wanted any more. As soon as it needs a successor, `over` is told why.
pub async fn serve(
    receive: &Receive,
    mut socket: Connection,
    over: oneshot::Sender<Over>,
    unwanted: CancellationToken,
) {
    let mut over = Some(over);
    let mut in_hand = FuturesUnordered::new();
    let retired = async {
        unwanted.cancelled().await;
        sleep(LAST_ENVELOPES_WITHIN).await;
    };
    tokio::pin!(retired);
    let lost = loop {
        let heard = tokio::select! {
            Some(taken) = in_hand.next() => acknowledge(&mut socket, taken).await.map(|()| None),
            heard = socket.next(), if in_hand.len() < IN_HAND => heard.map(Some),
            () = &mut retired => break None,
        };
        match heard {
            Ok(Some(Heard::Envelope(envelope))) => in_hand.push(take(receive, envelope)),
            Ok(Some(Heard::Disconnect(reason))) => tell(&mut over, Over::Told(reason)),
            Ok(Some(Heard::Other { kind })) => tracing::debug!(kind, "a message of a kind that we do not know"),
            Ok(Some(Heard::Hello(_)) | None) => {}
            Err(lost) => break Some(lost),
        }
    };
    if let Some(lost) = lost {
        // What is in hand goes into the store all the same, unacknowledged: when it comes again, it is known.
        tell(&mut over, Over::Lost(lost));
        while in_hand.next().await.is_some() {}
        return;
    }
    while let Some(taken) = in_hand.next().await {
        if acknowledge(&mut socket, taken).await.is_err() {
            break;
        }
    }
    socket.close().await;
}

fn tell(over: &mut Option<oneshot::Sender<Over>>, why: Over) {
    if let Some(over) = over.take() {
        // Nobody listens any more at the stop.
        let _told = over.send(why).is_ok();
    }
}

/// An envelope that was taken: its id, and what is answered; `None`: it is not acknowledged.
type Taken = (String, Option<Option<Value>>);

async fn take(receive: &Receive, envelope: Envelope) -> Taken {
    if let Some(retry) = envelope.retry() {
        tracing::debug!(retry, "an envelope comes again");
    }
    let input = VerifiedInput::over_socket(&envelope);
    let ending = match envelope.kind() {
        Kind::Event => accept::event(receive, &input).await,
        Kind::Command => accept::command(receive, &input).await,
        Kind::Interaction => accept::interaction(receive, &input).await,
        Kind::Other(kind) => unknown(kind),
    };
    let answer = match ending {
        Ending::Taken | Ending::Challenge(_) | Ending::SetAside => Some(None),
        Ending::Answer(answer) => Some(envelope.accepts_response().then_some(answer)),
        Ending::NotStored => None,
    };
    (envelope.id().to_owned(), answer)
}

/// Something that Slack did not send when this was written: acknowledged and counted, as events of unknown types are.
fn unknown(kind: &str) -> Ending {
    tracing::debug!(kind, "an envelope of a kind that we do not know");
    metrics::counter!("bobbin_inbound_total", "door" => Door::Events.name(), "end" => "envelope_type").increment(1);
    Ending::Taken
}

async fn acknowledge(socket: &mut Connection, (id, answer): Taken) -> Result<(), Lost> {
    match answer {
        Some(answer) => socket.acknowledge(&id, answer.as_ref()).await,
        None => Ok(()),
    }
}
