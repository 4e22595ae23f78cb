//! Slack's request signature, scheme `v0`: the only way in for bytes from outside.
//!
//! The check is stricter than the vendor's own libraries in two places: a time stamp from the future is refused like
//! an old one, and only the spelling that Slack sends (64 lower-case digits, decimal seconds) is read, so that exactly
//! one text is a valid signature of a request.
//! <https://docs.slack.dev/authentication/verifying-requests-from-slack>

use std::fmt;

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::HeaderMap;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// How far a request's time stamp may be from now, in either direction: Slack's own recommendation.
const MAX_SKEW_SECONDS: i64 = 300;

/// A SHA-256 as bytes.
const MAC_BYTES: usize = 32;

/// Longest time stamp read: eleven digits last until the year 5138.
const MAX_TIMESTAMP_DIGITS: usize = 11;

/// The header with the time of the request, in seconds.
pub const TIMESTAMP_HEADER: &str = "x-slack-request-timestamp";

/// The header with the signature.
pub const SIGNATURE_HEADER: &str = "x-slack-signature";

/// Why a list of signing secrets cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    /// There is none. Without one, anybody's requests would be as good as Slack's.
    #[error("no signing secret is given; copy it from the app's Basic Information page")]
    Absent,
    /// One of several is empty, which everybody could sign with.
    #[error("one of the signing secrets is empty; look for a doubled or trailing comma")]
    Blank,
}

/// The secrets that requests may be signed with, newest first: two while one is being replaced.
#[derive(Clone)]
pub struct SigningSecrets(Vec<SecretString>);

impl fmt::Debug for SigningSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningSecrets({} hidden)", self.0.len())
    }
}

/// Why a request is refused. The reason goes to metrics and logs, never to the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.reason())]
pub enum Refusal {
    /// No time stamp header.
    MissingTimestamp,
    /// No signature header.
    MissingSignature,
    /// A header came twice: which one is meant is anybody's guess.
    DuplicateHeader,
    /// The time stamp is not a whole number of seconds.
    MalformedTimestamp,
    /// Older than five minutes.
    StaleTimestamp,
    /// More than five minutes ahead.
    FutureTimestamp,
    /// Not `v0=` and 64 lower-case hexadecimal digits.
    MalformedSignature,
    /// Made with another secret, or for another request.
    WrongSignature,
}

impl Refusal {
    /// The reason as a metrics label.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::MissingTimestamp => "missing_timestamp",
            Self::MissingSignature => "missing_signature",
            Self::DuplicateHeader => "duplicate_header",
            Self::MalformedTimestamp => "malformed_timestamp",
            Self::StaleTimestamp => "stale_timestamp",
            Self::FutureTimestamp => "future_timestamp",
            Self::MalformedSignature => "malformed_signature",
            Self::WrongSignature => "wrong_signature",
        }
    }
}

/// The bytes of a request that Slack has signed. Made by [`SigningSecrets::verify`] and by nothing else.
#[derive(Clone)]
pub struct VerifiedBody(Bytes);

impl fmt::Debug for VerifiedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifiedBody({} bytes)", self.0.len())
    }
}

impl VerifiedBody {
    /// The body exactly as it was signed.
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }
}

impl SigningSecrets {
    /// Takes secrets that were read before.
    ///
    /// # Errors
    ///
    /// [`SecretsError`], when there is none or one is blank.
    pub fn new(secrets: Vec<SecretString>) -> Result<Self, SecretsError> {
        if secrets.is_empty() {
            return Err(SecretsError::Absent);
        }
        if secrets.iter().any(|secret| secret.expose_secret().trim().is_empty()) {
            return Err(SecretsError::Blank);
        }
        Ok(Self(secrets))
    }

    /// No secret at all, for Socket Mode: every request is refused, whatever it is signed with.
    pub fn none() -> Self {
        Self(Vec::new())
    }

    /// Reads a comma-separated list.
    ///
    /// # Errors
    ///
    /// [`SecretsError`], when there is none or one is blank.
    pub fn parse(list: &str) -> Result<Self, SecretsError> {
        if list.trim().is_empty() {
            return Err(SecretsError::Absent);
        }
        let secrets: Vec<_> = list.split(',').map(str::trim).collect();
        if secrets.iter().any(|secret| secret.is_empty()) {
            return Err(SecretsError::Blank);
        }
        Ok(Self(secrets.into_iter().map(SecretString::from).collect()))
    }

