//! What an answer of the v3 API means for whoever called.
//!
//! Refusals over money come under several statuses and with unfixed wording, and need another answer in the thread
//! than a missing permission does: they are told apart by their text, cautiously.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::outbound::{Answer, Certainty, Failure, SendError};

/// Longest text of Devin's own that is kept: enough for a sentence, too short for somebody's prompt.
const MAX_DETAIL_CHARS: usize = 300;

/// Words that make a refusal one over money. Single words such as "limit" would also catch wrong arguments.
const BILLING_WORDS: [&str; 13] = [
    "credit",
    "quota",
    "billing",
    "payment",
    "usage limit",
    "usage_limit",
    "session limit",
    "session_limit",
    "acu limit",
    "limit exceeded",
    "limit_exceeded",
    "limit reached",
    "contract expired",
];

/// Why a call did not do what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DevinError {
    /// The key is missing, wrong or expired.
    #[error("Devin does not accept the API key")]
    Unauthorized,
    /// The key may not do this, or may not see this.
    #[error("Devin does not allow it: {detail}")]
    Forbidden {
        /// Devin's words.
        detail: String,
    },
    /// There is no such thing.
    #[error("Devin does not know it")]
    NotFound,
    /// What we asked for makes no sense to Devin.
    #[error("Devin does not accept the request: {detail}")]
    Invalid {
        /// Devin's words.
        detail: String,
    },
    /// Credits, quota or a limit of the account.
    #[error("Devin refuses over credits or limits: {detail}")]
    Billing {
        /// Devin's words.
        detail: String,
    },
    /// Too many calls.
    #[error("Devin asks to slow down")]
    RateLimited {
        /// How long to wait, when Devin says so.
        after: Option<Duration>,
    },
    /// The call may have taken effect.
    #[error("the outcome at Devin is not known: {why}")]
    Unsure {
        /// What came instead of an answer.
        why: String,
    },
    /// Devin was not reached; nothing was sent.
    #[error("Devin cannot be reached: {why}")]
    Unreachable {
        /// The cause.
        why: String,
    },
}

impl Failure for DevinError {
    fn certainty(&self) -> Certainty {
        match self {
            Self::Unsure { .. } => Certainty::Unknown,
            Self::Unauthorized
            | Self::Forbidden { .. }
            | Self::NotFound
            | Self::Invalid { .. }
            | Self::Billing { .. }
            | Self::RateLimited { .. }
            | Self::Unreachable { .. } => Certainty::NotDone,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        if let Self::RateLimited { after } = self { *after } else { None }
    }
}

impl From<SendError> for DevinError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::NotSent(why) => Self::Unreachable { why },
            SendError::Unknown(why) => Self::Unsure { why },
        }
    }
}

/// Reads an answer.
pub(super) fn outcome<T: DeserializeOwned>(answer: &Answer) -> Result<T, DevinError> {
    let status = answer.status;
    match status {
        200..=299 => serde_json::from_slice(&answer.body).map_err(|error| {
            // The place only: the library's text could quote the body.
            DevinError::Unsure { why: format!("the answer cannot be read ({:?})", error.classify()) }
        }),
        401 => Err(DevinError::Unauthorized),
        404 => Err(DevinError::NotFound),
        429 => Err(DevinError::RateLimited { after: answer.retry_after }),
        300..=499 if status != 408 => Err(refusal(answer)),
        _ => Err(DevinError::Unsure { why: format!("status {status}") }),
    }
}

fn refusal(answer: &Answer) -> DevinError {
    let detail = detail(answer);
    let words = detail.to_lowercase();
    let money = BILLING_WORDS.iter().any(|word| words.contains(word));
    match answer.status {
        402 => DevinError::Billing { detail },
        // Not 422: validation names fields, and one of ours is called `max_acu_limit`.
        400 | 403 | 409 if money => DevinError::Billing { detail },
        403 => DevinError::Forbidden { detail },
        _ => DevinError::Invalid { detail },
    }
}

/// Devin's own words: `detail` of a problem or of the older framework, with the fields of a failed validation; else the text.
fn detail(answer: &Answer) -> String {
    let text = match serde_json::from_slice::<Value>(&answer.body) {
        Ok(body) => of_json(&body),
        Err(_) => of_text(answer),
    };
    let text = if text.trim().is_empty() { format!("status {}", answer.status) } else { text };
    text.trim().chars().take(MAX_DETAIL_CHARS).collect()
}

