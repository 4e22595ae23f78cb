//! Socket Mode: keeps so many sockets to Slack open, and replaces each in time: one that Slack is about to end when its
//! successor has been greeted, and a dead one at once.
//!
//! Each of them is kept by a loop of its own, so that one that cannot be opened leaves the others alone. Slack gives an
//! envelope to any of an app's sockets, those of other replicas included.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::{sync::oneshot, time::sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    outbound::Failure as _,
    receive::{self, Over, Receive},
    slack::{
        SlackError, SocketMode,
        socket::{Connection, Disconnect, Lost, Pace},
    },
};

/// Times of keeping sockets open.
#[derive(Debug, Clone, Copy)]
pub struct SocketPace {
    /// Those of each socket.
    pub socket: Pace,
    /// First wait after one could not be opened; doubles.
    pub pause: Duration,
    /// Longest wait after that.
    pub longest_pause: Duration,
    /// Wait where only an operator can help: a token that does not work, Socket Mode that is switched off.
    pub hopeless_pause: Duration,
    /// One that is lost sooner than that counts as one that could not be opened.
    pub steady_after: Duration,
    /// How long one that has a successor still listens, if Slack does not close it: it may still give it envelopes. Slack
    /// says ten seconds ahead that it will.
    pub linger: Duration,
}

impl Default for SocketPace {
    fn default() -> Self {
        Self {
            socket: Pace::default(),
            pause: Duration::from_secs(1),
            longest_pause: Duration::from_mins(1),
            hopeless_pause: Duration::from_mins(2),
            steady_after: Duration::from_secs(10),
            linger: Duration::from_secs(15),
        }
    }
}

/// The sockets of this process.
#[derive(Debug)]
pub struct Sockets {
    slack: SocketMode,
    wanted: usize,
    pace: SocketPace,
    /// Those that are served, each by a task of its own.
    open: TaskTracker,
    /// Why the last one could not be opened, until one can be.
    trouble: Mutex<Option<String>>,
}

impl Sockets {
    /// So many sockets; none is open yet.
    pub fn new(slack: SocketMode, wanted: usize, pace: SocketPace) -> Self {
        Self { slack, wanted, pace, open: TaskTracker::new(), trouble: Mutex::default() }
    }

    /// The same with other times, for tests.
    #[must_use]
    pub fn paced(&self, pace: SocketPace) -> Self {
        Self::new(self.slack.clone(), self.wanted, pace)
    }

    /// How many there should be.
    pub fn wanted(&self) -> usize {
        self.wanted
    }

    /// How many are open; more than wanted while one has its successor already.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// Why the last one could not be opened, until one can be.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// Keeps one socket open until the stop; then it is closed once what it brought is stored and acknowledged.
    pub async fn keep(self: Arc<Self>, receive: Arc<Receive>, stop: CancellationToken) {
        let mut line = Line { sockets: &self, receive: &receive, stop: &stop, failures: 0, before: None };
        while let Some(pause) = line.turn().await {
            tokio::select! {
                () = sleep(pause) => {}
                () = stop.cancelled() => break,
            }
        }
        self.open.close();
        self.open.wait().await;
    }

    /// Tells why a socket needs a successor; how long to wait with that.
    fn after(&self, over: &Over, failures: u32) -> Duration {
        match over {
            Over::Told(Disconnect::Warning | Disconnect::RefreshRequested) => {
                tracing::info!(%over, "a socket is replaced");
                self.backoff(failures)
            }
            Over::Told(reason @ Disconnect::Other(word)) if word != "too_many_websockets" => {
                tracing::warn!(reason = reason.word(), "a socket is replaced");
                self.backoff(failures.max(1))
            }
            Over::Told(reason @ (Disconnect::LinkDisabled | Disconnect::Other(_))) => {
                self.note(Some(over.to_string()));
                tracing::error!(reason = reason.word(), "{}", remedy(reason.word()));
                self.pace.hopeless_pause
            }
            Over::Lost(lost) => {
                tracing::warn!(%lost, "a socket is replaced");
                self.backoff(failures)
            }
        }
    }

    /// Tells why a socket cannot be opened; how long to wait before the next try.
    fn failed(&self, error: &SlackError, failures: u32) -> Duration {
        match error {
            SlackError::InstallationGone { code }
            | SlackError::MissingScope { code, .. }
            | SlackError::Target { code }
            | SlackError::Payload { code, .. }
            | SlackError::Refused { code } => {
                tracing::error!(%error, "{}", remedy(code));
                self.pace.hopeless_pause
            }
            SlackError::RateLimited { .. } | SlackError::Unsure { .. } | SlackError::Unreachable { .. } => {
                let wait = self.backoff(failures).max(error.retry_after().unwrap_or_default());
                tracing::warn!(%error, wait_ms = wait.as_millis(), "a socket cannot be opened");
                wait
            }
        }
    }

    /// Doubles with each failure, and differs from socket to socket, so that they do not all come back at once.
    fn backoff(&self, failures: u32) -> Duration {
        let Some(doublings) = failures.checked_sub(1) else { return Duration::ZERO };
        let whole = self.pace.pause.saturating_mul(1 << doublings.min(16)).min(self.pace.longest_pause);
        let permille = RandomState::new().hash_one(failures) % 500;
        whole.mul_f64(1.0 - f64::from(u32::try_from(permille).unwrap_or_default()) / 1000.0)
    }
}

/// One socket after the other.
struct Line<'a> {
    sockets: &'a Sockets,
    receive: &'a Arc<Receive>,
    stop: &'a CancellationToken,
    /// How many in a row could not be opened, or did not last.
    failures: u32,
    /// Tells the last one that it is not wanted any more.
    before: Option<CancellationToken>,
}

