//! Opens a thread for a session that nobody asked for by a message: the modal and the slash command leave none to answer.
//! It is the one post that is made into a channel itself; people ask at their own pace, so that it takes no turn there.

use super::{
    halt::Halt,
    room::{self, PostKind, Say},
    task::Task,
};
use crate::{
    domain::{
        ids::{ChannelId, TeamId, Ts},
        mailbox::ThreadKey,
    },
    slack::{
        Post, SlackError,
        client::CALL_TIMEOUT,
        text::{self, Names},
    },
    steps::StepError,
    voice::Said,
};

/// The step under which a thread is opened.
pub(super) const STEP: &str = "open thread";
/// How many of a channel's newest messages are looked through for a lost post.
const LOOK_BACK_MESSAGES: usize = 200;
/// How many people are looked up by name for one message; more stay without one.
const MAX_NAMES: usize = 10;

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Opened {
    /// The thread is open.
    In(ThreadKey),
    /// We are not in the channel.
    NotInside,
    /// Slack does not take the post.
    Refused,
}

/// Posts the message that opens a thread, once.
pub(super) async fn open(task: &mut Task, team: &TeamId, channel: &ChannelId, said: Said) -> Result<Opened, Halt> {
    let me = task.deps.me().await?.clone();
    let thread = |root: Ts| ThreadKey { team: team.clone(), channel: channel.clone(), root };
    let slack = task.deps.slack.clone();
    let say = Say { step: STEP, mark: task.mark(STEP), kind: PostKind::Notice, facts: Vec::new(), said };
    let post = Post { channel: channel.clone(), thread: None, message: room::message(&say) };
    let act = async { slack.post(&post).await.map(|posted| posted.ts) };
    let find = async {
        let newest = slack.newest(channel, LOOK_BACK_MESSAGES).await?;
        let ours = newest.into_iter().find(|m| m.user.as_ref() == Some(&me.user) && room::carries(m, &say.mark));
        Ok(ours.map(|message| message.ts))
    };
    match task.steps.once(STEP, CALL_TIMEOUT, act, find).await {
        Ok(root) => Ok(Opened::In(thread(root))),
        Err(StepError::Failed(error @ SlackError::Target { .. })) => {
            tracing::info!(%error, %channel, "no thread can be opened there");
            Ok(Opened::NotInside)
        }
        Err(StepError::Failed(
            error @ (SlackError::Refused { .. } | SlackError::Payload { .. } | SlackError::MissingScope { .. }),
        )) => {
            tracing::warn!(%error, %channel, "no thread could be opened there");
            Ok(Opened::Refused)
        }
        Err(error) => Err(error.into()),
    }
}

/// What somebody typed as it may be shown to everybody: people by their names, so that nobody is called by it.
pub(super) async fn plain(task: &Task, typed: &str) -> String {
    let mut names = Names::default();
    for user in text::mentioned_users(typed).into_iter().take(MAX_NAMES) {
        // Only for reading: without a name the id stands in its place.
        if let Ok(found) = task.deps.slack.user(&user).await {
            names.users.insert(user, found.display_name().to_owned());
        }
    }
    // Bold and struck out are written with one mark in Slack.
    text::to_markdown(typed, &names).trim().replace("**", "*").replace("~~", "~")
}
