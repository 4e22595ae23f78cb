//! `bobbin replay`: signs recorded payloads as Slack would, and sends them to a running bot.

use std::path::Path;

use anyhow::Context as _;
use reqwest::header::CONTENT_TYPE;
use secrecy::SecretString;
use url::Url;

use crate::{
    clock::Clock,
    outbound::{Call, Outbound, OutboundOptions},
    slack::signature::{SIGNATURE_HEADER, TIMESTAMP_HEADER, sign},
};

/// How long an answer may take before it counts as none; Slack itself waits three seconds.
const ANSWER_WITHIN: std::time::Duration = std::time::Duration::from_secs(3);

/// One payload as Slack would send it.
struct Recorded {
    door: &'static str,
    content_type: &'static str,
    body: Vec<u8>,
}

/// Sends the files one after the other and prints each answer's status.
pub(super) async fn replay(
    files: &[std::path::PathBuf],
    to: &Url,
    secret: &SecretString,
    clock: &dyn Clock,
    out: &mut impl std::io::Write,
) -> anyhow::Result<()> {
    let outbound = Outbound::new(OutboundOptions::default())?;
    for file in files {
        let bytes = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
        let recorded = recorded(file, bytes);
        let url = to.join(&format!("slack/{}", recorded.door))?;
        let timestamp = clock.now().as_second();
        let signature = sign(secret, timestamp, &recorded.body);
        let request = outbound
            .request(reqwest::Method::POST, url)
            .header(CONTENT_TYPE, recorded.content_type)
            .header(TIMESTAMP_HEADER, timestamp.to_string())
            .header(SIGNATURE_HEADER, signature)
            .body(recorded.body);
        let call = Call { service: "bobbin", method: "replay".into(), timeout: ANSWER_WITHIN };
        let answer = outbound.send(&call, request).await?;
        writeln!(out, "{} {} {}", answer.status, recorded.door, file.display())?;
    }
    Ok(())
}

/// Finds out by form and content which door a payload goes to.
fn recorded(file: &Path, bytes: Vec<u8>) -> Recorded {
    let form = "application/x-www-form-urlencoded";
    if file.extension().is_some_and(|e| e == "form") {
        let door = if bytes.starts_with(b"payload=") { "interactions" } else { "commands" };
        return Recorded { door, content_type: form, body: bytes };
    }
    let kind = serde_json::from_slice::<serde_json::Value>(&bytes).ok();
    let kind = kind.as_ref().and_then(|value| value.get("type")?.as_str()).unwrap_or_default();
    let interactions =
        ["block_actions", "message_action", "shortcut", "view_submission", "view_closed", "block_suggestion"];
    if interactions.contains(&kind) {
        let payload = String::from_utf8_lossy(&bytes);
        let body = url::form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload).finish();
        return Recorded { door: "interactions", content_type: form, body: body.into_bytes() };
    }
    Recorded { door: "events", content_type: "application/json", body: bytes }
}
