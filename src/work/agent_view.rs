//! The agent view: what the conversation with us proposes, and what its threads are called. Where the workspace has none
//! of it, all goes on without.

use super::{halt::Halt, room, task::Task};
use crate::{
    domain::{ids::ChannelId, mailbox::ThreadKey},
    voice,
};

/// Proposes what to start with, whenever somebody opens the conversation.
pub(super) async fn suggest(task: &Task, channel: Option<&ChannelId>) -> Result<(), Halt> {
    let Some(channel) = channel else { return Ok(()) };
    room::ornament(task.deps.slack.suggest(channel, &voice::SUGGESTED_PROMPTS).await, "suggested prompts")
}

/// Names a thread of a direct conversation after its session. In channels threads have no names.
pub(super) async fn name(task: &Task, thread: &ThreadKey, title: &str) -> Result<(), Halt> {
    if !thread.channel.is_direct() || title.is_empty() {
        return Ok(());
    }
    room::ornament(task.deps.slack.title_thread(&thread.channel, &thread.root, title).await, "the title of a thread")
}
