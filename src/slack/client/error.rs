//! What an answer of the Web API means for whoever called.
//!
//! Nearly every failure comes as status 200 with `ok: false`, and is then definite. The exceptions are the codes with
//! which Slack says that it broke down half-way: those, like a 5xx or a page of HTML, leave the outcome open.
//! <https://docs.slack.dev/apis/web-api/#errors>

use std::time::Duration;

use serde_json::Value;

use crate::{
    outbound::{Answer, Certainty, Failure, SendError},
    slack::wire::mend,
};

/// Why a call did not do what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlackError {
    /// Too many calls of this method.
    #[error("Slack asks to slow down")]
    RateLimited {
        /// How long to wait, when Slack says so.
        after: Option<Duration>,
    },
    /// The token does not work any more: uninstalled, revoked, or called from an address that is not allowed.
    #[error("the installation is gone: {code}")]
    InstallationGone {
        /// Slack's word.
        code: String,
    },
    /// The app may not do this.
    #[error("the app lacks a permission: {code}, needed: {}", needed.as_deref().unwrap_or("not said"))]
    MissingScope {
        /// Slack's word.
        code: String,
        /// The scope that would help.
        needed: Option<String>,
    },
    /// The channel, message or person is not there, or not for us.
    #[error("the target cannot be reached: {code}")]
    Target {
        /// Slack's word.
        code: String,
    },
    /// What we sent is not acceptable.
    #[error("Slack does not accept the content: {code} {}", details.join("; "))]
    Payload {
        /// Slack's word.
        code: String,
        /// Which part, in Slack's words.
        details: Vec<String>,
    },
    /// Any other definite refusal.
    #[error("Slack refused: {code}")]
    Refused {
        /// Slack's word, or `http_…` with the status.
        code: String,
    },
    /// The call may have taken effect.
    #[error("the outcome at Slack is not known: {why}")]
    Unsure {
        /// What came instead of an answer.
        why: String,
    },
    /// Slack was not reached; nothing was sent.
    #[error("Slack cannot be reached: {why}")]
    Unreachable {
        /// The cause.
        why: String,
    },
}

impl Failure for SlackError {
    fn certainty(&self) -> Certainty {
        match self {
            Self::Unsure { .. } => Certainty::Unknown,
            Self::RateLimited { .. }
            | Self::InstallationGone { .. }
            | Self::MissingScope { .. }
            | Self::Target { .. }
            | Self::Payload { .. }
            | Self::Refused { .. }
            | Self::Unreachable { .. } => Certainty::NotDone,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        if let Self::RateLimited { after } = self { *after } else { None }
    }
}

impl From<SendError> for SlackError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::NotSent(why) => Self::Unreachable { why },
            SendError::Unknown(why) => Self::Unsure { why },
        }
    }
}

impl SlackError {
    /// Slack's own word for a definite refusal.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::InstallationGone { code }
            | Self::MissingScope { code, .. }
            | Self::Target { code }
            | Self::Payload { code, .. }
            | Self::Refused { code } => Some(code),
            Self::RateLimited { .. } | Self::Unsure { .. } | Self::Unreachable { .. } => None,
        }
    }
}

impl SlackError {
    /// Whether asking again brings the same, whenever that is: neither Slack's state nor the token's has to do with it.
    pub fn is_definite(&self) -> bool {
        match self {
            Self::MissingScope { .. } | Self::Target { .. } | Self::Payload { .. } | Self::Refused { .. } => true,
            Self::RateLimited { .. }
            | Self::InstallationGone { .. }
            | Self::Unsure { .. }
            | Self::Unreachable { .. } => false,
        }
    }

    /// What came of a call, in the words that the metrics have for it.
    fn word(&self) -> &'static str {
        match self {
            Self::RateLimited { .. } => "rate_limited",
            Self::InstallationGone { .. } => "unauthorized",
            Self::MissingScope { .. } | Self::Target { .. } | Self::Payload { .. } | Self::Refused { .. } => "refused",
            Self::Unsure { .. } => "failed",
            Self::Unreachable { .. } => "not_sent",
        }
    }

    /// Whether the workspace or the app does not have what was called at all, so that asking again soon is in vain.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::MissingScope { .. } => true,
            Self::Refused { code } => {
                matches!(code.as_str(), "feature_disabled" | "not_authorized" | "unknown_method" | "not_agent_app")
            }
            Self::RateLimited { .. }
            | Self::InstallationGone { .. }
            | Self::Target { .. }
            | Self::Payload { .. }
            | Self::Unsure { .. }
            | Self::Unreachable { .. } => false,
        }
    }
}

