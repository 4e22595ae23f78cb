//! `chat.*`: what the bot posts.
//!
//! Where the documents disagree about a limit, the stricter reading is enforced: a client that lives within it lives
//! within both.

use serde_json::{Value, json};

use super::{
    api::{ApiError, Asked, Reply},
    blocks,
    conversations::open_direct,
    objects::{self, Metadata},
    state::{Channel, ChannelKind, Edited, Ephemeral, Message, State},
};
use crate::domain::ids::{ChannelId, Ts, UserId};

/// Characters after which `text` of a post is cut.
const CUT_TEXT_CHARS: usize = 40_000;
/// Most characters of `text` in `chat.update`: its error speaks of 4,000, its warning of 40,000.
const MAX_UPDATE_CHARS: usize = 4_000;
/// Most characters of `markdown_text`.
const MAX_MARKDOWN_CHARS: usize = 12_000;
/// Most bytes of a message's metadata; known from practice, not from the documents.
const MAX_METADATA_BYTES: usize = 16 * 1024;
/// Most attachments of a message.
const MAX_ATTACHMENTS: usize = 100;

/// What a message is to say.
///
/// `None` where an argument was not named, so that an update can leave that part alone.
struct Content {
    text: Option<String>,
    blocks: Option<Vec<Value>>,
}

pub(super) fn post(asked: &mut Asked<'_>) -> Reply {
    let channel = destination(asked)?;
    let content = content(asked)?;
    let mut text = content.text.unwrap_or_default();
    if text.chars().count() > CUT_TEXT_CHARS {
        text = text.chars().take(CUT_TEXT_CHARS).collect();
        asked.args.warnings.push("message_truncated");
    }
    let metadata = metadata(asked)?;
    let root = thread(asked, &channel)?;
    let broadcast = root.is_some() && asked.args.flag("reply_broadcast");
    let app = asked.state.app.clone();
    let message = Message {
        ts: asked.state.next_ts(asked.now),
        thread_ts: root,
        user: app.bot_user,
        bot_id: Some(app.bot_id),
        app_id: Some(app.id),
        text,
        blocks: content.blocks.unwrap_or_default(),
        metadata: metadata.filter(|given| !is_empty(given)),
        edited: None,
        reactions: Vec::new(),
        files: Vec::new(),
        subtype: broadcast.then(|| "thread_broadcast".to_owned()),
        client_msg_id: None,
        deleted: false,
    };
    let ts = message.ts.clone();
    store(asked.state, &channel, message);
    asked.state.message_event(asked.now, &channel, &ts);
    let shown = shown(asked.state, &channel, &ts)?;
    Ok(json!({ "channel": channel, "ts": ts, "message": shown }))
}

pub(super) fn update(asked: &mut Asked<'_>) -> Reply {
    let (channel, ts) = own(asked, "cant_update_message")?;
    let content = content(asked)?;
    if content.text.as_ref().is_some_and(|text| text.chars().count() > MAX_UPDATE_CHARS) {
        return Err(ApiError::new("msg_too_long"));
    }
    let metadata = metadata(asked)?;
    let edit = Edited { user: asked.state.app.bot_user.clone(), ts: asked.state.next_ts(asked.now) };
    let before = shown(asked.state, &channel, &ts)?;
    let message = asked.state.message_mut(&channel, &ts).ok_or_else(|| ApiError::new("message_not_found"))?;
    // Text without blocks removes the blocks; something was named, or `content` would have refused.
    message.blocks = content.blocks.unwrap_or_default();
    if let Some(text) = content.text {
        // A change of nothing but the blocks shows no mark that it was edited.
        if message.text != text {
            message.edited = Some(edit);
        }
        message.text = text;
    }
    match metadata {
        Some(given) if is_empty(&given) => message.metadata = None,
        Some(given) => message.metadata = Some(given),
        None => {}
    }
    let text = message.text.clone();
    asked.state.changed_event(asked.now, &channel, &ts, &before);
    let message = shown(asked.state, &channel, &ts)?;
    Ok(json!({ "channel": channel, "ts": ts, "text": text, "message": message }))
}

pub(super) fn delete(asked: &mut Asked<'_>) -> Reply {
    let (channel, ts) = own(asked, "cant_delete_message")?;
    remove(asked.state, &channel, &ts);
    asked.state.deleted_event(asked.now, &channel, &ts);
    Ok(json!({ "channel": channel, "ts": ts }))
}

