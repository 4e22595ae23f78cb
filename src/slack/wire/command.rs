//! Slash commands: a flat form. <https://docs.slack.dev/interactivity/implementing-slash-commands>

use std::collections::HashMap;

use serde_json::Value;

use super::WireError;
use crate::domain::ids::{ChannelId, TeamId, UserId};

/// What came to the address of slash commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandForm {
    /// Somebody used a command.
    Command(Box<Command>),
    /// Slack looks whether our certificate is good. Answer 200 and do nothing.
    SslCheck,
}

/// A command that somebody used. There is no thread in it: commands do not work there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Workspace of the installation.
    pub team: TeamId,
    /// Organisation, on Enterprise Grid.
    pub enterprise: Option<TeamId>,
    /// Where.
    pub channel: ChannelId,
    /// The channel's name (`directmessage`, `privategroup` for those).
    pub channel_name: Option<String>,
    /// By whom.
    pub user: UserId,
    /// The command with its slash.
    pub command: String,
    /// What follows the command.
    pub text: String,
    /// Answers in place; a secret, lives thirty minutes.
    pub response_url: Option<String>,
    /// Opens a modal; lives three seconds. Unique per use.
    pub trigger_id: Option<String>,
    /// The app.
    pub api_app_id: Option<String>,
}

impl CommandForm {
    /// Reads a form body.
    ///
    /// # Errors
    ///
    /// [`WireError::Missing`], when it has no command, workspace, channel or person.
    pub fn parse(body: &[u8]) -> Result<Self, WireError> {
        Self::read(url::form_urlencoded::parse(body).into_owned().collect())
    }

    /// Reads what Socket Mode delivers: the same fields as a JSON object.
    ///
    /// # Errors
    ///
    /// As [`CommandForm::parse`], and [`WireError::Malformed`] when it is not JSON.
    pub fn from_json(payload: &[u8]) -> Result<Self, WireError> {
        let fields: HashMap<String, Value> =
            serde_json::from_slice(payload).map_err(|error| WireError::json(&error))?;
        let text = |value: Value| if let Value::String(text) = value { Some(text) } else { None };
        Self::read(fields.into_iter().filter_map(|(name, value)| Some((name, text(value)?))).collect())
    }

    fn read(mut fields: HashMap<String, String>) -> Result<Self, WireError> {
        let mut take = |name: &str| fields.remove(name).filter(|value| !value.is_empty());
        if take("ssl_check").is_some() {
            return Ok(Self::SslCheck);
        }
        let command = Command {
            command: take("command").ok_or(WireError::Missing("command"))?,
            team: take("team_id").and_then(|id| id.parse().ok()).ok_or(WireError::Missing("team_id"))?,
            enterprise: take("enterprise_id").and_then(|id| id.parse().ok()),
            channel: take("channel_id").and_then(|id| id.parse().ok()).ok_or(WireError::Missing("channel_id"))?,
            channel_name: take("channel_name"),
            user: take("user_id").and_then(|id| id.parse().ok()).ok_or(WireError::Missing("user_id"))?,
            text: take("text").unwrap_or_default(),
            response_url: take("response_url"),
            trigger_id: take("trigger_id"),
            api_app_id: take("api_app_id"),
        };
        Ok(Self::Command(Box::new(command)))
    }
}
