//! One name for everything that one input causes, in the form that traces have: 16 bytes as hex. It is made of the
//! input's id, so that it is stored with the input and every replica and every attempt has the same.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::ids::InputId;

/// The trace of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceId(String);

impl TraceId {
    /// The trace of an input of this id.
    pub fn of(input: &InputId) -> Self {
        let bare: String = input.as_str().chars().filter(|c| *c != '-').collect();
        if bare.len() == 32 && bare.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Self(bare.to_ascii_lowercase());
        }
        let digest = Sha256::digest(input.as_str().as_bytes());
        Self(hex::encode(digest.iter().take(16).copied().collect::<Vec<u8>>()))
    }
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
    fn a_trace_is_the_inputs_id_in_the_form_of_traces() {
        let of = |id: &str| TraceId::of(&id.parse().unwrap()).to_string();
        assert_eq!(of("01936C4E-7a50-7cc0-9d2b-0f3f6b1f7a11"), "01936c4e7a507cc09d2b0f3f6b1f7a11");
        let other = of("input-1");
        assert!(other.len() == 32 && other.bytes().all(|b| b.is_ascii_hexdigit()), "{other}");
        assert_eq!(other, of("input-1"));
        assert_ne!(other, of("input-2"));
    }
}
