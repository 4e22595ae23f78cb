//! `conversations.*`.
//!
//! A cursor says where the next page begins and which method gave it, so that a cursor made up by a client, or taken
//! from another method, is refused.

use serde_json::{Value, json};

use super::{
    api::{ApiError, Asked, Reply},
    objects::{self, Metadata},
    state::{Channel, ChannelKind, Message, State, UserKind},
};
use crate::domain::ids::{ChannelId, Ts, UserId};

/// Default and largest page of `conversations.replies`.
const MAX_REPLIES_PER_PAGE: usize = 1000;
/// Default page of `conversations.history`, `.list` and `.members`.
const DEFAULT_PER_PAGE: usize = 100;
/// Largest page of `conversations.history`.
const MAX_HISTORY_PER_PAGE: usize = 999;
/// Largest page of `conversations.list` and `.members`.
const MAX_PER_PAGE: usize = 1000;

/// A page of a list, and the cursor of the next one (empty at the end).
pub(super) fn page<'a, T>(
    all: &'a [T],
    limit: usize,
    cursor: Option<&str>,
    kind: &str,
) -> Result<(&'a [T], String), ApiError> {
    let start = match cursor {
        None => 0,
        Some(cursor) => {
            position(cursor, kind).filter(|start| *start <= all.len()).ok_or_else(|| ApiError::new("invalid_cursor"))?
        }
    };
    let end = start.saturating_add(limit).min(all.len());
    let next = if end < all.len() { hex::encode(format!("{kind}:{end}")) } else { String::new() };
    Ok((all.get(start..end).unwrap_or_default(), next))
}

fn position(cursor: &str, kind: &str) -> Option<usize> {
    let text = String::from_utf8(hex::decode(cursor).ok()?).ok()?;
    text.strip_prefix(kind)?.strip_prefix(':')?.parse().ok()
}

pub(super) fn replies(asked: &mut Asked<'_>) -> Reply {
    let channel = asked.joined("channel")?;
    asked.need_for(&channel.id, "history")?;
    let not_found = || ApiError::new("thread_not_found");
    let root: Ts = asked.args.required("ts")?.parse().map_err(|_| not_found())?;
    let parent = channel.messages.iter().find(|message| message.ts == root).ok_or_else(not_found)?;
    let window = Window::read(asked)?;
    let listed_since =
        asked.now.as_microsecond() - i64::try_from(asked.state.replies_lag.as_micros()).unwrap_or(i64::MAX);
    let is_listed = |message: &&Message| message.app_id.is_none() || micros(&message.ts) <= listed_since;
    let found: Vec<&Message> =
        channel.replies(&root).filter(|message| window.holds(&message.ts)).filter(is_listed).collect();
    if parent.deleted && channel.replies(&root).next().is_none() {
        return Err(not_found());
    }
    let limit = asked.args.limit(MAX_REPLIES_PER_PAGE, MAX_REPLIES_PER_PAGE)?;
    let cursor = asked.args.text("cursor")?;
    // The parent comes first on every page and counts as one of its messages.
    let (found, next) = page(&found, limit.saturating_sub(1).max(1), cursor.as_deref(), "replies")?;
    let first = if parent.deleted { objects::tombstone(&root) } else { shown(asked, channel, parent) };
    let rest = found.iter().map(|message| shown(asked, channel, message));
    let messages: Vec<Value> = std::iter::once(first).chain(rest).collect();
    Ok(listed("messages", messages, &next))
}

/// A timestamp in microseconds.
fn micros(ts: &Ts) -> i64 {
    ts.as_str().replace('.', "").parse().unwrap_or(0)
}

pub(super) fn history(asked: &mut Asked<'_>) -> Reply {
    let channel = asked.joined("channel")?;
    asked.need_for(&channel.id, "history")?;
    let window = Window::read(asked)?;
    let top_level = |message: &&Message| {
        let reply = message.thread_ts.as_ref().is_some_and(|root| *root != message.ts);
        !message.deleted && (!reply || message.subtype.as_deref() == Some("thread_broadcast"))
    };
    let found: Vec<&Message> =
        channel.messages.iter().rev().filter(top_level).filter(|message| window.holds(&message.ts)).collect();
    let limit = asked.args.limit(DEFAULT_PER_PAGE, MAX_HISTORY_PER_PAGE)?;
    let cursor = asked.args.text("cursor")?;
    let (found, next) = page(&found, limit, cursor.as_deref(), "history")?;
    let messages = found.iter().map(|message| shown(asked, channel, message)).collect();
    Ok(listed("messages", messages, &next))
}

pub(super) fn info(asked: &mut Asked<'_>) -> Reply {
    let channel = asked.visible("channel")?;
    asked.need_for(&channel.id, "read")?;
    Ok(json!({ "channel": objects::channel(asked.state, channel) }))
}

pub(super) fn members(asked: &mut Asked<'_>) -> Reply {
    let channel = asked.visible("channel")?;
    asked.need_for(&channel.id, "read")?;
    let all: Vec<&UserId> = channel.members.iter().collect();
    let limit = asked.args.limit(DEFAULT_PER_PAGE, MAX_PER_PAGE)?;
    let cursor = asked.args.text("cursor")?;
    let (found, next) = page(&all, limit, cursor.as_deref(), "members")?;
    Ok(json!({ "members": found, "response_metadata": { "next_cursor": next } }))
}

