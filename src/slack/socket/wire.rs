//! What is said over a socket: a greeting, envelopes with what would have been posted, and the word that it ends.

use std::{borrow::Cow, time::Duration};

use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};
use url::form_urlencoded::Serializer;

use crate::slack::wire::{WireError, mend};

/// One thing that Slack said.
#[derive(Debug)]
pub enum Heard {
    /// The socket can be used from now on.
    Hello(Hello),
    /// Something for the app.
    Envelope(Envelope),
    /// The socket ends, or should.
    Disconnect(Disconnect),
    /// What we do not know.
    Other {
        /// Its `type`; empty when it has none.
        kind: String,
    },
}

/// The greeting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hello {
    /// Sockets that the app has open, this one included; `None`: not said.
    pub connections: Option<u32>,
    /// How long this one will be kept open, about.
    pub lives_for: Option<Duration>,
}

/// Why a socket ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disconnect {
    /// In about ten seconds.
    Warning,
    /// Another one is to take its place.
    RefreshRequested,
    /// Socket Mode was switched off in the app's settings.
    LinkDisabled,
    /// Any other reason, such as `too_many_websockets`.
    Other(String),
}

impl Disconnect {
    /// The reason in Slack's word.
    pub fn word(&self) -> &str {
        match self {
            Self::Other(word) => word,
            Self::Warning | Self::RefreshRequested | Self::LinkDisabled => self.name(),
        }
    }

    /// The reason as a metrics label.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::RefreshRequested => "refresh_requested",
            Self::LinkDisabled => "link_disabled",
            Self::Other(_) => "other",
        }
    }
}

/// What an envelope brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// `events_api`.
    Event,
    /// `slash_commands`.
    Command,
    /// `interactive`.
    Interaction,
    /// Anything else.
    Other(String),
}

/// Something for the app, to be acknowledged by its id.
#[derive(Debug)]
pub struct Envelope {
    id: String,
    kind: Kind,
    payload: Box<RawValue>,
    accepts_response: bool,
    retry: Option<String>,
}

impl Envelope {
    /// What it is acknowledged by; unique for each sending.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it brings.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Whether the acknowledgement may bring an answer along.
    pub fn accepts_response(&self) -> bool {
        self.accepts_response
    }

    /// Which attempt this is, and why there is another one, in Slack's words; `None`: the first.
    pub fn retry(&self) -> Option<&str> {
        self.retry.as_deref()
    }

    /// The bytes that would have been posted: an event as it is, a command and an interaction as a form. One shape
    /// everywhere, so that whoever reads a stored body need not know how it came.
    pub fn body(&self) -> Vec<u8> {
        let payload = self.payload.get();
        match self.kind {
            Kind::Event | Kind::Other(_) => payload.as_bytes().to_vec(),
            Kind::Interaction => form([("payload", Cow::Borrowed(payload))]),
            // What is no object has no field: the door finds that out, and keeps it.
            Kind::Command => serde_json::from_slice::<Map<String, Value>>(&mend(payload.as_bytes()))
                .map_or_else(|_| payload.as_bytes().to_vec(), |fields| form(fields.iter().filter_map(field))),
        }
    }
}

/// A field of a command as a form has it; `None` for what a form has no place for.
fn field<'a>((name, value): (&'a String, &'a Value)) -> Option<(&'a str, Cow<'a, str>)> {
    match value {
        Value::String(text) => Some((name, Cow::Borrowed(text))),
        Value::Bool(_) | Value::Number(_) => Some((name, Cow::Owned(value.to_string()))),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn form<'a>(fields: impl IntoIterator<Item = (&'a str, Cow<'a, str>)>) -> Vec<u8> {
    Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes()
}

/// The acknowledgement of an envelope, with an answer where it takes one.
pub(super) fn acknowledgement(id: &str, answer: Option<&Value>) -> String {
    match answer {
        Some(answer) => json!({ "envelope_id": id, "payload": answer }),
        None => json!({ "envelope_id": id }),
    }
    .to_string()
}

#[derive(Deserialize)]
struct Said<'a> {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    envelope_id: Option<String>,
    #[serde(default, borrow)]
    payload: Option<&'a RawValue>,
    #[serde(default)]
    accepts_response_payload: Option<bool>,
    #[serde(default)]
    retry_attempt: Option<u64>,
    #[serde(default)]
    retry_reason: Option<String>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    num_connections: Option<u32>,
    #[serde(default)]
    debug_info: Option<DebugInfo>,
}

#[derive(Deserialize)]
struct DebugInfo {
    #[serde(default)]
    approximate_connection_time: Option<u64>,
}

