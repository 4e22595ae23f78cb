//! `/healthz` (the process lives), `/readyz` (it can take inputs) and `/metrics`.
//!
//! Whoever asks `/readyz` wants to know whether to send inputs here. A store that is away is therefore no reason to say
//! no while the spool takes them: a load balancer that turned away would have Slack's inputs lost that the spool is there
//! to keep. The words say how many wait, and the metrics since when, for an operator's alarm.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use jiff::Timestamp;
use tokio_util::task::TaskTracker;

use super::{bobbin::Bobbin, logs, rebuild::Rebuild, sockets::Sockets};
use crate::{
    clock::Clock,
    domain::ids::TeamId,
    oversight,
    receive::Receive,
    store::{Result, SharedStore, StoreError, embedded::Spool},
    tenancy::{Installations, Intake},
};

/// A store that takes longer to say that it is there counts as away.
const STORE_WITHIN: Duration = Duration::from_millis(900);

/// What readiness depends on.
#[derive(Debug)]
pub(super) struct Health {
    store: SharedStore,
    rebuild: Arc<Rebuild>,
    intake: Intake,
    installations: Option<Arc<Installations>>,
    spool: Option<Arc<Spool>>,
    sockets: Option<Arc<Sockets>>,
    clock: Arc<dyn Clock>,
    tasks: TaskTracker,
    expected: usize,
}

impl Health {
    pub(super) fn new(bobbin: &Bobbin, tasks: TaskTracker, expected: usize) -> Self {
        let Receive { store, spool, clock, .. } = &*bobbin.receive;
        let (store, spool, clock) = (store.clone(), spool.clone(), clock.clone());
        let intake = Intake::new(store.clone());
        let (rebuild, sockets) = (bobbin.rebuild.clone(), bobbin.sockets.clone());
        let installations = bobbin.install.as_ref().map(|install| install.installations.clone());
        Self { store, rebuild, intake, installations, spool, sockets, clock, tasks, expected }
    }

    /// What it can do, in words; or what stands in the way of taking inputs.
    async fn readiness(&self) -> Result<String, String> {
        if self.tasks.len() < self.expected {
            return Err(format!("workers: {} of {} run", self.tasks.len(), self.expected));
        }
        let sockets = self.reached()?;
        let ready = self.stores().await?;
        Ok(format!("{ready}{sockets}"))
    }

    /// How Slack reaches us in Socket Mode; or that it does not.
    fn reached(&self) -> Result<String, String> {
        let Some(sockets) = &self.sockets else { return Ok(String::new()) };
        match (sockets.open(), sockets.trouble()) {
            (0, None) => Err("socket mode: no socket is open yet".to_owned()),
            (0, Some(trouble)) => Err(format!("socket mode: no socket is open: {trouble}")),
            (open, _) => Ok(format!("; socket mode: {open} of {} sockets are open", sockets.wanted())),
        }
    }

    /// Whether inputs find a place, in words; or what stands in the way.
    async fn stores(&self) -> Result<String, String> {
        let away = match within(self.store.check()).await {
            Ok(()) => match within(self.rebuild.trouble()).await {
                Ok(None) => return Ok(self.ready().await),
                Ok(Some(trouble)) => return Err(trouble),
                Err(error) => error,
            },
            Err(error) => error,
        };
        let Some(spool) = &self.spool else { return Err(format!("store: {away}")) };
        match within(spool.check()).await {
            Ok(()) => Ok(format!("ready, but Redis is away: {} inputs wait in the spool", spool.size().inputs)),
            Err(error) => Err(format!("store: {away}; spool: {error}")),
        }
    }

