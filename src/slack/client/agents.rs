//! Slack's own view of what an agent does in a thread: a state, a title, and a stop button while it works.
//!
//! Only apps that are declared as agents have it, and not every workspace does; whoever calls asks
//! [`SlackError::is_unavailable`] and goes on without.

use serde_json::{Map, Value, json};

use super::{
    error::SlackError,
    transport::{Body, Slack},
};
use crate::domain::{
    ids::{ChannelId, Ts, UserId},
    presence::AgentState,
};

/// Longest title that Slack takes, in characters.
const MAX_TITLE_CHARS: usize = 200;

/// What is said of an agent's session in a thread.
#[derive(Debug, Clone, Copy)]
pub struct AgentStatus<'a> {
    /// The channel.
    pub channel: &'a ChannelId,
    /// The first message of the thread.
    pub thread: &'a Ts,
    /// What it does.
    pub state: AgentState,
    /// Its title; looked at by Slack only when the session is new to it.
    pub title: Option<&'a str>,
    /// Who asked for it, a member of the channel; as with the title.
    pub initiator: Option<&'a UserId>,
}

impl Slack {
    /// Says what the agent does in a thread, and makes the agent's session there if there is none. While it works Slack
    /// shows a stop button; that state lapses after an hour.
    ///
    /// <https://docs.slack.dev/reference/methods/agents.sessions.setStatus>
    ///
    /// # Errors
    ///
    /// [`SlackError`]; repeating is safe, the last state wins.
    pub async fn set_agent_status(&self, status: &AgentStatus<'_>) -> Result<(), SlackError> {
        self.call("agents.sessions.setStatus", Body::Json(Value::Object(arguments(status)))).await.map(drop)
    }
}

fn arguments(status: &AgentStatus<'_>) -> Map<String, Value> {
    let title: Option<String> = status.title.map(|title| title.chars().take(MAX_TITLE_CHARS).collect());
    let fields = [
        ("channel_id", Some(json!(status.channel))),
        ("thread_ts", Some(json!(status.thread))),
        ("status", Some(json!(status.state.name()))),
        ("title", title.filter(|title| !title.is_empty()).map(Value::from)),
        ("initiator_user_id", status.initiator.map(|user| json!(user))),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_fits_and_what_is_not_known_is_left_out() {
        let (channel, thread) = ("C1".parse().unwrap(), "1.000001".parse().unwrap());
        let long = "é".repeat(300);
        let status = AgentStatus {
            channel: &channel,
            thread: &thread,
            state: AgentState::Processing,
            title: Some(&long),
            initiator: None,
        };
        let body = Value::Object(arguments(&status));
        assert_eq!(body["title"].as_str().map(|title| title.chars().count()), Some(200));
        assert_eq!(
            Value::Object(arguments(&AgentStatus { title: Some(""), ..status })),
            json!({ "channel_id": "C1", "thread_ts": "1.000001", "status": "processing" })
        );
    }
}
