//! The marks that our side effects carry, so that a lost attempt can be found again.
//!
//! A mark is a keyed hash of what the effect is: every replica and every retry computes the same one, and nobody
//! without the key can forge one and so make us believe that we have already spoken.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;

/// Half of the hash: beyond guessing, and short enough to read in a log.
const MARK_BYTES: usize = 16;
/// Separates this use of a secret from every other.
const PURPOSE: &[u8] = b"bobbin marks v1";

/// Makes marks.
#[derive(Debug, Clone)]
pub struct Marks {
    key: SecretSlice<u8>,
}

impl Marks {
    /// Marks under a key derived from the given secret.
    pub fn new(secret: &[u8]) -> Self {
        Self { key: mac(secret, &[PURPOSE]).into() }
    }

    /// The mark of one effect, named by its parts; 32 hexadecimal digits.
    pub fn of(&self, parts: &[&str]) -> String {
        let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
        let full = mac(self.key.expose_secret(), &parts);
        hex::encode(full.get(..MARK_BYTES).unwrap_or(&full))
    }
}

/// A keyed hash over parts, each with its length, so that no two lists of parts read the same.
fn mac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("a key of any length");
    for part in parts {
        mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_depends_on_the_key_and_on_where_parts_end() {
        let marks = Marks::new(b"one");
        assert_eq!(marks.of(&["a", "bc"]), Marks::new(b"one").of(&["a", "bc"]));
        assert_ne!(marks.of(&["a", "bc"]), marks.of(&["ab", "c"]));
        assert_ne!(marks.of(&["a"]), Marks::new(b"two").of(&["a"]));
        assert_eq!(marks.of(&["a"]).len(), 32);
    }
}
