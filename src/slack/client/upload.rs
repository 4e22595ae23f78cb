//! Files into a thread: ask for an address, send the content there, share the file.
//!
//! Until it is shared nobody sees a file, so that the first two may be done again; sharing is what must not happen
//! twice. The message that shows the file carries no metadata, but blocks, and the id of a block is free text that comes
//! back with the message: that is where the mark stands by which it is found again.
//! <https://docs.slack.dev/messaging/working-with-files#uploading_files>

use reqwest::Body as Content;
use serde_json::{Value, json};

use super::{
    error::SlackError,
    transport::{Body, Slack, part},
};
use crate::domain::ids::{ChannelId, Ts};

/// Where to send a file's content.
#[derive(Clone, PartialEq, Eq)]
pub struct UploadAddress {
    url: String,
    /// The file that it becomes.
    pub file: String,
}

impl std::fmt::Debug for UploadAddress {
    /// Whoever has the address can send a file.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UploadAddress").field("file", &self.file).finish_non_exhaustive()
    }
}

/// A file to show in a thread.
#[derive(Debug, Clone, PartialEq)]
pub struct Share<'a> {
    /// Which file.
    pub file: &'a str,
    /// What it is called there.
    pub title: &'a str,
    /// Channel.
    pub channel: &'a ChannelId,
    /// First message of the thread.
    pub thread: &'a Ts,
    /// Block Kit, shown above the file.
    pub blocks: Value,
}

impl Slack {
    /// Asks where to send a file of exactly so many bytes.
    ///
    /// <https://docs.slack.dev/reference/methods/files.getUploadURLExternal>
    ///
    /// # Errors
    ///
    /// [`SlackError`]; asking again is always safe.
    pub async fn upload_address(&self, name: &str, length: u64) -> Result<UploadAddress, SlackError> {
        let fields = vec![("filename", name.to_owned()), ("length", length.to_string())];
        let mut answer = self.call("files.getUploadURLExternal", Body::Form(fields)).await?;
        Ok(UploadAddress { url: part(&mut answer, "upload_url")?, file: part(&mut answer, "file_id")? })
    }

    /// Sends a file's content.
    ///
    /// # Errors
    ///
    /// [`SlackError`]; sending it again, to a new address, is always safe.
    pub async fn upload(&self, to: &UploadAddress, length: u64, content: Content) -> Result<(), SlackError> {
        self.put(&to.url, length, content).await
    }

    /// Shows an uploaded file in a thread.
    ///
    /// <https://docs.slack.dev/reference/methods/files.completeUploadExternal>
    ///
    /// # Errors
    ///
    /// [`SlackError`]; when the outcome is unknown, look for the id of the block in the thread.
    pub async fn share(&self, share: &Share<'_>) -> Result<(), SlackError> {
        let body = json!({
            "files": [{ "id": share.file, "title": share.title }], "channel_id": share.channel,
            "thread_ts": share.thread, "blocks": share.blocks,
        });
        let mut answer = self.call("files.completeUploadExternal", Body::Json(body)).await?;
        // The files that are shown now: an answer without them says nothing.
        part::<Vec<Value>>(&mut answer, "files").map(drop)
    }
}
