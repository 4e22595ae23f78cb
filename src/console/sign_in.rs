//! "Sign in with Slack": a person is sent to Slack, comes back with a code, and has a session if an operator named them.
//!
//! As at an installation, what begins in one browser can only end in the same. Who somebody is counts with their
//! workspace: see [`Admins`]. <https://docs.slack.dev/authentication/sign-in-with-slack>

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Query, Request, State},
    http::{HeaderMap, Method, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64_URL};
use jiff::Timestamp;
use secrecy::SecretSlice;
use url::Url;

use super::{
    Console,
    done::Done,
    gate::Gate,
    live::LIVE,
    session::{self, Session},
    viewer::Admin,
};
use crate::{
    config::Live,
    domain::admins::Admins,
    install::pass::{self, Errand, Pass, Returned},
    oversight::Actor,
    slack::{OAuth, SignInCode, SignInError, SignInRequest, openid::Person},
};

/// What the browser keeps while its person is at Slack.
const PASS: &str = "bobbin_sign_in";
/// What it keeps of their session.
const SESSION: &str = "bobbin_session";
/// What it keeps of what was done, until the next page says so.
const DONE: &str = "bobbin_done";
/// How long that is: a page comes at once.
const DONE_LIFE: Duration = Duration::from_secs(30);
/// What it keeps of the page that somebody wanted who has to sign in first.
const WANTED: &str = "bobbin_wanted";
/// Longest address that is kept.
const WANTED_MAX: usize = 1_000;
/// What the browser is sent to Slack for.
const ERRAND: Errand = Errand::SignIn;
/// Where somebody reads that they have to sign in.
pub(super) const ENTER: &str = "/console/enter";

/// What signing in needs.
#[derive(Debug)]
pub struct SignIn {
    /// The app towards Slack.
    pub oauth: OAuth,
    /// Who may act; a removed one is out at their next request.
    pub admins: Live<Admins>,
    /// How browsers reach us.
    pub public_url: Url,
    /// Whether the app has PKCE.
    pub pkce: bool,
    /// Signs what browsers keep for us.
    pub key: SecretSlice<u8>,
}

/// The routes on the way in.
pub(super) fn way_in(console: Arc<Console>, sign_in: Arc<SignIn>) -> Router {
    Router::new()
        .route(ENTER, get(enter))
        .route("/console/sign-in", get(begin))
        .route("/console/signed-in", get(end))
        .with_state(Desk { console, sign_in })
}

/// The route on the way out, for those who are in.
pub(super) fn way_out(console: Arc<Console>, sign_in: Arc<SignIn>) -> Router {
    Router::new().route("/console/sign-out", post(leave)).with_state(Desk { console, sign_in })
}

/// What the routes need.
#[derive(Debug, Clone)]
struct Desk {
    console: Arc<Console>,
    sign_in: Arc<SignIn>,
}

impl SignIn {
    /// The operator whose browser this is.
    pub(super) fn admin(&self, headers: &HeaderMap, now: Timestamp) -> Result<Admin, Gate> {
        let kept = pass::from_cookies(headers, &self.named(SESSION));
        let session = kept.and_then(|text| Session::read(&self.key, &text, now));
        let session = session.ok_or_else(|| Gate::SignIn { at: self.at() })?;
        if !self.admins.now().has(&session.team, &session.user) {
            return Err(self.not_named(&session));
        }
        let token = session.token(&self.key);
        let done = pass::from_cookies(headers, &self.named(DONE)).and_then(|name| Done::named(&name));
        Ok(Admin { team: session.team, user: session.user, name: session.name, token, done })
    }

