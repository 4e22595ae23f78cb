//! What visitors do. Every form answers with a redirect to the page as it is then, so that reloading never sends twice
//! and the script can read the new page from the answer.

use axum::{
    extract::{Form, State},
    response::Redirect,
};
use serde::Deserialize;

use super::{
    Playground,
    compose::compose,
    select::{Query, Selection},
    view::{Scope, active, preset, state_of},
};
use crate::{
    domain::{
        ids::{ChannelId, InvalidId, SessionId, Ts, UserId},
        status::Status,
    },
    twin::{
        devin::NoSession,
        slack::{ActError, SayOptions},
    },
};

/// The shortcut that hands a message to the bot, as the app manifest names it.
const SHORTCUT: &str = "start_here";

/// Why a form had no effect; the name goes into the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal(&'static str);

impl From<ActError> for Refusal {
    fn from(error: ActError) -> Self {
        Self(match error {
            ActError::NotMember(..) => "member",
            ActError::NoUser(_) | ActError::NoChannel(_) | ActError::NoMessage(_) | ActError::NoButton(_) => "gone",
            ActError::Refused(code) if code == "already_reacted" => "done",
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

/// Something written in a composer.
#[derive(Debug, Deserialize)]
pub(super) struct Say {
    #[serde(flatten)]
    page: Query,
    /// Channel to write in.
    #[serde(rename = "in")]
    channel: String,
    /// Thread to reply in; empty for a new message.
    reply_to: String,
    text: String,
    /// Set when a reply also goes to the channel.
    broadcast: Option<String>,
}

/// Something done to a message.
#[derive(Debug, Deserialize)]
pub(super) struct OnMessage {
    #[serde(flatten)]
    page: Query,
    #[serde(rename = "in")]
    channel: String,
    ts: String,
    /// Button or emoji; shortcuts have none.
    action: Option<String>,
}

/// A look at the app's Home.
#[derive(Debug, Deserialize)]
pub(super) struct Visit {
    #[serde(flatten)]
    page: Query,
    #[serde(rename = "in")]
    channel: String,
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

/// `POST /playground/say`.
pub(super) async fn say(State(playground): State<Playground>, Form(form): Form<Say>) -> Redirect {
    let done = speak(&playground, &form);
    back(&playground, form.page, done)
}

/// `POST /playground/press`.
pub(super) async fn press(State(playground): State<Playground>, Form(form): Form<OnMessage>) -> Redirect {
    let done = with_message(&form, |user, channel, ts| {
        let action = form.action.as_deref().unwrap_or_default();
        Ok(playground.slack.press(user, channel, ts, action)?)
    });
    back(&playground, form.page, done)
}

/// `POST /playground/react`.
pub(super) async fn react(State(playground): State<Playground>, Form(form): Form<OnMessage>) -> Redirect {
    let done = with_message(&form, |user, channel, ts| {
        let name = form.action.as_deref().unwrap_or_default();
        Ok(playground.slack.react(user, channel, ts, name)?)
    });
    back(&playground, form.page, done)
}

/// `POST /playground/shortcut`.
pub(super) async fn shortcut(State(playground): State<Playground>, Form(form): Form<OnMessage>) -> Redirect {
    let done =
        with_message(&form, |user, channel, ts| Ok(playground.slack.message_shortcut(user, channel, ts, SHORTCUT)?));
    back(&playground, form.page, done)
}

/// `POST /playground/home`: somebody opens the app's Home.
pub(super) async fn home(State(playground): State<Playground>, Form(mut form): Form<Visit>) -> Redirect {
    let viewer = form.page.viewer.clone().unwrap_or_default().parse::<UserId>();
    let done = viewer.map_err(Refusal::from).and_then(|user| Ok(playground.slack.open_home(&user, "home")?));
    form.page.channel = Some(form.channel);
    form.page.thread = None;
    form.page.tab = Some("home".to_owned());
    back(&playground, form.page, done.map(|()| None))
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

/// Says something, or gives a command when it begins with a slash. Returns the thread to open afterwards.
fn speak(playground: &Playground, form: &Say) -> Result<Option<Ts>, Refusal> {
    let text = form.text.trim();
    if text.is_empty() {
        return Err(Refusal("empty"));
    }
    let user: UserId = form.page.viewer.clone().unwrap_or_default().parse()?;
    let channel: ChannelId = form.channel.parse()?;
    if text.starts_with('/') {
        let (command, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        playground.slack.command(&user, &channel, command, rest.trim())?;
        return Ok(None);
    }
    let thread: Option<Ts> = if form.reply_to.is_empty() { None } else { Some(form.reply_to.parse()?) };
    let (written, asked) = playground.slack.read(|state| {
        let written = compose(state, text);
        let asked = channel.is_direct() || written.contains(&format!("<@{}>", state.app.bot_user));
        (written, asked)
    });
    let reply = thread.is_some();
    let options = SayOptions { thread, broadcast: form.broadcast.is_some(), ..SayOptions::default() };
    let ts = playground.slack.say(&user, &channel, &written, options)?;
    // The bot answers in the thread under this message: that is where the visitor wants to look next.
    Ok((asked && !reply).then_some(ts))
}

fn with_message(
    form: &OnMessage,
    act: impl FnOnce(&UserId, &ChannelId, &Ts) -> Result<(), Refusal>,
) -> Result<Option<Ts>, Refusal> {
    let user: UserId = form.page.viewer.clone().unwrap_or_default().parse()?;
    act(&user, &form.channel.parse()?, &form.ts.parse()?)?;
    Ok(None)
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
fn back(playground: &Playground, mut page: Query, done: Result<Option<Ts>, Refusal>) -> Redirect {
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
