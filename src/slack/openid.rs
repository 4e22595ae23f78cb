//! Sign in with Slack: what an `id_token` says of somebody, once everything about it was verified.
//!
//! It comes straight from Slack over TLS, so that `OpenID` Connect would let us believe it as it is (Core 3.1.3.7, 6). The
//! signature is verified all the same: whoever stands between us and Slack, such as a proxy that opens TLS, would else
//! decide who our operators are. One algorithm is known, `RS256`, whatever the token says of itself.
//! <https://docs.slack.dev/authentication/sign-in-with-slack>

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64_URL};
use jiff::Timestamp;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde::{Deserialize, de::DeserializeOwned};

use crate::domain::ids::{TeamId, UserId};

/// Who issues the tokens, on every address of Slack's.
pub const ISSUER: &str = "https://slack.com";
/// The one way in which they are signed. <https://www.rfc-editor.org/rfc/rfc7518#section-3.3>
const ALGORITHM: &str = "RS256";
/// How far Slack's clock and ours may disagree, in seconds.
const SKEW_SECONDS: i64 = 60;

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    /// It cannot be read.
    #[error("the id_token cannot be read")]
    Unreadable,
    /// It is signed in another way, or by a key that is not Slack's.
    #[error("the id_token is not signed by a key of Slack's")]
    UnknownKey,
    /// Its signature is another text's.
    #[error("the id_token's signature is wrong")]
    Signature,
    /// Somebody else issued it.
    #[error("the id_token was issued by somebody else")]
    Issuer,
    /// It is meant for another app.
    #[error("the id_token is meant for another app")]
    Audience,
    /// It has run out, or is not good yet.
    #[error("the id_token has run out, or the clocks differ")]
    Time,
    /// It belongs to another sign-in.
    #[error("the id_token belongs to another sign-in")]
    Nonce,
}

/// What a token has to say.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The app's client id.
    pub client_id: &'a str,
    /// The number that this sign-in began with.
    pub nonce: &'a str,
    /// The time.
    pub now: Timestamp,
}

/// Somebody who signed in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Person {
    /// Their workspace.
    #[serde(rename = "https://slack.com/team_id")]
    pub team: TeamId,
    /// Who they are there.
    #[serde(rename = "https://slack.com/user_id")]
    pub user: UserId,
    /// Their name.
    #[serde(default)]
    pub name: String,
}

/// Slack's keys. <https://www.rfc-editor.org/rfc/rfc7517>
#[derive(Debug, Clone, Deserialize)]
pub struct Keys {
    keys: Vec<Key>,
}

#[derive(Debug, Clone, Deserialize)]
struct Key {
    #[serde(default)]
    kid: String,
    #[serde(default)]
    kty: String,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
}

#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    kid: String,
}

#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    exp: i64,
    iat: i64,
    #[serde(default)]
    nonce: String,
    #[serde(flatten)]
    person: Person,
}

/// One app or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    /// Whether it is meant for one app and nobody else.
    fn is(&self, client_id: &str) -> bool {
        match self {
            Self::One(one) => one == client_id,
            Self::Several(all) => matches!(all.as_slice(), [one] if one == client_id),
        }
    }
}

/// Who a token speaks of.
///
/// # Errors
///
/// What is wrong with it.
pub fn verify(token: &str, keys: &Keys, expected: Expected<'_>) -> Result<Person, IdTokenError> {
    let (signed, signature) = token.rsplit_once('.').ok_or(IdTokenError::Unreadable)?;
    let (header, claims) = signed.split_once('.').ok_or(IdTokenError::Unreadable)?;
    let header: Header = json(header)?;
    let key = keys.keys.iter().find(|key| key.kid == header.kid && key.kty == "RSA");
    let key = key.filter(|_| header.alg == ALGORITHM).ok_or(IdTokenError::UnknownKey)?;
    let (n, e) = (bytes(&key.n)?, bytes(&key.e)?);
    RsaPublicKeyComponents { n: &n, e: &e }
        .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &bytes(signature)?)
        .map_err(|_| IdTokenError::Signature)?;
    judge(json(claims)?, expected)
}

