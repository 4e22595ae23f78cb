//! The same looks from inside a bot that runs, for its Health page: at the store that it has open, several at once and all
//! within a bounded time, so that one silent workspace of fifty holds up nobody. What only a look from outside can do (a
//! file that is free, a forged request) is left out.

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, join_all},
};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};

use super::{
    Area, Check, configuration, devin, devins, installations, nobody_installed, process, reach::Forgery, slack,
    slack_of_token, store, way_in, workspace,
};
use crate::{
    clock::Clock,
    config::{Config, ConfigError, Problem},
    outbound::Outbound,
    store::SharedStore,
    tenancy::Installation,
};

/// How long all of it may take.
const WITHIN: Duration = Duration::from_secs(20);
/// Looks under way at once: the bot has its own calls to make.
const AT_ONCE: usize = 4;

/// Reads the configuration as it now is, with what is wrong with it.
pub type Read = Box<dyn Fn() -> Result<(Config, Vec<Problem>), ConfigError> + Send + Sync>;

/// Looks at everything, again and again.
pub struct Rounds {
    /// The configuration.
    pub config: Read,
    /// Where the bot listens.
    pub listen: SocketAddr,
    /// The store that the bot has open.
    pub store: SharedStore,
    /// The way out.
    pub outbound: Outbound,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for Rounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rounds").field("listen", &self.listen).finish_non_exhaustive()
    }
}

/// One look: where it belongs, at which of several, and what it finds.
type Look<'a> = (Area, Option<String>, BoxFuture<'a, Vec<Check>>);

impl Rounds {
    /// Looks at everything; what did not answer in time is said to be so.
    pub async fn examine(&self) -> Vec<Check> {
        let (config, problems) = match (self.config)() {
            Ok(read) => read,
            Err(ConfigError(problems)) => return configuration(&problems),
        };
        let mut checks = configuration(&problems);
        let deadline = Instant::now() + WITHIN;
        checks.extend(taken(self.looks(&config, deadline).await, deadline).await);
        checks
    }

    async fn looks<'a>(&'a self, config: &'a Config, deadline: Instant) -> Vec<Look<'a>> {
        let Self { outbound, clock, store, listen, .. } = self;
        let mut looks: Vec<Look<'a>> = vec![
            (Area::Reach, None, way_in(config, outbound, clock.as_ref(), Forgery::LeftOut).boxed()),
            (Area::Store, None, store::of_running(&config.store, store, clock.as_ref()).boxed()),
        ];
        looks.extend(self.workspaces(config, deadline).await);
        looks.push((Area::Slack, None, async { vec![slack::events()] }.boxed()));
        for (org, devin) in devins(config, outbound) {
            let of = Some(org.to_string());
            let look = async move { devin::examine(&devin, &org, clock.as_ref()).await };
            looks.push((Area::Devin, of, look.boxed()));
        }
        looks.push((Area::Process, None, process::examine(outbound, *listen).boxed()));
        looks
    }

    /// The one workspace of a configured token, or those that installed the app.
    async fn workspaces<'a>(&'a self, config: &'a Config, deadline: Instant) -> Vec<Look<'a>> {
        let Self { outbound, clock, store, .. } = self;
        let found = |checks: Vec<Check>| (Area::Slack, None, async { checks }.boxed());
        if let Some(slack) = slack_of_token(config, outbound) {
            let look = async move { slack::examine(&slack, None, clock.as_ref()).await };
            return vec![(Area::Slack, None, look.boxed())];
        }
        let Some(known) = installations(config, outbound, Some(store), clock) else { return Vec::new() };
        let all = match timeout_at(deadline, known.list()).await {
            Ok(Ok(all)) => all,
            Ok(Err(error)) => {
                return vec![found(vec![Check::fail(Area::Slack, "token", error.to_string(), "look at the store")])];
            }
            Err(_) => return vec![found(vec![silent(Area::Slack, None)])],
        };
        if all.is_empty() {
            return vec![found(vec![nobody_installed()])];
        }
        let look = |one: Installation| {
            let (of, known) = (Some(one.id.to_string()), known.clone());
            let look = async move { workspace(config, outbound, &known, clock, &one).await };
            (Area::Slack, of, look.boxed())
        };
        all.into_iter().map(look).collect()
    }
}

/// What they find until then, in their order.
async fn taken(looks: Vec<Look<'_>>, deadline: Instant) -> Vec<Check> {
    let places = Semaphore::new(AT_ONCE);
    let looks: Vec<_> = looks.into_iter().map(|look| bounded(look, &places, deadline)).collect();
    join_all(looks).await.into_iter().flatten().collect()
}

async fn bounded((area, of, look): Look<'_>, places: &Semaphore, deadline: Instant) -> Vec<Check> {
    let look = async {
        let _place = places.acquire().await;
        look.await
    };
    timeout_at(deadline, look).await.unwrap_or_else(|_elapsed| vec![silent(area, of.as_deref())])
}

fn silent(area: Area, of: Option<&str>) -> Check {
    let found = format!("no answer within {} s", WITHIN.as_secs());
    let check =
        Check::fail(area, "answers", found, "ask again; if it stays, look at what stands between, and at its log");
    of.map_or(check.clone(), |of| check.of(of))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oversight::check::State;

    async fn quick() -> Vec<Check> {
        tokio::time::sleep(Duration::from_millis(5)).await;
        vec![Check::ok(Area::Slack, "token", "bot of Acme")]
    }

    #[tokio::test]
    async fn one_that_is_silent_holds_up_nobody_and_is_named() {
        let of = |n: usize| Some(format!("T{n}"));
        let mut looks: Vec<Look<'_>> = (0..40).map(|n| (Area::Slack, of(n), quick().boxed())).collect();
        looks[3] = (Area::Slack, of(3), std::future::pending().boxed());
        let found = taken(looks, Instant::now() + Duration::from_secs(2)).await;
        let silent: Vec<_> = found.iter().filter(|check| check.state == State::Fail).collect();
        assert_eq!((found.len(), silent.len()), (40, 1), "{found:?}");
        assert_eq!((found[3].of.as_deref(), found[3].name.as_str()), (Some("T3"), "answers"), "in its place");
    }
}
