//! Installing the app: the page that asks, the code, and the tokens that it becomes.
//!
//! As strict as the documents allow: an address that is not registered is never redirected to; a code is good once, for
//! ten minutes, for the same address and verifier; a refresh token is good once.
//! <https://docs.slack.dev/authentication/installing-with-oauth>

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Form, Json,
    extract::{Query, State as Shared},
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD as BASE64, BASE64_URL_SAFE_NO_PAD as BASE64_URL},
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::{
    openid::SignIn,
    server::SlackTwin,
    state::{State, Token},
};
use crate::{
    clock::later,
    domain::ids::{TeamId, UserId},
};

/// How long a code is good.
pub(super) const CODE_LIFE: Duration = Duration::from_mins(10);
/// How long a rotating token is good, in seconds.
const TOKEN_LIFE: u64 = 43_200;

/// The app as a client of OAuth, and how this workspace installs it.
#[derive(Debug, Clone, Default)]
pub struct OAuthApp {
    /// Its id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Addresses that browsers may be sent back to.
    pub redirects: Vec<String>,
    /// Whether PKCE is switched on.
    pub pkce: bool,
    /// Whether tokens run out.
    pub rotates: bool,
    /// The organisation, on Enterprise Grid; then an installation is for all of its workspaces.
    pub enterprise: Option<TeamId>,
    /// Scopes that the person does not allow.
    pub denied: Vec<String>,
    codes: BTreeMap<String, Code>,
    refreshes: BTreeMap<String, Vec<String>>,
    /// Codes of people who sign in.
    pub(super) sign_ins: BTreeMap<String, SignIn>,
}

/// What a code stands for.
#[derive(Debug, Clone)]
struct Code {
    by: UserId,
    scopes: Vec<String>,
    redirect: String,
    challenge: Option<String>,
    until: Timestamp,
}

/// What the browser brings.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    client_id: String,
    scope: String,
    redirect_uri: String,
    state: String,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

impl OAuthApp {
    fn check(&self, asked: &Asked) -> Result<(), &'static str> {
        self.check_client(&asked.client_id, &asked.redirect_uri)?;
        if asked.scope.is_empty() {
            return Err("no_scopes");
        }
        self.check_challenge(asked.code_challenge.as_deref(), asked.code_challenge_method.as_deref())
    }

    /// Whether somebody may be sent to this page for this app, and back to this address.
    pub(super) fn check_client(&self, client_id: &str, redirect_uri: &String) -> Result<(), &'static str> {
        if client_id != self.client_id || client_id.is_empty() {
            return Err("invalid_client_id");
        }
        if self.redirects.contains(redirect_uri) { Ok(()) } else { Err("bad_redirect_uri") }
    }

    pub(super) fn check_challenge(&self, challenge: Option<&str>, method: Option<&str>) -> Result<(), &'static str> {
        match challenge {
            Some(_) if !self.pkce => Err("pkce_not_allowed"),
            Some(_) if method != Some("S256") => Err("invalid_code_challenge_method"),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether a verifier is what a challenge was made of.
    pub(super) fn check_verifier(&self, verifier: Option<&str>, challenge: Option<&str>) -> Result<(), &'static str> {
        if verifier.is_some() && !self.pkce {
            return Err("pkce_not_allowed");
        }
        let made = verifier.map(|verifier| BASE64_URL.encode(Sha256::digest(verifier)));
        if made.as_deref() == challenge { Ok(()) } else { Err("invalid_code_verifier") }
    }

    /// Whether the app itself asks: by HTTP Basic. <https://www.rfc-editor.org/rfc/rfc7617>
    pub(super) fn check_app(&self, headers: &HeaderMap) -> Result<(), &'static str> {
        let expected = format!("Basic {}", BASE64.encode(format!("{}:{}", self.client_id, self.client_secret)));
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        if self.client_id.is_empty() || given != Some(&expected) { Err("bad_client_secret") } else { Ok(()) }
    }
}

impl SlackTwin {
    /// Somebody allows the installation on the page that an address leads to; where their browser goes then.
    ///
    /// # Errors
    ///
    /// Slack's word, where it shows no page for that address.
    pub fn allow_install(&self, address: &Url, by: &UserId) -> Result<Url, String> {
        let pairs: BTreeMap<String, String> = address.query_pairs().into_owned().collect();
        let asked: Asked = serde_json::from_value(json!(pairs)).map_err(|error| error.to_string())?;
        let now = self.now();
        self.change(|state| state.allow(&asked, by, now)).map_err(str::to_owned)
    }
}

/// `GET /oauth/v2/authorize`: asks whether to allow it.
pub(super) async fn authorize(Shared(twin): Shared<Arc<SlackTwin>>, Query(asked): Query<Asked>) -> Response {
    if let Err(code) = twin.read(|state| state.oauth.check(&asked)) {
        return (StatusCode::BAD_REQUEST, format!("{code}\n")).into_response();
    }
    let mut cancel: Url = match asked.redirect_uri.parse() {
        Ok(url) => url,
        Err(_) => return (StatusCode::BAD_REQUEST, "bad_redirect_uri\n").into_response(),
    };
    cancel.query_pairs_mut().append_pair("error", "access_denied").append_pair("state", &asked.state);
    let mut allow = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in [
        ("client_id", Some(asked.client_id)),
        ("scope", Some(asked.scope)),
        ("redirect_uri", Some(asked.redirect_uri)),
        ("state", Some(asked.state)),
        ("code_challenge", asked.code_challenge),
        ("code_challenge_method", asked.code_challenge_method),
    ] {
        allow.extend_pairs(value.map(|value| (name, value)));
    }
    let (allow, cancel) = (allow.finish().replace('&', "&amp;"), cancel.as_str().replace('&', "&amp;"));
    Html(format!(
        "<!doctype html><meta charset=\"utf-8\"><title>Allow?</title><link rel=\"icon\" href=\"data:,\"><p>The app asks to be installed.</p>\
         <p><a id=\"allow\" href=\"/oauth/v2/allow?{allow}\">Allow</a> <a id=\"cancel\" href=\"{cancel}\">Cancel</a></p>"
    ))
    .into_response()
}