pub(super) fn post_ephemeral(asked: &mut Asked<'_>) -> Reply {
    let channel = destination(asked)?;
    let user: UserId = asked.args.required("user")?.parse().map_err(|_| ApiError::new("user_not_found"))?;
    let members = asked.state.channels.get(&channel).map(|channel| &channel.members);
    if !members.is_some_and(|members| members.contains(&user)) {
        return Err(ApiError::new("user_not_in_channel"));
    }
    let content = content(asked)?;
    let (text, blocks) = (content.text.unwrap_or_default(), content.blocks.unwrap_or_default());
    if text.chars().count() > CUT_TEXT_CHARS {
        return Err(ApiError::new("msg_too_long"));
    }
    let ts = asked.state.next_ts(asked.now);
    let thread_ts = thread(asked, &channel)?;
    asked.state.ephemerals.push(Ephemeral { ts: ts.clone(), channel, user, thread_ts, text, blocks });
    Ok(json!({ "message_ts": ts }))
}

pub(super) fn permalink(asked: &mut Asked<'_>) -> Reply {
    let channel = asked.visible("channel")?;
    let ts: Ts = asked.args.required("message_ts")?.parse().map_err(|_| ApiError::new("message_not_found"))?;
    let message = asked.state.message(&channel.id, &ts).ok_or_else(|| ApiError::new("message_not_found"))?;
    let mut link = format!(
        "https://{}.slack.com/archives/{}/p{}",
        asked.state.team.domain,
        channel.id,
        ts.as_str().replace('.', "")
    );
    if let Some(root) = message.thread_ts.as_ref().filter(|root| **root != ts) {
        link = format!("{link}?thread_ts={root}&cid={}", channel.id);
    }
    Ok(json!({ "channel": channel.id, "permalink": link }))
}

/// Puts a message into its channel; a parent becomes one by its first reply.
pub(super) fn store(state: &mut State, channel: &ChannelId, message: Message) {
    let Some(channel) = state.channels.get_mut(channel) else { return };
    if let Some(root) = &message.thread_ts {
        if let Some(parent) = channel.messages.iter_mut().find(|parent| &parent.ts == root && parent.ts != message.ts) {
            parent.thread_ts.get_or_insert_with(|| root.clone());
        }
        if message.bot_id.is_some() {
            // The agent's status goes away when the app posts.
            channel.statuses.remove(root);
        }
    }
    channel.messages.push(message);
}

/// Deletes a message.
pub(super) fn remove(state: &mut State, channel: &ChannelId, ts: &Ts) {
    if let Some(message) = state.message_mut(channel, ts) {
        message.deleted = true;
    }
}

fn shown(state: &State, channel: &ChannelId, ts: &Ts) -> Reply {
    let not_found = || ApiError::new("message_not_found");
    let place: &Channel = state.channels.get(channel).ok_or_else(not_found)?;
    let message = state.message(channel, ts).ok_or_else(not_found)?;
    Ok(objects::message(state, place, message, Metadata::Full))
}

/// The conversation a post goes to: an id, a person's id (opens the direct one), or `#name`.
fn destination(asked: &mut Asked<'_>) -> Result<ChannelId, ApiError> {
    let not_found = || ApiError::new("channel_not_found");
    let wanted = asked.args.text("channel")?.ok_or_else(not_found)?;
    let id = if let Ok(user) = wanted.parse::<UserId>() {
        open_direct(asked, &user)?
    } else if let Some(name) = wanted.strip_prefix('#') {
        asked.state.channel_named(name).map(|channel| channel.id.clone()).ok_or_else(not_found)?
    } else {
        wanted.parse().map_err(|_| not_found())?
    };
    let channel = asked.state.channels.get(&id).ok_or_else(not_found)?;
    if !channel.members.contains(&asked.state.app.bot_user) {
        let public = channel.kind == ChannelKind::Public;
        return Err(if public { ApiError::new("not_in_channel") } else { not_found() });
    }
    if channel.archived {
        return Err(ApiError::new("is_archived"));
    }
    Ok(id)
}

