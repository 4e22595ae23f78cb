//! What a browser keeps for us between leaving for Slack and coming back: a number nobody can guess and until when it
//! counts, signed. An installation and a sign-in each have their own; neither is taken for the other.

use std::time::Duration;

use axum::http::{HeaderMap, header};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64_URL};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretSlice};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{clock::later, store::seal::keyed_hash};

/// How long somebody may take at Slack: as long as its codes live.
pub(crate) const LIFE: Duration = Duration::from_mins(10);
/// Separates these uses of the key from every other.
const SIGNS: &[u8] = b"bobbin install pass v1";
const VERIFIES: &[u8] = b"bobbin install verifier v1";
const NUMBERS: &[u8] = b"bobbin install state v1";
const NONCES: &[u8] = b"bobbin install nonce v1";

/// What somebody is sent to Slack for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Errand {
    /// To install the app.
    Install,
    /// To say who they are.
    SignIn,
}

impl Errand {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Install => b"install",
            Self::SignIn => b"sign in",
        }
    }
}

/// What Slack sends somebody back with: a code, or why there is none.
#[derive(Debug, Deserialize)]
pub(crate) struct Returned {
    #[serde(default)]
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) error: String,
}

/// The pass of one browser.
#[derive(Debug)]
pub(crate) struct Pass {
    state: String,
    until: i64,
    signature: String,
    verifier: String,
    nonce: String,
}

impl Pass {
    /// A new one.
    pub(crate) fn new(key: &SecretSlice<u8>, errand: Errand, now: Timestamp) -> Self {
        Self::of(key, errand, unguessable(key), later(now, LIFE).as_second())
    }

    fn of(key: &SecretSlice<u8>, errand: Errand, state: String, until: i64) -> Self {
        let hash = |parts: &[&[u8]]| hex::encode(keyed_hash(key.expose_secret(), parts));
        let signature = hash(&[SIGNS, errand.label(), state.as_bytes(), &until.to_be_bytes()]);
        let verifier = hash(&[VERIFIES, errand.label(), state.as_bytes()]);
        let nonce = hash(&[NONCES, errand.label(), state.as_bytes()]);
        Self { state, until, signature, verifier, nonce }
    }

    /// Reads a cookie's value; `None` when it is not ours, was changed, or does not count any more.
    pub(crate) fn read(key: &SecretSlice<u8>, errand: Errand, text: &str, now: Timestamp) -> Option<Self> {
        let mut parts = text.split('.');
        let (state, until, signature) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
        let pass = Self::of(key, errand, state.to_owned(), until);
        let good = same(&pass.signature, signature) && parts.next().is_none();
        (good && now.as_second() <= until).then_some(pass)
    }

    /// The cookie's value.
    pub(crate) fn text(&self) -> String {
        format!("{}.{}.{}", self.state, self.until, self.signature)
    }

    /// What Slack sends back unchanged.
    pub(crate) fn state(&self) -> &str {
        &self.state
    }

    /// Whether that is what came back.
    pub(crate) fn is(&self, state: &str) -> bool {
        same(&self.state, state)
    }

    /// The PKCE verifier. <https://www.rfc-editor.org/rfc/rfc7636>
    pub(crate) fn verifier(&self) -> &str {
        &self.verifier
    }

    /// What comes back in the token of whoever signs in.
    pub(crate) fn nonce(&self) -> &str {
        &self.nonce
    }

    /// Its challenge, `S256`.
    pub(crate) fn challenge(&self) -> String {
        BASE64_URL.encode(Sha256::digest(self.verifier.as_bytes()))
    }
}

/// A number that nobody can guess.
pub(crate) fn unguessable(key: &SecretSlice<u8>) -> String {
    // An id alone has its time in it; hashed under our key it says nothing.
    hex::encode(keyed_hash(key.expose_secret(), &[NUMBERS, Uuid::now_v7().as_bytes()]))
}

/// A cookie of a request.
pub(crate) fn from_cookies(headers: &HeaderMap, cookie: &str) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == cookie).map(|(_, value)| value.to_owned())
}

/// Compared as hashes, so that the time it takes tells nothing.
pub(crate) fn same(a: &str, b: &str) -> bool {
    Sha256::digest(a.as_bytes()) == Sha256::digest(b.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> SecretSlice<u8> {
        text.as_bytes().to_vec().into()
    }

    #[test]
    fn a_pass_is_read_by_whoever_signed_it_until_it_runs_out() {
        let now = Timestamp::from_second(1_795_000_000).unwrap();
        let pass = Pass::new(&key("ours"), Errand::Install, now);
        let text = pass.text();
        let read_by = |who: &str, text: &str, now| Pass::read(&key(who), Errand::Install, text, now);
        let read = read_by("ours", &text, now).unwrap();
        assert!(read.is(pass.state()) && read.verifier() == pass.verifier() && read.nonce() == pass.nonce());
        assert!(read.nonce() != read.state() && read.nonce() != read.verifier());
        assert!(Pass::read(&key("ours"), Errand::SignIn, &text, now).is_none(), "an installation is no sign-in");
        assert!(!read.is("") && !read.is("another"));
        assert!(read_by("theirs", &text, now).is_none());
        assert!(read_by("ours", &text, later(now, LIFE + Duration::from_secs(1))).is_none());
        let longer = text.replacen('.', ".9", 1);
        assert!(read_by("ours", &longer, now).is_none(), "a later end needs another signature");
        assert_ne!(Pass::new(&key("ours"), Errand::Install, now).state(), pass.state());
        assert!((43..=128).contains(&pass.verifier().len()));
    }

    #[test]
    fn a_challenge_is_the_verifiers_digest() {
        // RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned();
        let pass = Pass { verifier, ..Pass::new(&key("ours"), Errand::Install, Timestamp::UNIX_EPOCH) };
        assert_eq!(pass.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
