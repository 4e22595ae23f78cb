//! Modals: filled by the handler of the input that opened them, wherever that stands in its mailbox.
//!
//! Nearly always the fast lane has opened one already, under the input's id. Where it has not, the handler tries with the
//! trigger itself, and where that is over it says what to do again.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    catalog::{self, CatalogError, List, Named},
    halt::Halt,
    organisations::people_in,
    paused, private,
    task::Task,
    trouble::{self, Meaning},
};
use crate::{
    domain::{
        ids::{ChannelId, TeamId, UserId},
        standing::Standing,
    },
    slack::{SlackError, Which, trigger::Surface},
    store::Commit,
    voice::{self, Again, Aside, Choice, NewSession, Said},
};

/// Until this attempt a modal that is not there, though its trigger was used, may be one that opens right now; then the
/// person has closed it.
const CLOSED_FROM_ATTEMPT: u32 = 2;

/// Somebody looks at an empty form until it is there.
const LISTED_WITHIN: Duration = Duration::from_secs(5);

/// What a person did that opens a modal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opener<'a> {
    /// Workspace.
    pub(super) team: &'a TeamId,
    /// Who.
    pub(super) user: &'a UserId,
    /// Opens it, once.
    pub(super) trigger_id: Option<&'a str>,
    /// Where to say that it was too late; `None`: as a direct message.
    pub(super) response_url: Option<&'a str>,
    /// What to do again then.
    pub(super) again: Again,
}

/// What is kept in the form that starts a session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    /// The name that it was opened with.
    pub(super) name: String,
    /// The channel that it was opened in.
    pub(super) channel: Option<ChannelId>,
    /// Whether the rest of it shows.
    pub(super) more: bool,
    /// A channel that was chosen in which I am not.
    pub(super) not_inside: Option<ChannelId>,
}

/// What became of showing something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// It shows.
    Open,
    /// The person closed it.
    Closed,
    /// There is no modal, and none can be opened any more.
    Late,
}

/// Opens the form that starts a session.
pub(super) async fn new_session(
    task: &mut Task,
    opener: Opener<'_>,
    channel: Option<ChannelId>,
) -> Result<Commit, Halt> {
    if !hold(task, opener, Surface::NewSession).await? {
        return Ok(Commit::default());
    }
    let name = task.id.to_string();
    let view = form(task, opener.team, opener.user, &Kept { name, channel, ..Kept::default() }).await?;
    show(task, opener, &view).await?;
    Ok(Commit::default())
}

/// Has the modal stand there before anything else is asked: whatever fills it may take longer than a trigger lives.
/// Whether it does.
pub(super) async fn hold(task: &mut Task, opener: Opener<'_>, opens: Surface) -> Result<bool, Halt> {
    let loading = voice::loading(opens, task.id.as_str());
    show(task, opener, &loading).await
}

/// Shows something in the modal of this input, or says that it is too late for that.
pub(super) async fn show(task: &mut Task, opener: Opener<'_>, view: &Value) -> Result<bool, Halt> {
    match put(task, opener.trigger_id, view).await? {
        Shown::Open => Ok(true),
        Shown::Closed => Ok(false),
        Shown::Late => {
            metrics::counter!("bobbin_modals_total", "end" => "told_late").increment(1);
            let said = voice::aside(&Aside::TooLate { again: opener.again });
            private::tell(task, "too late", opener.user, opener.response_url, &said).await?;
            Ok(false)
        }
    }
}

/// Puts something into the modal of this input, or opens it with that.
pub(super) async fn put(task: &Task, trigger_id: Option<&str>, view: &Value) -> Result<Shown, Halt> {
    let slack = &task.deps.slack;
    let here = Which::ExternalId(task.id.as_str());
    match slack.update_view(here, view).await {
        Ok(()) => return Ok(Shown::Open),
        Err(error) if error.view_is_gone() => {}
        Err(error) => return Err(error.into()),
    }
    let Some(trigger_id) = trigger_id else { return Ok(Shown::Late) };
    match slack.open_view(trigger_id, view).await {
        Ok(()) => return Ok(Shown::Open),
        Err(error) if error.trigger_is_late() => return Ok(Shown::Late),
        Err(error) if error.trigger_is_used() => {}
        Err(error) => return Err(error.into()),
    }
    // The fast lane was at it at the same time.
    match slack.update_view(here, view).await {
        Ok(()) => Ok(Shown::Open),
        Err(error) if error.view_is_gone() && task.attempt < CLOSED_FROM_ATTEMPT => Err(Halt::retry(&error)),
        Err(error) if error.view_is_gone() => Ok(Shown::Closed),
        Err(error) => Err(error.into()),
    }
}

/// The form as it is for somebody, or why there is none for them.
pub(super) async fn form(task: &Task, team: &TeamId, user: &UserId, kept: &Kept) -> Result<Value, Halt> {
    let refused = |said: &Said| voice::notice_view(Surface::NewSession, &kept.name, said);
    let people = kept.channel.as_ref().map_or_else(|| task.deps.people.clone(), |here| people_in(task, here));
    let person = match people.who(team, user).await {
        Ok(Standing::Linked(person)) => person,
        Ok(Standing::Refused { why }) => return Ok(refused(&voice::refusal(why))),
        Err(error) => return unknown(task, trouble::of_look_up(error)).map(|said| refused(&said)),
    };
    if let Some(said) = paused::answer(task, team, "form").await? {
        return Ok(refused(&said));
    }
    let playbooks = playbooks(task).await?;
    let private_metadata = serde_json::to_string(kept).unwrap_or_default();
    Ok(voice::new_session(&NewSession {
        external_id: &kept.name,
        private_metadata: &private_metadata,
        runs_as: &person.name,
        channel: kept.channel.as_ref(),
        playbooks: playbooks.as_deref(),
        more: kept.more,
        not_inside: kept.not_inside.as_ref(),
    }))
}

/// The playbooks to choose from; `None` when they can't be listed now, which is no reason to have no form.
async fn playbooks(task: &Task) -> Result<Option<Vec<Choice>>, Halt> {
    let listed = match tokio::time::timeout(LISTED_WITHIN, catalog::list(&task.deps, List::Playbooks)).await {
        Ok(Ok(listed)) => listed,
        Ok(Err(CatalogError::Store(error))) => return Err(error.into()),
        Ok(Err(CatalogError::Devin(error))) => {
            tracing::info!(%error, "the form has no list of playbooks");
            return Ok(None);
        }
        Err(_elapsed) => return Ok(None),
    };
    let choice = |playbook: Named| Choice { text: playbook.name, value: playbook.id };
    Ok(Some(listed.into_iter().filter(|one| !one.name.is_empty()).map(choice).collect()))
}

/// The channel that was chosen, when I am not in it.
pub(super) async fn where_i_am_not(task: &Task, chosen: &str) -> Result<Option<ChannelId>, Halt> {
    let Ok(channel) = chosen.parse::<ChannelId>() else { return Ok(None) };
    match task.deps.slack.channel(&channel).await {
        Ok(found) if found.is_member => Ok(None),
        Ok(_) | Err(SlackError::Target { .. }) => Ok(Some(channel)),
        Err(error) => Err(error.into()),
    }
}

/// What to say about a failure that lasts; one that passes is tried again.
pub(super) fn unknown(task: &Task, meaning: Meaning) -> Result<Said, Halt> {
    match meaning {
        Meaning::Passing { halt, .. } => Err(halt),
        Meaning::Lasting(notice) => Ok(voice::answering(&notice, &task.id)),
    }
}
