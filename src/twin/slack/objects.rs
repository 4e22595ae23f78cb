//! Slack's objects as JSON, in the shape of recorded answers: users, conversations, messages, files.

use serde_json::{Map, Value, json};

use super::state::{Channel, ChannelKind, File, Message, State, User, UserKind};
use crate::domain::ids::Ts;

/// How many lines of a snippet its preview shows.
const PREVIEW_LINES: usize = 5;

/// How much of a message's metadata is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Metadata {
    /// All of it.
    Full,
    /// Only `event_type`, as readers get it that did not ask for more.
    TypeOnly,
}

impl User {
    /// `bot_id` of a bot.
    pub fn bot_id(&self) -> Option<String> {
        (self.kind == UserKind::Bot).then(|| self.id.as_str().replacen(['U', 'W'], "B", 1))
    }
}

/// A user object; the e-mail only for tokens that may see it.
pub(super) fn user(state: &State, user: &User, with_email: bool) -> Value {
    let mut profile = Map::new();
    for (name, value) in [
        ("real_name", user.real_name.as_str()),
        ("real_name_normalized", &user.real_name),
        ("display_name", ""),
        ("display_name_normalized", ""),
        ("team", user.team.as_str()),
        ("title", ""),
        ("phone", ""),
        ("status_text", ""),
        ("status_emoji", ""),
        ("image_72", "https://secure.gravatar.com/avatar/00000000000000000000000000000000.jpg?s=72"),
    ] {
        profile.insert(name.to_owned(), json!(value));
    }
    let stranger = user.kind == UserKind::Stranger;
    if let (Some(email), true, false) = (&user.email, with_email, stranger) {
        profile.insert("email".to_owned(), json!(email.address));
    }
    if user.id == state.app.bot_user {
        profile.insert("api_app_id".to_owned(), json!(state.app.id));
    }
    if let Some(bot_id) = user_bot_id(state, user) {
        profile.insert("bot_id".to_owned(), json!(bot_id));
    }
    let mut object = json!({
        "id": user.id, "team_id": user.team, "name": user.name, "deleted": user.deleted, "real_name": user.real_name,
        "profile": profile, "is_bot": user.kind == UserKind::Bot, "is_app_user": false,
        "updated": user.updated.as_second(), "who_can_share_contact_card": "EVERYONE",
    });
    let Value::Object(fields) = &mut object else { return object };
    if stranger {
        fields.insert("is_stranger".to_owned(), json!(true));
    } else if !user.deleted {
        let guest = matches!(user.kind, UserKind::Guest | UserKind::SingleChannelGuest);
        let confirmed = user.email.as_ref().is_some_and(|email| email.confirmed);
        for (name, value) in [
            ("color", json!("684b6c")),
            ("tz", json!(user.tz)),
            ("tz_label", json!(user.tz)),
            ("tz_offset", json!(0)),
            ("is_admin", json!(false)),
            ("is_owner", json!(false)),
            ("is_primary_owner", json!(false)),
            ("is_restricted", json!(guest)),
            ("is_ultra_restricted", json!(user.kind == UserKind::SingleChannelGuest)),
            ("is_email_confirmed", json!(confirmed)),
        ] {
            fields.insert(name.to_owned(), value);
        }
    }
    object
}

fn user_bot_id(state: &State, user: &User) -> Option<String> {
    if user.id == state.app.bot_user { Some(state.app.bot_id.clone()) } else { user.bot_id() }
}

/// A conversation object.
pub(super) fn channel(state: &State, channel: &Channel) -> Value {
    let bot = &state.app.bot_user;
    if let ChannelKind::Direct(user) = &channel.kind {
        return json!({
            "id": channel.id, "created": channel.created.as_second(), "is_archived": channel.archived, "is_im": true,
            "is_org_shared": false, "context_team_id": state.team.id, "user": user, "is_user_deleted":
            state.users.get(user).is_some_and(|user| user.deleted), "is_open": true,
        });
    }
    let shared = !channel.shared_with.is_empty();
    let private = channel.kind == ChannelKind::Private;
    json!({
        "id": channel.id, "name": channel.name, "name_normalized": channel.name, "is_channel": !private,
        "is_group": private, "is_im": false, "is_mpim": false, "is_private": private,
        "created": channel.created.as_second(), "is_archived": channel.archived, "is_general": channel.name == "general",
        "unlinked": 0, "creator": channel.members.iter().find(|member| *member != bot),
        "is_shared": shared, "is_ext_shared": shared, "is_org_shared": false, "is_pending_ext_shared": false,
        "pending_shared": [], "pending_connected_team_ids": [], "connected_team_ids": channel.shared_with,
        "shared_team_ids": std::iter::once(&state.team.id).chain(&channel.shared_with).collect::<Vec<_>>(),
        "internal_team_ids": [], "conversation_host_id": state.team.id, "context_team_id": state.team.id,
        "is_member": channel.members.contains(bot), "num_members": channel.members.len(), "parent_conversation": null,
        "topic": { "value": "", "creator": "", "last_set": 0 }, "purpose": { "value": "", "creator": "", "last_set": 0 },
        "previous_names": [],
    })
}

