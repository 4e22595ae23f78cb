//! The accept loop. `axum::serve` has no time-outs of its own, so that silent and half-sent requests would hold their
//! connections for ever; this one speaks HTTP/1 only and gives a header a few seconds.

use std::{convert::Infallible, io, time::Duration};

use axum::{Router, body::Body, extract::Request, response::Response};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{HttpService, Service, service_fn},
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::OwnedSemaphorePermit,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;

use crate::twin::Hangup;

/// Connections that the kernel keeps for us to accept: what tokio asks it for.
const BACKLOG: usize = 1_024;

/// Bounds of the server.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long a request's header may take, and a connection may be silent.
    pub header_within: Duration,
    /// The same once half of the connections are in use: then those that do nothing make room for those that do.
    pub crowded_within: Duration,
    /// How long a request that is on its way at the stop may take to arrive.
    pub last_requests_within: Duration,
    /// How long open connections may go on after that.
    pub drain_within: Duration,
    /// Connections at once; more wait to be accepted.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_within: Duration::from_secs(5),
            crowded_within: Duration::from_secs(1),
            last_requests_within: Duration::from_millis(250),
            drain_within: Duration::from_secs(5),
            connections: 16_384,
        }
    }
}

impl Limits {
    /// How long a header may take when so many connections could still be taken.
    fn header_within(self, free: usize) -> Duration {
        if free < self.connections / 2 { self.crowded_within } else { self.header_within }
    }
}

/// Serves the router until the stop, then lets open connections finish for a while.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stop: CancellationToken) {
    let closing = CancellationToken::new();
    let connections = TaskTracker::new();
    let places = std::sync::Arc::new(tokio::sync::Semaphore::new(limits.connections));
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            next = next => next,
            () = stop.cancelled() => break,
        };
        let Ok(place) = place else { break };
        match accepted {
            Ok((stream, _peer)) => {
                let header_within = limits.header_within(places.available_permits());
                let connection = connection(stream, router.clone(), header_within);
                connections.spawn(until_its_end(connection, closing.clone(), Some(place)));
            }
            // Out of file descriptors, most likely: the ones in use come back.
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    for stream in not_accepted_yet(listener) {
        let connection = connection(stream, router.clone(), limits.crowded_within);
        connections.spawn(until_its_end(connection, closing.clone(), None));
    }
    if !connections.is_empty() {
        // A connection whose request is still on its way would be closed as an idle one.
        tokio::time::sleep(limits.last_requests_within).await;
    }
    connections.close();
    closing.cancel();
    tokio::select! {
        () = connections.wait() => {}
        () = tokio::time::sleep(limits.drain_within) => tracing::info!("some connections were cut off at the stop"),
    }
}

/// Closes the door; whoever is connected already, but was not accepted yet, would be cut off by that. The standard
/// library's accept asks the kernel, where tokio's would wait for news of it first.
fn not_accepted_yet(listener: TcpListener) -> Vec<TcpStream> {
    let Ok(listener) = listener.into_std() else { return Vec::new() };
    let accept = || {
        let (stream, _peer) = listener.accept().ok()?;
        stream.set_nonblocking(true).ok()?;
        TcpStream::from_std(stream).ok()
    };
    std::iter::from_fn(accept).take(BACKLOG).collect()
}

/// Lets a connection finish its request once all are to close. A peer that hangs up, or was hung up on for being slow, is
/// everyday.
async fn until_its_end<S>(connection: Connection<S>, closing: CancellationToken, _place: Option<OwnedSemaphorePermit>)
where
    S: HttpService<Incoming, ResBody = Body, Error = io::Error>,
{
    tokio::pin!(connection);
    tokio::select! {
        _ended = &mut connection => return,
        () = closing.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    let _ended = connection.await.is_ok();
}

/// One that may become a WebSocket: only a twin agrees to that.
type Connection<S> = http1::UpgradeableConnection<TokioIo<TcpStream>, S>;

fn connection(
    stream: TcpStream,
    router: Router,
    header_within: Duration,
) -> Connection<impl Service<Request<Incoming>, Response = Response, Error = io::Error, Future: Send>> {
    // Answers are small and whole: waiting for more to send along would only delay them.
    let _nodelay = stream.set_nodelay(true).is_ok();
    let service = service_fn(move |request: Request<Incoming>| {
        let router = router.clone();
        async move {
            let response = router.oneshot(request.map(Body::new)).await.map_err(never)?;
            match response.extensions().get::<Hangup>() {
                // A twin plays a connection that breaks.
                Some(_) => Err(io::Error::other("hung up")),
                None => Ok(response),
            }
        }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_within)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
}

fn never(error: Infallible) -> io::Error {
    match error {}
}
