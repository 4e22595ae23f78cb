//! What the browser of somebody who signed in keeps: who they are and until when it counts, signed. Nothing is kept on our
//! side, so that every replica knows everybody; whoever stops being an operator is out all the same, because the list of
//! them is asked at every request.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64_URL};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretSlice};
use serde::{Deserialize, Serialize};

use crate::{
    clock::later,
    domain::ids::{TeamId, UserId},
    install::pass::{same, unguessable},
    slack::openid::Person,
    store::seal::keyed_hash,
};

/// How long a session lasts.
pub(super) const LIFE: Duration = Duration::from_hours(1);
/// Longest name that is kept, in characters: a cookie has 4 KiB.
const NAME_MAX: usize = 80;
/// Separates these uses of the key from every other.
const SIGNS: &[u8] = b"bobbin console session v1";
const FORMS: &[u8] = b"bobbin console form v1";

/// Somebody's session, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Session {
    v: u8,
    /// Their workspace.
    pub(super) team: TeamId,
    /// Who they are there.
    pub(super) user: UserId,
    /// Their name.
    pub(super) name: String,
    /// Until when it counts, in seconds.
    until: i64,
    /// Makes each session another one.
    number: String,
}

impl Session {
    const VERSION: u8 = 1;

    /// A new one.
    pub(super) fn new(key: &SecretSlice<u8>, person: Person, now: Timestamp) -> Self {
        let name = person.name.chars().filter(|c| !c.is_control()).take(NAME_MAX).collect();
        let (number, until) = (unguessable(key), later(now, LIFE).as_second());
        Self { v: Self::VERSION, team: person.team, user: person.user, name, until, number }
    }

    /// Reads a cookie's value; `None` when it is not ours, was changed, or does not count any more.
    pub(super) fn read(key: &SecretSlice<u8>, text: &str, now: Timestamp) -> Option<Self> {
        let (body, signature) = text.split_once('.')?;
        if !same(&signed(key, body), signature) {
            return None;
        }
        let session: Self = serde_json::from_slice(&BASE64_URL.decode(body).ok()?).ok()?;
        (session.v == Self::VERSION && now.as_second() < session.until).then_some(session)
    }

    /// The cookie's value.
    pub(super) fn text(&self, key: &SecretSlice<u8>) -> String {
        let body = BASE64_URL.encode(serde_json::to_vec(self).unwrap_or_default());
        let signature = signed(key, &body);
        format!("{body}.{signature}")
    }

    /// What every form of this session carries: a page elsewhere cannot know it.
    pub(super) fn token(&self, key: &SecretSlice<u8>) -> String {
        hex::encode(keyed_hash(key.expose_secret(), &[FORMS, self.number.as_bytes(), self.user.as_str().as_bytes()]))
    }
}

fn signed(key: &SecretSlice<u8>, body: &str) -> String {
    hex::encode(keyed_hash(key.expose_secret(), &[SIGNS, body.as_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> SecretSlice<u8> {
        text.as_bytes().to_vec().into()
    }

    fn person(user: &str) -> Person {
        Person { team: "T1".parse().unwrap(), user: user.parse().unwrap(), name: "Ada\nLovelace".to_owned() }
    }

    #[test]
    fn a_session_is_read_by_whoever_signed_it_for_an_hour() {
        let now = Timestamp::from_second(1_795_000_000).unwrap();
        let session = Session::new(&key("ours"), person("U1"), now);
        let text = session.text(&key("ours"));
        assert_eq!(Session::read(&key("ours"), &text, now), Some(session.clone()));
        assert_eq!(session.name, "AdaLovelace");
        assert!(Session::read(&key("theirs"), &text, now).is_none());
        assert!(Session::read(&key("ours"), &text, later(now, LIFE)).is_none());
        let theirs = Session::new(&key("ours"), person("U2"), now).text(&key("ours"));
        let (body, _) = theirs.split_once('.').unwrap();
        let (_, signature) = text.split_once('.').unwrap();
        for forged in
            [format!("{body}.{signature}"), format!("{body}."), body.to_owned(), String::new(), ".".to_owned()]
        {
            assert!(Session::read(&key("ours"), &forged, now).is_none(), "{forged}");
        }
        assert!(text.len() < 1_000 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)), "{text}");
    }

    #[test]
    fn each_session_has_forms_of_its_own() {
        let now = Timestamp::UNIX_EPOCH;
        let (one, two) = (Session::new(&key("k"), person("U1"), now), Session::new(&key("k"), person("U1"), now));
        assert_eq!(one.token(&key("k")), one.token(&key("k")));
        assert_ne!(one.token(&key("k")), two.token(&key("k")));
        assert_ne!(one.token(&key("k")), one.token(&key("other")));
    }
}
