//! `agents.sessions.*`: what Slack shows of an agent's work in a thread. <https://docs.slack.dev/ai/agent-sessions>

use serde_json::{Value, json};

use super::{
    api::{ApiError, Asked, Reply},
    surfaces::{AgentSession, AgentStatus},
};
use crate::domain::ids::{ChannelId, Ts, UserId};

/// Most characters of a title, and of the name that a call puts on its session.
const MAX_TITLE_CHARS: usize = 200;
/// Arguments that change the app's face, which needs a scope of its own.
const FACE: &[&str] = &["icon_emoji", "icon_url", "username"];

pub(super) fn set_status(asked: &mut Asked<'_>) -> Reply {
    let (channel, thread) = place(asked)?;
    let status = asked.args.text("status")?.unwrap_or_default();
    let status = AgentStatus::named(&status).ok_or_else(|| ApiError::new("invalid_status"))?;
    for name in FACE {
        if asked.args.text(name)?.is_some() {
            asked.need("chat:write.customize")?;
        }
    }
    let title = title(asked)?;
    let initiator = asked.args.text("initiator_user_id")?.map(|user| member(asked, &channel, &user)).transpose()?;
    let now = asked.now;
    let created = AgentSession { status, title, initiator, said: now };
    let session = asked.state.agent_sessions.entry((channel, thread)).or_insert(created);
    (session.status, session.said) = (status, now);
    Ok(shown(session))
}

pub(super) fn rename(asked: &mut Asked<'_>) -> Reply {
    let place = place(asked)?;
    let title = title(asked)?.ok_or_else(|| ApiError::new("invalid_name"))?;
    let found = asked.state.agent_sessions.get_mut(&place);
    let session = found.ok_or_else(|| ApiError::new("session_not_found"))?;
    session.title = Some(title);
    Ok(shown(session))
}

/// The thread of a call, where the app and the workspace have agent sessions.
fn place(asked: &Asked<'_>) -> Result<(ChannelId, Ts), ApiError> {
    if let Some(code) = &asked.state.features.agents_refused {
        return Err(ApiError::new(code));
    }
    if !asked.state.features.agent_view {
        return Err(ApiError::new("not_authorized"));
    }
    let channel = asked.joined("channel_id")?;
    let thread = asked.args.text("thread_ts")?.ok_or_else(|| ApiError::new("thread_ts_required"))?;
    let missing = || ApiError::new("thread_not_found");
    let thread: Ts = thread.parse().map_err(|_| missing())?;
    let root = channel.messages.iter().find(|message| message.ts == thread).ok_or_else(missing)?;
    let is_root = root.thread_ts.as_ref().is_none_or(|of| *of == thread);
    let alive = !root.deleted || channel.replies(&thread).next().is_some();
    if is_root && alive { Ok((channel.id.clone(), thread)) } else { Err(missing()) }
}

fn title(asked: &Asked<'_>) -> Result<Option<String>, ApiError> {
    let title = asked.args.text("title")?;
    if title.as_ref().is_some_and(|title| title.chars().count() > MAX_TITLE_CHARS) {
        return Err(ApiError::new("invalid_name"));
    }
    Ok(title)
}

fn member(asked: &Asked<'_>, channel: &ChannelId, user: &str) -> Result<UserId, ApiError> {
    let missing = || ApiError::new("user_not_found");
    let user: UserId = user.parse().map_err(|_| missing())?;
    let inside = asked.state.channels.get(channel).is_some_and(|channel| channel.members.contains(&user));
    if inside { Ok(user) } else { Err(missing()) }
}

fn shown(session: &AgentSession) -> Value {
    let status = session.status.as_str();
    json!({ "status": status, "agent_status": status, "title": session.title })
}
