//! What visitors do on Devin's side and to the services. Every form answers with a redirect to the page as it is then, so that reloading never sends twice
//! and the script can read the new page from the answer.

use axum::{
    extract::{Form, State},
    response::Redirect,
};
use serde::Deserialize;

use super::{
    Playground,
    select::{Query, Selection},
    view::{Scope, active, preset, state_of},
};
use crate::{
    domain::{
        ids::{InvalidId, SessionId, Ts},
        status::Status,
    },
    twin::{devin::NoSession, slack::ActError},
};

/// Why a form had no effect; the name goes into the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) &'static str);

impl From<ActError> for Refusal {
    fn from(error: ActError) -> Self {
        Self(match error {
            ActError::NotMember(..) => "member",
            ActError::NoUser(_) | ActError::NoChannel(_) | ActError::NoMessage(_) | ActError::NoButton(_) => "gone",
            ActError::NotAllowed(_) | ActError::NotTheirs(_) | ActError::Refused(_) => "refused",
        })
    }
}

impl From<NoSession> for Refusal {
    fn from(_: NoSession) -> Self {
        Self("gone")
    }
}

impl From<InvalidId> for Refusal {
    fn from(_: InvalidId) -> Self {
        Self("gone")
    }
}

/// Something done to a session.
#[derive(Debug, Deserialize)]
pub(super) struct OnSession {
    #[serde(flatten)]
    page: Query,
    /// Which.
    of: String,
    /// New state as `status/detail`.
    state: Option<String>,
    /// New status, typed or chosen.
    status: Option<String>,
    /// New detail, typed or chosen.
    detail: Option<String>,
    /// What Devin says.
    text: Option<String>,
    /// `open`, `merged` or `closed`.
    act: Option<String>,
    /// Which pull request.
    url: Option<String>,
}

/// A fault switch.
#[derive(Debug, Deserialize)]
pub(super) struct Switch {
    #[serde(flatten)]
    page: Query,
    /// Which; none: all off.
    fault: Option<String>,
    /// `once`, `always` or `off`.
    scope: String,
}

/// `POST /playground/devin/set`.
pub(super) async fn set(State(playground): State<Playground>, Form(form): Form<OnSession>) -> Redirect {
    let done = with_session(&playground, &form, |id| {
        let typed = form.status.as_deref().unwrap_or_default().trim();
        let (status, detail) = match &form.state {
            Some(state) => state_of(state),
            None => state_of(&format!("{typed}/{}", form.detail.as_deref().unwrap_or_default().trim())),
        };
        if status == Status::Other(String::new()) {
            return Err(Refusal("empty"));
        }
        Ok(playground.devin.set(id, status, detail)?)
    });
    back(&playground, form.page, done)
}

/// `POST /playground/devin/say`.
pub(super) async fn devin_say(State(playground): State<Playground>, Form(form): Form<OnSession>) -> Redirect {
    let done = with_session(&playground, &form, |id| {
        let text = form.text.as_deref().unwrap_or_default().trim();
        if text.is_empty() {
            return Err(Refusal("empty"));
        }
        playground.devin.say(id, text)?;
        Ok(())
    });
    back(&playground, form.page, done)
}

/// `POST /playground/devin/pr`.
pub(super) async fn pull_request(State(playground): State<Playground>, Form(form): Form<OnSession>) -> Redirect {
    let done = with_session(&playground, &form, |id| {
        match (form.act.as_deref(), &form.url) {
            (Some("merged"), Some(url)) => playground.devin.merge_pr(id, url)?,
            (Some("closed"), Some(url)) => playground.devin.close_pr(id, url)?,
            (Some("open"), _) => drop(playground.devin.open_pr(id)?),
            _ => return Err(Refusal("gone")),
        }
        Ok(())
    });
    back(&playground, form.page, done)
}

/// `POST /playground/devin/archive`.
pub(super) async fn archive(State(playground): State<Playground>, Form(form): Form<OnSession>) -> Redirect {
    let done = with_session(&playground, &form, |id| {
        playground.devin.pause_script(id)?;
        playground.devin.change(|state| state.session_mut(id).map(|session| session.archived = true));
        Ok(())
    });
    back(&playground, form.page, done)
}

/// `POST /playground/devin/script`: whether new sessions do things on their own.
pub(super) async fn script(State(playground): State<Playground>, Form(form): Form<Switch>) -> Redirect {
    playground.devin.script_new_sessions(form.scope == "always");
    back(&playground, form.page, Ok(None))
}

/// `POST /playground/fault`.
pub(super) async fn fault(State(playground): State<Playground>, Form(form): Form<Switch>) -> Redirect {
    let scope = match form.scope.as_str() {
        "once" => Scope::Once,
        "always" => Scope::Always,
        _ => Scope::Off,
    };
    let chosen = match form.fault.as_deref() {
        Some(id) => preset(id).into_iter().collect(),
        None => {
            active(playground.slack.faults(), playground.devin.faults()).into_iter().map(|(p, _)| p).collect::<Vec<_>>()
        }
    };
    for preset in chosen {
        preset.switch(playground.slack.faults(), playground.devin.faults(), scope);
    }
    back(&playground, form.page, Ok(None))
}

fn with_session(
    playground: &Playground,
    form: &OnSession,
    act: impl FnOnce(&SessionId) -> Result<(), Refusal>,
) -> Result<Option<Ts>, Refusal> {
    let id: SessionId = form.of.parse()?;
    if playground.devin.read(|state| state.session(&id).is_none()) {
        return Err(Refusal("gone"));
    }
    act(&id)?;
    Ok(None)
}

/// Back to the page: with the new thread open, or with a remark about what went wrong.
pub(super) fn back(playground: &Playground, mut page: Query, done: Result<Option<Ts>, Refusal>) -> Redirect {
    let mut remark = String::new();
    match done {
        Ok(Some(root)) => {
            page.thread = Some(root.to_string());
            page.session = None;
            page.pane = Some("thread".to_owned());
        }
        Ok(None) => {}
        Err(Refusal(name)) => remark = format!("&notice={name}"),
    }
    let selection =
        playground.slack.read(|slack| playground.devin.read(|devin| Selection::resolve(&page, slack, devin)));
    Redirect::to(&format!("{}{remark}", selection.url()))
}
