//! Objects that Slack uses in events, interactions and answers alike: messages, files, people, channels, metadata.
//!
//! People and channels keep Slack's flags as they are; what they add up to (outsider? guest?) is for policy to say.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::lenient::{fitting, fitting_list};
use crate::domain::ids::{ChannelId, TeamId, Ts, UserId};

/// The subtype of what stands in the place of a thread's first message that was deleted while it had replies.
pub const TOMBSTONE: &str = "tombstone";

/// What a message carries for programs. Everybody in the workspace can read it.
/// <https://docs.slack.dev/messaging/message-metadata>
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// Its kind.
    pub event_type: String,
    /// Its values: flat.
    #[serde(default, deserialize_with = "fitting")]
    pub event_payload: Map<String, Value>,
}

/// A message of a thread or channel. <https://docs.slack.dev/reference/events/message>
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ThreadMessage {
    /// Which message, within its channel.
    pub ts: Ts,
    /// The first message of its thread; absent where there is none.
    #[serde(default, deserialize_with = "fitting")]
    pub thread_ts: Option<Ts>,
    /// Who posted it.
    #[serde(default, deserialize_with = "fitting")]
    pub user: Option<UserId>,
    /// The bot that posted it.
    #[serde(default, deserialize_with = "fitting")]
    pub bot_id: Option<String>,
    /// The app that posted it.
    #[serde(default, deserialize_with = "fitting")]
    pub app_id: Option<String>,
    /// The name under which it was posted, where it was chosen per message.
    #[serde(default, deserialize_with = "fitting")]
    pub username: Option<String>,
    /// Its subtype; absent for what people type.
    #[serde(default, deserialize_with = "fitting")]
    pub subtype: Option<String>,
    /// Its text in mrkdwn.
    #[serde(default, deserialize_with = "fitting")]
    pub text: String,
    /// The same for one gesture that arrives with two time stamps.
    #[serde(default, deserialize_with = "fitting")]
    pub client_msg_id: Option<String>,
    /// When and by whom it was edited.
    #[serde(default, deserialize_with = "fitting")]
    pub edited: Option<Edited>,
    /// The workspace of the person who posted it.
    #[serde(default, deserialize_with = "fitting")]
    pub user_team: Option<TeamId>,
    /// The workspace from which it was posted.
    #[serde(default, deserialize_with = "fitting")]
    pub source_team: Option<TeamId>,
    /// A workspace or organisation of the person who posted it.
    #[serde(default, deserialize_with = "fitting")]
    pub team: Option<TeamId>,
    /// What it carries for programs.
    #[serde(default, deserialize_with = "fitting")]
    pub metadata: Option<Metadata>,
    /// Files that came with it.
    #[serde(default, deserialize_with = "fitting_list")]
    pub files: Vec<File>,
    /// Its blocks, as they came.
    #[serde(default, deserialize_with = "fitting")]
    pub blocks: Option<Value>,
    /// What people and robots put under it.
    #[serde(default, deserialize_with = "fitting_list")]
    pub reactions: Vec<Reaction>,
}

/// An emoji under a message. <https://docs.slack.dev/reference/methods/reactions.get>
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Reaction {
    /// Its name, without colons.
    pub name: String,
    /// Who; where there are many, not all of them.
    #[serde(default, deserialize_with = "fitting_list")]
    pub users: Vec<UserId>,
}

impl ThreadMessage {
    /// Whether somebody put this under it.
    pub fn has_reaction(&self, name: &str, by: &UserId) -> bool {
        self.reactions.iter().any(|reaction| reaction.name == name && reaction.users.contains(by))
    }
}

/// The last edit of a message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Edited {
    /// When.
    pub ts: Ts,
    /// By whom.
    #[serde(default, deserialize_with = "fitting")]
    pub user: Option<UserId>,
}

/// A file. <https://docs.slack.dev/reference/objects/file-object>
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct File {
    /// Which file.
    pub id: String,
    /// Its name.
    #[serde(default, deserialize_with = "fitting")]
    pub name: Option<String>,
    /// Its title, where it differs.
    #[serde(default, deserialize_with = "fitting")]
    pub title: Option<String>,
    /// Its type.
    #[serde(default, deserialize_with = "fitting")]
    pub mimetype: Option<String>,
    /// Its length in bytes.
    #[serde(default, deserialize_with = "fitting")]
    pub size: Option<u64>,
    /// `hosted`, `external`, `tombstone` …
    #[serde(default, deserialize_with = "fitting")]
    pub mode: Option<String>,
    /// `check_file_info` for a stub, as in shared channels.
    #[serde(default, deserialize_with = "fitting")]
    pub file_access: Option<String>,
    /// Where its content is; needs the token.
    #[serde(default, deserialize_with = "fitting")]
    pub url_private: Option<String>,
    /// Where its content is, as an attachment; needs the token.
    #[serde(default, deserialize_with = "fitting")]
    pub url_private_download: Option<String>,
    /// Where people see it.
    #[serde(default, deserialize_with = "fitting")]
    pub permalink: Option<String>,
}

impl File {
    /// Where its content is; `None` for a stub and for a file that is gone.
    pub fn download_url(&self) -> Option<&str> {
        self.url_private_download.as_deref().or(self.url_private.as_deref())
    }
}

