//! The arguments of a Web API call, from wherever Slack takes them.
//!
//! Nested values arrive as JSON in a JSON body and as JSON text in a form; both are read by [`Args::json`].

use axum::http::{HeaderMap, Method, Uri, header};
use serde_json::{Map, Value, json};

use super::api::ApiError;

/// Arguments by name.
#[derive(Debug, Default)]
pub(super) struct Args {
    values: Map<String, Value>,
    /// What the answer warns of.
    pub(super) warnings: Vec<&'static str>,
}

/// Whether a method reads a JSON body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JsonBody {
    /// Read.
    Taken,
    /// Ignored as if it were not there.
    Ignored,
}

impl Args {
    /// Reads query and body. The bearer token comes back apart.
    pub(super) fn read(
        (verb, uri, headers): (&Method, &Uri, &HeaderMap),
        body: &[u8],
        json_body: JsonBody,
    ) -> Result<(Self, Option<String>), ApiError> {
        let mut args = Self::default();
        args.pairs(uri.query().unwrap_or_default().as_bytes());
        if verb == Method::POST && !body.is_empty() {
            args.body(headers, body, json_body)?;
        }
        let bearer = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .map(|token| token.trim().to_owned());
        let field = args.values.remove("token").and_then(|token| token.as_str().map(str::to_owned));
        Ok((args, bearer.or(field)))
    }

    fn body(&mut self, headers: &HeaderMap, body: &[u8], json_body: JsonBody) -> Result<(), ApiError> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match media.as_str() {
            "application/x-www-form-urlencoded" | "" => self.pairs(body),
            "application/json" if json_body == JsonBody::Ignored => {}
            "application/json" => {
                let Value::Object(mut object) =
                    serde_json::from_slice(body).map_err(|_| ApiError::new("invalid_json"))?
                else {
                    return Err(ApiError::new("json_not_object"));
                };
                // A token inside a JSON body is not read.
                object.remove("token");
                self.values.extend(object);
                if !kind.to_ascii_lowercase().contains("charset") {
                    self.warnings.push("missing_charset");
                }
            }
            _ => return Err(ApiError::new("invalid_post_type")),
        }
        Ok(())
    }

    fn pairs(&mut self, encoded: &[u8]) {
        for (name, value) in url::form_urlencoded::parse(encoded) {
            self.values.insert(name.into_owned(), Value::String(value.into_owned()));
        }
    }

    /// A text argument; a missing, null or empty one is `None`.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, ApiError> {
        match self.values.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
                Err(ApiError::arguments(&format!("[ERROR] must be a string [json-pointer:/{name}]")))
            }
        }
    }

    /// A text argument that must be there.
    pub(super) fn required(&self, name: &str) -> Result<String, ApiError> {
        self.text(name)?.ok_or_else(|| ApiError::arguments(&format!("[ERROR] missing required field: {name}")))
    }

    /// A yes or no; forms write `true`, `1`.
    pub(super) fn flag(&self, name: &str) -> bool {
        match self.values.get(name) {
            Some(Value::Bool(yes)) => *yes,
            Some(Value::String(text)) => matches!(text.as_str(), "true" | "1" | "True"),
            Some(Value::Number(number)) => number.as_i64() == Some(1),
            _ => false,
        }
    }

    /// A whole number within bounds, or the default.
    pub(super) fn limit(&self, default: usize, max: usize) -> Result<usize, ApiError> {
        let Some(text) = self.text("limit")? else { return Ok(default) };
        match text.parse() {
            Ok(0) => Ok(default),
            Ok(limit) if limit <= max => Ok(limit),
            _ => Err(ApiError::new("invalid_limit")),
        }
    }

    /// A nested value; text that is no JSON is an error with the given code.
    pub(super) fn json(&self, name: &str, malformed: &'static str) -> Result<Option<Value>, ApiError> {
        match self.values.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => serde_json::from_str(text).map(Some).map_err(|_| ApiError::new(malformed)),
            Some(value) => Ok(Some(value.clone())),
        }
    }

    /// Everything as JSON, for the ledger.
    pub(super) fn summary(&self) -> String {
        json!(self.values).to_string()
    }
}
