//! One name for everything that one input causes, in the form that traces have: 16 bytes as hex. It is the input's id, or
//! what that begins with, so that it is stored with the input, and every replica and every attempt has the same.

use std::fmt;

use sha2::{Digest as _, Sha256};

use uuid::Uuid;

use super::ids::InputId;

/// How long an id is that is a trace.
const DIGITS: usize = 32;
/// The same as older programs wrote it.
const HYPHENATED: usize = 36;

/// The trace of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceId(String);

impl TraceId {
    /// The trace of an input of this id.
    pub fn of(input: &InputId) -> Self {
        if let Some(trace) = [DIGITS, HYPHENATED].into_iter().find_map(|length| begun_by(input.as_str(), length)) {
            return trace;
        }
        let digest = Sha256::digest(input.as_str().as_bytes());
        Self(hex::encode(digest.iter().take(16).copied().collect::<Vec<u8>>()))
    }
}

/// The trace that a text of this length names, where a hyphen or nothing follows on it.
fn begun_by(text: &str, length: usize) -> Option<TraceId> {
    let (begin, rest) = text.split_at_checked(length)?;
    let uuid = begin.parse::<Uuid>().ok().filter(|_| rest.is_empty() || rest.starts_with('-'))?;
    Some(TraceId(uuid.simple().to_string()))
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_the_inputs_id_in_the_form_of_traces_and_errands_are_part_of_it() {
        let of = |id: &str| TraceId::of(&id.parse().unwrap()).to_string();
        let trace = "01936c4e7a507cc09d2b0f3f6b1f7a11";
        let id: InputId = Uuid::parse_str(trace).unwrap().into();
        assert_eq!((id.as_str(), of(id.as_str()).as_str()), (trace, trace));
        let errand = id.errand("hand over");
        assert_eq!(errand.as_str(), format!("{trace}-hand-over"));
        assert_eq!(of(errand.errand("begin").as_str()), trace);
        assert_eq!(of("01936C4E-7a50-7cc0-9d2b-0f3f6b1f7a11"), trace, "as older programs wrote it");
        assert_eq!(of("01936c4e-7a50-7cc0-9d2b-0f3f6b1f7a11-begin"), trace);
        assert_ne!(of("01936c4e7a507cc09d2b0f3f6b1f7a1100"), trace, "another id that begins so");
        let other = of("input-1");
        assert!(other.len() == 32 && other.bytes().all(|b| b.is_ascii_hexdigit()), "{other}");
        assert_eq!(other, of("input-1"));
        assert_ne!(other, of("input-2"));
    }
}
