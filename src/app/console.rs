//! The console's handles, whether it is open, and what goes on beside its pages: the examination, and the samples of the
//! last hour.

use std::{net::SocketAddr, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::Router;
use futures_util::FutureExt as _;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{
    bobbin::Bobbin,
    doctor::{Area, Check, Read, Rounds},
    logs, manifest,
    run::Beside,
};
use crate::{
    clock::Clock,
    console::{self, Access, Console, Replica},
    outbound::{Outbound, OutboundOptions},
};

/// How often the metrics are sampled for the console's charts.
const SAMPLE_EVERY: Duration = Duration::from_secs(10);

/// The name of this machine; in a container that is the container's, in Kubernetes the pod's.
fn machine() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// The console of this bot, which listens here and is reached so from outside; `config` reads its configuration anew.
pub(super) fn beside(
    bobbin: &Bobbin,
    (listen, public_url): (SocketAddr, Option<&Url>),
    config: Read,
    stop: &CancellationToken,
) -> anyhow::Result<Beside> {
    let (replica, clock) = (Arc::new(Replica::new(machine(), logs::complaints())), bobbin.clock.clone());
    let outbound = Outbound::new(OutboundOptions::default()).context("the HTTP client cannot be made")?;
    let rounds = Rounds { config, listen, store: bobbin.store.clone(), outbound, clock: clock.clone() };
    let routes = pages(bobbin, (listen, public_url), replica.clone(), stop.clone());
    let chores =
        vec![examine(rounds, replica.clone(), stop.clone()).boxed(), sample(replica, clock, stop.clone()).boxed()];
    Ok(Beside { routes, chores })
}

/// The console's pages alone.
pub fn routes(bobbin: &Bobbin, listen: SocketAddr, public_url: Option<&Url>, stop: CancellationToken) -> Router {
    pages(bobbin, (listen, public_url), Arc::default(), stop)
}

fn pages(
    bobbin: &Bobbin,
    (listen, public_url): (SocketAddr, Option<&Url>),
    replica: Arc<Replica>,
    stop: CancellationToken,
) -> Router {
    console::routes(Arc::new(Console {
        oversight: bobbin.oversight.clone(),
        installations: bobbin.install.as_ref().map(|install| install.installations.clone()),
        scopes: manifest::scopes(),
        clock: bobbin.clock.clone(),
        replica,
        access: Access::of(listen, public_url, bobbin.sign_in.clone()),
        stop,
    }))
}

/// Examines the bot whenever somebody looks, until the stop.
async fn examine(rounds: Rounds, replica: Arc<Replica>, stop: CancellationToken) {
    let checkup = &replica.checkup;
    let examining = async {
        loop {
            checkup.asked().await;
            if checkup.begin(rounds.clock.now()) {
                // One that breaks off is no reason for the bot to be unready.
                let checks = AssertUnwindSafe(rounds.examine()).catch_unwind().await;
                checkup.end(checks.unwrap_or_else(|_panic| vec![broke_off()]), rounds.clock.now());
            }
        }
    };
    tokio::select! {
        () = examining => {}
        () = stop.cancelled() => {}
    }
}

fn broke_off() -> Check {
    Check::fail(Area::Process, "examination", "it broke off", "look at the log, and run `bobbin doctor`")
}

/// Samples the metrics until the stop.
async fn sample(replica: Arc<Replica>, clock: Arc<dyn Clock>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Some(text) = logs::metrics() {
            replica.pulse.take(clock.now(), &text);
        }
        tokio::select! {
            () = tokio::time::sleep(SAMPLE_EVERY) => {}
            () = stop.cancelled() => {}
        }
    }
}
