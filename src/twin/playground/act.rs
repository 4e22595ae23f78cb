//! What people do in Slack. Every form answers with a redirect to the page as it is then, so that reloading never sends
//! twice and the script can read the new page from the answer.

use axum::{
    extract::{Path, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};

use super::{
    Playground,
    compose::compose,
    form::Fields,
    post::{Refusal, back},
};
use crate::{
    domain::ids::{ChannelId, Ts, UserId},
    twin::slack::{ActError, NewFile, SayOptions, Spot, inputs},
};

/// `POST /playground/say`.
pub(super) async fn say(State(playground): State<Playground>, request: Request) -> Redirect {
    let mut fields = Fields::read(request).await;
    let done = speak(&playground, &mut fields);
    back(&playground, fields.page(), done)
}

/// `POST /playground/press`: a button, or a choice, in a message or in the Home tab.
pub(super) async fn press(State(playground): State<Playground>, request: Request) -> Redirect {
    let fields = Fields::read(request).await;
    let done = act(&fields, |user| {
        let (block, action) = (fields.get("block"), fields.get("action"));
        let name = if block.is_empty() { action.to_owned() } else { format!("{block}/{action}") };
        let chosen = fields.all("chosen");
        if fields.get("spot") == "home" {
            return Ok(playground.slack.choose(user, Spot::Home, &name, &chosen)?);
        }
        let (channel, ts) = (fields.channel()?, fields.ts()?);
        Ok(playground.slack.choose(user, Spot::Message(&channel, &ts), &name, &chosen)?)
    });
    back(&playground, fields.page(), done)
}

/// `POST /playground/react`: adds a reaction, or takes it back when it is there.
pub(super) async fn react(State(playground): State<Playground>, request: Request) -> Redirect {
    let fields = Fields::read(request).await;
    let done = on_message(&fields, |user, channel, ts| {
        let name = fields.get("action");
        match playground.slack.react(user, channel, ts, name) {
            Err(ActError::Refused(code)) if code == "already_reacted" => {
                Ok(playground.slack.unreact(user, channel, ts, name)?)
            }
            done => Ok(done?),
        }
    });
    back(&playground, fields.page(), done)
}

/// `POST /playground/edit`.
pub(super) async fn edit(State(playground): State<Playground>, request: Request) -> Redirect {
    let fields = Fields::read(request).await;
    let done = on_message(&fields, |user, channel, ts| {
        let text = playground.slack.read(|state| compose(state, fields.get("text")));
        if text.is_empty() { Err(Refusal("empty")) } else { Ok(playground.slack.edit(user, channel, ts, &text)?) }
    });
    back(&playground, fields.page(), done)
}

/// `POST /playground/delete`.
pub(super) async fn delete(State(playground): State<Playground>, request: Request) -> Redirect {
    let fields = Fields::read(request).await;
    let done = on_message(&fields, |user, channel, ts| Ok(playground.slack.delete(user, channel, ts)?));
    back(&playground, fields.page(), done)
}

/// `POST /playground/shortcut`: on a message, or from anywhere.
pub(super) async fn shortcut(State(playground): State<Playground>, request: Request) -> Redirect {
    let fields = Fields::read(request).await;
    let callback = fields.get("callback");
    let done = if fields.get("ts").is_empty() {
        act(&fields, |user| Ok(playground.slack.shortcut(user, callback)?))
    } else {
        on_message(&fields, |user, channel, ts| Ok(playground.slack.message_shortcut(user, channel, ts, callback)?))
    };
    back(&playground, fields.page(), done)
}

/// `POST /playground/modal`: the whole form of the modal, and which of its buttons sent it.
pub(super) async fn modal(State(playground): State<Playground>, request: Request) -> Redirect {
    let fields = Fields::read(request).await;
    let slack = &playground.slack;
    let done = act(&fields, |user| {
        let close = fields.get("close");
        if !close.is_empty() {
            return Ok(slack.close_modal(user, close == "all")?);
        }
        let shown = slack.modal(user).filter(|shown| shown.id == fields.get("view")).ok_or(Refusal("gone"))?;
        let mut fits = true;
        for found in inputs::all(shown.blocks()).into_iter().filter(|found| found.initial(None).is_some()) {
            let name = format!("{}/{}", found.block_id(), found.text("action_id"));
            fits &= slack.keep(user, &name, &fields.all(&format!("f:{name}")));
        }
        let pressed = fields.get("press");
        if let Some(select) = pressed.strip_prefix("suggest:") {
            return Ok(slack.suggest(user, select, fields.get(&format!("q:{select}")))?);
        }
        if !pressed.is_empty() {
            return Ok(slack.choose(user, Spot::Modal, pressed, &fields.all(&format!("f:{pressed}")))?);
        }
        if !fits {
            return Ok(());
        }
        match slack.submit(user) {
            // What is missing stands under the inputs.
            Err(ActError::Refused(_)) => Ok(()),
            done => Ok(done?),
        }
    });
    back(&playground, fields.page(), done)
}

/// `POST /playground/stop`: the stop button of an agent session.
pub(super) async fn stop(State(playground): State<Playground>, request: Request) -> Redirect {
    let fields = Fields::read(request).await;
    let done = on_message(&fields, |user, channel, ts| Ok(playground.slack.stop_agent(user, channel, ts)?));
    back(&playground, fields.page(), done)
}

/// `POST /playground/home`: somebody opens the app's Home, or its direct conversation.
pub(super) async fn home(State(playground): State<Playground>, request: Request) -> Redirect {
    let fields = Fields::read(request).await;
    let tab = if fields.get("show") == "messages" { "messages" } else { "home" };
    let done = act(&fields, |user| Ok(playground.slack.open_home(user, tab)?));
    let mut page = fields.page();
    page.channel = Some(fields.get("in").to_owned());
    page.thread = None;
    page.pane = None;
    page.tab = Some(tab.to_owned());
    back(&playground, page, done)
}

/// `GET /playground/file/{id}`: a shared file, to be kept; pictures to be shown.
pub(super) async fn file(State(playground): State<Playground>, Path(id): Path<String>) -> Response {
    let Some(file) = playground.slack.read(|state| state.files.get(&id).cloned()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kind = HeaderValue::from_str(&file.mimetype).ok().filter(|_| is_picture(&file.mimetype));
    let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    ([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"))], file.bytes)
        .into_response()
}

/// Whether the page shows a file as a picture: only kinds in which no script can hide.
pub(super) fn is_picture(mimetype: &str) -> bool {
    matches!(mimetype, "image/png" | "image/jpeg" | "image/gif" | "image/webp")
}

/// Says something, or gives a command when it begins with a slash. Returns the thread to open afterwards.
fn speak(playground: &Playground, fields: &mut Fields) -> Result<Option<Ts>, Refusal> {
    let snippet = snippet(fields);
    let text = fields.get("text").trim().to_owned();
    if text.is_empty() && fields.files.is_empty() && snippet.is_none() {
        return Err(Refusal("empty"));
    }
    let (user, channel) = (fields.user()?, fields.channel()?);
    let thread: Option<Ts> =
        if fields.get("reply_to").is_empty() { None } else { Some(fields.get("reply_to").parse()?) };
    if text.starts_with('/') {
        if thread.is_some() {
            return Err(Refusal("command"));
        }
        let (command, rest) = text.split_once(char::is_whitespace).unwrap_or((&text, ""));
        playground.slack.command(&user, &channel, command, rest.trim())?;
        return Ok(None);
    }
    let (written, asked) = playground.slack.read(|state| {
        let written = compose(state, &text);
        let asked = channel.is_direct() || written.contains(&format!("<@{}>", state.app.bot_user));
        (written, asked)
    });
    let reply = thread.is_some();
    let broadcast = !fields.get("broadcast").is_empty();
    let files = std::mem::take(&mut fields.files);
    let snippets = snippet.into_iter().collect();
    let options = SayOptions { thread, files, snippets, broadcast, ..SayOptions::default() };
    let ts = playground.slack.say(&user, &channel, &written, options)?;
    // The bot answers in the thread under this message: that is where the visitor wants to look next.
    Ok((asked && !reply).then_some(ts))
}

fn snippet(fields: &Fields) -> Option<NewFile> {
    let text = fields.get("snippet");
    if text.trim().is_empty() {
        return None;
    }
    let name = fields.get("snippet_name").trim();
    let name = if name.is_empty() { "Untitled.txt" } else { name };
    Some(NewFile { name: name.to_owned(), mimetype: "text/plain".to_owned(), bytes: text.as_bytes().to_vec() })
}

fn act(fields: &Fields, act: impl FnOnce(&UserId) -> Result<(), Refusal>) -> Result<Option<Ts>, Refusal> {
    act(&fields.user()?)?;
    Ok(None)
}

fn on_message(
    fields: &Fields,
    done: impl FnOnce(&UserId, &ChannelId, &Ts) -> Result<(), Refusal>,
) -> Result<Option<Ts>, Refusal> {
    let (channel, ts) = (fields.channel()?, fields.ts()?);
    act(fields, |user| done(user, &channel, &ts))
}