pub(super) fn list(asked: &mut Asked<'_>) -> Reply {
    let types = asked.args.text("types")?.unwrap_or_else(|| "public_channel".to_owned());
    let mut wanted = Vec::new();
    for kind in types.split(',').map(str::trim) {
        let family = match kind {
            "public_channel" => "channels",
            "private_channel" => "groups",
            "im" => "im",
            "mpim" => "mpim",
            _ => return Err(ApiError::new("invalid_types")),
        };
        asked.need(&format!("{family}:read"))?;
        wanted.push(kind);
    }
    let no_archived = asked.args.flag("exclude_archived");
    let bot = &asked.state.app.bot_user;
    let fits = |channel: &&Channel| {
        let (kind, known) = match &channel.kind {
            ChannelKind::Public => ("public_channel", true),
            ChannelKind::Private => ("private_channel", channel.members.contains(bot)),
            ChannelKind::Direct(_) => ("im", true),
        };
        known && wanted.contains(&kind) && !(no_archived && channel.archived)
    };
    let all: Vec<&Channel> = asked.state.channels.values().filter(fits).collect();
    let limit = asked.args.limit(DEFAULT_PER_PAGE, MAX_PER_PAGE)?;
    let cursor = asked.args.text("cursor")?;
    let (found, next) = page(&all, limit, cursor.as_deref(), "list")?;
    let channels: Vec<Value> = found.iter().map(|channel| objects::channel(asked.state, channel)).collect();
    Ok(json!({ "channels": channels, "response_metadata": { "next_cursor": next } }))
}

pub(super) fn open(asked: &mut Asked<'_>) -> Reply {
    let users = asked.args.text("users")?.ok_or_else(|| ApiError::new("users_list_not_supplied"))?;
    if users.contains(',') {
        return Err(ApiError::new("method_not_supported_for_channel_type"));
    }
    let user: UserId = users.parse().map_err(|_| ApiError::new("user_not_found"))?;
    let known = asked.state.direct(&user).is_some();
    let id = open_direct(asked, &user)?;
    let channel = asked.state.channels.get(&id).ok_or_else(|| ApiError::new("channel_not_found"))?;
    let object =
        if asked.args.flag("return_im") { objects::channel(asked.state, channel) } else { json!({ "id": id }) };
    Ok(json!({ "channel": object, "no_op": known, "already_open": known }))
}

/// The direct conversation with a person, made when it is not there yet.
pub(super) fn open_direct(asked: &mut Asked<'_>, user: &UserId) -> Result<ChannelId, ApiError> {
    let person = asked.state.users.get(user).ok_or_else(|| ApiError::new("user_not_found"))?;
    if person.deleted {
        return Err(ApiError::new("user_disabled"));
    }
    match person.kind {
        UserKind::Bot => return Err(ApiError::new("cannot_dm_bot")),
        UserKind::Stranger => return Err(ApiError::new("user_not_visible")),
        UserKind::Member | UserKind::Guest | UserKind::SingleChannelGuest => {}
    }
    if let Some(channel) = asked.state.direct(user) {
        return Ok(channel.id.clone());
    }
    let number = asked.state.next_id();
    let id: ChannelId = format!("D0NEW{number:06}").parse().map_err(|_| ApiError::new("internal_error"))?;
    let channel = direct_channel(asked.state, id.clone(), user, asked.now);
    asked.state.channels.insert(id.clone(), channel);
    Ok(id)
}

fn direct_channel(state: &State, id: ChannelId, user: &UserId, now: jiff::Timestamp) -> Channel {
    Channel {
        id,
        name: String::new(),
        kind: ChannelKind::Direct(user.clone()),
        shared_with: Vec::new(),
        archived: false,
        members: [user.clone(), state.app.bot_user.clone()].into(),
        messages: Vec::new(),
        statuses: std::collections::BTreeMap::new(),
        created: now,
    }
}

/// `oldest`, `latest`, `inclusive`.
struct Window {
    oldest: Option<Ts>,
    latest: Option<Ts>,
    inclusive: bool,
}

impl Window {
    fn read(asked: &Asked<'_>) -> Result<Self, ApiError> {
        let bound = |name: &str, wrong: &str| -> Result<Option<Ts>, ApiError> {
            let Some(text) = asked.args.text(name)? else { return Ok(None) };
            text.parse().map(Some).map_err(|_| ApiError::new(wrong))
        };
        let oldest = bound("oldest", "invalid_ts_oldest")?;
        let latest = bound("latest", "invalid_ts_latest")?;
        Ok(Self { oldest, latest, inclusive: asked.args.flag("inclusive") })
    }

    fn holds(&self, ts: &Ts) -> bool {
        let edge = self.inclusive;
        self.oldest.as_ref().is_none_or(|oldest| ts > oldest || (edge && ts == oldest))
            && self.latest.as_ref().is_none_or(|latest| ts < latest || (edge && ts == latest))
    }
}

fn shown(asked: &Asked<'_>, channel: &Channel, message: &Message) -> Value {
    let metadata = if asked.args.flag("include_all_metadata") { Metadata::Full } else { Metadata::TypeOnly };
    objects::message(asked.state, channel, message, metadata)
}

fn listed(name: &str, items: Vec<Value>, next: &str) -> Value {
    let mut body = json!({ "has_more": !next.is_empty(), "response_metadata": { "next_cursor": next } });
    if let Value::Object(fields) = &mut body {
        fields.insert(name.to_owned(), Value::Array(items));
    }
    body
}
