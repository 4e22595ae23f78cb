//! Seals what nobody may read where it lies: a secret that a person typed into a form waits in the store, the spool or
//! among the dead letters as ciphertext, until the one call that needs it.
//!
//! The nonce is made of the secret itself and of what it is for, under a key of its own: no source of randomness is
//! asked, and two secrets never meet under one nonce.

use chacha20poly1305::{
    Key, KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use sha2::Sha256;

use crate::domain::ids::{TeamId, UserId};

/// Says how the rest of a sealed text is to be read.
const VERSION: &str = "sealed:v1:";
/// Separates these uses of a secret from every other.
const PURPOSE: &[u8] = b"bobbin seal v1";
const PURPOSE_NONCE: &[u8] = b"bobbin seal nonce v1";
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// Seals and opens under one key. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Seal {
    key: SecretSlice<u8>,
    nonces: SecretSlice<u8>,
}

impl Seal {
    /// Seals under a key derived from the given secret.
    pub fn new(secret: &[u8]) -> Self {
        Self { key: keyed_hash(secret, &[PURPOSE]).into(), nonces: keyed_hash(secret, &[PURPOSE_NONCE]).into() }
    }

    /// Seals a text for one use; only who names the same use can open it.
    ///
    /// # Panics
    ///
    /// For a text of 256 GiB or more.
    pub fn seal(&self, what_for: &str, plain: &str) -> String {
        let full = keyed_hash(self.nonces.expose_secret(), &[what_for.as_bytes(), plain.as_bytes()]);
        let nonce: [u8; NONCE_BYTES] = full.first_chunk().copied().unwrap_or_default();
        let payload = Payload { msg: plain.as_bytes(), aad: what_for.as_bytes() };
        #[expect(clippy::expect_used, reason = "the cipher refuses nothing below 256 GiB")]
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload).expect("a text of bounded length");
        format!("{VERSION}{}{}", hex::encode(nonce), hex::encode(sealed))
    }

    /// Opens what was sealed for this use; `None` when it was sealed for another one, under another key, or changed.
    pub fn open(&self, what_for: &str, sealed: &str) -> Option<SecretString> {
        let bytes = hex::decode(sealed.strip_prefix(VERSION)?).ok()?;
        let (nonce, msg) = bytes.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg, aad: what_for.as_bytes() };
        let plain = self.cipher().decrypt(&XNonce::from(*nonce), payload).ok()?;
        String::from_utf8(plain).ok().map(SecretString::from)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        let key: [u8; KEY_BYTES] = self.key.expose_secret().first_chunk().copied().unwrap_or_default();
        XChaCha20Poly1305::new(&Key::from(key))
    }
}

/// What the secrets that somebody typed into the form are sealed for.
pub fn session_secrets_of(team: &TeamId, user: &UserId) -> String {
    format!("session secrets of {team}/{user}")
}

/// A keyed hash over parts, each with its length, so that no two lists of parts read the same.
pub(crate) fn keyed_hash(secret: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(secret).expect("a key of any length");
    for part in parts {
        mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(seal: &Seal, what_for: &str, sealed: &str) -> Option<String> {
        seal.open(what_for, sealed).map(|plain| plain.expose_secret().to_owned())
    }

    #[test]
    fn what_is_sealed_is_opened_for_its_use_alone() {
        let seal = Seal::new(b"one");
        let sealed = seal.seal("view V1", "TOKEN=hunter2");
        assert!(!sealed.contains("hunter2") && sealed.starts_with(VERSION));
        assert_eq!(opened(&seal, "view V1", &sealed).as_deref(), Some("TOKEN=hunter2"));
        assert_eq!(opened(&seal, "view V2", &sealed), None);
        assert_eq!(opened(&Seal::new(b"two"), "view V1", &sealed), None);
        let mut changed = sealed.clone();
        let last = if changed.pop() == Some('0') { '1' } else { '0' };
        changed.push(last);
        assert_eq!(opened(&seal, "view V1", &changed), None);
        assert_eq!(opened(&seal, "view V1", "TOKEN=hunter2"), None, "what was never sealed is not believed");
    }

    #[test]
    fn one_secret_looks_different_in_every_use() {
        let seal = Seal::new(b"one");
        assert_ne!(seal.seal("view V1", "hunter2"), seal.seal("view V2", "hunter2"));
        assert_eq!(seal.seal("view V1", "hunter2"), seal.seal("view V1", "hunter2"), "a repetition is the same input");
    }

    #[test]
    fn the_key_stays_out_of_debug_output() {
        let shown = format!("{:?}", Seal::new(b"invented"));
        assert!(!shown.contains("invented") && shown.contains("REDACTED"), "{shown}");
    }
}