/// Reads an answer: its object when Slack did what it was asked.
pub(super) fn outcome(answer: &Answer) -> Result<Value, SlackError> {
    match answer.status {
        200..=299 => {}
        429 => return Err(SlackError::RateLimited { after: answer.retry_after }),
        300..=499 if answer.status != 408 => return Err(refusal(answer)),
        status => return Err(SlackError::Unsure { why: format!("status {status}") }),
    }
    let Some(value) = object(answer) else {
        return Err(SlackError::Unsure { why: "the answer is not a JSON object".to_owned() });
    };
    match value.get("ok").and_then(Value::as_bool) {
        Some(true) => Ok(value),
        Some(false) => Err(failure(&value, answer.retry_after)),
        None => Err(SlackError::Unsure { why: "the answer says neither yes nor no".to_owned() }),
    }
}

/// Reads an answer as [`outcome`] does, and says what came of the call in a word of the metrics: Slack's `ok: false` comes
/// with status 200.
pub(super) fn judged(answer: &Answer) -> (Result<Value, SlackError>, Option<&'static str>) {
    let read = outcome(answer);
    let word = read.as_ref().err().filter(|_| answer.status == 200).map(SlackError::word);
    (read, word)
}

/// A 3xx or 4xx: definite, whatever its body.
fn refusal(answer: &Answer) -> SlackError {
    match object(answer) {
        Some(value) if value.get("error").is_some_and(Value::is_string) => failure(&value, answer.retry_after),
        Some(_) | None => SlackError::Refused { code: format!("http_{}", answer.status) },
    }
}

fn object(answer: &Answer) -> Option<Value> {
    if !answer.is_json() {
        return None;
    }
    serde_json::from_slice(&mend(&answer.body)).ok().filter(Value::is_object)
}

fn failure(value: &Value, after: Option<Duration>) -> SlackError {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let code = text("error").unwrap_or_default();
    match code.as_str() {
        "ratelimited" | "rate_limited" | "message_limit_exceeded" | "accesslimited" => {
            SlackError::RateLimited { after }
        }
        "account_inactive"
        | "token_revoked"
        | "token_expired"
        | "invalid_auth"
        | "not_authed"
        | "org_login_required"
        | "team_access_not_granted" => SlackError::InstallationGone { code },
        "missing_scope"
        | "no_permission"
        | "not_allowed_token_type"
        | "app_access_restricted"
        | "access_denied"
        | "enterprise_is_restricted" => SlackError::MissingScope { code, needed: text("needed") },
        "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" | "team_added_to_org" => {
            SlackError::Unsure { why: code }
        }
        _ if is_target(&code) => SlackError::Target { code },
        _ if is_payload(&code) => SlackError::Payload { code, details: details(value) },
        _ => SlackError::Refused { code },
    }
}

fn is_target(code: &str) -> bool {
    code.starts_with("restricted_action")
        || matches!(
            code,
            "channel_not_found"
                | "not_in_channel"
                | "is_archived"
                | "is_inactive"
                | "cannot_reply_to_message"
                | "message_not_found"
                | "thread_not_found"
                | "thread_locked"
                | "user_not_found"
                | "user_not_visible"
                | "users_not_found"
                | "user_not_in_channel"
                | "user_disabled"
                | "messages_tab_disabled"
                | "channel_is_limited_access"
                | "posting_to_channel_denied"
                | "cant_update_message"
                | "cant_delete_message"
                | "edit_window_closed"
                | "external_channel_migrating"
                | "file_not_found"
                | "file_deleted"
                | "not_visible"
        )
}

fn is_payload(code: &str) -> bool {
    code.starts_with("invalid_blocks")
        || code.starts_with("metadata_")
        || code.starts_with("invalid_metadata")
        || matches!(
            code,
            "msg_too_long"
                | "msg_blocks_too_long"
                | "no_text"
                | "invalid_arguments"
                | "invalid_array_arg"
                | "invalid_form_data"
                | "invalid_json"
                | "json_not_object"
                | "markdown_text_conflict"
                | "too_many_attachments"
                | "block_mismatch"
                | "view_too_large"
        )
}

