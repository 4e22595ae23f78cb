//! *Dead letters*: what was set aside and why, without what it says; putting it back, or forgetting it. What one says is
//! shown to an operator who asks for it, and that is on the record first.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use serde::Deserialize;

use super::{Admin, Console, ROWS, Refused, Trouble, Viewer, ended, nowhere, shown, thread};
use crate::{
    console::{
        done::Done,
        view::{Frame, When},
    },
    domain::ids::InputId,
    oversight::{Letter, OversightError},
};

/// Where this page is.
pub(in crate::console) const HERE: &str = "/console/dead";
/// Characters of a body that are shown; the command line shows all of it, byte for byte.
const BODY_MAX: usize = 100_000;

/// Which page.
#[derive(Debug, Default, Deserialize)]
pub(in crate::console) struct Asked {
    /// Where the page before ended.
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "console/dead.html", config = ".askama.toml")]
struct DeadPage {
    frame: Frame,
    letters: Vec<LetterView>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "console/letter.html", config = ".askama.toml")]
struct LetterPage {
    frame: Frame,
    letter: LetterView,
    /// What it says, and whether that is all of it.
    body: Option<(String, bool)>,
}

struct LetterView {
    id: String,
    door: &'static str,
    why: String,
    attempts: u32,
    bytes: usize,
    /// Empty where it has none: it cannot be put back.
    mailbox: String,
    /// The page of its thread.
    thread: Option<String>,
    shape: Vec<String>,
    came: When,
    at: When,
}

impl LetterView {
    fn of(letter: &Letter, now: jiff::Timestamp) -> Self {
        Self {
            id: letter.id.to_string(),
            door: letter.door.name(),
            why: letter.why.clone(),
            attempts: letter.attempts,
            bytes: letter.bytes,
            thread: letter.mailbox.as_ref().and_then(thread::of),
            mailbox: letter.mailbox.as_ref().map(ToString::to_string).unwrap_or_default(),
            shape: letter.shape.clone(),
            came: When::of(letter.came, now),
            at: When::of(letter.at, now),
        }
    }
}

pub(in crate::console) async fn page(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let frame = console.frame(HERE, viewer).await?;
    let after = ended(&asked.after);
    let page = console.oversight.letters(after.as_ref(), ROWS).await.map_err(|error| Trouble(HERE, error))?;
    let now = console.clock.now();
    let letters = page.letters.iter().map(|letter| LetterView::of(letter, now)).collect();
    Ok(shown(&DeadPage { frame, letters, next: page.next.map(|cursor| cursor.to_string()) }))
}

/// Where one of them is shown.
pub(super) fn address(id: &InputId) -> String {
    format!("{HERE}/{id}")
}

pub(in crate::console) async fn letter(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let frame = console.frame(HERE, viewer).await?;
    match console.letter(&id).await {
        Ok(letter) => Ok(shown(&LetterPage { frame, letter, body: None })),
        Err(OversightError::Refused(words)) => Ok(nowhere(frame, "No such letter", &words)),
        Err(error) => Err(Trouble(HERE, error)),
    }
}

/// Shows what it says, on the record.
pub(in crate::console) async fn body(
    State(console): State<Arc<Console>>,
    admin: Admin,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let frame = console.frame(HERE, Viewer::Admin(admin.clone())).await.map_err(|Trouble(_, error)| error);
    match (frame, console.look_into(&admin, &id).await) {
        (Ok(frame), Ok((letter, body))) => Ok(shown(&LetterPage { frame, letter, body: Some(body) })),
        (Err(error), _) | (_, Err(error)) => Err(console.refused(HERE, admin, error).await),
    }
}

pub(in crate::console) async fn replay(
    State(console): State<Arc<Console>>,
    admin: Admin,
    Path(id): Path<String>,
) -> Response {
    let outcome = async { console.oversight.replay_letter(&admin.actor(), &read(&id)?).await };
    let outcome = outcome.await;
    console.did(Done::Replayed, HERE, admin, outcome).await
}

pub(in crate::console) async fn forget(
    State(console): State<Arc<Console>>,
    admin: Admin,
    Path(id): Path<String>,
) -> Response {
    let outcome = async { console.oversight.drop_letter(&admin.actor(), &read(&id)?).await };
    let outcome = outcome.await;
    console.did(Done::Dropped, HERE, admin, outcome).await
}

impl Console {
    async fn letter(&self, id: &str) -> Result<LetterView, OversightError> {
        let letter = self.oversight.letter(&read(id)?).await?.ok_or_else(|| gone(id))?;
        Ok(LetterView::of(&letter, self.clock.now()))
    }

    /// A letter with what it says, and whether that is all of it.
    async fn look_into(&self, admin: &Admin, id: &str) -> Result<(LetterView, (String, bool)), OversightError> {
        let letter = self.letter(id).await?;
        let body = self.oversight.letter_body(&admin.actor(), &read(id)?).await?.ok_or_else(|| gone(id))?;
        Ok((letter, text(&body)))
    }
}

fn read(id: &str) -> Result<InputId, OversightError> {
    id.parse().map_err(|_| gone(id))
}

fn gone(id: &str) -> OversightError {
    OversightError::Refused(format!("Nothing is set aside as {id}: somebody put it back or dropped it."))
}

/// A body as text: JSON with its lines, anything else as it is.
fn text(body: &[u8]) -> (String, bool) {
    let value = serde_json::from_slice::<serde_json::Value>(body).ok();
    let pretty = value.and_then(|value| serde_json::to_string_pretty(&value).ok());
    let all = pretty.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned());
    let shown: String = all.chars().take(BODY_MAX).collect();
    let whole = shown.len() == all.len();
    (shown, whole)
}