    /// Whoever only looks is led to where one signs in, and from there to what they wanted; a form is not acted on.
    pub(super) fn to_gate(&self, gate: Gate, request: &Request) -> Response {
        if !matches!(gate, Gate::SignIn { .. }) {
            return gate.into_response();
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Gate::ForeignForm.into_response();
        }
        let enter = Redirect::to(ENTER);
        let page = request.uri().path_and_query().map_or("", |page| page.as_str());
        if page.len() > WANTED_MAX || request.uri().path() == LIVE {
            return enter.into_response();
        }
        (AppendHeaders([self.cookie(WANTED, Some(&BASE64_URL.encode(page)), pass::LIFE)]), enter).into_response()
    }

    /// The page that somebody wanted before they signed in; the first one, unless it is certainly one of ours.
    fn wanted(&self, headers: &HeaderMap) -> String {
        let kept = pass::from_cookies(headers, &self.named(WANTED)).and_then(|text| BASE64_URL.decode(text).ok());
        let page = kept.and_then(|page| String::from_utf8(page).ok()).filter(|page| is_ours(page));
        page.unwrap_or_else(|| "/console".to_owned())
    }

    /// Leads back to a page, which says once what was done.
    pub(super) fn did(&self, done: Done, page: &str) -> Response {
        (AppendHeaders([self.cookie(DONE, Some(done.name()), DONE_LIFE)]), Redirect::to(page)).into_response()
    }

    /// What was done has been said.
    pub(super) fn said(&self) -> (header::HeaderName, String) {
        self.cookie(DONE, None, DONE_LIFE)
    }

    /// Where one signs in. The whole address: a session begun at another one could not come back.
    fn at(&self) -> String {
        self.address("console/sign-in")
    }

    fn address(&self, path: &str) -> String {
        format!("{}/{path}", self.public_url.as_str().trim_end_matches('/'))
    }

    fn not_named(&self, Session { team, user, name, .. }: &Session) -> Gate {
        Gate::NotNamed { who: format!("{team}/{user}"), name: name.clone(), at: self.at() }
    }

    /// With the prefix, browsers take a cookie from this very host alone, and over HTTPS alone.
    fn named(&self, cookie: &str) -> String {
        if self.public_url.scheme() == "https" { format!("__Host-{cookie}") } else { cookie.to_owned() }
    }

    /// A cookie for so long; without a value, the cookie's end.
    fn cookie(&self, name: &str, value: Option<&str>, life: Duration) -> (header::HeaderName, String) {
        let secure = if self.public_url.scheme() == "https" { "; Secure" } else { "" };
        let (name, value, age) = (self.named(name), value.unwrap_or_default(), value.map_or(0, |_| life.as_secs()));
        // Lax, not Strict: the browser comes back from Slack.
        (header::SET_COOKIE, format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}"))
    }
}

/// Whether that is an address of the console, which no browser takes for one elsewhere.
fn is_ours(page: &str) -> bool {
    let below = page.strip_prefix("/console").filter(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    below.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\'))
}

/// The page that leads to Slack.
async fn enter(State(desk): State<Desk>) -> Gate {
    Gate::SignIn { at: desk.sign_in.at() }
}

/// Sends the person to Slack.
async fn begin(State(Desk { console, sign_in }): State<Desk>) -> Response {
    let pass = Pass::new(&sign_in.key, ERRAND, console.clock.now());
    let challenge = sign_in.pkce.then(|| pass.challenge());
    let admins = sign_in.admins.now();
    let request = SignInRequest {
        redirect_uri: &sign_in.address("console/signed-in"),
        state: pass.state(),
        nonce: pass.nonce(),
        team: admins.one_team(),
        challenge: challenge.as_deref(),
    };
    match sign_in.oauth.sign_in_url(&request) {
        Ok(url) => {
            let cookie = sign_in.cookie(PASS, Some(&pass.text()), pass::LIFE);
            (AppendHeaders([cookie]), Redirect::to(url.as_str())).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "nobody can be sent to Slack to sign in");
            Gate::Failed { code: String::new(), at: sign_in.at() }.into_response()
        }
    }
}