fn details(value: &Value) -> Vec<String> {
    let lists = [value.pointer("/response_metadata/messages"), value.get("errors")];
    let items = lists.into_iter().flatten().filter_map(Value::as_array).flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, content_type: &str, body: &str) -> Answer {
        Answer {
            status,
            retry_after: Some(Duration::from_secs(3)),
            content_type: Some(content_type.to_owned()),
            body: body.to_owned().into(),
        }
    }

    fn said(body: &str) -> SlackError {
        outcome(&answer(200, "application/json; charset=utf-8", body)).unwrap_err()
    }

    fn code(code: &str) -> SlackError {
        said(&format!(r#"{{"ok":false,"error":"{code}"}}"#))
    }

    #[test]
    fn a_yes_is_a_yes() {
        let value = outcome(&answer(200, "application/json", r#"{"ok":true,"ts":"1.2"}"#)).unwrap();
        assert_eq!(value["ts"], "1.2");
    }

    #[test]
    fn each_class_of_refusal_has_its_variant() {
        let after = Some(Duration::from_secs(3));
        for word in ["ratelimited", "rate_limited"] {
            assert_eq!(code(word), SlackError::RateLimited { after });
        }
        for word in ["token_revoked", "account_inactive", "invalid_auth", "not_authed"] {
            assert_eq!(code(word), SlackError::InstallationGone { code: word.to_owned() });
        }
        for word in ["channel_not_found", "not_in_channel", "is_archived", "restricted_action_thread_locked"] {
            assert_eq!(code(word), SlackError::Target { code: word.to_owned() });
        }
        assert_eq!(code("name_taken"), SlackError::Refused { code: "name_taken".to_owned() });
        for word in
            ["ratelimited", "token_revoked", "channel_not_found", "name_taken", "invalid_blocks", "missing_scope"]
        {
            assert_eq!(code(word).certainty(), Certainty::NotDone, "{word}");
        }
    }

    #[test]
    fn refusals_carry_what_helps() {
        let scope = said(r#"{"ok":false,"error":"missing_scope","needed":"users:read","provided":"chat:write"}"#);
        assert_eq!(scope, SlackError::MissingScope { code: "missing_scope".into(), needed: Some("users:read".into()) });
        let blocks = said(
            r#"{"ok":false,"error":"invalid_blocks","response_metadata":{"messages":["[ERROR] must be shorter [/blocks/0]"]}}"#,
        );
        assert!(matches!(blocks, SlackError::Payload { details, .. } if details.len() == 1));
    }

    #[test]
    fn what_broke_down_half_way_leaves_the_outcome_open() {
        for word in ["internal_error", "fatal_error", "service_unavailable", "request_timeout"] {
            assert_eq!(code(word).certainty(), Certainty::Unknown, "{word}");
        }
        let open = [
            answer(200, "text/html", "<html>maintenance</html>"),
            answer(200, "application/json", "{\"ok\":"),
            answer(200, "application/json", "[]"),
            answer(200, "application/json", "{}"),
            answer(500, "application/json", r#"{"ok":false,"error":"channel_not_found"}"#),
            answer(503, "text/html", ""),
            answer(408, "text/plain", ""),
        ];
        for answer in open {
            assert!(matches!(outcome(&answer), Err(SlackError::Unsure { .. })), "{answer:?}");
        }
    }

    #[test]
    fn a_4xx_is_definite() {
        assert_eq!(outcome(&answer(429, "text/html", "")).unwrap_err().retry_after(), Some(Duration::from_secs(3)));
        let gone = outcome(&answer(404, "text/html", "no such page")).unwrap_err();
        assert_eq!(gone, SlackError::Refused { code: "http_404".to_owned() });
        let moved = outcome(&answer(302, "text/html", "")).unwrap_err();
        assert_eq!(moved.certainty(), Certainty::NotDone);
        let auth = outcome(&answer(401, "application/json", r#"{"ok":false,"error":"invalid_auth"}"#)).unwrap_err();
        assert!(matches!(auth, SlackError::InstallationGone { .. }));
    }

    #[test]
    fn sending_failures_keep_their_certainty() {
        assert_eq!(SlackError::from(SendError::NotSent("refused".into())).certainty(), Certainty::NotDone);
        assert_eq!(SlackError::from(SendError::Unknown("reset".into())).certainty(), Certainty::Unknown);
    }

    #[test]
    fn an_answer_without_a_content_type_is_not_believed() {
        let bare = Answer { content_type: None, ..answer(200, "", r#"{"ok":true}"#) };
        assert!(matches!(outcome(&bare), Err(SlackError::Unsure { .. })), "an edge answered, not Slack");
        let word = |status, body: &str| judged(&answer(status, "application/json", body)).1;
        assert_eq!(word(200, r#"{"ok":true}"#), None);
        for (code, expected) in [
            ("invalid_auth", "unauthorized"),
            ("ratelimited", "rate_limited"),
            ("channel_not_found", "refused"),
            ("missing_scope", "refused"),
            ("internal_error", "failed"),
        ] {
            assert_eq!(word(200, &format!(r#"{{"ok":false,"error":"{code}"}}"#)), Some(expected), "{code}");
        }
        assert_eq!(word(429, ""), None, "its status says it");
    }
}
