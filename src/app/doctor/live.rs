//! `bobbin doctor --live`: finds out what Slack's and Devin's documents leave open, in a channel and with a session that
//! are there for nothing else, and keeps it for the bot to live by.
//!
//! Whatever it made it takes away again at the end, also after a failure in the middle and after Ctrl-C: calls that are
//! under way are waited for, and what a lost answer may have left is looked for by its mark.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    check::{Area, Check},
    slack_in, trial_devin, trial_slack,
};
use crate::{
    app::open_store,
    clock::Clock,
    config::{Config, ConfigError},
    devin::Devin,
    domain::{
        findings::Findings,
        ids::{ChannelId, SessionId, TeamId, Ts},
    },
    outbound::Outbound,
    slack::Slack,
    store::{SharedStore, notes},
};

const AREA: Area = Area::Live;
/// Between two looks for something that may lag.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often what was made is taken away.
const CLEAN_TRIES: u32 = 3;

/// Where and as whom to try.
#[derive(Debug, Clone)]
pub struct Order {
    /// The channel that the bot is in.
    pub channel: ChannelId,
    /// Its workspace, where workspaces install by OAuth.
    pub workspace: Option<TeamId>,
    /// E-mail address of the person as whom the session runs.
    pub person: String,
    /// How long to wait for anything that may lag.
    pub within: Duration,
}

/// It was stopped from outside.
#[derive(Debug)]
pub(super) struct Stopped;

/// One trial: what it made, and what it found.
pub(super) struct Trial {
    pub(super) slack: Slack,
    pub(super) devin: Devin,
    pub(super) order: Order,
    /// Nobody else's posts and sessions carry it.
    pub(super) mark: String,
    pub(super) findings: Findings,
    pub(super) checks: Vec<Check>,
    pub(super) posts: BTreeSet<Ts>,
    /// Whether a session was asked for.
    pub(super) asked: bool,
    pub(super) session: Option<SessionId>,
    /// Whether it was ended already, without being archived.
    pub(super) ended: bool,
    stop: CancellationToken,
}

/// Tries everything out, cleans up, and keeps what was found.
///
/// # Errors
///
/// When the configuration cannot be used.
pub async fn try_out(
    file: Option<&Path>,
    order: Order,
    outbound: &Outbound,
    clock: &Arc<dyn Clock>,
    stop: CancellationToken,
) -> Result<Vec<Check>, ConfigError> {
    let config = Config::load(file)?;
    let store = match open_store(&config.store, clock.clone()) {
        Ok(store) => store,
        Err(error) => {
            let remedy = "with the embedded store, stop the bot for as long as this takes";
            return Ok(vec![Check::fail(AREA, "kept", format!("{error:#}"), remedy)]);
        }
    };
    let Some(slack) = slack_in(&config, order.workspace.as_ref(), outbound, &store, clock) else {
        let remedy = "name the workspace: --workspace T…";
        return Ok(vec![Check::fail(AREA, "workspace", "workspaces install by OAuth, and none is named", remedy)]);
    };
    let known = notes::findings(&*store).await.unwrap_or_default();
    let mut trial = Trial {
        slack,
        devin: devin_of(&config, &order.channel, outbound),
        order,
        mark: Uuid::now_v7().simple().to_string(),
        findings: known,
        checks: Vec::new(),
        posts: BTreeSet::new(),
        asked: false,
        session: None,
        ended: false,
        stop,
    };
    if trial.go().await.is_err() {
        let remedy = "ask again; what was found until then is kept";
        trial.checks.push(Check::fail(AREA, "finished", "stopped before its end", remedy));
    }
    trial.clean_up().await;
    trial.keep(&store, clock.now()).await;
    Ok(trial.checks)
}

/// Devin as the organisation that the channel belongs to.
fn devin_of(config: &Config, channel: &ChannelId, outbound: &Outbound) -> Devin {
    let name = config.routing.channels.get(channel);
    let other = config.organisations.iter().find(|other| Some(&other.name) == name);
    let (org, key) = other.map_or((&config.devin.org, &config.devin.api_key), |other| (&other.id, &other.key));
    Devin::new(outbound.clone(), config.devin.api_url.clone(), key.clone(), org.clone())
}

impl Trial {
    async fn go(&mut self) -> Result<(), Stopped> {
        if let Some(root) = trial_slack::post(self).await? {
            trial_slack::metadata(self, &root).await?;
            trial_slack::agent(self, &root).await?;
        }
        if let Some((session, person)) = trial_devin::create(self).await? {
            trial_devin::listed(self, &session).await?;
            trial_devin::filters(self, &session).await?;
            trial_devin::stranger(self, &session).await?;
            trial_devin::moves(self, &session, person.clone()).await?;
            trial_devin::first(self, &session).await?;
            trial_devin::over(self, &session, person).await?;
        }
        Ok(())
    }

    /// Goes on, unless it is to stop.
    pub(super) fn going(&self) -> Result<(), Stopped> {
        if self.stop.is_cancelled() { Err(Stopped) } else { Ok(()) }
    }

    /// Waits, unless it is to stop.
    pub(super) async fn wait(&self, time: Duration) -> Result<(), Stopped> {
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            () = self.stop.cancelled() => Err(Stopped),
        }
    }

    /// Waits between two looks; false when the time for looking is over.
    pub(super) async fn look_again(&self, began: Instant) -> Result<bool, Stopped> {
        self.wait(LOOK_EVERY).await?;
        Ok(began.elapsed() < self.order.within)
    }

    /// Something was found, and this is what the bot does because of it.
    pub(super) fn found(&mut self, name: &str, found: &str, therefore: &str) {
        self.checks.push(Check::ok(AREA, name, format!("{found}; therefore {therefore}")));
    }

    /// Something could not be found out.
    pub(super) fn not_found_out(&mut self, name: &str, why: &str) {
        let remedy = "ask again; until then the bot takes the worst for granted";
        self.checks.push(Check::warn(AREA, name, format!("not found out: {why}"), remedy));
    }

    /// Without this there is nothing more to try.
    pub(super) fn failed(&mut self, name: &str, why: &str, remedy: &str) {
        self.checks.push(Check::fail(AREA, name, why, remedy));
    }

    async fn clean_up(&mut self) {
        for left in 1..=CLEAN_TRIES {
            let posts = trial_slack::clean_up(self).await;
            let sessions = trial_devin::clean_up(self).await;
            match posts.and(sessions) {
                Ok(()) => {
                    self.checks.push(Check::ok(
                        AREA,
                        "cleaned_up",
                        "the post is deleted, the session ended and archived",
                    ));
                    return;
                }
                Err(why) if left == CLEAN_TRIES => {
                    let remedy = format!(
                        "delete the post in {} and end the session tagged {} by hand",
                        self.order.channel,
                        trial_devin::tag(&self.mark)
                    );
                    self.failed("cleaned_up", &why, &remedy);
                }
                Err(_) => tokio::time::sleep(LOOK_EVERY * left).await,
            }
        }
    }

    async fn keep(&mut self, store: &SharedStore, now: Timestamp) {
        let found = Findings { at: Some(now), ..self.findings.clone() };
        let check = match notes::keep_findings(&**store, &found).await {
            Ok(()) => Check::ok(AREA, "kept", "the store has it: the bot goes by it from its next look on"),
            Err(error) => Check::fail(AREA, "kept", error.to_string(), "look at the store, and ask again"),
        };
        self.checks.push(check);
    }
}
