//! `assistant.threads.*`: the status line, the title of a thread, and what people are invited to ask.

use serde_json::{Value, json};

use super::{
    api::{ApiError, Asked, Reply},
    surfaces::Prompts,
};
use crate::domain::ids::{ChannelId, Ts};

/// Most lines of `loading_messages`.
const MAX_LOADING_MESSAGES: usize = 10;
/// Most characters of one of them.
const MAX_LOADING_CHARS: usize = 50;
/// Most suggested prompts.
const MAX_PROMPTS: usize = 4;

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

pub(super) fn set_title(asked: &mut Asked<'_>) -> Reply {
    let channel = direct(asked)?;
    let invalid = || ApiError::new("invalid_thread_ts");
    let root: Ts = asked.args.required("thread_ts")?.parse().map_err(|_| invalid())?;
    let title = asked.args.required("title")?;
    asked.state.message(&channel, &root).ok_or_else(invalid)?;
    asked.state.titles.insert((channel, root), title);
    Ok(json!({}))
}

pub(super) fn set_suggested_prompts(asked: &mut Asked<'_>) -> Reply {
    let channel = direct(asked)?;
    let title = asked.args.text("title")?;
    let given = asked.args.json("prompts", "invalid_arguments")?.unwrap_or_default();
    let text = |prompt: &Value, name: &str| {
        prompt.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let read = |prompt: &Value| Some((text(prompt, "title")?, text(prompt, "message")?));
    let prompts: Option<Vec<_>> = given.as_array().and_then(|given| given.iter().map(read).collect());
    let fits = |prompts: &Vec<(String, String)>| (1..=MAX_PROMPTS).contains(&prompts.len());
    let prompts = prompts
        .filter(fits)
        .ok_or_else(|| ApiError::arguments("[ERROR] 1 to 4 items with title and message [json-pointer:/prompts]"))?;
    // In an agent's view prompts belong to the whole conversation: with a thread nothing shows, and no error tells.
    if asked.args.text("thread_ts")?.is_none() {
        asked.state.prompts.insert(channel, Prompts { title, prompts });
    }
    Ok(json!({}))
}

/// The direct conversation of a call, where the app is an agent.
fn direct(asked: &Asked<'_>) -> Result<ChannelId, ApiError> {
    if !asked.state.features.agent_view {
        return Err(ApiError::new("not_agent_app"));
    }
    let channel = asked.joined("channel_id")?.id.clone();
    if channel.is_direct() { Ok(channel) } else { Err(ApiError::new("channel_not_found")) }
}