impl Heard {
    /// Reads one message.
    ///
    /// # Errors
    ///
    /// [`WireError::Malformed`], when it is not the JSON object that it should be.
    pub(super) fn parse(text: &str) -> Result<Self, WireError> {
        // An array would fit the struct as well, by position.
        if !text.trim_start().starts_with('{') {
            return Err(WireError::Malformed("not a JSON object".to_owned()));
        }
        let said: Said<'_> = serde_json::from_str(text).map_err(|error| WireError::json(&error))?;
        Ok(match (said.kind.as_str(), said.envelope_id) {
            ("hello", _) => {
                let lives = said.debug_info.and_then(|info| info.approximate_connection_time);
                Self::Hello(Hello { connections: said.num_connections, lives_for: lives.map(Duration::from_secs) })
            }
            ("disconnect", _) => Self::Disconnect(match said.reason.unwrap_or_default().as_str() {
                "warning" => Disconnect::Warning,
                "refresh_requested" => Disconnect::RefreshRequested,
                "link_disabled" => Disconnect::LinkDisabled,
                other => Disconnect::Other(other.to_owned()),
            }),
            (kind, Some(id)) => {
                let kind = match kind {
                    "events_api" => Kind::Event,
                    "slash_commands" => Kind::Command,
                    "interactive" => Kind::Interaction,
                    other => Kind::Other(other.to_owned()),
                };
                let payload = said.payload.map_or_else(|| RawValue::NULL.to_owned(), ToOwned::to_owned);
                let again = said.retry_attempt.filter(|attempt| *attempt > 0);
                let why = said.retry_reason.unwrap_or_default();
                let retry = again.map(|attempt| format!("{attempt} {why}").trim_end().to_owned());
                let accepts_response = said.accepts_response_payload.unwrap_or_default();
                Self::Envelope(Envelope { id, kind, payload, accepts_response, retry })
            }
            (kind, None) => Self::Other { kind: kind.to_owned() },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slack::wire::{
        command::{Command, CommandForm},
        interaction::Interaction,
    };

    fn envelope(text: &str) -> Envelope {
        match Heard::parse(text).unwrap() {
            Heard::Envelope(envelope) => envelope,
            other @ (Heard::Hello(_) | Heard::Disconnect(_) | Heard::Other { .. }) => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_greeting_and_the_end_are_read() {
        let hello = r#"{"type":"hello","num_connections":2,"debug_info":{"host":"applink-1","build_number":10,
            "approximate_connection_time":18000},"connection_info":{"app_id":"A1"}}"#;
        let Heard::Hello(hello) = Heard::parse(hello).unwrap() else { panic!("no greeting") };
        assert_eq!(hello, Hello { connections: Some(2), lives_for: Some(Duration::from_hours(5)) });
        assert!(
            matches!(Heard::parse(r#"{"type":"hello"}"#).unwrap(), Heard::Hello(hello) if hello == Hello::default())
        );
        for (reason, expected) in [
            ("warning", Disconnect::Warning),
            ("refresh_requested", Disconnect::RefreshRequested),
            ("link_disabled", Disconnect::LinkDisabled),
            ("too_many_websockets", Disconnect::Other("too_many_websockets".to_owned())),
        ] {
            let text = json!({ "type": "disconnect", "reason": reason, "debug_info": { "host": "applink-1" } });
            let Heard::Disconnect(read) = Heard::parse(&text.to_string()).unwrap() else { panic!("no end: {reason}") };
            assert_eq!(read, expected);
        }
        assert!(matches!(Heard::parse(r#"{"type":"pong"}"#).unwrap(), Heard::Other { kind } if kind == "pong"));
        for text in ["", "[]", "{", "\"hello\""] {
            assert!(Heard::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_event_is_kept_byte_for_byte_half_an_emoji_included() {
        let payload = r#"{"type": "event_callback",  "event":{"text":"\ud83d"}}"#;
        let text = format!(
            r#"{{"envelope_id":"e1","payload":{payload},"type":"events_api","accepts_response_payload":false,"retry_attempt":2,"retry_reason":"timeout"}}"#
        );
        let read = envelope(&text);
        assert_eq!((read.id(), read.kind(), read.accepts_response()), ("e1", &Kind::Event, false));
        assert_eq!((read.body(), read.retry()), (payload.as_bytes().to_vec(), Some("2 timeout")));
        let first = text.replace(",\"retry_attempt\":2", ",\"retry_attempt\":0");
        assert_eq!(envelope(&first).retry(), None);
    }

    #[test]
    fn a_command_and_an_interaction_become_the_forms_that_they_would_have_been() {
        let command = r#"{"envelope_id":"e2","type":"slash_commands","accepts_response_payload":true,"payload":{"command":"/devin",
            "text":"fix \u00e4 & b=c","team_id":"T1","channel_id":"C1","user_id":"U1","trigger_id":"1.2.3","is_enterprise_install":false,
            "enterprise_id":null}}"#;
        let read = envelope(command);
        assert!(read.accepts_response());
        let Ok(CommandForm::Command(parsed)) = CommandForm::parse(&read.body()) else { panic!("no command") };
        let Command { text, command, trigger_id, .. } = *parsed;
        assert_eq!((text.as_str(), command.as_str(), trigger_id.as_deref()), ("fix ä & b=c", "/devin", Some("1.2.3")));
        assert!(String::from_utf8(read.body()).unwrap().contains("is_enterprise_install=false"));

        let pressed = r#"{"envelope_id":"e3","type":"interactive","accepts_response_payload":true,"payload":{"type":"shortcut",
            "callback_id":"start_devin","trigger_id":"4.5","team":{"id":"T1"},"user":{"id":"U1","team_id":"T1"}}}"#;
        let read = Interaction::from_form(&envelope(pressed).body()).unwrap();
        assert!(
            matches!(read, Interaction::Shortcut(shortcut) if shortcut.callback_id == "start_devin"),
            "no shortcut"
        );
    }

    #[test]
    fn what_cannot_be_a_command_is_kept_as_it_came() {
        let read = envelope(r#"{"envelope_id":"e4","type":"slash_commands","payload":["x"]}"#);
        assert_eq!(read.body(), br#"["x"]"#);
        let read = envelope(r#"{"envelope_id":"e5","type":"brand_new"}"#);
        assert_eq!((read.kind(), read.body()), (&Kind::Other("brand_new".to_owned()), b"null".to_vec()));
    }

    #[test]
    fn an_answer_goes_with_the_acknowledgement() {
        assert_eq!(acknowledgement("e\"1", None), r#"{"envelope_id":"e\"1"}"#);
        assert_eq!(
            acknowledgement("e1", Some(&json!({ "response_action": "clear" }))),
            r#"{"envelope_id":"e1","payload":{"response_action":"clear"}}"#
        );
    }
}