/// `GET /oauth/v2/allow`: the first person of the workspace allows it.
pub(super) async fn allow(Shared(twin): Shared<Arc<SlackTwin>>, Query(asked): Query<Asked>) -> Response {
    let now = twin.now();
    let given = twin.change(|state| {
        let by = state.users.keys().next().cloned().ok_or("no_user")?;
        state.allow(&asked, &by, now)
    });
    match given {
        Ok(url) => Redirect::to(url.as_str()).into_response(),
        Err(code) => (StatusCode::BAD_REQUEST, format!("{code}\n")).into_response(),
    }
}

/// What becomes tokens.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TurnedIn {
    grant_type: String,
    code: String,
    redirect_uri: String,
    code_verifier: Option<String>,
    refresh_token: String,
}

/// `POST /api/oauth.v2.access`.
pub(super) async fn access(
    Shared(twin): Shared<Arc<SlackTwin>>,
    headers: HeaderMap,
    Form(given): Form<TurnedIn>,
) -> Response {
    let now = twin.now();
    let answer = twin.change(|state| {
        state.oauth.check_app(&headers)?;
        match given.grant_type.as_str() {
            "" | "authorization_code" => state.turn_in(&given, now),
            "refresh_token" => state.refresh(&given),
            _ => Err("invalid_grant_type"),
        }
    });
    twin.enter("oauth.v2.access", answer.as_ref().map(drop).map_err(|&code| code.to_owned()), "{}".to_owned());
    let body = answer.unwrap_or_else(|code| json!({ "ok": false, "error": code }));
    Json(body).into_response()
}

impl State {
    fn allow(&mut self, asked: &Asked, by: &UserId, now: Timestamp) -> Result<Url, &'static str> {
        self.oauth.check(asked)?;
        let mut url: Url = asked.redirect_uri.parse().map_err(|_| "bad_redirect_uri")?;
        let number = self.next_ts(now);
        let code = format!("code-{}-{number}", self.team.id);
        url.query_pairs_mut().append_pair("code", &code).append_pair("state", &asked.state);
        let scopes = asked.scope.split(',').filter(|scope| !self.oauth.denied.iter().any(|denied| denied == scope));
        let code_for = Code {
            by: by.clone(),
            scopes: scopes.map(str::to_owned).collect(),
            redirect: asked.redirect_uri.clone(),
            challenge: asked.code_challenge.clone(),
            until: later(now, CODE_LIFE),
        };
        self.oauth.codes.insert(code, code_for);
        Ok(url)
    }

    fn turn_in(&mut self, given: &TurnedIn, now: Timestamp) -> Result<Value, &'static str> {
        // Whatever is wrong with it, a code is turned in once.
        let code = self.oauth.codes.remove(&given.code).filter(|code| code.until >= now).ok_or("invalid_code")?;
        if code.redirect != given.redirect_uri {
            return Err("bad_redirect_uri");
        }
        self.oauth.check_verifier(given.code_verifier.as_deref(), code.challenge.as_deref())?;
        Ok(self.grant(&code.scopes, Some(&code.by), now))
    }

    fn refresh(&mut self, given: &TurnedIn) -> Result<Value, &'static str> {
        let scopes = self.oauth.refreshes.remove(&given.refresh_token).ok_or("invalid_refresh_token")?;
        Ok(self.grant(&scopes, None, Timestamp::UNIX_EPOCH))
    }

    fn grant(&mut self, scopes: &[String], by: Option<&UserId>, now: Timestamp) -> Value {
        let number = self.next_ts(now);
        let token = format!("xoxb-{}-{number}", self.team.id);
        self.tokens.insert(token.clone(), Token { scopes: scopes.iter().cloned().collect(), refused: None });
        let named = |id: &TeamId| json!({ "id": id, "name": self.team.name });
        let enterprise = self.oauth.enterprise.as_ref();
        let mut answer = json!({
            "ok": true, "app_id": self.app.id, "token_type": "bot", "access_token": token, "scope": scopes.join(","),
            "bot_user_id": self.app.bot_user, "team": enterprise.is_none().then(|| named(&self.team.id)),
            "enterprise": enterprise.map(named), "is_enterprise_install": enterprise.is_some(),
            "authed_user": by.map(|by| json!({ "id": by })),
        });
        if self.oauth.rotates
            && let Some(answer) = answer.as_object_mut()
        {
            let refresh = format!("xoxe-1-{}-{number}", self.team.id);
            answer.insert("expires_in".to_owned(), json!(TOKEN_LIFE));
            answer.insert("refresh_token".to_owned(), json!(refresh));
            self.oauth.refreshes.insert(refresh, scopes.to_vec());
        }
        answer
    }
}
