//! "Add to Slack": a person is sent to Slack, comes back with a code, and the workspace is installed.
//!
//! What begins in one browser can only end in the same: the state that comes back has to be the one in the browser's
//! cookie, which is signed and lives ten minutes. Where the app has PKCE the verifier is made of it, so that a code that
//! was stolen is worth nothing without the cookie. Nothing is kept on our side until Slack has granted something.
//! <https://docs.slack.dev/authentication/installing-with-oauth>

mod page;
pub(crate) mod pass;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use secrecy::SecretSlice;
use url::Url;

use self::{
    page::Page,
    pass::{Pass, Returned},
};
use crate::{
    clock::Clock,
    domain::{errand, mailbox::Mailbox},
    slack::AuthorizeRequest,
    store::{Admit, Bell, Door, Input, Offer, SharedStore, StoreError},
    tenancy::{InstallError, Installation, Installations},
};

/// The name of the browser's cookie.
const COOKIE: &str = "bobbin_install";
/// What the browser is sent to Slack for.
const ERRAND: pass::Errand = pass::Errand::Install;

/// What the routes need.
#[derive(Debug)]
pub struct Install {
    /// The installations.
    pub installations: Arc<Installations>,
    /// Where the welcome is asked for.
    pub store: SharedStore,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Rung when the welcome was asked for.
    pub bell: Bell,
    /// How browsers reach us.
    pub public_url: Url,
    /// What the bot needs to be allowed.
    pub scopes: Vec<String>,
    /// Whether the app has PKCE.
    pub pkce: bool,
    /// Signs what the browser keeps for us.
    pub key: SecretSlice<u8>,
}

/// The routes.
pub fn routes(install: Arc<Install>) -> Router {
    Router::new().route("/slack/install", get(begin)).route("/slack/oauth/callback", get(end)).with_state(install)
}

impl Install {
    fn redirect_uri(&self) -> String {
        format!("{}/slack/oauth/callback", self.public_url.as_str().trim_end_matches('/'))
    }

    /// The cookie with a pass; without one, the cookie's end.
    fn cookie(&self, pass: Option<&str>) -> String {
        let secure = if self.public_url.scheme() == "https" { "; Secure" } else { "" };
        let (value, age) = pass.map_or(("", 0), |pass| (pass, pass::LIFE.as_secs()));
        // Lax, not Strict: the browser comes back from Slack.
        format!("{COOKIE}={value}; Path=/slack; Max-Age={age}; HttpOnly; SameSite=Lax{secure}")
    }
}

/// Sends the person to Slack.
async fn begin(State(install): State<Arc<Install>>) -> Response {
    let pass = Pass::new(&install.key, ERRAND, install.clock.now());
    let challenge = install.pkce.then(|| pass.challenge());
    let request = AuthorizeRequest {
        scopes: &install.scopes,
        redirect_uri: &install.redirect_uri(),
        state: pass.state(),
        challenge: challenge.as_deref(),
    };
    match install.installations.oauth().authorize_url(&request) {
        Ok(url) => {
            ([(header::SET_COOKIE, install.cookie(Some(&pass.text())))], Redirect::to(url.as_str())).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "nobody can be sent to Slack to install");
            Page::Failed { code: String::new() }.answer(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// The person comes back.
async fn end(State(install): State<Arc<Install>>, headers: HeaderMap, Query(returned): Query<Returned>) -> Response {
    let now = install.clock.now();
    let kept = pass::from_cookies(&headers, COOKIE).and_then(|text| Pass::read(&install.key, ERRAND, &text, now));
    let page = match kept.filter(|pass| pass.is(&returned.state)) {
        None => {
            count("foreign_state");
            Page::NotYours.answer(StatusCode::FORBIDDEN)
        }
        Some(_) if !returned.error.is_empty() => {
            count("declined");
            Page::Declined.answer(StatusCode::OK)
        }
        Some(pass) => redeem(&install, &returned.code, &pass).await,
    };
    ([(header::SET_COOKIE, install.cookie(None))], page).into_response()
}

async fn redeem(install: &Install, code: &str, pass: &Pass) -> Response {
    let verifier = install.pkce.then(|| pass.verifier());
    let granted = install.installations.oauth().redeem(code, &install.redirect_uri(), verifier).await;
    let kept = match granted {
        Ok(grant) => install.installations.keep(&grant).await,
        Err(error) => Err(InstallError::Slack(error)),
    };
    match kept {
        Ok(installation) => {
            count("installed");
            let missing: Vec<String> = installation.lacks(&install.scopes).into_iter().map(str::to_owned).collect();
            tracing::info!(
                workspace = %installation.id,
                by = installation.by.as_ref().map_or("", |by| by.as_str()),
                missing = missing.join(","),
                "a workspace installed the app"
            );
            if let Err(error) = welcome(install, &installation, missing.clone()).await {
                // Whoever begins again installs the same once more, and is welcomed then.
                return away(&error);
            }
            let name = installation.name.unwrap_or_else(|| installation.id.to_string());
            Page::Installed { name, missing }.answer(StatusCode::OK)
        }
        Err(InstallError::NotInvited { id, name }) => {
            count("not_invited");
            tracing::warn!(workspace = %id, name, "a workspace that is not invited was turned away");
            Page::NotInvited { name: name.unwrap_or_else(|| id.to_string()), id }.answer(StatusCode::FORBIDDEN)
        }
        Err(InstallError::Store(error)) => away(&error),
        Err(error) => {
            count("refused");
            tracing::error!(%error, "Slack did not grant an installation");
            let code = if let InstallError::Slack(error) = &error { error.code().unwrap_or_default() } else { "" };
            Page::Failed { code: code.to_owned() }.answer(StatusCode::BAD_GATEWAY)
        }
    }
}

fn away(error: &StoreError) -> Response {
    count("store_away");
    tracing::error!(%error, "an installation could not be kept, or nobody could be welcomed");
    Page::Away.answer(StatusCode::SERVICE_UNAVAILABLE)
}

/// Has whoever installed the app told what to do next.
async fn welcome(install: &Install, of: &Installation, missing: Vec<String>) -> Result<(), StoreError> {
    let Some(user) = of.by.clone() else { return Ok(()) };
    let body =
        serde_json::to_vec(&errand::Errand::Welcome { missing }).map_err(|e| StoreError::Corrupt(e.to_string()))?;
    let input = Input::received(install.clock.now(), Door::Errand, body);
    let seen = vec![format!("welcome:{}:{}", of.id, of.at)];
    let mailbox = Mailbox::Person { team: of.id.clone(), user };
    install.store.accept(&Offer { mailbox, input, seen, admit: Admit::Always }).await?;
    install.bell.notify_one();
    Ok(())
}

fn count(end: &'static str) {
    metrics::counter!("bobbin_installations_total", "end" => end).increment(1);
}
