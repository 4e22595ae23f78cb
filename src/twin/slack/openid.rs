//! Sign in with Slack: the page on which one says who one is, the code, and the token that it becomes.
//!
//! As strict as the documents allow, as at an installation; a code is good once.
//! <https://docs.slack.dev/authentication/sign-in-with-slack>

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Form, Json,
    extract::{Query, State as Shared},
    http::{HeaderMap, StatusCode},
    response::{Html, IntoResponse, Redirect, Response},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use super::{
    oauth::CODE_LIFE,
    openid_keys,
    server::SlackTwin,
    state::{State, User, UserKind},
};
use crate::{clock::later, domain::ids::UserId, slack::openid::ISSUER};

/// How long a token is good, in seconds.
const TOKEN_LIFE: i64 = 300;

/// What a code stands for.
#[derive(Debug, Clone)]
pub(super) struct SignIn {
    who: UserId,
    redirect: String,
    nonce: String,
    challenge: Option<String>,
    until: Timestamp,
}

/// What the browser brings.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Asked {
    response_type: String,
    client_id: String,
    scope: String,
    redirect_uri: String,
    state: String,
    nonce: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code_challenge: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code_challenge_method: Option<String>,
    /// Who was chosen on the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserId>,
}

impl SlackTwin {
    /// Somebody signs in on the page that an address leads to; where their browser goes then.
    ///
    /// # Errors
    ///
    /// Slack's word, where it shows no page for that address.
    pub fn allow_sign_in(&self, address: &Url, who: &UserId) -> Result<Url, String> {
        let pairs: BTreeMap<String, String> = address.query_pairs().into_owned().collect();
        let asked: Asked = serde_json::from_value(json!(pairs)).map_err(|error| error.to_string())?;
        let now = self.now();
        self.change(|state| state.allow_sign_in(&asked, who, now)).map_err(str::to_owned)
    }
}

/// `GET /openid/connect/authorize`: asks who one is.
pub(super) async fn authorize(Shared(twin): Shared<Arc<SlackTwin>>, Query(asked): Query<Asked>) -> Response {
    let page = twin.read(|state| {
        state.check_sign_in(&asked)?;
        let mut cancel: Url = asked.redirect_uri.parse().map_err(|_| "bad_redirect_uri")?;
        cancel.query_pairs_mut().append_pair("error", "access_denied").append_pair("state", &asked.state);
        let people = state.users.values().filter(|user| matches!(user.kind, UserKind::Member | UserKind::Guest));
        let rows: Result<String, &str> = people.map(|user| row(&asked, user)).collect();
        Ok(format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Sign in</title><link rel=\"icon\" href=\"data:,\"><h1>Who are you?</h1>\
             <ul>{}</ul><p><a id=\"cancel\" href=\"{}\">Cancel</a></p>",
            rows?,
            escaped(cancel.as_str())
        ))
    });
    match page {
        Ok(page) => Html(page).into_response(),
        Err::<_, &str>(code) => (StatusCode::BAD_REQUEST, format!("{code}\n")).into_response(),
    }
}

fn row(asked: &Asked, user: &User) -> Result<String, &'static str> {
    let chosen = Asked { user: Some(user.id.clone()), ..asked.clone() };
    let Ok(Value::Object(fields)) = serde_json::to_value(chosen) else { return Err("bad_request") };
    let pairs = fields.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    Ok(format!(
        "<li><a id=\"{}\" href=\"/openid/connect/allow?{}\">{}</a></li>",
        user.id,
        escaped(&query),
        escaped(&user.real_name)
    ))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// `GET /openid/connect/allow`: somebody said who they are.
pub(super) async fn allow(Shared(twin): Shared<Arc<SlackTwin>>, Query(asked): Query<Asked>) -> Response {
    let now = twin.now();
    let given = twin.change(|state| {
        let who = asked.user.as_ref().filter(|user| state.users.contains_key(user)).ok_or("no_user")?;
        state.allow_sign_in(&asked, who, now)
    });
    match given {
        Ok(url) => Redirect::to(url.as_str()).into_response(),
        Err(code) => (StatusCode::BAD_REQUEST, format!("{code}\n")).into_response(),
    }
}

