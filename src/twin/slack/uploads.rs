//! Files that the app sends: an address for each, the content, and sharing it.
//!
//! Stricter than the documents where they are silent: the content must have the announced length, an address takes one
//! file, and a file is shared once.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, State as Shared},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    api::{ApiError, Asked, Reply},
    blocks, chat, objects,
    server::SlackTwin,
    state::{File, Message},
};
use crate::{
    domain::ids::{ChannelId, Ts},
    twin::ids::{slack_id, unique},
};

/// Longest file that is taken.
pub(super) const MAX_FILE_BYTES: usize = 64 << 20;

/// A file that was announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The file it becomes (`F…`).
    pub id: String,
    /// File name.
    pub name: String,
    /// Length in bytes, as announced.
    pub length: usize,
    /// Its content, once it was sent.
    pub bytes: Option<Vec<u8>>,
}

/// `files.getUploadURLExternal`.
pub(super) fn address(asked: &mut Asked<'_>) -> Reply {
    let name = asked.args.required("filename")?;
    let length: usize =
        asked.args.required("length")?.parse().map_err(|_| ApiError::arguments("[ERROR] length must be a number"))?;
    if length == 0 || length > MAX_FILE_BYTES {
        return Err(ApiError::new("invalid_arguments"));
    }
    let token = unique(asked.now).simple().to_string();
    let id = slack_id("F0", asked.now);
    let url = format!("{}/upload/v1/{token}", asked.state.base_url);
    asked.state.uploads.insert(token, Upload { id: id.clone(), name, length, bytes: None });
    Ok(json!({ "upload_url": url, "file_id": id }))
}

/// `POST /upload/v1/<token>`.
pub(super) async fn receive(Shared(twin): Shared<Arc<SlackTwin>>, Path(token): Path<String>, body: Bytes) -> Response {
    let outcome = twin.change(|state| {
        let upload = state.uploads.get_mut(&token).filter(|upload| upload.bytes.is_none()).ok_or(404_u16)?;
        if upload.length != body.len() {
            return Err(400);
        }
        upload.bytes = Some(body.to_vec());
        Ok(())
    });
    let args = json!({ "bytes": body.len() }).to_string();
    twin.enter("upload", outcome.map_err(|status| status.to_string()), args);
    match outcome {
        Ok(()) => format!("OK - {}", body.len()).into_response(),
        Err(status) => StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST).into_response(),
    }
}

/// `files.completeUploadExternal`.
pub(super) fn complete(asked: &mut Asked<'_>) -> Reply {
    let files = asked.args.json("files", "invalid_arguments")?;
    let files = files.as_ref().and_then(Value::as_array).filter(|files| !files.is_empty());
    let files = files.ok_or_else(|| ApiError::arguments("[ERROR] missing required field: files"))?.clone();
    let blocks = shown_blocks(asked)?;
    let place = match asked.args.text("channel_id")? {
        Some(_) => {
            let channel = asked.joined("channel_id")?;
            if channel.archived {
                return Err(ApiError::new("is_archived"));
            }
            Some(channel.id.clone())
        }
        None => None,
    };
    let root = match &place {
        Some(channel) => chat::thread(asked, channel)?,
        None => None,
    };
    let mut ids = Vec::new();
    for file in &files {
        ids.push(stored(asked, file)?);
    }
    let shown: Vec<Value> =
        ids.iter().filter_map(|id| asked.state.files.get(id)).map(|file| objects::file(asked.state, file)).collect();
    if let Some(channel) = place {
        let text = asked.args.text("initial_comment")?.unwrap_or_default();
        show(asked, &channel, root, text, blocks, ids);
    }
    Ok(json!({ "files": shown }))
}

/// The blocks above the files; a comment wins over them.
fn shown_blocks(asked: &Asked<'_>) -> Result<Vec<Value>, ApiError> {
    let given = asked.args.json("blocks", "invalid_blocks_format")?;
    let blocks = given.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
    if !blocks::check(&blocks, blocks::Surface::Message).is_empty() {
        return Err(ApiError::new("invalid_blocks"));
    }
    if blocks.iter().any(|block| block.get("type") == Some(&json!("markdown"))) {
        // The real one breaks down over it.
        return Err(ApiError::new("internal_error"));
    }
    if asked.args.text("initial_comment")?.is_some() { Ok(Vec::new()) } else { Ok(blocks::with_ids(blocks)) }
}

/// Makes a file of what was sent.
fn stored(asked: &mut Asked<'_>, given: &Value) -> Result<String, ApiError> {
    let id = given.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let sent = asked.state.uploads.iter().find(|(_, upload)| upload.id == id && upload.bytes.is_some());
    let token = sent.map(|(token, _)| token.clone()).ok_or_else(|| ApiError::new("file_not_found"))?;
    let upload = asked.state.uploads.remove(&token).ok_or_else(|| ApiError::new("file_not_found"))?;
    let ending = upload.name.rsplit_once('.').map(|(_, ending)| ending);
    let mimetype = if ending == Some("md") { "text/markdown" } else { "application/octet-stream" };
    let file = File {
        id: id.clone(),
        name: upload.name,
        mimetype: mimetype.to_owned(),
        snippet: false,
        bytes: upload.bytes.unwrap_or_default(),
        user: asked.state.app.bot_user.clone(),
        created: asked.now,
    };
    asked.state.files.insert(id.clone(), file);
    Ok(id)
}

fn show(
    asked: &mut Asked<'_>,
    channel: &ChannelId,
    root: Option<Ts>,
    text: String,
    blocks: Vec<Value>,
    files: Vec<String>,
) {
    let app = asked.state.app.clone();
    let message = Message {
        ts: asked.state.next_ts(asked.now),
        thread_ts: root,
        user: app.bot_user,
        bot_id: Some(app.bot_id),
        app_id: Some(app.id),
        text,
        blocks,
        metadata: None,
        edited: None,
        reactions: Vec::new(),
        files,
        subtype: Some("file_share".to_owned()),
        client_msg_id: None,
        deleted: false,
    };
    let ts = message.ts.clone();
    chat::store(asked.state, channel, message);
    asked.state.message_event(asked.now, channel, &ts);
}