    /// Ready, and whether an operator paused new sessions.
    async fn ready(&self) -> String {
        match within(self.intake.pauses()).await.as_deref() {
            Err(_) | Ok([]) => "ready".to_owned(),
            Ok(pauses) => {
                let wheres = pauses.iter().map(|p| p.workspace.as_ref().map_or("all workspaces", TeamId::as_str));
                format!("ready; new sessions are paused in {}", wheres.collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// How long ago that was, in seconds; zero for what is not there.
    fn age(&self, since: Option<Timestamp>) -> f64 {
        since.map_or(0.0, |since| self.clock.now().duration_since(since).as_secs_f64().max(0.0))
    }

    /// Sets the gauges that are read off when somebody asks.
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; counts here are far below its precision")]
    async fn gauge(&self) {
        if let Ok(backlog) = within(self.store.backlog()).await {
            metrics::gauge!("bobbin_mailboxes_ready").set(backlog.ready as f64);
            metrics::gauge!("bobbin_mailboxes_oldest_seconds").set(self.age(backlog.oldest));
            metrics::gauge!("bobbin_mailboxes_retried").set(backlog.retried as f64);
            metrics::gauge!("bobbin_mailboxes_retried_oldest_seconds").set(self.age(backlog.retried_since));
        }
        if let Ok(phases) = within(oversight::phases(&*self.store)).await {
            for (phase, count) in phases {
                metrics::gauge!("bobbin_sessions", "phase" => phase).set(count as f64);
            }
        }
        if let Ok(pauses) = within(self.intake.pauses()).await {
            metrics::gauge!("bobbin_paused").set(pauses.len() as f64);
        }
        if let Some(installations) = &self.installations
            && let Ok(states) = within(installations.states()).await
        {
            for (state, count) in states {
                metrics::gauge!("bobbin_installations", "state" => state).set(count as f64);
            }
        }
        if let Some(sockets) = &self.sockets {
            metrics::gauge!("bobbin_sockets_open").set(sockets.open() as f64);
        }
        if let Some(spool) = &self.spool {
            let size = spool.size();
            metrics::gauge!("bobbin_spool_inputs").set(size.inputs as f64);
            metrics::gauge!("bobbin_spool_bytes").set(size.bytes as f64);
            metrics::gauge!("bobbin_spool_oldest_seconds").set(self.age(size.oldest));
        }
    }
}

async fn within<T>(operation: impl Future<Output = Result<T>> + Send) -> Result<T> {
    let elapsed = |_| Err(StoreError::Unavailable("no answer in time".to_owned()));
    tokio::time::timeout(STORE_WITHIN, operation).await.unwrap_or_else(elapsed)
}

/// The routes.
pub(super) fn routes(health: Arc<Health>) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(health)
}

async fn ready(State(health): State<Arc<Health>>) -> Response {
    match health.readiness().await {
        Ok(words) => format!("{words}\n").into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")).into_response(),
    }
}

async fn metrics(State(health): State<Arc<Health>>) -> Response {
    health.gauge().await;
    let ready = if health.readiness().await.is_ok() { 1.0 } else { 0.0 };
    metrics::gauge!("bobbin_ready").set(ready);
    match logs::metrics() {
        Some(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use metrics_exporter_prometheus::PrometheusBuilder;
    use tokio::sync::Notify;

    use super::*;
    use crate::{
        clock::SystemClock,
        config::Config,
        receive::Refusals,
        slack::signature::SigningSecrets,
        store::{
            Admit, Door, Founding as _, Input, Offer, Store as _, Turn, Unfinished,
            embedded::{EmbeddedStore, SpoolBounds, SpoolEntry},
            redis::RedisStore,
        },
    };

    /// A minute and a half ahead of the stores.
    #[derive(Debug)]
    struct Ahead;

    impl Clock for Ahead {
        fn offset(&self) -> SignedDuration {
            SignedDuration::from_secs(90)
        }
    }

    /// A bot that has its inputs from here.
    fn bobbin(receive: Receive) -> Bobbin {
        let config = Config::from_values([
            ("BOBBIN_SLACK_SIGNING_SECRETS", "secret"),
            ("BOBBIN_SLACK_BOT_TOKEN", "xoxb-invented"),
            ("BOBBIN_DEVIN_API_KEY", "cog_invented"),
            ("BOBBIN_DEVIN_ORG_ID", "org-invented"),
        ]);
        let bobbin = Bobbin::new(&config.unwrap(), receive.store.clone(), receive.clock.clone()).unwrap();
        Bobbin { receive: Arc::new(receive), ..bobbin }
    }

    fn receive(store: SharedStore, spool: Spool) -> Receive {
        Receive {
            rules: crate::config::Live::default(),
            seal: crate::store::seal::Seal::new(b"key"),
            triggers: crate::slack::trigger::queue().0,
            store,
            spool: Some(Arc::new(spool)),
            clock: Arc::new(Ahead),
            secrets: crate::config::Live::new(SigningSecrets::new(vec!["secret".into()]).unwrap()),
            bell: Arc::new(Notify::new()),
            refusals: Refusals::default(),
        }
    }

    fn offer() -> Offer {
        let input = Input::received(SystemClock.now(), Door::Events, b"{}".to_vec());
        Offer { mailbox: "person:T1/U1".parse().unwrap(), input, seen: Vec::new(), admit: Admit::Always }
    }

    #[tokio::test]
    async fn with_redis_away_it_is_ready_as_long_as_the_spool_takes_inputs() {
        let folder = tempfile::tempdir().unwrap();
        let bounds = SpoolBounds { inputs: 1, ..SpoolBounds::default() };
        let spool = Spool::open(&folder.path().join("spool.db"), Arc::new(SystemClock), bounds).unwrap();
        // Nobody listens there.
        let store = RedisStore::new("redis://127.0.0.1:1", Arc::new(SystemClock), 0).unwrap();
        let bobbin = bobbin(receive(Arc::new(store), spool));
        let health = Health::new(&bobbin, TaskTracker::new(), 0);
        assert_eq!(health.readiness().await.unwrap(), "ready, but Redis is away: 0 inputs wait in the spool");
        bobbin.receive.spool.as_ref().unwrap().put(SpoolEntry::Offer(offer())).await.unwrap();
        let why = health.readiness().await.unwrap_err();
        assert!(why.starts_with("store: ") && why.contains("; spool: ") && why.contains("full with 1 inputs"), "{why}");
        let without = Health { spool: None, ..health };
        assert!(without.readiness().await.unwrap_err().starts_with("store: "));
    }

    #[tokio::test]
    async fn how_long_inputs_have_waited_is_a_metric() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(SystemClock);
        let store = Arc::new(EmbeddedStore::open(folder.path().join("it.db"), clock.clone()).unwrap());
        let spool = Spool::open(&folder.path().join("spool.db"), clock, SpoolBounds::default()).unwrap();
        store.found().await.unwrap();
        let bobbin = bobbin(receive(store.clone(), spool));
        let health = Health::new(&bobbin, TaskTracker::new(), 0);
        let recorder = PrometheusBuilder::new().build_recorder();
        let _recording = metrics::set_default_local_recorder(&recorder);
        let value = |name: &str| -> f64 {
            let text = recorder.handle().render();
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.unwrap_or_else(|| panic!("no {name}: {text}")).parse().unwrap()
        };
        let ages = ["bobbin_mailboxes_oldest_seconds", "bobbin_spool_oldest_seconds"];

        health.gauge().await;
        assert!(ages.iter().all(|name| value(name) == 0.0), "{}", recorder.handle().render());

        store.accept(&offer()).await.unwrap();
        bobbin.receive.spool.as_ref().unwrap().put(SpoolEntry::Offer(offer())).await.unwrap();
        health.gauge().await;
        assert!(ages.iter().all(|name| (90.0..180.0).contains(&value(name))), "{}", recorder.handle().render());
        assert!(value("bobbin_mailboxes_ready") > 0.0 && value("bobbin_spool_inputs") > 0.0);
        assert!(value("bobbin_mailboxes_retried") < 0.5);
        let Turn::Taken(leased) = store.lease(Duration::from_mins(1)).await.unwrap() else {
            panic!("nothing is ready")
        };
        store.defer(&leased.lease, Timestamp::MAX, Unfinished::Tried).await.unwrap();
        health.gauge().await;
        assert!((0.5..1.5).contains(&value("bobbin_mailboxes_retried")));
        assert_eq!(health.readiness().await.unwrap(), "ready");
    }
}
