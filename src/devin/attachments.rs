//! Files of a session: those that a list or Devin's words name, and their content.
//!
//! Devin names a file within its words, as `ATTACHMENT:{"url": …}`. Words can be made up, so the address in them is
//! never asked as it is: what it says of the file is put into the documented address, and the key goes nowhere else.
//! Where that leads to is an address that opens the file for everybody who has it, so it is followed without the key
//! and shown to nobody.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{
    client::{CALL_TIMEOUT, Devin},
    error::DevinError,
    wire::{MessageSource, fitting},
};
use crate::{
    domain::ids::SessionId,
    outbound::{Call, DownloadError, DownloadRequest, Incoming, Redirects},
};

/// Time for fetching one file, its content included.
const FETCH_TIMEOUT: Duration = Duration::from_mins(2);
/// How the words name a file.
const MARK: &str = "ATTACHMENT:";
/// Longest name of a file, in characters.
const MAX_NAME_CHARS: usize = 120;

/// A file of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRef {
    uuid: String,
    /// Its name.
    pub name: String,
}

impl FileRef {
    /// Reads an address of Devin's; `None` for any other. `base` is where Devin is reached.
    fn at(address: &str, base: &Url) -> Option<Self> {
        let url: Url = address.parse().ok()?;
        let host = url.host_str()?;
        let devins = url.host() == base.host() || host == "devin.ai" || host.ends_with(".devin.ai");
        let mut path = url.path_segments()?.rev();
        let (name, uuid, folder) = (path.next()?, path.next()?, path.next()?);
        let decoded = percent_decode_str(name).decode_utf8().ok()?.into_owned();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let good = devins && folder == "attachments" && !uuid.is_empty() && uuid.chars().all(plain);
        (good && !matches!(decoded.as_str(), "" | "." | "..")).then(|| Self { uuid: uuid.to_owned(), name: decoded })
    }

    /// Tells it from all others.
    pub fn key(&self) -> &str {
        &self.uuid
    }

    /// Its name as it can be shown, and given to a file elsewhere.
    pub fn shown(&self) -> String {
        let odd = |c: char| {
            c.is_control() || matches!(c, '/' | '\\' | '`' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        let name: String = self.name.chars().map(|c| if odd(c) { '_' } else { c }).take(MAX_NAME_CHARS).collect();
        if name.trim().is_empty() { "file".to_owned() } else { name }
    }
}

/// A row of a session's list of files.
#[derive(Debug, Clone, Deserialize)]
struct Row {
    #[serde(default, deserialize_with = "fitting")]
    url: String,
    #[serde(default, deserialize_with = "fitting")]
    source: Option<MessageSource>,
}

/// Devin's words without the marks in them, and what those name: `None` for a file that cannot be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The words.
    pub text: String,
    /// The files, in order.
    pub files: Vec<Option<FileRef>>,
}

impl Devin {
    /// Takes the marks of files out of Devin's words. What stands in a fenced block is code, not a mark.
    pub fn words(&self, message: &str) -> Words {
        let mut words = Words { text: String::with_capacity(message.len()), files: Vec::new() };
        let mut fenced = false;
        for line in message.split_inclusive('\n') {
            let fence = line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
            fenced ^= fence;
            if fenced || fence || !line.contains(MARK) {
                words.text.push_str(line);
            } else {
                self.line(line, &mut words);
            }
        }
        words
    }

    fn line(&self, line: &str, words: &mut Words) {
        let mut rest = line;
        let mut kept = String::new();
        while let Some((before, after)) = rest.split_once(MARK) {
            let Some((address, length)) = address(after) else {
                kept.push_str(before);
                kept.push_str(MARK);
                rest = after;
                continue;
            };
            kept.push_str(before);
            words.files.push(address.and_then(|address| FileRef::at(&address, self.base())));
            rest = after.get(length..).unwrap_or_default();
        }
        kept.push_str(rest);
        // A line that was a mark and nothing else leaves no empty line behind.
        if !kept.trim().is_empty() || line.trim().is_empty() {
            words.text.push_str(&kept);
        }
    }

    /// Lists the files that Devin made in a session.
    ///
    /// <https://docs.devin.ai/api-reference/v3/sessions/get-organizations-session-attachments>
    ///
    /// # Errors
    ///
    /// [`DevinError`].
    pub async fn files(&self, id: &SessionId) -> Result<Vec<FileRef>, DevinError> {
        let url = self.org_url(&["sessions", &id.prefixed(), "attachments"]);
        let answer: Value = self.call("attachments.list", CALL_TIMEOUT, self.request(Method::GET, url)).await?;
        // A bare list, or one in an object: the documents show both.
        let rows = answer.as_array().or_else(|| answer.get("items").and_then(Value::as_array));
        let rows = rows.ok_or_else(|| DevinError::Unsure { why: "the answer has no list of files".to_owned() })?;
        let rows = rows.iter().filter_map(|row| Row::deserialize(row).ok());
        let devins = rows.filter(|row| row.source == Some(MessageSource::Devin));
        Ok(devins.filter_map(|row| FileRef::at(&row.url, self.base())).collect())
    }

