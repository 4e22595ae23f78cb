//! *Sessions*: all links, newest first, by phase or by what was searched for. What names one session leads to its thread,
//! and a reference to what was set aside.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Query, State},
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use url::form_urlencoded;

use super::{Console, ROWS, Trouble, Viewer, dead, ended, nowhere, shown, thread};
use crate::{
    console::view::{Frame, SessionView, phase_words},
    domain::{listing, phase::Phase},
    oversight::{Filter, Found, Oversight, SEARCHABLE},
    store::Cursor,
};

/// Where this page is.
pub(in crate::console) const HERE: &str = "/console/sessions";

/// What to list.
#[derive(Debug, Default, Deserialize)]
pub(in crate::console) struct Asked {
    /// What somebody typed into the search.
    #[serde(default)]
    q: String,
    /// A phase's name.
    #[serde(default)]
    phase: String,
    /// Where the page before ended.
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "console/sessions.html", config = ".askama.toml")]
struct SessionsPage {
    frame: Frame,
    /// Which ones, in words.
    which: String,
    /// Whether those are all that there are.
    all: bool,
    sessions: Vec<SessionView>,
    /// What the table is called.
    caption: &'static str,
    next: Option<String>,
    /// What the next page's link is called.
    further: &'static str,
    /// What can be searched for, where somebody did.
    searched: Option<&'static str>,
    /// What can be searched for, where the search was for nothing of that.
    hint: Option<&'static str>,
}

pub(in crate::console) async fn page(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let trouble = |error| Trouble(HERE, error);
    let mut frame = console.frame(HERE, viewer).await?;
    frame.query.clone_from(&asked.q);
    let (filter, which) = match wanted(&asked) {
        Wanted::Those(filter, which) => (filter, which),
        Wanted::Nothing(hint) => return Ok(shown(&SessionsPage::of_nothing(frame, hint))),
        Wanted::NoSuchPhase => {
            return Ok(nowhere(frame, "No such phase", &format!("Sessions are in no phase {:?}.", asked.phase)));
        }
    };
    let after = ended(&asked.after);
    let page = console.oversight.links(&filter, after.as_ref(), ROWS).await.map_err(trouble)?;
    if page.links.is_empty() && matches!(filter, Filter::Session(_)) {
        // A reference looks like a session's id.
        if let Some(letter) = console.oversight.referred_to(&asked.q).await.map_err(trouble)? {
            return Ok(Redirect::to(&dead::address(&letter.id)).into_response());
        }
    }
    if let ([only], Filter::Root(..) | Filter::Session(_), None) = (page.links.as_slice(), &filter, &after) {
        return Ok(Redirect::to(&thread::address(&only.thread)).into_response());
    }
    if let (true, Filter::Root(channel, root)) = (page.links.is_empty(), &filter) {
        // Without a session a thread is in no list, and is looked for where its permalink leads.
        if let Some(thread) = console.oversight.thread_at(&asked.q, channel, root).await.map_err(trouble)? {
            return Ok(Redirect::to(&thread::address(&thread)).into_response());
        }
    }
    let now = console.clock.now();
    let sessions = page.links.iter().map(|row| SessionView::of(row, now)).collect();
    let next = page.next.map(|cursor| address(&asked, &cursor));
    let all = matches!(filter, Filter::All) && after.is_none();
    let (caption, further) = if matches!(filter, Filter::Waiting) {
        ("Sessions that wait for a person, longest first", "The next ones")
    } else {
        ("Sessions, newest first", "Older ones")
    };
    let searched = (!frame.query.trim().is_empty()).then_some(SEARCHABLE);
    Ok(shown(&SessionsPage { frame, which, all, sessions, caption, next, further, searched, hint: None }))
}

impl SessionsPage {
    /// A search for nothing that can be looked for.
    fn of_nothing(frame: Frame, hint: &'static str) -> Self {
        Self {
            frame,
            which: "nothing was found".to_owned(),
            all: false,
            sessions: Vec::new(),
            caption: "",
            next: None,
            further: "",
            searched: None,
            hint: Some(hint),
        }
    }
}

/// What is asked for.
enum Wanted {
    /// These, which are so in words.
    Those(Filter, String),
    /// Nothing that can be looked for; and what can be.
    Nothing(&'static str),
    /// Those in a phase that there is not.
    NoSuchPhase,
}

fn wanted(asked: &Asked) -> Wanted {
    if !asked.q.trim().is_empty() {
        return match Oversight::search(&asked.q) {
            Found::Links(filter) => Wanted::Those(filter, format!("found for “{}”", asked.q.trim())),
            Found::Nothing(hint) => Wanted::Nothing(hint),
        };
    }
    match asked.phase.as_str() {
        "" => Wanted::Those(Filter::All, "all of them".to_owned()),
        listing::WAITING => Wanted::Those(Filter::Waiting, "those that wait for a person, longest first".to_owned()),
        name if Phase::NAMES.contains(&name) => {
            Wanted::Those(Filter::Phase(name.to_owned()), phase_words(name).0.to_owned())
        }
        _ => Wanted::NoSuchPhase,
    }
}

/// The address of the next page.
fn address(asked: &Asked, after: &Cursor) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    for (name, value) in [("q", &asked.q), ("phase", &asked.phase), ("after", &after.to_string())] {
        if !value.is_empty() {
            pairs.append_pair(name, value);
        }
    }
    format!("{HERE}?{}", pairs.finish())
}
