//! The marks that our side effects carry, so that a lost attempt can be found again.
//!
//! A mark is a keyed hash of what the effect is: every replica and every retry computes the same one, and nobody
//! without the key can forge one and so make us believe that we have already spoken.

use secrecy::{ExposeSecret, SecretSlice};

use crate::store::seal::keyed_hash;

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
        Self { key: keyed_hash(secret, &[PURPOSE]).into() }
    }

    /// The mark of one effect, named by its parts; 32 hexadecimal digits.
    pub fn of(&self, parts: &[&str]) -> String {
        let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
        let full = keyed_hash(self.key.expose_secret(), &parts);
        hex::encode(full.get(..MARK_BYTES).unwrap_or(&full))
    }

    /// Whether a mark that came from outside is the one of these parts; how long that takes says nothing about it.
    pub fn is(&self, mark: &str, parts: &[&str]) -> bool {
        // Both are hashed once more, so that the comparison is of values that nobody outside can choose.
        self.of(&["compared", mark]) == self.of(&["compared", &self.of(parts)])
    }
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

    #[test]
    fn a_mark_is_recognised_by_its_key_alone() {
        let marks = Marks::new(b"one");
        let mark = marks.of(&["a", "bc"]);
        assert!(marks.is(&mark, &["a", "bc"]));
        assert!(!marks.is(&mark, &["ab", "c"]) && !marks.is("", &["a", "bc"]));
        assert!(!Marks::new(b"two").is(&mark, &["a", "bc"]));
    }
}