/// The bot's own message that `channel` and `ts` name.
fn own(asked: &mut Asked<'_>, foreign: &str) -> Result<(ChannelId, Ts), ApiError> {
    let not_found = || ApiError::new("message_not_found");
    let channel = asked.args.text("channel")?.unwrap_or_default();
    if !channel.starts_with(['C', 'D', 'G']) {
        // Unlike a post, a change takes no person's id.
        return Err(ApiError::new("channel_not_found"));
    }
    let channel = destination(asked)?;
    let ts: Ts = asked.args.required("ts")?.parse().map_err(|_| not_found())?;
    let message = asked.state.message(&channel, &ts).ok_or_else(not_found)?;
    if message.app_id.as_ref() != Some(&asked.state.app.id) {
        return Err(ApiError::new(foreign));
    }
    Ok((channel, ts))
}

fn content(asked: &Asked<'_>) -> Result<Content, ApiError> {
    let text = asked.args.text("text")?;
    let given = asked.args.json("blocks", "invalid_blocks_format")?;
    let attachments = asked.args.json("attachments", "invalid_attachments")?;
    let markdown = asked.args.text("markdown_text")?;
    if let Some(markdown) = &markdown {
        if text.is_some() || given.is_some() {
            return Err(ApiError::new("markdown_text_conflict"));
        }
        if markdown.chars().count() > MAX_MARKDOWN_CHARS {
            return Err(ApiError::new("msg_too_long"));
        }
    }
    let attached = attachments.as_ref().and_then(Value::as_array).map_or(0, Vec::len);
    if attached > MAX_ATTACHMENTS {
        return Err(ApiError::new("too_many_attachments"));
    }
    let blocks = given.map(checked_blocks).transpose()?;
    let text = text.or(markdown);
    if text.is_none() && blocks.as_ref().is_none_or(Vec::is_empty) && attached == 0 {
        return Err(ApiError::new("no_text"));
    }
    Ok(Content { text, blocks })
}

fn checked_blocks(given: Value) -> Result<Vec<Value>, ApiError> {
    let Value::Array(blocks) = given else { return Err(ApiError::new("invalid_blocks_format")) };
    let errors = blocks::check(&blocks, blocks::Surface::Message);
    if !errors.is_empty() {
        let messages: Vec<String> = errors.iter().map(|error| format!("[ERROR] {error}")).collect();
        return Err(ApiError::new("invalid_blocks")
            .with("errors", json!(errors))
            .with("response_metadata", json!({ "messages": messages })));
    }
    if blocks::text_chars(&blocks) > blocks::MAX_ALL_TEXT_CHARS {
        return Err(ApiError::new("msg_blocks_too_long"));
    }
    Ok(blocks::with_ids(blocks))
}

/// The thread a message goes into.
///
/// The `ts` of a reply is accepted and starts a thread of its own, which nobody sees where they expect it: that is what
/// happens to callers who don't pass the parent's.
pub(super) fn thread(asked: &Asked<'_>, channel: &ChannelId) -> Result<Option<Ts>, ApiError> {
    let Some(text) = asked.args.text("thread_ts")? else { return Ok(None) };
    let root: Ts = text.parse().map_err(|_| ApiError::new("invalid_thread_ts"))?;
    let not_found = || ApiError::new("thread_not_found");
    let place = asked.state.channels.get(channel).ok_or_else(not_found)?;
    let parent = place.messages.iter().find(|message| message.ts == root).ok_or_else(not_found)?;
    // A thread outlives its deleted parent only as long as it has replies.
    if parent.deleted && place.replies(&root).next().is_none() {
        return Err(not_found());
    }
    Ok(Some(root))
}

fn metadata(asked: &Asked<'_>) -> Result<Option<Value>, ApiError> {
    let Some(given) = asked.args.json("metadata", "invalid_metadata_format")? else { return Ok(None) };
    if is_empty(&given) {
        return Ok(Some(given));
    }
    let malformed = || ApiError::new("invalid_metadata_format");
    let kind = given.get("event_type").and_then(Value::as_str).ok_or_else(malformed)?;
    let payload = given.get("event_payload").and_then(Value::as_object).ok_or_else(malformed)?;
    if kind.is_empty() || !kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Err(malformed());
    }
    let named = |name: &String| {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let flat = |value: &Value| value.is_string() || value.is_number() || value.is_boolean();
    if !payload.iter().all(|(name, value)| named(name) && flat(value)) {
        return Err(ApiError::new("invalid_metadata_schema"));
    }
    if given.to_string().len() > MAX_METADATA_BYTES {
        return Err(ApiError::new("metadata_too_large"));
    }
    Ok(Some(given))
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty)
}
