//! The fields of a form, whatever they are called, and the files that came with it.

use axum::{
    body::to_bytes,
    extract::{FromRequest as _, Multipart, Request},
    http::header,
};

use super::select::Query;
use crate::{
    domain::ids::{ChannelId, InvalidId, Ts, UserId},
    twin::slack::NewFile,
};

/// Most bytes of a form with files; Slack takes more, the page need not.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// Names and values in order.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pairs: Vec<(String, String)>,
    /// Files that were chosen.
    pub(super) files: Vec<NewFile>,
}

impl Fields {
    /// Reads a form of either kind; one that cannot be read is empty.
    pub(super) async fn read(request: Request) -> Self {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if kind.is_some_and(|kind| kind.starts_with("multipart/form-data")) {
            return Self::many_parts(request).await.unwrap_or_default();
        }
        let body = to_bytes(request.into_body(), MAX_BYTES).await.unwrap_or_default();
        let pairs = url::form_urlencoded::parse(&body).into_owned().collect();
        Self { pairs, files: Vec::new() }
    }

    async fn many_parts(request: Request) -> Option<Self> {
        let mut fields = Self::default();
        let mut parts = Multipart::from_request(request, &()).await.ok()?;
        while let Some(part) = parts.next_field().await.ok()? {
            let name = part.name().unwrap_or_default().to_owned();
            let (file, kind) = (part.file_name().map(str::to_owned), part.content_type().map(str::to_owned));
            let Some(file) = file else {
                fields.pairs.push((name, part.text().await.ok()?));
                continue;
            };
            let bytes = part.bytes().await.ok()?.to_vec();
            let mimetype = kind.unwrap_or_else(|| "application/octet-stream".to_owned());
            // A field for files in which none was chosen has an empty one.
            if !file.is_empty() {
                fields.files.push(NewFile { name: file, mimetype, bytes });
            }
        }
        Some(fields)
    }

    /// A field's value, empty when missing.
    pub(super) fn get(&self, name: &str) -> &str {
        self.pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// Every value of a field that was filled in.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        let filled = |(key, value): &&(String, String)| key == name && !value.is_empty();
        self.pairs.iter().filter(filled).map(|(_, value)| value.as_str()).collect()
    }

    /// The selection of the page.
    pub(super) fn page(&self) -> Query {
        Query::of(&self.pairs)
    }

    /// Who acts.
    pub(super) fn user(&self) -> Result<UserId, InvalidId> {
        self.get("as").parse()
    }

    /// In which conversation.
    pub(super) fn channel(&self) -> Result<ChannelId, InvalidId> {
        self.get("in").parse()
    }

    /// On which message.
    pub(super) fn ts(&self) -> Result<Ts, InvalidId> {
        self.get("ts").parse()
    }
}
