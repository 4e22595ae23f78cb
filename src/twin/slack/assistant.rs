//! `assistant.threads.setStatus` and `views.*`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    api::{ApiError, Asked, Reply},
    blocks,
    state::{State, View},
};
use crate::{
    domain::ids::{Ts, UserId},
    twin::ids::slack_id,
};

/// Most bytes of a view.
const MAX_VIEW_BYTES: usize = 250 * 1024;
/// Most lines of `loading_messages`.
const MAX_LOADING_MESSAGES: usize = 10;
/// Most characters of one of them.
const MAX_LOADING_CHARS: usize = 50;

pub(super) fn set_status(asked: &mut Asked<'_>) -> Reply {
    let channel = asked.joined("channel_id")?.id.clone();
    let invalid = || ApiError::new("invalid_thread_ts");
    let root: Ts = asked.args.required("thread_ts")?.parse().map_err(|_| invalid())?;
    let status = asked.args.text("status")?.unwrap_or_default();
    if let Some(lines) = asked.args.json("loading_messages", "invalid_arguments")? {
        let fits =
            |line: &Value| line.as_str().is_some_and(|line| (1..=MAX_LOADING_CHARS).contains(&line.chars().count()));
        if !lines
            .as_array()
            .is_some_and(|lines| (1..=MAX_LOADING_MESSAGES).contains(&lines.len()) && lines.iter().all(fits))
        {
            return Err(ApiError::arguments(
                "[ERROR] 1 to 10 items of 1 to 50 characters [json-pointer:/loading_messages]",
            ));
        }
    }
    asked.state.message(&channel, &root).ok_or_else(invalid)?;
    let place = asked.state.channels.get_mut(&channel).ok_or_else(invalid)?;
    if status.is_empty() {
        place.statuses.remove(&root);
    } else {
        place.statuses.insert(root, status);
    }
    Ok(json!({}))
}

pub(super) fn open_view(asked: &mut Asked<'_>) -> Reply {
    let view = view(asked)?;
    let id = asked.args.text("trigger_id")?.or(asked.args.text("interactivity_pointer")?);
    let id = id.ok_or_else(|| ApiError::new("invalid_trigger_id"))?;
    let user = use_trigger(asked.state, &id, asked.now)?;
    Ok(show(asked, user, view))
}

pub(super) fn publish_view(asked: &mut Asked<'_>) -> Reply {
    let view = view(asked)?;
    let user: UserId = asked.args.required("user_id")?.parse().map_err(|_| ApiError::new("user_not_found"))?;
    if !asked.state.users.contains_key(&user) {
        return Err(ApiError::new("user_not_found"));
    }
    let home = |view: &Value| view.get("type").and_then(Value::as_str) == Some("home");
    asked.state.views.retain(|old| !(old.user == user && home(&old.view)));
    Ok(show(asked, user, view))
}

fn view(asked: &Asked<'_>) -> Reply {
    let view = asked.args.json("view", "invalid_arguments")?;
    let view = view.ok_or_else(|| ApiError::arguments("[ERROR] missing required field: view"))?;
    if view.to_string().len() > MAX_VIEW_BYTES {
        return Err(ApiError::new("view_too_large"));
    }
    let errors = blocks::check_view(&view);
    if errors.is_empty() {
        return Ok(view);
    }
    let messages: Vec<String> = errors.iter().map(|error| format!("[ERROR] {error}")).collect();
    Err(ApiError::new("invalid_arguments").with("response_metadata", json!({ "messages": messages })))
}

/// A trigger works once, for three seconds.
fn use_trigger(state: &mut State, id: &str, now: Timestamp) -> Result<UserId, ApiError> {
    match state.triggers.remove(id) {
        Some(trigger) if trigger.expires >= now => Ok(trigger.user),
        Some(_) => Err(ApiError::new("expired_trigger_id")),
        None if id.contains('.') => Err(ApiError::new("exchanged_trigger_id")),
        None => Err(ApiError::new("invalid_trigger_id")),
    }
}

fn show(asked: &mut Asked<'_>, user: UserId, view: Value) -> Value {
    let id = slack_id("V0", asked.now);
    let mut object = view.clone();
    if let Value::Object(fields) = &mut object {
        let hash = format!("{}.{}", asked.now.as_second(), id);
        for (name, value) in [
            ("id", json!(id)),
            ("team_id", json!(asked.state.team.id)),
            ("app_id", json!(asked.state.app.id)),
            ("bot_id", json!(asked.state.app.bot_id)),
            ("app_installed_team_id", json!(asked.state.team.id)),
            ("hash", json!(hash)),
            ("root_view_id", json!(id)),
            ("previous_view_id", Value::Null),
            ("state", json!({ "values": {} })),
        ] {
            fields.insert(name.to_owned(), value);
        }
    }
    asked.state.views.push(View { id, user, view });
    json!({ "view": object })
}