/// A person or robot. <https://docs.slack.dev/reference/objects/user-object>
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "Slack's own flags; policy decides what they add up to")]
pub struct User {
    /// Who.
    pub id: UserId,
    /// Home workspace.
    #[serde(default, deserialize_with = "fitting")]
    pub team_id: Option<TeamId>,
    /// Handle: for display when nothing better is there.
    #[serde(default, deserialize_with = "fitting")]
    pub name: String,
    /// Full name.
    #[serde(default, deserialize_with = "fitting")]
    pub real_name: Option<String>,
    /// Deactivated.
    #[serde(default, deserialize_with = "fitting")]
    pub deleted: bool,
    /// A bot of an app (Slackbot is not one).
    #[serde(default, deserialize_with = "fitting")]
    pub is_bot: bool,
    /// A bot of a workflow.
    #[serde(default, deserialize_with = "fitting")]
    pub is_workflow_bot: bool,
    /// A bot of a connector.
    #[serde(default, deserialize_with = "fitting")]
    pub is_connector_bot: bool,
    /// Has authorised this app; says nothing about being a robot.
    #[serde(default, deserialize_with = "fitting")]
    pub is_app_user: bool,
    /// A guest of any kind.
    #[serde(default, deserialize_with = "fitting")]
    pub is_restricted: bool,
    /// A guest in one channel.
    #[serde(default, deserialize_with = "fitting")]
    pub is_ultra_restricted: bool,
    /// From another organisation, sharing no channel with ours.
    #[serde(default, deserialize_with = "fitting")]
    pub is_stranger: bool,
    /// Whether the address was confirmed; not told for everybody.
    #[serde(default, deserialize_with = "fitting")]
    pub is_email_confirmed: Option<bool>,
    /// Time zone, such as `Europe/Berlin`.
    #[serde(default, deserialize_with = "fitting")]
    pub tz: Option<String>,
    /// Name, address, workspace.
    #[serde(default, deserialize_with = "fitting")]
    pub profile: Profile,
    /// The person across an Enterprise Grid organisation.
    #[serde(default, deserialize_with = "fitting")]
    pub enterprise_user: Option<EnterpriseUser>,
}

impl User {
    /// The name to show: the one that the person chose, else the full name, else the handle.
    pub fn display_name(&self) -> &str {
        let chosen = [&self.profile.display_name, &self.real_name, &self.profile.real_name];
        chosen.into_iter().flatten().map(|name| name.trim()).find(|name| !name.is_empty()).unwrap_or(&self.name)
    }

    /// The address, when the token may read it.
    pub fn email(&self) -> Option<&str> {
        self.profile.email.as_deref().map(str::trim).filter(|email| !email.is_empty())
    }

    /// Whether this is a robot of any kind.
    pub fn is_robot(&self) -> bool {
        self.is_bot || self.is_workflow_bot || self.is_connector_bot || self.id.as_str() == "USLACKBOT"
    }
}

/// The profile of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// Name that the person chose.
    #[serde(deserialize_with = "fitting")]
    pub display_name: Option<String>,
    /// Full name.
    #[serde(deserialize_with = "fitting")]
    pub real_name: Option<String>,
    /// Address; absent without the scope `users:read.email`, and for most outsiders.
    #[serde(deserialize_with = "fitting")]
    pub email: Option<String>,
    /// Home workspace.
    #[serde(deserialize_with = "fitting")]
    pub team: Option<TeamId>,
}

/// A person across an Enterprise Grid organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct EnterpriseUser {
    /// The organisation.
    #[serde(deserialize_with = "fitting")]
    pub enterprise_id: Option<TeamId>,
    /// Workspaces of the person.
    #[serde(deserialize_with = "fitting_list")]
    pub teams: Vec<TeamId>,
}

/// A conversation. <https://docs.slack.dev/reference/objects/conversation-object>
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "Slack's own flags; policy decides what they add up to")]
pub struct Channel {
    /// Which conversation.
    pub id: ChannelId,
    /// Its name; absent for direct messages.
    #[serde(default, deserialize_with = "fitting")]
    pub name: Option<String>,
    /// The other person of a direct message.
    #[serde(default, deserialize_with = "fitting")]
    pub user: Option<UserId>,
    /// Only for members.
    #[serde(default, deserialize_with = "fitting")]
    pub is_private: bool,
    /// Direct, with one person.
    #[serde(default, deserialize_with = "fitting")]
    pub is_im: bool,
    /// Direct, with several people.
    #[serde(default, deserialize_with = "fitting")]
    pub is_mpim: bool,
    /// Whether the bot is in it.
    #[serde(default, deserialize_with = "fitting")]
    pub is_member: bool,
    /// Closed.
    #[serde(default, deserialize_with = "fitting")]
    pub is_archived: bool,
    /// Shared with another organisation.
    #[serde(default, deserialize_with = "fitting")]
    pub is_ext_shared: bool,
    /// About to be shared with another organisation.
    #[serde(default, deserialize_with = "fitting")]
    pub is_pending_ext_shared: bool,
    /// Shared inside one organisation.
    #[serde(default, deserialize_with = "fitting")]
    pub is_org_shared: bool,
}