    /// Checks a request. The body must be the bytes as they arrived.
    ///
    /// # Errors
    ///
    /// [`Refusal`]; answer 401 and nothing else.
    pub fn verify(&self, headers: &HeaderMap, body: Bytes, now: Timestamp) -> Result<VerifiedBody, Refusal> {
        let stamp = single(headers, TIMESTAMP_HEADER, Refusal::MissingTimestamp, Refusal::MalformedTimestamp)?;
        let signature = single(headers, SIGNATURE_HEADER, Refusal::MissingSignature, Refusal::MalformedSignature)?;
        fresh(stamp, now)?;
        let given = decode(signature).ok_or(Refusal::MalformedSignature)?;
        // Every secret is tried, so that the time taken does not tell which one fitted.
        let fitting = self.0.iter().filter(|secret| mac(secret, stamp, &body).verify_slice(&given).is_ok()).count();
        if fitting > 0 { Ok(VerifiedBody(body)) } else { Err(Refusal::WrongSignature) }
    }
}

/// Signs a body as Slack would; for whoever sends requests to this program (the twin, `replay`).
pub fn sign(secret: &SecretString, timestamp_seconds: i64, body: &[u8]) -> String {
    let digest = mac(secret, &timestamp_seconds.to_string(), body).finalize().into_bytes();
    format!("v0={}", hex::encode(digest))
}

fn single<'a>(headers: &'a HeaderMap, name: &str, missing: Refusal, malformed: Refusal) -> Result<&'a str, Refusal> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().ok_or(missing)?;
    if values.next().is_some() {
        return Err(Refusal::DuplicateHeader);
    }
    value.to_str().map_err(|_| malformed)
}

fn fresh(stamp: &str, now: Timestamp) -> Result<(), Refusal> {
    if stamp.len() > MAX_TIMESTAMP_DIGITS || !stamp.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Refusal::MalformedTimestamp);
    }
    let seconds: i64 = stamp.parse().map_err(|_| Refusal::MalformedTimestamp)?;
    let age = now.as_second() - seconds;
    if age > MAX_SKEW_SECONDS {
        Err(Refusal::StaleTimestamp)
    } else if age < -MAX_SKEW_SECONDS {
        Err(Refusal::FutureTimestamp)
    } else {
        Ok(())
    }
}

