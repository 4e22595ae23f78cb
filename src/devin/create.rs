//! The request that creates a session: every field that Devin takes.

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::domain::{ids::DevinUserId, words::Mode};

/// A session to create. What is `None` or empty is left out, and the organisation's default holds. As whom it runs is
/// no option: a session without a person could only run as the service user.
///
/// <https://docs.devin.ai/api-reference/v3/sessions/post-organizations-sessions>
#[derive(Debug, Clone, Serialize)]
pub struct CreateSession {
    /// The task.
    pub prompt: String,
    /// Title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Tags: at most 50.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Repositories, `owner/name`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repos: Vec<String>,
    /// The playbook's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub playbook_id: Option<String>,
    /// The id of the playbook for the sessions that it starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub child_playbook_id: Option<String>,
    /// Knowledge notes; an empty list: none at all; `None`: all that there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub knowledge_ids: Option<Vec<String>>,
    /// Secrets that Devin keeps; an empty list: none at all; `None`: all that there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ids: Option<Vec<String>>,
    /// Secrets for this session alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub session_secrets: Vec<SessionSecret>,
    /// Files, as uploads answered them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachment_urls: Vec<String>,
    /// The most that it may use, in ACUs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_acu_limit: Option<u32>,
    /// How Devin works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub devin_mode: Option<Mode>,
    /// The machine; an unknown one is refused with the known ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Whether approvals are skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bypass_approval: Option<bool>,
    /// Whether the machine is kept when the session stops.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resumable: Option<bool>,
    /// The form of the result: JSON Schema, draft 7, at most 64 KB, without a `$ref` to elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub structured_output_schema: Option<Value>,
    /// Whether the result has to be delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub structured_output_required: Option<bool>,
    /// Other sessions that it should know of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub session_links: Vec<String>,
    /// The person it runs as.
    pub create_as_user_id: DevinUserId,
}

/// A secret for one session alone. It is never shown: not in a log, not in an error.
#[derive(Debug, Clone, Serialize)]
pub struct SessionSecret {
    /// Its name, 1 to 256 characters.
    pub key: String,
    /// Its value, up to 65,536 characters.
    #[serde(serialize_with = "exposed")]
    pub value: SecretString,
    /// Whether Devin hides it in what it shows.
    pub sensitive: bool,
}

impl CreateSession {
    /// A session with a task, as a person, and otherwise as the organisation has it.
    pub fn new(prompt: String, create_as_user_id: DevinUserId) -> Self {
        Self {
            prompt,
            title: None,
            tags: Vec::new(),
            repos: Vec::new(),
            playbook_id: None,
            child_playbook_id: None,
            knowledge_ids: None,
            secret_ids: None,
            session_secrets: Vec::new(),
            attachment_urls: Vec::new(),
            max_acu_limit: None,
            devin_mode: None,
            platform: None,
            bypass_approval: None,
            resumable: None,
            structured_output_schema: None,
            structured_output_required: None,
            session_links: Vec::new(),
            create_as_user_id,
        }
    }
}

/// For the one place that it is sent to.
fn exposed<S: Serializer>(secret: &SecretString, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(secret.expose_secret())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_is_sent_and_never_shown() {
        let mut session = CreateSession::new("Fix it".to_owned(), "user-77".parse().unwrap());
        let value = SecretString::from("hunter2");
        session.session_secrets.push(SessionSecret { key: "TOKEN".to_owned(), value, sensitive: true });
        session.knowledge_ids = Some(Vec::new());
        session.devin_mode = Some(Mode::Fast);
        assert!(!format!("{session:?}").contains("hunter2"));
        let expected = json!({
            "prompt": "Fix it",
            "knowledge_ids": [],
            "devin_mode": "fast",
            "session_secrets": [{ "key": "TOKEN", "value": "hunter2", "sensitive": true }],
            "create_as_user_id": "user-77",
        });
        assert_eq!(serde_json::to_value(session).unwrap(), expected);
    }
}
