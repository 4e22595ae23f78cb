//! Files: upload, list, download.
//!
//! A download redirects to an address that needs no key, as the real one does; whoever forwards the key there, or posts
//! that address in a chat, does so here as well.

use std::sync::Arc;

use axum::{
    extract::{Multipart, Path, State as Shared},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    api::{Asked, Body, Given, Problem, Reply},
    objects,
    server::DevinTwin,
    sessions::{existing, missing},
    state::{Attachment, State},
};
use crate::twin::ids::unique;

/// An uploaded file.
#[derive(Debug, Clone)]
pub(super) struct Upload {
    pub(super) name: String,
    pub(super) content_type: Option<String>,
    pub(super) bytes: Vec<u8>,
}

impl Upload {
    /// Reads the part named `file`, which must have a file name.
    pub(super) async fn read(mut form: Multipart) -> Option<Self> {
        while let Ok(Some(field)) = form.next_field().await {
            if field.name() != Some("file") {
                continue;
            }
            let name = field.file_name()?.to_owned();
            let content_type = field.content_type().map(str::to_owned);
            let bytes = field.bytes().await.ok()?.to_vec();
            return Some(Self { name, content_type, bytes });
        }
        None
    }
}

pub(super) fn upload(asked: &mut Asked<'_>) -> Reply {
    let Body::File(file) = asked.body.clone() else { return Err(Problem::new(500, "no file")) };
    let uuid = unique(asked.now).to_string();
    let Upload { name, content_type, bytes } = file;
    let attachment = Attachment { uuid: uuid.clone(), name: name.clone(), content_type, bytes };
    let url = address(asked.state, &attachment);
    asked.state.attachments.insert(uuid.clone(), attachment);
    Ok(Given::Body(json!({ "attachment_id": uuid, "name": name, "url": url })))
}

pub(super) fn download(asked: &mut Asked<'_>) -> Reply {
    let file = asked.state.attachments.get(asked.param("uuid")).filter(|file| file.name == asked.param("name"));
    let file = file.ok_or_else(|| Problem::new(404, "Attachment not found"))?;
    Ok(Given::Redirect(format!("{}/presigned/{}/{}", asked.state.base_url, file.uuid, encoded(&file.name))))
}

pub(super) fn of_session(asked: &mut Asked<'_>) -> Reply {
    let id = existing(asked)?;
    let session = asked.state.session(&id).ok_or_else(missing)?;
    let files = session.files.iter().filter_map(|known| {
        let file = asked.state.attachments.get(&known.uuid)?;
        Some(json!({
            "attachment_id": file.uuid, "name": file.name, "url": address(asked.state, file),
            "source": objects::source(known.source), "content_type": file.content_type,
        }))
    });
    Ok(Given::Body(Value::Array(files.collect())))
}

/// `GET /presigned/…`: the file itself, for whoever has the address.
pub(super) async fn presigned(
    Shared(twin): Shared<Arc<DevinTwin>>,
    Path((uuid, _name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    // The address itself opens the file; the real one refuses a request that also carries a key.
    let outcome = match (headers.contains_key(header::AUTHORIZATION), twin.read(|s| s.attachments.contains_key(&uuid)))
    {
        (true, _) => Err("400".to_owned()),
        (false, false) => Err("404".to_owned()),
        (false, true) => Ok(()),
    };
    twin.enter("presigned", outcome, json!({ "uuid": uuid }).to_string());
    if headers.contains_key(header::AUTHORIZATION) {
        return StatusCode::BAD_REQUEST.into_response();
    }
    match twin.read(|state| state.attachments.get(&uuid).cloned()) {
        Some(file) => {
            let kind = file.content_type.unwrap_or_else(|| "application/octet-stream".to_owned());
            ([(header::CONTENT_TYPE, kind)], file.bytes).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The address of a file, which wants the key.
pub(super) fn address(state: &State, file: &Attachment) -> String {
    format!("{}/attachments/{}/{}", state.base_url, file.uuid, encoded(&file.name))
}

fn encoded(name: &str) -> String {
    percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string()
}
