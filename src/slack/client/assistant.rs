//! The agent view: what the conversation with the app proposes, and what its threads are called.

use serde_json::{Value, json};

use super::{
    error::SlackError,
    transport::{Body, Slack},
};
use crate::domain::ids::{ChannelId, Ts};

/// Longest title of a thread that we set, in characters: what a list of threads shows of it.
pub const MAX_TITLE_CHARS: usize = 200;

/// Something to start with, proposed to whoever opens the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SuggestedPrompt<'a> {
    /// What stands on it.
    pub title: &'a str,
    /// What it sends.
    pub message: &'a str,
}

impl Slack {
    /// Proposes what to start with, at most four, in a direct conversation. Without a thread: with one, nothing shows in
    /// the agent view.
    ///
    /// <https://docs.slack.dev/reference/methods/assistant.threads.setSuggestedPrompts>
    ///
    /// # Errors
    ///
    /// [`SlackError`]; repeating is safe, the last ones show.
    pub async fn suggest(&self, channel: &ChannelId, prompts: &[SuggestedPrompt<'_>]) -> Result<(), SlackError> {
        let prompts: Vec<Value> = prompts.iter().map(|p| json!({ "title": p.title, "message": p.message })).collect();
        let body = json!({ "channel_id": channel, "prompts": prompts });
        self.call("assistant.threads.setSuggestedPrompts", Body::Json(body)).await.map(drop)
    }

    /// Names a thread of a direct conversation.
    ///
    /// <https://docs.slack.dev/reference/methods/assistant.threads.setTitle>
    ///
    /// # Errors
    ///
    /// [`SlackError`]; repeating is safe.
    pub async fn title_thread(&self, channel: &ChannelId, root: &Ts, title: &str) -> Result<(), SlackError> {
        let title: String = title.chars().take(MAX_TITLE_CHARS).collect();
        let body = json!({ "channel_id": channel, "thread_ts": root, "title": title });
        self.call("assistant.threads.setTitle", Body::Json(body)).await.map(drop)
    }
}