/// A message object.
pub(super) fn message(state: &State, channel: &Channel, message: &Message, metadata: Metadata) -> Value {
    let mut object = json!({
        "type": "message", "user": message.user, "text": message.text, "ts": message.ts,
        "team": state.users.get(&message.user).map_or(&state.team.id, |user| &user.team),
    });
    let Value::Object(fields) = &mut object else { return object };
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    if let Some(subtype) = &message.subtype {
        put("subtype", json!(subtype));
    }
    if let Some(id) = &message.client_msg_id {
        put("client_msg_id", json!(id));
    }
    if let Some(bot_id) = &message.bot_id {
        put("bot_id", json!(bot_id));
    }
    if let Some(app_id) = &message.app_id {
        put("app_id", json!(app_id));
        put("bot_profile", bot_profile(state));
    }
    if let Some(root) = &message.thread_ts {
        put("thread_ts", json!(root));
        let parent = channel.messages.iter().find(|parent| &parent.ts == root);
        if let Some(parent) = parent.filter(|parent| parent.ts != message.ts) {
            put("parent_user_id", json!(parent.user));
        }
    }
    if !message.blocks.is_empty() {
        put("blocks", json!(message.blocks));
    }
    if !message.files.is_empty() {
        let files: Vec<Value> =
            message.files.iter().filter_map(|id| state.files.get(id)).map(|f| file(state, f)).collect();
        put("files", json!(files));
        put("upload", json!(false));
    }
    if let Some(edited) = &message.edited {
        put("edited", json!({ "user": edited.user, "ts": edited.ts }));
    }
    if let Some(given) = &message.metadata {
        let shown = match metadata {
            Metadata::Full => given.clone(),
            Metadata::TypeOnly => json!({ "event_type": given.get("event_type") }),
        };
        put("metadata", shown);
    }
    let reactions: Vec<Value> = message.reactions.iter().map(reaction).collect();
    if !reactions.is_empty() {
        put("reactions", json!(reactions));
    }
    for (name, value) in counters(channel, &message.ts) {
        put(name, value);
    }
    object
}

/// What stands in the place of a deleted parent while its thread lives on.
pub(super) fn tombstone(ts: &Ts) -> Value {
    json!({
        "type": "message", "subtype": "tombstone", "user": "USLACKBOT", "text": "This message was deleted.",
        "hidden": true, "ts": ts, "thread_ts": ts,
    })
}

fn reaction(reaction: &super::state::Reaction) -> Value {
    json!({ "name": reaction.name, "users": reaction.users, "count": reaction.users.len() })
}

/// What a parent says of its replies.
fn counters(channel: &Channel, root: &Ts) -> Vec<(&'static str, Value)> {
    let replies: Vec<&Message> = channel.replies(root).collect();
    let Some(last) = replies.last() else { return Vec::new() };
    let mut users: Vec<_> = replies.iter().map(|reply| &reply.user).collect();
    users.sort();
    users.dedup();
    vec![
        ("reply_count", json!(replies.len())),
        ("reply_users_count", json!(users.len())),
        ("reply_users", json!(users)),
        ("latest_reply", json!(last.ts)),
        ("is_locked", json!(false)),
        ("subscribed", json!(false)),
    ]
}

/// The app's face beside its posts.
pub(super) fn bot_profile(state: &State) -> Value {
    json!({
        "id": state.app.bot_id, "app_id": state.app.id, "name": state.app.name, "deleted": false, "updated": 0,
        "team_id": state.team.id, "user_id": state.app.bot_user,
        "icons": { "image_36": "https://a.slack-edge.com/bot_36.png", "image_48": "https://a.slack-edge.com/bot_48.png",
                   "image_72": "https://a.slack-edge.com/bot_72.png" },
    })
}

/// A file object; its addresses want the bearer token.
pub(super) fn file(state: &State, file: &File) -> Value {
    let name = percent_encoding::utf8_percent_encode(&file.name, percent_encoding::NON_ALPHANUMERIC);
    let url = format!("{}/files/{}/{name}", state.base_url, file.id);
    let filetype = file.name.rsplit_once('.').map_or("binary", |(_, ending)| ending);
    let mode = if file.snippet { "snippet" } else { "hosted" };
    let mut object = json!({
        "id": file.id, "created": file.created.as_second(), "timestamp": file.created.as_second(), "name": file.name,
        "title": file.name, "mimetype": file.mimetype, "filetype": filetype, "user": file.user,
        "user_team": state.team.id, "editable": file.snippet, "size": file.bytes.len(), "mode": mode, "is_external": false,
        "external_type": "", "is_public": false, "public_url_shared": false, "url_private": url,
        "url_private_download": url, "permalink": url, "has_rich_preview": false, "file_access": "visible",
    });
    if file.snippet {
        let text = String::from_utf8_lossy(&file.bytes);
        let lines: Vec<&str> = text.lines().collect();
        let preview = lines.iter().take(PREVIEW_LINES).copied().collect::<Vec<_>>().join("\n");
        super::events::put(&mut object, "preview", json!(preview));
        super::events::put(&mut object, "lines", json!(lines.len()));
        super::events::put(&mut object, "lines_more", json!(lines.len().saturating_sub(PREVIEW_LINES)));
    }
    object
}
