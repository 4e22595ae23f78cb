//! The stored form: JSON text, read and written in one place, so that both stores refuse the same things in the same
//! words. An error names the kind of thing that could not be read and where, never what it contains.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Dead, Door, Input, Result, StoreError};
use crate::domain::mailbox::Mailbox;

/// Something stored with a version.
pub(super) trait Versioned: DeserializeOwned {
    /// What it is called in errors.
    const NAME: &'static str;
    /// The newest version that this program reads.
    const NEWEST: u8;

    /// The version it was written with.
    fn version(&self) -> u8;
}

impl Versioned for Input {
    const NAME: &'static str = "input";
    const NEWEST: u8 = Self::VERSION;

    fn version(&self) -> u8 {
        self.v
    }
}

impl Versioned for Dead {
    const NAME: &'static str = "dead letter";
    const NEWEST: u8 = DEAD_VERSION;

    fn version(&self) -> u8 {
        self.v
    }
}

/// The version of [`Dead`] written today.
pub(super) const DEAD_VERSION: u8 = 1;

/// The stored form of a value.
pub(super) fn encode(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|e| StoreError::Corrupt(format!("a value cannot be written as JSON: {e}")))
}

/// Reads a stored form. Serde's own message is left out, because it may quote a person's words.
pub(super) fn decode<T: Versioned>(text: &str) -> Result<T> {
    let value: T = serde_json::from_str(text).map_err(|e| {
        StoreError::Corrupt(format!("an {} is not in its form (line {}, column {})", T::NAME, e.line(), e.column()))
    })?;
    if value.version() > T::NEWEST {
        return Err(StoreError::Corrupt(format!(
            "an {} has version {}; this program reads up to {}",
            T::NAME,
            value.version(),
            T::NEWEST
        )));
    }
    Ok(value)
}

/// Reads something that waits; `None` when it is damaged and nobody will ever read it. One that is only newer than this
/// program is an error and goes on waiting: while versions change, another replica reads it.
pub(super) fn waiting<T: Versioned>(stored: &[u8]) -> Result<Option<T>> {
    let Ok(text) = std::str::from_utf8(stored) else { return Ok(None) };
    match decode(text) {
        Ok(value) => Ok(Some(value)),
        Err(error) => {
            let newer = remains(stored).v.is_some_and(|v| v > u64::from(T::NEWEST));
            if newer { Err(error) } else { Ok(None) }
        }
    }
}

/// A damaged input as one that can be set aside, and why: its body is what was stored. It gets no mailbox, because
/// replaying it would not make it readable; the reason names the mailbox instead.
pub(super) fn salvage(at: Timestamp, mailbox: &Mailbox, stored: &[u8]) -> (Input, String) {
    let door = remains(stored).door.unwrap_or(Door::Events);
    let input = Input::received(at, door, stored.to_vec());
    tracing::error!(input = %input.id, %mailbox, "a stored input cannot be read; set aside");
    (input, format!("stored input cannot be read; it waited in {mailbox}"))
}

/// What can still be read of an input.
#[derive(Default)]
struct Remains {
    v: Option<u64>,
    door: Option<Door>,
}

fn remains(stored: &[u8]) -> Remains {
    let Ok(form) = serde_json::from_slice::<serde_json::Value>(stored) else { return Remains::default() };
    let door = form.get("door").and_then(|door| Door::deserialize(door).ok());
    Remains { v: form.get("v").and_then(serde_json::Value::as_u64), door }
}

/// A stored time in microseconds since 1970.
pub(super) fn time(micros: i64) -> Result<Timestamp> {
    Timestamp::from_microsecond(micros).map_err(|_| StoreError::Corrupt(format!("{micros} microseconds is not a time")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_does_not_quote_what_it_could_not_read() {
        let error = decode::<Input>(r#"{"v":1,"id":"a b c secret words"}"#).unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
        assert!(error.contains("input"), "{error}");
    }

    #[test]
    fn what_is_damaged_is_told_from_what_is_newer() {
        assert!(waiting::<Input>(br#"{"v":2,"id":["another form"]}"#).is_err());
        for damaged in [&b"{\"v\":1,\"id\":7}"[..], b"{\"v\":1,", b"\xff", b""] {
            assert_eq!(waiting::<Input>(damaged).unwrap(), None);
        }
        let mailbox = "thread:T1/C1/1700000000.000001".parse().unwrap();
        let (input, why) = salvage(Timestamp::UNIX_EPOCH, &mailbox, br#"{"v":1,"door":"watch","body":"words"}"#);
        assert_eq!((input.door, input.body.bytes()), (Door::Watch, &br#"{"v":1,"door":"watch","body":"words"}"#[..]));
        assert!(why.contains("thread:T1/C1") && !why.contains("words"), "{why}");
    }

    #[test]
    fn a_newer_version_is_refused() {
        let text = r#"{"v":2,"id":"i1","at":"2026-11-24T02:00:00Z","door":"events","body":"x"}"#;
        let error = decode::<Input>(text).unwrap_err().to_string();
        assert!(error.contains("version 2"), "{error}");
    }
}