    /// Opens a file, whose content is then read or handed on.
    ///
    /// <https://docs.devin.ai/api-reference/v3/attachments/get-organizations-attachments>
    ///
    /// # Errors
    ///
    /// [`DownloadError`]; fetching again is always safe.
    pub async fn open_file(&self, file: &FileRef, max_bytes: usize) -> Result<Incoming, DownloadError> {
        let request = DownloadRequest {
            call: Call { service: "devin", method: "attachments.download".into(), timeout: FETCH_TIMEOUT },
            url: self.org_url(&["attachments", &file.uuid, &file.name]),
            bearer: Some(self.key()),
            hosts: self.hosts(),
            redirects: Redirects::Presigned,
            max_bytes,
            // Anything can be a file of Devin's, a page of HTML as well.
            expected_type: Some("text/html"),
        };
        self.outbound().open_file(request).await
    }
}

/// What a mark names and how many bytes it takes; `None` where it is no mark. What begins as one and cannot be read is
/// taken away all the same: it may hold an address that opens the file for everybody.
fn address(after: &str) -> Option<(Option<String>, usize)> {
    if !after.starts_with(['{', '"']) {
        return None;
    }
    let line = after.split('\n').next().unwrap_or_default();
    let mut values = serde_json::Deserializer::from_str(line).into_iter::<Value>();
    match values.next() {
        Some(Ok(Value::String(address))) => Some((Some(address), values.byte_offset())),
        Some(Ok(value)) => Some((value.get("url").and_then(Value::as_str).map(str::to_owned), values.byte_offset())),
        Some(Err(_)) | None => {
            let end = line.rfind(['}', '"']).filter(|end| *end > 0).map(|end| end + 1);
            Some((None, end.or_else(|| line.find(char::is_whitespace)).unwrap_or(line.len())))
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;
    use crate::outbound::{Outbound, OutboundOptions};

    fn devin() -> Devin {
        let outbound = Outbound::new(OutboundOptions::default()).unwrap();
        let base = "https://devin.example/api".parse().unwrap();
        Devin::new(outbound, base, SecretString::from("cog_invented"), "org-10om".parse().unwrap())
    }

    fn names(words: &Words) -> Vec<Option<&str>> {
        words.files.iter().map(|file| file.as_ref().map(|file| file.name.as_str())).collect()
    }

    #[test]
    fn marks_are_taken_out_of_the_words() {
        let words = devin().words(concat!(
            "Here is the report.\n",
            r#"ATTACHMENT:{"url": "https://api.devin.ai/attachments/4c1e/log%20one.txt", "name": "x"}"#,
            "\nAnd ",
            r#"ATTACHMENT:"https://app.devin.ai/attachments/9d/a.png""#,
            " too.\n",
        ));
        assert_eq!(words.text, "Here is the report.\nAnd  too.\n");
        assert_eq!(names(&words), [Some("log one.txt"), Some("a.png")]);
    }

    #[test]
    fn code_and_other_words_are_no_marks() {
        let text = "```\nATTACHMENT:{\"url\": \"https://api.devin.ai/attachments/4c1e/a\"}\n```\nATTACHMENT: none";
        assert_eq!(devin().words(text), Words { text: text.to_owned(), files: Vec::new() });
    }

    #[test]
    fn an_address_that_is_not_a_file_of_devins_is_not_asked_and_not_shown() {
        for address in [
            "https://evil.example/attachments/4c1e/a.txt",
            "https://evildevin.ai/attachments/4c1e/a.txt",
            "https://devin.example/v3/organizations/org-10om/secrets",
            "https://devin.example/attachments/../secrets/a",
            "https://devin.example/attachments/4c1e/..",
            "https://bucket.s3.example/key?X-Amz-Signature=1",
            "nonsense",
        ] {
            let words = devin().words(&format!("ATTACHMENT:{{\"url\": \"{address}\"}}"));
            assert_eq!((words.text.as_str(), words.files.as_slice()), ("", [None].as_slice()), "{address}");
        }
        let broken = devin().words("see ATTACHMENT:{\"url\": https://s3.example/k?sig=1} here");
        assert_eq!((broken.text.as_str(), broken.files.len()), ("see  here", 1));
    }

    #[test]
    fn a_name_is_shown_without_what_could_lead_elsewhere() {
        let file = |name: &str| FileRef { uuid: "4c1e".to_owned(), name: name.to_owned() };
        assert_eq!(file("../../etc/passwd").shown(), ".._.._etc_passwd");
        assert_eq!(file("a`b\u{202e}gnp.exe\n").shown(), "a_b_gnp.exe_");
        assert_eq!(file(&"é".repeat(500)).shown().chars().count(), MAX_NAME_CHARS);
    }
}
