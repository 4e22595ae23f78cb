//! The Devin organisations that the people of a workspace have sessions in: the workspace's own, and those that channels
//! of it belong to.
//!
//! The configuration names channels without their workspaces, so that Slack is asked, as the workspace, whether a channel is
//! one of its own: of an organisation whose channels are all elsewhere nobody here learns that it exists.

use std::{sync::Arc, time::Duration};

use super::{halt::Halt, task::Task};
use crate::{
    devin::Devin,
    domain::ids::{ChannelId, TeamId},
    people::People,
    slack::SlackError,
};

/// How long it is remembered whether a channel is a workspace's.
const KNOWN_FOR: Duration = Duration::from_hours(1);

/// An organisation, as somebody of one workspace meets it.
#[derive(Debug, Clone)]
pub struct Organisation {
    /// What the configuration calls it; `None`: the one for all.
    pub name: Option<String>,
    /// The channels that belong to it; of the workspace's own, whatever is not another's.
    pub channels: Vec<ChannelId>,
    /// Devin as that organisation.
    pub devin: Devin,
    /// Who is who there.
    pub people: Arc<People>,
}

/// The organisations that people of a workspace meet, its own first.
pub(super) async fn met(task: &Task, team: &TeamId) -> Result<Vec<Organisation>, Halt> {
    let Some((own, others)) = task.deps.organisations.split_first() else {
        let (devin, people) = (task.deps.devin.clone(), task.deps.people.clone());
        return Ok(vec![Organisation { name: None, channels: Vec::new(), devin, people }]);
    };
    let mut met = vec![own.clone()];
    for other in others {
        let channels = of_workspace(task, team, &other.channels).await?;
        if !channels.is_empty() {
            met.push(Organisation { channels, ..other.clone() });
        }
    }
    Ok(met)
}

/// Those of the channels that are a workspace's.
async fn of_workspace(task: &Task, team: &TeamId, channels: &[ChannelId]) -> Result<Vec<ChannelId>, Halt> {
    let mut found = Vec::new();
    for channel in channels {
        if is_of(task, team, channel).await? {
            found.push(channel.clone());
        }
    }
    Ok(found)
}

/// Who is who where a channel's sessions run.
pub(super) fn people_in(task: &Task, channel: &ChannelId) -> Arc<People> {
    let of_channel = task.deps.organisations.iter().find(|one| one.channels.contains(channel));
    of_channel.or(task.deps.organisations.first()).map_or_else(|| task.deps.people.clone(), |one| one.people.clone())
}

async fn is_of(task: &Task, team: &TeamId, channel: &ChannelId) -> Result<bool, Halt> {
    let note = format!("channel-of:{team}/{channel}");
    if let Some(known) = task.deps.store.recall(&note).await? {
        return Ok(known == "yes");
    }
    let is = match task.deps.slack.channel(channel).await {
        Ok(_) => true,
        Err(SlackError::Target { .. }) => false,
        Err(error) => return Err(error.into()),
    };
    task.deps.store.remember(&note, if is { "yes" } else { "no" }, KNOWN_FOR).await?;
    Ok(is)
}
