//! The Home tab: published when somebody opens it, and again when one of their sessions changes.
//!
//! Only who opened it lately has it kept up to date. A burst of changes makes few publishes: while one is on its way
//! nobody asks for another, and two of them are some seconds apart.

use std::time::Duration;

use super::{
    agent_view, errand,
    halt::Halt,
    kind::{HomeOpened, Pressed},
    modal::{self, Kept, Opener},
    paused,
    sessions::{self, Look},
    task::Task,
    trouble::Meaning,
};
use crate::{
    domain::{
        errand::Errand,
        ids::{TeamId, UserId},
        link::Link,
        mailbox::{Mailbox, ThreadKey},
    },
    slack::{SlackError, Which, brief::Part, wire::interaction::START_SESSION},
    store::{Admit, Commit, Pace},
    voice::{self, Again, Aside, Home},
};

/// How long after somebody opened their Home tab it is kept up to date.
const KEPT_FOR: Duration = Duration::from_hours(12);
/// How long a publish may be on its way before somebody else asks for one.
const ON_ITS_WAY_FOR: Duration = Duration::from_mins(1);
/// Publishes of one person are so far apart.
const PUBLISH_EVERY: Duration = Duration::from_secs(2);

/// Somebody opened a tab of ours.
pub(super) async fn opened(task: &mut Task, opened: HomeOpened) -> Result<Commit, Halt> {
    if opened.messages {
        agent_view::suggest(task, opened.channel.as_ref()).await?;
        return Ok(Commit::default());
    }
    task.deps.store.remember(&key("home", &opened.team, &opened.user), "open", KEPT_FOR).await?;
    publish(task, &opened.team, &opened.user).await
}

/// One of somebody's sessions changed: their Home tab, if they look at it, follows.
pub(super) async fn touch(task: &Task, thread: &ThreadKey, link: &Link) -> Result<(), Halt> {
    let (team, user) = (&thread.team, &link.requester);
    let store = &task.deps.store;
    if store.recall(&key("home", team, user)).await?.is_none() {
        return Ok(());
    }
    let on_its_way = key("home-on-its-way", team, user);
    if store.recall(&on_its_way).await?.is_some() {
        return Ok(());
    }
    store.remember(&on_its_way, "1", ON_ITS_WAY_FOR).await?;
    let mailbox = Mailbox::Person { team: team.clone(), user: user.clone() };
    errand::send(task, "refresh home", mailbox, Admit::Always, &Errand::RefreshHome).await?;
    Ok(())
}

/// What the Home tab shows is out of date.
pub(super) async fn refresh(task: &mut Task, mailbox: &Mailbox) -> Result<Commit, Halt> {
    let Mailbox::Person { team, user } = mailbox else { return Ok(Commit::default()) };
    let pace = Pace { every: PUBLISH_EVERY, ahead: Duration::ZERO };
    if let Some(at) = task.deps.store.pace(mailbox, pace).await? {
        return Err(Halt::Paced { at });
    }
    // Before looking: what changes from here on is not on it.
    task.deps.store.forget(&key("home-on-its-way", team, user)).await?;
    publish(task, team, user).await
}

async fn publish(task: &mut Task, team: &TeamId, user: &UserId) -> Result<Commit, Halt> {
    let (said, halt) = match sessions::look(task, team, user).await? {
        Look::Seen { runs_as, mine } => {
            let mut view = voice::home(&Home::Linked { runs_as: &runs_as, mine: &mine }, task.now());
            paused::on_home(task, team, &mut view).await?;
            return put(task, user, &view).await;
        }
        Look::Refused(why) => (voice::refusal(why), None),
        Look::Unknown(Meaning::Lasting(notice)) => (voice::answering(&notice, &task.id), None),
        Look::Unknown(Meaning::Passing { halt, .. }) => (voice::aside(&Aside::HomeLater), Some(halt)),
    };
    let view = voice::home(&Home::Told(&said), task.now());
    let put = put(task, user, &view).await?;
    halt.map_or(Ok(put), Err)
}

async fn put(task: &Task, user: &UserId, view: &serde_json::Value) -> Result<Commit, Halt> {
    match task.deps.slack.publish_view(user, view).await {
        // The tab is switched off, or the person is gone.
        Err(error @ (SlackError::Target { .. } | SlackError::Refused { .. } | SlackError::MissingScope { .. })) => {
            tracing::warn!(%error, "a Home tab can't be published");
            Ok(Commit::default())
        }
        other => {
            other?;
            Ok(Commit::default())
        }
    }
}

/// Somebody used something that belongs to no thread: the button on the Home tab, or a part of the form.
pub(super) async fn pressed(task: &mut Task, press: Pressed) -> Result<Commit, Halt> {
    let (team, user) = (press.actor.team, press.actor.user);
    if press.action_id == START_SESSION {
        let trigger_id = press.trigger_id.as_deref();
        let opener = Opener { team: &team, user: &user, trigger_id, response_url: None, again: Again::Home };
        return modal::new_session(task, opener, None).await;
    }
    let Some(view) = press.view else { return Ok(Commit::default()) };
    let Ok(mut kept) = serde_json::from_str::<Kept>(&view.private_metadata) else { return Ok(Commit::default()) };
    if press.action_id == voice::MORE_OPTIONS {
        kept.more = true;
    } else if press.block_id.as_deref() == Some(Part::Channel.block_id()) {
        kept.not_inside = modal::where_i_am_not(task, &press.value).await?;
    } else {
        return Ok(Commit::default());
    }
    let form = modal::form(task, &team, &user, &kept).await?;
    match task.deps.slack.update_view(Which::Id(&view.id), &form).await {
        // It was closed, or sent, in the meantime.
        Err(error) if error.view_is_gone() => Ok(Commit::default()),
        other => {
            other?;
            Ok(Commit::default())
        }
    }
}

fn key(what: &str, team: &TeamId, user: &UserId) -> String {
    format!("{what}:{team}/{user}")
}