impl Line<'_> {
    /// Opens one and has it served until it needs a successor; how long to wait before the next, `None` at the stop.
    async fn turn(&mut self) -> Option<Duration> {
        let opened = tokio::select! {
            opened = self.sockets.slack.connect(self.sockets.pace.socket) => opened,
            () = self.stop.cancelled() => return None,
        };
        let (socket, hello) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                self.failures += 1;
                self.sockets.note(Some(error.to_string()));
                return Some(self.sockets.failed(&error, self.failures));
            }
        };
        tracing::info!(connections = hello.connections, lives_for = ?hello.lives_for, "a socket is open");
        self.sockets.note(None);
        let began = Instant::now();
        let over = self.serve(socket).await?;
        metrics::counter!("bobbin_socket_replacements_total", "reason" => over.name()).increment(1);
        let lasted = began.elapsed() >= self.sockets.pace.steady_after;
        self.failures = if lasted { 0 } else { self.failures + 1 };
        Some(self.sockets.after(&over, self.failures))
    }

    /// Has a socket served in the place of the last one, until it needs a successor; `None` at the stop.
    async fn serve(&mut self, socket: Connection) -> Option<Over> {
        let unwanted = self.stop.child_token();
        if let Some(before) = self.before.replace(unwanted.clone()) {
            self.retire(before);
        }
        let (tell, over) = oneshot::channel();
        let receive = self.receive.clone();
        self.sockets.open.spawn(async move { receive::serve(&receive, socket, tell, unwanted).await });
        tokio::select! {
            over = over => Some(over.unwrap_or(Over::Lost(Lost::Closed))),
            () = self.stop.cancelled() => None,
        }
    }

    /// A socket that has a successor is closed after a while.
    fn retire(&self, unwanted: CancellationToken) {
        let linger = self.sockets.pace.linger;
        TaskTracker::new().spawn(async move {
            tokio::select! {
                () = sleep(linger) => unwanted.cancel(),
                () = unwanted.cancelled() => {}
            }
        });
    }
}

/// What an operator can do about what Slack says.
fn remedy(code: &str) -> &'static str {
    match code {
        "link_disabled" => "Socket Mode is off: switch it on (Slack: Settings, Socket Mode)",
        "too_many_websockets" => "ten sockets are open: have fewer replicas or a lower BOBBIN_SLACK_SOCKETS",
        _ => {
            "Slack gives no socket: look at BOBBIN_SLACK_APP_TOKEN (scope connections:write) and at Slack: Settings, Socket Mode"
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;
    use crate::outbound::{Outbound, OutboundOptions};

    fn sockets() -> Sockets {
        let outbound = Outbound::new(OutboundOptions::default()).unwrap();
        let token = SecretString::from("xapp-invented");
        let slack = SocketMode::new(outbound, "https://slack.invalid/api/".parse().unwrap(), token);
        Sockets::new(slack, 2, SocketPace::default())
    }

    fn refused(code: &str) -> SlackError {
        SlackError::Refused { code: code.to_owned() }
    }

    #[test]
    fn waits_grow_to_a_bound_and_differ() {
        let sockets = sockets();
        assert_eq!(sockets.backoff(0), Duration::ZERO);
        for (failures, whole) in [(1, 1_000), (2, 2_000), (5, 16_000), (7, 60_000), (400, 60_000)] {
            let waits: Vec<u128> = (0..50).map(|_| sockets.backoff(failures).as_millis()).collect();
            assert!(waits.iter().all(|wait| (whole / 2..=whole).contains(wait)), "{failures}: {waits:?}");
            assert!(waits.iter().any(|wait| wait != &waits[0]), "{failures}: {waits:?}");
        }
    }

    #[test]
    fn what_only_an_operator_can_mend_is_not_hammered() {
        let (sockets, hopeless) = (sockets(), SocketPace::default().hopeless_pause);
        let gone = SlackError::InstallationGone { code: "invalid_auth".to_owned() };
        let scope = SlackError::MissingScope { code: "missing_scope".to_owned(), needed: None };
        for error in [gone, scope, refused("link_disabled"), refused("too_many_websockets")] {
            assert_eq!(sockets.failed(&error, 1), hopeless, "{error}");
        }
        assert!(hopeless >= SocketPace::default().longest_pause);
        let off = Over::Told(Disconnect::LinkDisabled);
        assert_eq!(sockets.after(&off, 0), hopeless);
        assert!(sockets.trouble().unwrap().contains("link_disabled"));
    }

    #[test]
    fn slacks_word_on_when_to_come_back_is_kept() {
        let limited = |seconds| SlackError::RateLimited { after: Some(Duration::from_secs(seconds)) };
        assert_eq!(sockets().failed(&limited(90), 1), Duration::from_secs(90));
        assert!(sockets().failed(&limited(0), 3) >= Duration::from_secs(2));
    }

    #[test]
    fn a_refresh_and_one_that_served_long_are_replaced_at_once() {
        let sockets = sockets();
        for reason in [Disconnect::Warning, Disconnect::RefreshRequested] {
            let over = Over::Told(reason);
            assert_eq!(sockets.after(&over, 0), Duration::ZERO);
            assert!(sockets.after(&over, 3) > Duration::ZERO, "one after the other that does not last");
        }
        assert_eq!(sockets.after(&Over::Lost(Lost::Silent), 0), Duration::ZERO);
        assert!(sockets.after(&Over::Lost(Lost::Closed), 1) > Duration::ZERO);
        let unknown = Over::Told(Disconnect::Other("of_a_new_kind".to_owned()));
        let wait = sockets.after(&unknown, 0);
        assert!(Duration::ZERO < wait && wait < SocketPace::default().hopeless_pause, "{wait:?}");
    }
}