fn of_json(body: &Value) -> String {
    let word = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let said = word("detail");
    let lists = [body.get("detail"), body.get("errors")];
    let faults: Vec<_> = lists.into_iter().flatten().filter_map(Value::as_array).flatten().filter_map(fault).collect();
    match (said.is_empty(), faults.is_empty()) {
        (false, true) => said,
        (false, false) => format!("{said}: {}", faults.join("; ")),
        (true, false) => faults.join("; "),
        (true, true) => [word("message"), word("title")].into_iter().find(|text| !text.is_empty()).unwrap_or_default(),
    }
}

/// One field of a failed validation; its `input` is left out, which repeats what was sent.
fn fault(fault: &Value) -> Option<String> {
    let message = fault.get("msg").and_then(Value::as_str)?;
    let place = fault.get("loc").and_then(Value::as_array).into_iter().flatten();
    let place: Vec<_> = place.map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned)).collect();
    Some(format!("{}: {message}", place.join(".")))
}

fn of_text(answer: &Answer) -> String {
    let text = String::from_utf8_lossy(&answer.body);
    if text.trim_start().starts_with('<') { String::new() } else { text.into_owned() }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::devin::Session;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, retry_after: None, content_type: None, body: body.to_owned().into() }
    }

    fn refused(status: u16, fixture: &str) -> DevinError {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/devin").join(format!("{fixture}.json"));
        outcome::<Session>(&answer(status, &fs::read_to_string(path).unwrap())).unwrap_err()
    }

    #[test]
    fn each_shape_of_refusal_gives_its_words() {
        let detail = |text: &str| text.to_owned();
        assert_eq!(
            refused(403, "error.problem"),
            DevinError::Forbidden { detail: detail("Missing permission ManageOrgSessions") }
        );
        assert_eq!(
            refused(422, "error.problem.validation"),
            DevinError::Invalid { detail: detail("Validation failed: body.prompt: Field required") }
        );
        assert_eq!(
            refused(422, "error.fastapi.validation"),
            DevinError::Invalid { detail: detail("body.tags.0: Input should be a valid string") }
        );
        assert_eq!(
            refused(400, "error.exited"),
            DevinError::Invalid { detail: detail("Devin session already exited") }
        );
        assert_eq!(refused(404, "error.fastapi"), DevinError::NotFound);
    }

    #[test]
    fn money_is_told_apart_from_permission_and_from_arguments() {
        assert!(matches!(refused(403, "error.billing"), DevinError::Billing { .. }));
        assert!(matches!(outcome::<Session>(&answer(402, "")), Err(DevinError::Billing { .. })));
        let argument = r#"{"detail":[{"loc":["body","max_acu_limit"],"msg":"must be within the ACU limit"}]}"#;
        assert!(matches!(outcome::<Session>(&answer(422, argument)), Err(DevinError::Invalid { .. })));
        let argument = r#"{"detail":"max_acu_limit must be positive"}"#;
        assert!(matches!(outcome::<Session>(&answer(400, argument)), Err(DevinError::Invalid { .. })));
    }

    #[test]
    fn only_what_broke_down_leaves_the_outcome_open() {
        for status in [408, 500, 502, 503, 504] {
            assert_eq!(
                outcome::<Session>(&answer(status, "{}")).unwrap_err().certainty(),
                Certainty::Unknown,
                "{status}"
            );
        }
        for body in ["", "<html>", "{}", "null"] {
            assert_eq!(outcome::<Session>(&answer(200, body)).unwrap_err().certainty(), Certainty::Unknown, "{body}");
        }
        for status in [302, 400, 401, 402, 403, 404, 405, 409, 413, 422, 429] {
            assert_eq!(
                outcome::<Session>(&answer(status, "{}")).unwrap_err().certainty(),
                Certainty::NotDone,
                "{status}"
            );
        }
    }

    #[test]
    fn a_wait_is_passed_on() {
        let limited = Answer { retry_after: Some(Duration::from_secs(9)), ..answer(429, "") };
        assert_eq!(outcome::<Session>(&limited).unwrap_err().retry_after(), Some(Duration::from_secs(9)));
    }

    #[test]
    fn words_are_cut_and_pages_are_not_words() {
        let DevinError::Invalid { detail } = outcome::<Session>(&answer(400, &"é".repeat(400))).unwrap_err() else {
            panic!("not a refusal")
        };
        assert_eq!(detail.chars().count(), MAX_DETAIL_CHARS);
        let page = outcome::<Session>(&answer(403, "<html>blocked</html>")).unwrap_err();
        assert_eq!(page, DevinError::Forbidden { detail: "status 403".to_owned() });
    }
}
