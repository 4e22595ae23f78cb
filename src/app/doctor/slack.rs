//! The app in each workspace: whether its token works, what it was granted, whether it is an agent, and Slack's clock.

use std::collections::BTreeSet;

use super::{
    check::{Area, Check},
    time,
};
use crate::{
    app::manifest,
    clock::Clock,
    domain::{ids::InvalidId, presence::AgentState},
    slack::{AgentStatus, Inspection, Slack, SlackError},
};

const AREA: Area = Area::Slack;
/// A channel that does not exist: whoever is an agent is told that, everybody else that they are none.
const NO_CHANNEL: &str = "C0000000000";

/// Looks at one workspace.
pub(super) async fn examine(slack: &Slack, of: Option<&str>, clock: &dyn Clock) -> Vec<Check> {
    let named = |check: Check, name: &str| check.of(of.unwrap_or(name));
    let seen = match slack.inspect().await {
        Ok(seen) => seen,
        Err(error) => {
            let check = Check::fail(AREA, "token", error.to_string(), remedy(&error));
            return vec![of.map_or(check.clone(), |of| check.of(of))];
        }
    };
    let Inspection { identity, scopes, date } = seen;
    let team = identity.team.to_string();
    let checks = [
        Check::ok(AREA, "token", format!("bot of {}", identity.team_name)),
        time::against_head(AREA, clock.now(), date.as_deref()),
        granted(scopes.as_ref()),
        agent(slack).await,
    ];
    checks.into_iter().map(|check| named(check, &team)).collect()
}

/// What no token can be asked for.
pub(super) fn events() -> Check {
    let wanted = manifest::bot_events().join(", ");
    let found = "a bot token cannot read which events are subscribed";
    let remedy = format!("compare with the app's page at https://api.slack.com/apps, Event Subscriptions: {wanted}");
    Check::skipped(AREA, "events", found, remedy)
}

fn remedy(error: &SlackError) -> String {
    match error {
        SlackError::InstallationGone { .. } => {
            "install the app in the workspace again, and set the new bot token (Slack: OAuth & Permissions) where tokens \
             are configured"
                .to_owned()
        }
        SlackError::Unreachable { .. } => {
            "look at BOBBIN_SLACK_API_URL, DNS, proxy and firewall of this machine".to_owned()
        }
        SlackError::RateLimited { .. } => "ask again in a minute".to_owned(),
        SlackError::MissingScope { .. }
        | SlackError::Target { .. }
        | SlackError::Payload { .. }
        | SlackError::Refused { .. }
        | SlackError::Unsure { .. } => {
            "ask again; if it stays, look at https://slack-status.com and at BOBBIN_SLACK_API_URL".to_owned()
        }
    }
}

/// Compares what was granted with the manifest.
fn granted(scopes: Option<&BTreeSet<String>>) -> Check {
    let name = "scopes";
    let Some(scopes) = scopes else {
        return Check::skipped(AREA, name, "Slack did not say", "compare with `bobbin manifest`");
    };
    let wanted = manifest::scopes();
    let missing: Vec<_> = wanted.iter().filter(|scope| !scopes.contains(*scope)).map(String::as_str).collect();
    if missing.is_empty() {
        return Check::ok(AREA, name, format!("all {} of the manifest are granted", wanted.len()));
    }
    let remedy = "update the app's manifest (`bobbin manifest`), then install the app again so that they are granted";
    Check::fail(AREA, name, format!("not granted: {}", missing.join(", ")), remedy)
}

/// Whether the app is declared as an agent, and the workspace has that.
async fn agent(slack: &Slack) -> Check {
    let name = "agent";
    let remedy = "declare the app as an agent (`bobbin manifest`, agent_view); where the workspace's plan has no agents, all \
                  else works without";
    match ask_agent(slack).await {
        Ok(Ok(()) | Err(SlackError::Target { .. } | SlackError::Payload { .. })) => {
            Check::ok(AREA, name, "Slack takes the agent's state")
        }
        Ok(Err(error)) if error.is_unavailable() => Check::warn(
            AREA,
            name,
            format!("{error}: threads show no agent's state and no stop button of Slack's"),
            remedy,
        ),
        Ok(Err(error)) => Check::skipped(AREA, name, error.to_string(), "ask again"),
        Err(_) => Check::skipped(AREA, name, "not asked", "ask again"),
    }
}

async fn ask_agent(slack: &Slack) -> Result<Result<(), SlackError>, InvalidId> {
    let (channel, thread) = (NO_CHANNEL.parse()?, "1.000001".parse()?);
    let status =
        AgentStatus { channel: &channel, thread: &thread, state: AgentState::Processing, title: None, initiator: None };
    Ok(slack.set_agent_status(&status).await)
}

#[cfg(test)]
mod tests {
    use super::{super::check::State, *};

    #[test]
    fn a_scope_that_is_not_granted_is_named() {
        let mut all: BTreeSet<String> = manifest::scopes().into_iter().collect();
        assert_eq!(granted(Some(&all)).state, State::Ok);
        all.remove("files:write");
        let check = granted(Some(&all));
        assert!(check.state == State::Fail && check.found.ends_with("not granted: files:write"), "{check:?}");
        assert_eq!(granted(None).state, State::Skipped);
    }

    #[test]
    fn the_events_to_compare_are_the_manifests() {
        let remedy = events().remedy.unwrap();
        assert!(remedy.contains("app_mention, ") && remedy.ends_with("user_change"), "{remedy}");
    }
}