fn decode(signature: &str) -> Option<[u8; MAC_BYTES]> {
    let digits = signature.strip_prefix("v0=")?;
    if digits.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let mut bytes = [0; MAC_BYTES];
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    Some(bytes)
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn mac(secret: &SecretString, stamp: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).expect("any key length");
    mac.update(b"v0:");
    mac.update(stamp.as_bytes());
    mac.update(b":");
    mac.update(body);
    mac
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const NOW: i64 = 1_531_420_618;

    fn headers(stamp: &str, signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(TIMESTAMP_HEADER, stamp.parse().unwrap());
        headers.insert(SIGNATURE_HEADER, signature.parse().unwrap());
        headers
    }

    fn check(secrets: &str, headers: &HeaderMap, body: impl Into<Bytes>, now: i64) -> Result<VerifiedBody, Refusal> {
        SigningSecrets::parse(secrets).unwrap().verify(headers, body.into(), Timestamp::from_second(now).unwrap())
    }

    fn signed(secret: &str, at: i64, body: &[u8]) -> HeaderMap {
        headers(&at.to_string(), &sign(&SecretString::from(secret), at, body))
    }

    /// A file of cases, ours and the collected one, in one shape.
    fn run_cases(path: &Path) -> usize {
        let Ok(text) = fs::read_to_string(path) else { return 0 };
        let file: Value = serde_json::from_str(&text).unwrap();
        let cases = file["cases"].as_array().unwrap();
        for case in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in case["headers"].as_object().unwrap() {
                let name = hyper::header::HeaderName::from_bytes(name.as_bytes()).unwrap();
                headers.insert(name, value.as_str().unwrap().parse().unwrap());
            }
            let body = case["body"].as_str().unwrap().to_owned();
            let now = case["now"].as_i64().unwrap();
            let result = check(case["signing_secret"].as_str().unwrap(), &headers, body, now);
            let expected = case["expect"].as_str().unwrap() == "accept";
            assert_eq!(result.is_ok(), expected, "{}: {result:?}", case["name"]);
            if let (Some(reason), Err(refusal)) = (case["refusal"].as_str(), &result) {
                assert_eq!(refusal.reason(), reason, "{}", case["name"]);
            }
        }
        cases.len()
    }

    #[test]
    fn every_recorded_case_ends_as_it_should() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(run_cases(&root.join("tests/fixtures/slack/signatures.json")) >= 10);
    }

    #[test]
    fn the_collected_cases_end_as_they_should_where_they_are_at_hand() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let found = run_cases(&root.join("../shared/payloads/signatures.json"));
        assert!(found == 0 || found >= 15, "only {found} cases were read");
    }

    #[test]
    fn both_the_old_and_the_new_secret_open() {
        let body = b"{}".as_slice();
        for secret in ["old", "new"] {
            assert!(check("new, old", &signed(secret, NOW, body), body, NOW).is_ok());
        }
        assert_eq!(check("new,old", &signed("other", NOW, body), body, NOW).unwrap_err(), Refusal::WrongSignature);
    }

    #[test]
    fn the_limit_of_freshness_is_the_same_on_both_sides() {
        let body = b"{}".as_slice();
        let at = |now: i64| check(SECRET, &signed(SECRET, NOW, body), body, now).map(|_| ());
        assert_eq!(at(NOW + 300), Ok(()));
        assert_eq!(at(NOW - 300), Ok(()));
        assert_eq!(at(NOW + 301), Err(Refusal::StaleTimestamp));
        assert_eq!(at(NOW - 301), Err(Refusal::FutureTimestamp));
    }

    #[test]
    fn two_signatures_are_refused_even_when_one_is_right() {
        let mut headers = signed(SECRET, NOW, b"{}");
        headers.append(SIGNATURE_HEADER, "v0=00".parse().unwrap());
        assert_eq!(check(SECRET, &headers, "{}", NOW).unwrap_err(), Refusal::DuplicateHeader);
        let mut headers = signed(SECRET, NOW, b"{}");
        headers.append(TIMESTAMP_HEADER, NOW.to_string().parse().unwrap());
        assert_eq!(check(SECRET, &headers, "{}", NOW).unwrap_err(), Refusal::DuplicateHeader);
    }

    #[test]
    fn malformed_headers_are_refused_as_such() {
        let good = sign(&SecretString::from(SECRET), NOW, b"{}");
        let stamp = NOW.to_string();
        let refusal = |stamp: &str, signature: &str| check(SECRET, &headers(stamp, signature), "{}", NOW).unwrap_err();
        for stamp in ["", "now", "-1", "+1531420618", "1531420618.0", "99999999999999999999"] {
            assert_eq!(refusal(stamp, &good), Refusal::MalformedTimestamp, "{stamp}");
        }
        let upper = good.to_uppercase().replace("V0", "v0");
        for signature in
            ["", "v0=", "v1=00", good.trim_end_matches(|c| c != '='), &format!("{good}00"), &upper, "v0=zz"]
        {
            assert_eq!(refusal(&stamp, signature), Refusal::MalformedSignature, "{signature}");
        }
    }

    #[test]
    fn header_bytes_that_are_not_text_are_refused() {
        let mut headers = signed(SECRET, NOW, b"{}");
        headers.insert(SIGNATURE_HEADER, hyper::header::HeaderValue::from_bytes(b"v0=\xff").unwrap());
        assert_eq!(check(SECRET, &headers, "{}", NOW).unwrap_err(), Refusal::MalformedSignature);
    }

    #[test]
    fn lists_without_a_secret_are_refused() {
        for list in ["", "  ", "\n"] {
            assert_eq!(SigningSecrets::parse(list).unwrap_err(), SecretsError::Absent);
        }
        for list in ["a,", ",a", "a,,b", " , "] {
            assert_eq!(SigningSecrets::parse(list).unwrap_err(), SecretsError::Blank);
        }
    }

    #[test]
    fn secrets_and_bodies_stay_out_of_debug_output() {
        let secrets = SigningSecrets::parse(SECRET).unwrap();
        let body = check(SECRET, &signed(SECRET, NOW, b"private"), "private", NOW).unwrap();
        let shown = format!("{secrets:?} {body:?}");
        assert!(!shown.contains(SECRET) && !shown.contains("private"), "{shown}");
        assert_eq!(body.bytes().as_ref(), b"private");
    }

    proptest! {
        #[test]
        fn what_is_signed_is_accepted(secret in "[!-+\\--~]{1,60}", at in 0_i64..99_999_999_999, body: Vec<u8>) {
            prop_assert!(check(&secret, &signed(&secret, at, &body), body, at).is_ok());
        }

        #[test]
        fn one_bit_of_the_body_decides(body in prop::collection::vec(any::<u8>(), 1..200), at: prop::sample::Index, bit in 0..8) {
            let headers = signed(SECRET, NOW, &body);
            let mut changed = body;
            let at = at.index(changed.len());
            changed[at] ^= 1_u8 << bit;
            prop_assert!(check(SECRET, &headers, changed, NOW).is_err());
        }

        #[test]
        fn one_bit_of_a_header_decides(body: Vec<u8>, at: prop::sample::Index, bit in 0..8, which in 0..2) {
            let name = if which == 0 { TIMESTAMP_HEADER } else { SIGNATURE_HEADER };
            let mut headers = signed(SECRET, NOW, &body);
            let mut value = headers[name].as_bytes().to_vec();
            let at = at.index(value.len());
            value[at] ^= 1_u8 << bit;
            // Some changes are not a header any more: the HTTP layer refuses those.
            if let Ok(value) = hyper::header::HeaderValue::from_bytes(&value) {
                headers.insert(name, value);
                prop_assert!(check(SECRET, &headers, body, NOW).is_err());
            }
        }
    }
}
