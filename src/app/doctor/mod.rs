//! `bobbin doctor`: looks at everything that an operator can get wrong, and says for each failure what to do.
//!
//! Nothing is changed by looking: what a key may do is asked with requests that can lead to nothing, a store's file that
//! is not there is not made, and one in use is left alone. Only what Slack says of an installed workspace's token is kept,
//! as it is after any call: a renewed one, or its end. No check stops another one, and nothing secret is told.

mod devin;
mod live;
mod process;
mod reach;
mod running;
mod slack;
mod sockets;
mod store;
mod time;
mod trial_devin;
mod trial_slack;

use std::{path::Path, sync::Arc};

use secrecy::{ExposeSecret as _, SecretString};

pub use self::live::{Order, try_out};
use self::reach::Forgery;
pub use self::running::{Read, Rounds};
pub use self::store::of_store;
use super::bobbin;
pub use crate::oversight::check::{Area, Check, State, any_failed, as_json, in_words};
use crate::{
    clock::Clock,
    config::{Config, ConfigError, Problem},
    devin::Devin,
    domain::ids::{OrgId, TeamId},
    outbound::Outbound,
    oversight::check,
    slack::{OAuth, Slack, SlackError, SocketMode},
    store::{SharedStore, seal::Seal},
    tenancy::{Installation, Installations, InstalledTokens},
};

/// Looks at everything.
///
/// # Errors
///
/// When the configuration file cannot be read at all.
pub async fn examine(
    file: Option<&Path>,
    outbound: &Outbound,
    clock: &Arc<dyn Clock>,
) -> Result<Vec<Check>, ConfigError> {
    let (config, problems) = Config::examine(file)?;
    let mut checks = configuration(&problems);
    let sound = |begins: &[&str]| !problems.iter().any(|problem| begins.iter().any(|key| problem.key.starts_with(key)));
    checks.extend(way_in(&config, outbound, clock.as_ref(), Forgery::Tried).await);
    let mut store = None;
    if sound(&["BOBBIN_STORE", "BOBBIN_REDIS"]) {
        let (found, opened) = store::examine(&config.store, clock).await;
        checks.extend(found);
        store = opened;
    } else {
        checks.push(left_out(Area::Store, "takes_writes"));
    }
    if sound(&["BOBBIN_SLACK", "BOBBIN_SECRET", "BOBBIN_PUBLIC"]) {
        checks.extend(workspaces(&config, outbound, store.as_ref(), clock).await);
    } else {
        checks.push(left_out(Area::Slack, "token"));
    }
    if sound(&["BOBBIN_DEVIN", "organisations"]) {
        checks.extend(organisations(&config, outbound, clock.as_ref()).await);
    } else {
        checks.push(left_out(Area::Devin, "key"));
    }
    checks.extend(process::examine(outbound, config.service.listen).await);
    Ok(checks)
}

/// How Slack's inputs come: through sockets, or to the public address.
async fn way_in(config: &Config, outbound: &Outbound, clock: &dyn Clock, forgery: Forgery) -> Vec<Check> {
    if let Some(mode) = &config.slack.socket_mode {
        let slack = SocketMode::new(outbound.clone(), config.slack.api_url.clone(), mode.app_token.clone());
        return sockets::examine(&slack, outbound).await;
    }
    let knock = (config.service.public_url.as_ref(), config.slack.signing_secrets.first());
    reach::examine(outbound, clock, knock, forgery).await
}

fn configuration(problems: &[Problem]) -> Vec<Check> {
    if problems.is_empty() {
        return vec![Check::ok(Area::Configuration, "keys", "every key can be read")];
    }
    let check = |problem: &Problem| {
        let remedy = format!("allowed: {}", problem.allowed);
        Check::fail(Area::Configuration, &problem.key, format!("found {}", problem.found), remedy)
    };
    problems.iter().map(check).collect()
}

fn left_out(area: Area, name: &str) -> Check {
    Check::skipped(area, name, "its configuration cannot be used", "set that right first, and ask again")
}

/// The organisation for all, and the others.
async fn organisations(config: &Config, outbound: &Outbound, clock: &dyn Clock) -> Vec<Check> {
    let mut checks = Vec::new();
    for (org, devin) in devins(config, outbound) {
        checks.extend(devin::examine(&devin, &org, clock).await);
    }
    checks
}

/// Devin's API as each organisation.
fn devins(config: &Config, outbound: &Outbound) -> Vec<(OrgId, Devin)> {
    let all = [(&config.devin.org, &config.devin.api_key)];
    let others = config.organisations.iter().map(|other| (&other.id, &other.key));
    let devin = |(org, key): (&OrgId, &SecretString)| {
        (org.clone(), Devin::new(outbound.clone(), config.devin.api_url.clone(), key.clone(), org.clone()))
    };
    all.into_iter().chain(others).map(devin).collect()
}