/// What becomes a token.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TurnedIn {
    code: String,
    redirect_uri: String,
    code_verifier: Option<String>,
}

/// `POST /api/openid.connect.token`.
pub(super) async fn token(
    Shared(twin): Shared<Arc<SlackTwin>>,
    headers: HeaderMap,
    Form(given): Form<TurnedIn>,
) -> Response {
    let now = twin.now();
    let answer = twin.change(|state| {
        state.oauth.check_app(&headers)?;
        state.turn_in_sign_in(&given, now)
    });
    let outcome = answer.as_ref().map(drop).map_err(|&code: &&'static str| code.to_owned());
    twin.enter("openid.connect.token", outcome, "{}".to_owned());
    Json(answer.unwrap_or_else(|code| json!({ "ok": false, "error": code }))).into_response()
}

/// `GET /openid/connect/keys`.
pub(super) async fn keys() -> Json<Value> {
    Json(openid_keys::published())
}

impl State {
    fn check_sign_in(&self, asked: &Asked) -> Result<(), &'static str> {
        self.oauth.check_client(&asked.client_id, &asked.redirect_uri)?;
        if asked.response_type != "code" {
            return Err("invalid_response_type");
        }
        // Those of an installation cannot be asked for together with these.
        let mut scopes = asked.scope.split(' ');
        if !asked.scope.contains("openid") || !scopes.all(|scope| ["openid", "email", "profile"].contains(&scope)) {
            return Err("invalid_scope");
        }
        self.oauth.check_challenge(asked.code_challenge.as_deref(), asked.code_challenge_method.as_deref())
    }

    fn allow_sign_in(&mut self, asked: &Asked, who: &UserId, now: Timestamp) -> Result<Url, &'static str> {
        self.check_sign_in(asked)?;
        let mut url: Url = asked.redirect_uri.parse().map_err(|_| "bad_redirect_uri")?;
        let number = self.next_ts(now);
        let code = format!("sign-in-{}-{number}", self.team.id);
        url.query_pairs_mut().append_pair("code", &code).append_pair("state", &asked.state);
        let sign_in = SignIn {
            who: who.clone(),
            redirect: asked.redirect_uri.clone(),
            nonce: asked.nonce.clone(),
            challenge: asked.code_challenge.clone(),
            until: later(now, CODE_LIFE),
        };
        self.oauth.sign_ins.insert(code, sign_in);
        Ok(url)
    }

    fn turn_in_sign_in(&mut self, given: &TurnedIn, now: Timestamp) -> Result<Value, &'static str> {
        // Whatever is wrong with it, a code is turned in once.
        let code = self.oauth.sign_ins.remove(&given.code).filter(|code| code.until >= now).ok_or("invalid_code")?;
        if code.redirect != given.redirect_uri {
            return Err("bad_redirect_uri");
        }
        self.oauth.check_verifier(given.code_verifier.as_deref(), code.challenge.as_deref())?;
        let user = self.users.get(&code.who).ok_or("invalid_code")?;
        let now = now.as_second();
        let mut claims = json!({
            "iss": ISSUER, "sub": user.id, "aud": self.oauth.client_id, "iat": now, "exp": now + TOKEN_LIFE,
            "auth_time": now, "nonce": code.nonce, "name": user.real_name, "locale": "en-US",
            "https://slack.com/team_id": self.team.id, "https://slack.com/user_id": user.id,
            "https://slack.com/team_name": self.team.name, "https://slack.com/team_domain": self.team.domain,
        });
        if let (Some(email), Some(claims)) = (&user.email, claims.as_object_mut()) {
            claims.insert("email".to_owned(), json!(email.address));
            claims.insert("email_verified".to_owned(), json!(email.confirmed));
        }
        let id_token = openid_keys::signed(&claims);
        Ok(json!({ "ok": true, "access_token": "xoxp-not-used", "token_type": "Bearer", "id_token": id_token }))
    }
}