/// The person comes back.
async fn end(State(desk): State<Desk>, headers: HeaderMap, Query(returned): Query<Returned>) -> Response {
    let Desk { console, sign_in } = &desk;
    let kept = pass::from_cookies(&headers, &sign_in.named(PASS));
    let kept = kept.and_then(|text| Pass::read(&sign_in.key, ERRAND, &text, console.clock.now()));
    let outcome = match kept.filter(|pass| pass.is(&returned.state)) {
        None => Err(("foreign_state", Gate::NotYours { at: sign_in.at() })),
        Some(_) if !returned.error.is_empty() => Err(("declined", Gate::Declined { at: sign_in.at() })),
        Some(pass) => desk.redeem(&returned.code, &pass).await,
    };
    // The pass is used up, however it ended.
    let used = sign_in.cookie(PASS, None, pass::LIFE);
    match outcome {
        Ok(session) => {
            count("signed_in");
            let kept = sign_in.cookie(SESSION, Some(&session.text(&sign_in.key)), session::LIFE);
            let done = sign_in.cookie(WANTED, None, pass::LIFE);
            (AppendHeaders([used, kept, done]), Redirect::to(&sign_in.wanted(&headers))).into_response()
        }
        Err((why, gate)) => {
            count(why);
            (AppendHeaders([used]), gate).into_response()
        }
    }
}

impl Desk {
    /// A code becomes a session of somebody who may have one, on the record.
    async fn redeem(&self, code: &str, pass: &Pass) -> Result<Session, (&'static str, Gate)> {
        let Self { console, sign_in } = self;
        let (at, now) = (sign_in.at(), console.clock.now());
        let redirect_uri = sign_in.address("console/signed-in");
        let verifier = sign_in.pkce.then(|| pass.verifier());
        let with = SignInCode { code, redirect_uri: &redirect_uri, verifier };
        let person: Person = sign_in.oauth.sign_in(&with, pass.nonce(), now).await.map_err(|error| {
            // Anybody can come back with a made-up code: no error of ours.
            tracing::info!(%error, "nobody is signed in to the console");
            let code = match &error {
                SignInError::Slack(error) => error.code().unwrap_or_default().to_owned(),
                SignInError::IdToken(_) => String::new(),
            };
            ("refused", Gate::Failed { code, at: at.clone() })
        })?;
        let session = Session::new(&sign_in.key, person, now);
        let (team, user) = (&session.team, &session.user);
        if !sign_in.admins.now().has(team, user) {
            tracing::warn!(%team, %user, "somebody who is not named in BOBBIN_ADMINS came to the console");
            return Err(("not_named", sign_in.not_named(&session)));
        }
        let recorded = console.oversight.record(&Actor::console(team, user), "console.enter", "console", "").await;
        recorded.map_err(|error| {
            tracing::error!(%error, "a sign-in cannot be put on record");
            ("store_away", Gate::Away { at })
        })?;
        Ok(session)
    }
}

/// Ends a session in this browser.
async fn leave(State(Desk { console, sign_in }): State<Desk>, admin: Admin) -> Response {
    if let Err(error) = console.oversight.record(&admin.actor(), "console.leave", "console", "").await {
        tracing::warn!(%error, "a sign-out is not on record");
    }
    (AppendHeaders([sign_in.cookie(SESSION, None, session::LIFE)]), Redirect::to(ENTER)).into_response()
}

fn count(end: &'static str) {
    metrics::counter!("bobbin_console_sign_ins_total", "end" => end).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_consoles_own_pages_are_come_back_to() {
        for page in ["/console", "/console?x=1", "/console/sessions?q=%3C", "/console/threads/T1/C1/1700000000.000100"]
        {
            assert!(is_ours(page), "{page}");
        }
        for page in [
            "",
            "/",
            "//evil.example",
            "/console.evil.example",
            "/consoles",
            "/console/\\evil",
            "/console/ x",
            "https://evil.example/console",
        ] {
            assert!(!is_ours(page), "{page}");
        }
    }
}