/// The one workspace of a configured token, or those that installed the app.
async fn workspaces(
    config: &Config,
    outbound: &Outbound,
    store: Option<&SharedStore>,
    clock: &Arc<dyn Clock>,
) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Some(slack) = slack_of_token(config, outbound) {
        checks.extend(slack::examine(&slack, None, clock.as_ref()).await);
    } else if let Some(known) = installations(config, outbound, store, clock) {
        checks.extend(installed(config, outbound, &known, clock).await);
    } else {
        let remedy = "which workspaces installed the app stands in the store: ask again where that can be read";
        checks.push(Check::skipped(Area::Slack, "token", "no workspace is known", remedy));
    }
    checks.push(slack::events());
    checks
}

/// Slack as the configured token's workspace, or as the one that is named.
fn slack_in(
    config: &Config,
    workspace: Option<&TeamId>,
    outbound: &Outbound,
    store: &SharedStore,
    clock: &Arc<dyn Clock>,
) -> Option<Slack> {
    if let Some(slack) = slack_of_token(config, outbound) {
        return Some(slack);
    }
    let known = installations(config, outbound, Some(store), clock)?;
    Some(slack_of(config, outbound, &known, clock, workspace?))
}

/// Slack with the one configured token, where there is one.
fn slack_of_token(config: &Config, outbound: &Outbound) -> Option<Slack> {
    let (api, hosts) = (config.slack.api_url.clone(), config.slack.file_hosts.clone());
    Some(Slack::new(outbound.clone(), api, config.slack.bot_token.clone()?, hosts))
}

/// Slack with the token of a workspace that installed the app.
fn slack_of(
    config: &Config,
    outbound: &Outbound,
    known: &Arc<Installations>,
    clock: &Arc<dyn Clock>,
    workspace: &TeamId,
) -> Slack {
    let tokens = InstalledTokens::new(known.clone(), clock.clone(), workspace.clone());
    let (api, hosts) = (config.slack.api_url.clone(), config.slack.file_hosts.clone());
    Slack::with_tokens(outbound.clone(), api, Arc::new(tokens), hosts)
}

fn installations(
    config: &Config,
    outbound: &Outbound,
    store: Option<&SharedStore>,
    clock: &Arc<dyn Clock>,
) -> Option<Arc<Installations>> {
    let app = config.slack.oauth.clone()?;
    let seal = Seal::new(bobbin::key(config).ok()?.expose_secret());
    let oauth = OAuth::new(outbound.clone(), config.slack.api_url.clone(), app.client_id, app.client_secret);
    Some(Arc::new(Installations::new(store?.clone(), clock.clone(), seal, oauth, config.slack.invited.clone())))
}

async fn installed(
    config: &Config,
    outbound: &Outbound,
    known: &Arc<Installations>,
    clock: &Arc<dyn Clock>,
) -> Vec<Check> {
    let all = match known.list().await {
        Ok(all) => all,
        Err(error) => return vec![Check::fail(Area::Slack, "token", error.to_string(), "look at the store")],
    };
    let mut checks = Vec::new();
    for one in &all {
        checks.extend(workspace(config, outbound, known, clock, one).await);
    }
    checks.extend(all.is_empty().then(nobody_installed));
    checks
}

/// One workspace that installed the app.
async fn workspace(
    config: &Config,
    outbound: &Outbound,
    known: &Arc<Installations>,
    clock: &Arc<dyn Clock>,
    one: &Installation,
) -> Vec<Check> {
    if let Some(gone) = &one.gone {
        let gone = SlackError::InstallationGone { code: gone.why.clone() };
        let remedy = "nothing, if that was meant; else open /slack/install and add the app again";
        return vec![Check::warn(Area::Slack, "token", gone.to_string(), remedy).of(one.id.as_str())];
    }
    if !known.invites(one) {
        let remedy =
            "name it in BOBBIN_SLACK_WORKSPACES, if that is meant; else have its people take the app out at Slack";
        let found = "it has the app and is not invited: nothing is done for it";
        return vec![Check::warn(Area::Slack, "token", found, remedy).of(one.id.as_str())];
    }
    let slack = slack_of(config, outbound, known, clock, &one.id);
    slack::examine(&slack, Some(one.id.as_str()), clock.as_ref()).await
}

fn nobody_installed() -> Check {
    let remedy = "open /slack/install at BOBBIN_PUBLIC_URL and add the app to a workspace";
    Check::warn(Area::Slack, "token", "no workspace has installed the app", remedy)
}