/// Believed by its signature; whether it is for us, now, and for this sign-in.
fn judge(claims: Claims, expected: Expected<'_>) -> Result<Person, IdTokenError> {
    let now = expected.now.as_second();
    if claims.iss != ISSUER {
        return Err(IdTokenError::Issuer);
    }
    if !claims.aud.is(expected.client_id) {
        return Err(IdTokenError::Audience);
    }
    if now > claims.exp.saturating_add(SKEW_SECONDS) || now < claims.iat.saturating_sub(SKEW_SECONDS) {
        return Err(IdTokenError::Time);
    }
    if claims.nonce.is_empty() || claims.nonce != expected.nonce {
        return Err(IdTokenError::Nonce);
    }
    Ok(claims.person)
}

fn bytes(text: &str) -> Result<Vec<u8>, IdTokenError> {
    BASE64_URL.decode(text).map_err(|_| IdTokenError::Unreadable)
}

fn json<T: DeserializeOwned>(part: &str) -> Result<T, IdTokenError> {
    serde_json::from_slice(&bytes(part)?).map_err(|_| IdTokenError::Unreadable)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::twin::slack::openid_keys as slack_keys;

    const NOW: i64 = 1_795_000_000;

    fn claims() -> Value {
        json!({
            "iss": ISSUER, "aud": "1.2", "exp": NOW + 300, "iat": NOW, "nonce": "n", "sub": "U1", "name": "Ada",
            "https://slack.com/team_id": "T1", "https://slack.com/user_id": "U1",
        })
    }

    fn verified(token: &str) -> Result<Person, IdTokenError> {
        let keys = serde_json::from_value(slack_keys::published()).unwrap();
        let expected = Expected { client_id: "1.2", nonce: "n", now: Timestamp::from_second(NOW).unwrap() };
        verify(token, &keys, expected)
    }

    fn with(name: &str, value: Value) -> Result<Person, IdTokenError> {
        let mut claims = claims();
        claims[name] = value;
        verified(&slack_keys::signed(&claims))
    }

    #[test]
    fn a_token_of_slacks_for_this_sign_in_says_who_somebody_is() {
        let ada = Person { team: "T1".parse().unwrap(), user: "U1".parse().unwrap(), name: "Ada".to_owned() };
        assert_eq!(verified(&slack_keys::signed(&claims())), Ok(ada.clone()));
        assert_eq!(with("aud", json!(["1.2"])), Ok(ada.clone()));
        assert_eq!(with("exp", json!(NOW - SKEW_SECONDS)), Ok(ada));
    }

    #[test]
    fn what_is_wrong_with_any_other_is_told() {
        for (name, value, why) in [
            ("iss", json!("https://slack.com.evil.example"), IdTokenError::Issuer),
            ("aud", json!("1.3"), IdTokenError::Audience),
            ("aud", json!(["1.2", "1.3"]), IdTokenError::Audience),
            ("exp", json!(NOW - SKEW_SECONDS - 1), IdTokenError::Time),
            ("iat", json!(NOW + SKEW_SECONDS + 1), IdTokenError::Time),
            ("nonce", json!("m"), IdTokenError::Nonce),
            ("nonce", json!(""), IdTokenError::Nonce),
            ("https://slack.com/team_id", json!("none"), IdTokenError::Unreadable),
            ("exp", json!("soon"), IdTokenError::Unreadable),
        ] {
            assert_eq!(with(name, value.clone()), Err(why), "{name}: {value}");
        }
    }

    #[test]
    fn nobody_but_slack_can_make_one() {
        let good = slack_keys::signed(&claims());
        let [header, body, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
        let encoded = |value: &Value| BASE64_URL.encode(value.to_string());
        let mut theirs = claims();
        theirs["https://slack.com/user_id"] = json!("U2");
        assert_eq!(verified(&format!("{header}.{}.{signature}", encoded(&theirs))), Err(IdTokenError::Signature));
        assert_eq!(verified(&format!("{header}.{body}.")), Err(IdTokenError::Signature));
        for other in [json!({ "alg": "none", "kid": "twin" }), json!({ "alg": "HS256", "kid": "twin" })] {
            let token = format!("{}.{body}.{signature}", encoded(&other));
            assert_eq!(verified(&token), Err(IdTokenError::UnknownKey), "{other}");
        }
        let other = encoded(&json!({ "alg": ALGORITHM, "kid": "theirs" }));
        assert_eq!(verified(&format!("{other}.{body}.{signature}")), Err(IdTokenError::UnknownKey));
        for text in ["", "a.b", "a.b.c", &body.repeat(3)] {
            assert_eq!(verified(text), Err(IdTokenError::Unreadable), "{text}");
        }
    }
}
