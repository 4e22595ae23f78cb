//! Sessions and messages as JSON.

use serde_json::{Value, json};

use super::state::{Session, SessionMessage, Source, State};

/// How much of a session is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// By get and list.
    Read,
    /// By answers to writes, which keep `status_detail`, `structured_output` and the category to themselves.
    Written,
}

/// A `SessionResponse`.
pub(super) fn session(state: &State, session: &Session, view: View) -> Value {
    let read = view == View::Read;
    let requests: Vec<Value> =
        session.pull_requests.iter().map(|pr| json!({ "pr_url": pr.url, "pr_state": pr.state })).collect();
    let category = session.category.as_ref().filter(|_| read);
    json!({
        "session_id": session.id.bare(),
        "url": format!("https://app.devin.ai/sessions/{}", session.id.bare()),
        "org_id": state.org,
        "status": session.status,
        "status_detail": session.detail.as_ref().filter(|_| read),
        "title": session.title,
        "tags": session.tags,
        "created_at": session.created_at.as_second(),
        "updated_at": session.updated_at.as_second(),
        "acus_consumed": session.acus,
        "pull_requests": requests,
        "structured_output": session.structured_output.as_ref().filter(|_| read),
        "category": category,
        "subcategory": category.map(|_| "Other"),
        "origin": "api",
        "user_id": session.user_id,
        "service_user_id": session.service_user_id,
        "playbook_id": session.playbook_id,
        "parent_session_id": null,
        "child_session_ids": null,
        "automation_id": null,
        "devin_mode": session.devin_mode,
        "is_archived": session.archived,
    })
}

/// A message.
pub(super) fn message(message: &SessionMessage) -> Value {
    json!({
        "event_id": message.event_id, "source": source(message.source), "message": message.message,
        "created_at": message.created_at.as_second(),
    })
}

/// Who spoke, or brought a file.
pub(super) fn source(source: Source) -> &'static str {
    match source {
        Source::Devin => "devin",
        Source::User => "user",
    }
}
