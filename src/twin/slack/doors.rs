//! File downloads and `response_url`s: the two addresses of Slack that are not the Web API.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State as Shared},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    blocks, chat,
    server::SlackTwin,
    state::{Ephemeral, Message, State},
    surfaces::Hook,
};
use crate::domain::ids::Ts;

/// What the real one answers, with status 200, to a download without a good token.
const LOGIN_PAGE: &str =
    "<!DOCTYPE html><html><head><title>Slack</title></head><body>Sign in to your workspace</body></html>";

/// `GET /files/<id>/<name>`.
pub(super) async fn download(
    Shared(twin): Shared<Arc<SlackTwin>>,
    Path((id, _name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let found = twin.read(|state| {
        let known = state.tokens.get(token)?;
        let allowed = known.refused.is_none() && known.scopes.contains("files:read");
        allowed.then(|| state.files.get(&id).cloned())
    });
    let outcome = match &found {
        None => Err("login page".to_owned()),
        Some(None) => Err("404".to_owned()),
        Some(Some(_)) => Ok(()),
    };
    twin.enter("files", outcome, json!({ "id": id }).to_string());
    match found {
        None => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], LOGIN_PAGE).into_response(),
        Some(None) => (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "text/html")], "not found").into_response(),
        Some(Some(file)) => ([(header::CONTENT_TYPE, file.mimetype)], file.bytes).into_response(),
    }
}

/// `POST /hooks/<id>`.
pub(super) async fn respond(Shared(twin): Shared<Arc<SlackTwin>>, Path(id): Path<String>, body: Bytes) -> Response {
    let now = twin.now();
    let given: Option<Value> = serde_json::from_slice(&body).ok();
    let summary = given.as_ref().map_or_else(|| "{}".to_owned(), Value::to_string);
    let result = match given {
        Some(given) if given.is_object() => twin.change(|state| state.respond(now, &id, &given)),
        _ => Err((StatusCode::BAD_REQUEST, "invalid_payload")),
    };
    twin.enter("hooks", result.map_err(|(_, code)| code.to_owned()), summary);
    match result {
        Ok(()) => "ok".into_response(),
        Err((status, code)) => (status, Json(json!({ "ok": false, "error": code }))).into_response(),
    }
}

impl State {
    /// Uses a `response_url` once.
    fn respond(&mut self, now: Timestamp, id: &str, given: &Value) -> Result<(), (StatusCode, &'static str)> {
        let hook = self.hooks.get_mut(id).ok_or((StatusCode::NOT_FOUND, "expired_url"))?;
        if hook.expires < now {
            return Err((StatusCode::NOT_FOUND, "expired_url"));
        }
        if hook.uses_left == 0 {
            return Err((StatusCode::NOT_FOUND, "used_url"));
        }
        hook.uses_left -= 1;
        let hook = hook.clone();
        self.answer(now, &hook, given)
    }

    /// Does what the answer to a button, shortcut or command asks for.
    pub(super) fn answer(
        &mut self,
        now: Timestamp,
        hook: &Hook,
        given: &Value,
    ) -> Result<(), (StatusCode, &'static str)> {
        let flag = |name: &str| given.get(name).and_then(Value::as_bool) == Some(true);
        let text = given.get("text").and_then(Value::as_str).unwrap_or_default().to_owned();
        let blocks = given.get("blocks").and_then(Value::as_array).cloned().unwrap_or_default();
        if !blocks::check(&blocks, blocks::Surface::Message).is_empty() {
            return Err((StatusCode::BAD_REQUEST, "invalid_blocks"));
        }
        if flag("delete_original") || flag("replace_original") {
            let original = hook.message.clone().ok_or((StatusCode::BAD_REQUEST, "no_original"))?;
            if flag("delete_original") {
                self.take_back(now, hook, &original);
                return Ok(());
            }
            if text.is_empty() && blocks.is_empty() {
                return Err((StatusCode::BAD_REQUEST, "no_text"));
            }
            return self.rewrite(now, hook, &original, (text, blocks::with_ids(blocks)));
        }
        if text.is_empty() && blocks.is_empty() {
            return Err((StatusCode::BAD_REQUEST, "no_text"));
        }
        let (ts, blocks) = (self.next_ts(now), blocks::with_ids(blocks));
        let thread_ts = given.get("thread_ts").and_then(Value::as_str).and_then(|ts| ts.parse().ok());
        if given.get("response_type").and_then(Value::as_str) == Some("in_channel") {
            let message = Message {
                ts: ts.clone(),
                thread_ts,
                user: self.app.bot_user.clone(),
                bot_id: Some(self.app.bot_id.clone()),
                app_id: Some(self.app.id.clone()),
                text,
                blocks,
                metadata: None,
                edited: None,
                reactions: Vec::new(),
                files: Vec::new(),
                subtype: Some("bot_message".to_owned()),
                client_msg_id: None,
                deleted: false,
            };
            chat::store(self, &hook.channel, message);
            self.message_event(now, &hook.channel, &ts);
        } else {
            let (channel, user) = (hook.channel.clone(), hook.user.clone());
            self.ephemerals.push(Ephemeral { ts, channel, user, thread_ts, text, blocks });
        }
        Ok(())
    }

    fn take_back(&mut self, now: Timestamp, hook: &Hook, original: &Ts) {
        self.ephemerals.retain(|shown| &shown.ts != original);
        if self.message(&hook.channel, original).is_some() {
            chat::remove(self, &hook.channel, original);
            self.deleted_event(now, &hook.channel, original);
        }
    }

    /// Puts other words into the message that was pressed; who sees it stays the same.
    fn rewrite(
        &mut self,
        now: Timestamp,
        hook: &Hook,
        original: &Ts,
        (text, blocks): (String, Vec<Value>),
    ) -> Result<(), (StatusCode, &'static str)> {
        if let Some(shown) = self.ephemerals.iter_mut().find(|shown| &shown.ts == original) {
            (shown.text, shown.blocks) = (text, blocks);
            return Ok(());
        }
        let missing = (StatusCode::NOT_FOUND, "message_not_found");
        let before = self.seen(&hook.channel, original).ok_or(missing)?;
        let message = self.message_mut(&hook.channel, original).ok_or(missing)?;
        (message.text, message.blocks) = (text, blocks);
        self.changed_event(now, &hook.channel, original, &before);
        Ok(())
    }
}
