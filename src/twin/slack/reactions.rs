//! `reactions.*`.

use serde_json::json;

use super::{
    api::{ApiError, Asked, Reply},
    objects::{self, Metadata},
    state::{Reaction, State},
};
use crate::domain::ids::{ChannelId, Ts, UserId};

/// Most different emoji under one message; Slack names the error, not the number.
const MAX_EMOJI_PER_MESSAGE: usize = 50;

pub(super) fn add(asked: &mut Asked<'_>) -> Reply {
    let (channel, ts, name) = target(asked)?;
    let bot = asked.state.app.bot_user.clone();
    react(asked.state, (&channel, &ts), &bot, &name)?;
    asked.state.reaction_event(asked.now, "reaction_added", (&channel, &ts), (&bot, &name));
    Ok(json!({}))
}

pub(super) fn remove(asked: &mut Asked<'_>) -> Reply {
    let (channel, ts, name) = target(asked)?;
    let bot = asked.state.app.bot_user.clone();
    unreact(asked.state, (&channel, &ts), &bot, &name)?;
    asked.state.reaction_event(asked.now, "reaction_removed", (&channel, &ts), (&bot, &name));
    Ok(json!({}))
}

pub(super) fn get(asked: &mut Asked<'_>) -> Reply {
    let channel = asked.joined("channel")?;
    let ts = timestamp(asked)?;
    let found = asked.state.message(&channel.id, &ts).ok_or_else(|| ApiError::new("message_not_found"))?;
    let message = objects::message(asked.state, channel, found, Metadata::TypeOnly);
    Ok(json!({ "type": "message", "channel": channel.id, "message": message }))
}

/// Puts somebody's reaction under a message.
pub(super) fn react(
    state: &mut State,
    (channel, ts): (&ChannelId, &Ts),
    user: &UserId,
    name: &str,
) -> Result<(), ApiError> {
    let message = state.message_mut(channel, ts).ok_or_else(|| ApiError::new("message_not_found"))?;
    if let Some(reaction) = message.reactions.iter_mut().find(|reaction| reaction.name == name) {
        if reaction.users.contains(user) {
            return Err(ApiError::new("already_reacted"));
        }
        reaction.users.push(user.clone());
        return Ok(());
    }
    if message.reactions.len() >= MAX_EMOJI_PER_MESSAGE {
        return Err(ApiError::new("too_many_emoji"));
    }
    message.reactions.push(Reaction { name: name.to_owned(), users: vec![user.clone()] });
    Ok(())
}

/// Takes somebody's reaction away.
pub(super) fn unreact(
    state: &mut State,
    (channel, ts): (&ChannelId, &Ts),
    user: &UserId,
    name: &str,
) -> Result<(), ApiError> {
    let message = state.message_mut(channel, ts).ok_or_else(|| ApiError::new("message_not_found"))?;
    let found = message.reactions.iter_mut().find(|reaction| reaction.name == name && reaction.users.contains(user));
    let reaction = found.ok_or_else(|| ApiError::new("no_reaction"))?;
    reaction.users.retain(|other| other != user);
    message.reactions.retain(|reaction| !reaction.users.is_empty());
    Ok(())
}

fn target(asked: &Asked<'_>) -> Result<(ChannelId, Ts, String), ApiError> {
    let name = asked.args.text("name")?.ok_or_else(|| ApiError::new("invalid_name"))?;
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-' | b'+' | b'\'');
    // `::` joins a skin tone; single colons around the name are the caller's mistake.
    if !name.replacen("::", "", 1).bytes().all(plain) {
        return Err(ApiError::new("invalid_name"));
    }
    let channel = asked.joined("channel")?;
    if channel.archived {
        return Err(ApiError::new("is_archived"));
    }
    Ok((channel.id.clone(), timestamp(asked)?, name))
}

fn timestamp(asked: &Asked<'_>) -> Result<Ts, ApiError> {
    let text = asked.args.text("timestamp")?.ok_or_else(|| ApiError::new("no_item_specified"))?;
    text.parse().map_err(|_| ApiError::new("bad_timestamp"))
}
