//! `bobbin doctor`: looks at everything that an operator can get wrong, and says for each failure what to do.
//!
//! Nothing is changed by looking: what a key may do is asked with requests that can lead to nothing, a store's file that
//! is not there is not made, and one in use is left alone. Only what Slack says of an installed workspace's token is kept,
//! as it is after any call: a renewed one, or its end. No check stops another one, and nothing secret is told.

mod check;
mod devin;
mod live;
mod process;
mod reach;
mod slack;
mod sockets;
mod store;
mod time;
mod trial_devin;
mod trial_slack;

use std::{path::Path, sync::Arc};

use secrecy::ExposeSecret as _;

pub use self::check::{Area, Check, State, any_failed, as_json, in_words};
pub use self::live::{Order, try_out};
pub use self::store::of_store;
use super::bobbin;
use crate::{
    clock::Clock,
    config::{Config, ConfigError, Problem},
    devin::Devin,
    domain::ids::TeamId,
    outbound::Outbound,
    slack::{OAuth, Slack, SlackError, SocketMode},
    store::{SharedStore, seal::Seal},
    tenancy::{Installations, InstalledTokens},
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
    if let Some(mode) = &config.slack.socket_mode {
        let slack = SocketMode::new(outbound.clone(), config.slack.api_url.clone(), mode.app_token.clone());
        checks.extend(sockets::examine(&slack, outbound).await);
    } else {
        let secret = config.slack.signing_secrets.first();
        checks.extend(reach::examine(outbound, clock.as_ref(), config.service.public_url.as_ref(), secret).await);
    }
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
    let all = [(&config.devin.org, &config.devin.api_key)];
    let others = config.organisations.iter().map(|other| (&other.id, &other.key));
    let mut checks = Vec::new();
    for (org, key) in all.into_iter().chain(others) {
        let devin = Devin::new(outbound.clone(), config.devin.api_url.clone(), key.clone(), org.clone());
        checks.extend(devin::examine(&devin, org, clock).await);
    }
    checks
}

/// The one workspace of a configured token, or those that installed the app.
async fn workspaces(
    config: &Config,
    outbound: &Outbound,
    store: Option<&SharedStore>,
    clock: &Arc<dyn Clock>,
) -> Vec<Check> {
    let (api, hosts) = (config.slack.api_url.clone(), config.slack.file_hosts.clone());
    let mut checks = Vec::new();
    if let Some(token) = &config.slack.bot_token {
        let slack = Slack::new(outbound.clone(), api, token.clone(), hosts);
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
    let (api, hosts) = (config.slack.api_url.clone(), config.slack.file_hosts.clone());
    if let Some(token) = &config.slack.bot_token {
        return Some(Slack::new(outbound.clone(), api, token.clone(), hosts));
    }
    let known = installations(config, outbound, Some(store), clock)?;
    let tokens = InstalledTokens::new(known, clock.clone(), workspace?.clone());
    Some(Slack::with_tokens(outbound.clone(), api, Arc::new(tokens), hosts))
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
    Some(Arc::new(Installations::new(store?.clone(), clock.clone(), seal, oauth)))
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
        if let Some(gone) = &one.gone {
            let gone = SlackError::InstallationGone { code: gone.why.clone() };
            let remedy = "nothing, if that was meant; else open /slack/install and add the app again";
            checks.push(Check::warn(Area::Slack, "token", gone.to_string(), remedy).of(one.id.as_str()));
            continue;
        }
        let tokens = InstalledTokens::new(known.clone(), clock.clone(), one.id.clone());
        let (api, hosts) = (config.slack.api_url.clone(), config.slack.file_hosts.clone());
        let slack = Slack::with_tokens(outbound.clone(), api, Arc::new(tokens), hosts);
        checks.extend(slack::examine(&slack, Some(one.id.as_str()), clock.as_ref()).await);
    }
    if all.is_empty() {
        let remedy = "open /slack/install at BOBBIN_PUBLIC_URL and add the app to a workspace";
        checks.push(Check::warn(Area::Slack, "token", "no workspace has installed the app", remedy));
    }
    checks
}
