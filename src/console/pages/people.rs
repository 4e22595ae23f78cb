//! *People*: who could not be linked and why, of whom an operator said who they are, and who is linked by which source;
//! saying, correcting and taking back.

use std::{str::FromStr, sync::Arc};

use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    response::Response,
};
use serde::Deserialize;

use super::{Admin, Console, ROWS, Trouble, Viewer, ended, nowhere, shown};
use crate::{
    console::{
        done::Done,
        view::{Frame, When, refusal_words, source_words},
    },
    domain::ids::InvalidId,
    oversight::{Failing, Mapping, Overridden, OversightError, Person, Said},
    people::is_settled_by_override,
    store::Cursor,
};

/// Where this page is.
pub(in crate::console) const HERE: &str = "/console/people";

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    /// Those for whom nobody acts.
    Unlinked,
    /// Those of whom an operator said who they are.
    Said,
    /// Those for whom we act.
    Linked,
}

impl List {
    /// All of them: the word in the address, and the heading.
    const ALL: [(Self, &'static str, &'static str); 3] = [
        (Self::Unlinked, "unlinked", "Could not be linked"),
        (Self::Said, "said", "Said by operators"),
        (Self::Linked, "linked", "Linked"),
    ];

    /// The one of that word; those for whom nobody acts, without a word.
    fn named(word: &str) -> Option<Self> {
        if word.is_empty() {
            return Some(Self::Unlinked);
        }
        Self::ALL.iter().find(|(_, name, _)| *name == word).map(|(list, ..)| *list)
    }
}

/// What to list.
#[derive(Debug, Default, Deserialize)]
pub(in crate::console) struct Asked {
    /// The word for a list.
    #[serde(default)]
    list: String,
    /// Where the page before ended.
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "console/people.html", config = ".askama.toml")]
struct PeoplePage {
    frame: Frame,
    list: List,
    /// The word for it in addresses.
    name: &'static str,
    tabs: Vec<Tab>,
    rows: Vec<Row>,
    organisations: Vec<String>,
    next: Option<String>,
}

/// The way to a list.
struct Tab {
    name: &'static str,
    words: &'static str,
    open: bool,
}

impl PeoplePage {
    /// Whether the list is of people who act as somebody.
    fn acts(&self) -> bool {
        self.list != List::Unlinked
    }

    /// Whether what it lists can be taken back.
    fn said(&self) -> bool {
        self.list == List::Said
    }
}

/// Somebody, as each of the lists shows them.
struct Row {
    team: String,
    user: String,
    /// Empty for the one for all.
    organisation: String,
    name: String,
    /// As whom they act; empty where nobody acts for them.
    devin: String,
    /// How an operator finds that account.
    account: String,
    /// How they were found, or why not.
    how: String,
    /// What else to know of that.
    note: String,
    at: When,
    /// Whether saying who they are helps.
    can_be_said: bool,
}

impl Row {
    fn of(person: &Person, at: When) -> Self {
        Self {
            team: person.team.to_string(),
            user: person.user.to_string(),
            organisation: person.organisation.clone().unwrap_or_default(),
            name: String::new(),
            devin: String::new(),
            account: String::new(),
            how: String::new(),
            note: String::new(),
            at,
            can_be_said: true,
        }
    }

    fn unlinked(one: &Failing, at: When) -> Self {
        let (how, helps) = refusal_words(one.why);
        let times = if one.times == 1 { "tried once".to_owned() } else { format!("tried {} times", one.times) };
        let can_be_said = is_settled_by_override(one.why);
        Self { how: how.to_owned(), note: format!("{times}. {helps}"), can_be_said, ..Self::of(&one.person, at) }
    }

    fn said(one: &Overridden, at: When) -> Self {
        let (devin, account) = (one.set.devin.to_string(), one.set.account.clone());
        Self { devin, account, how: one.set.by.clone(), ..Self::of(&one.person, at) }
    }

    fn linked(one: &Mapping, at: When) -> Self {
        let (devin, name) = (one.linked.devin.to_string(), one.linked.name.clone());
        Self { devin, name, how: source_words(one.linked.source).to_owned(), ..Self::of(&one.person, at) }
    }
}

pub(in crate::console) async fn page(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let frame = console.frame(HERE, viewer).await?;
    let Some(list) = List::named(&asked.list) else {
        return Ok(nowhere(frame, "No such list", &format!("People are in no list {:?}.", asked.list)));
    };
    let after = ended(&asked.after);
    let listed = rows(&console, list, after.as_ref()).await;
    let (rows, next) = listed.map_err(|error| Trouble(HERE, error))?;
    let organisations = console.oversight.organisations().map(str::to_owned).collect();
    let next = next.map(|cursor| cursor.to_string());
    let tabs = List::ALL.map(|(of, name, words)| Tab { name, words, open: of == list });
    let name = tabs.iter().find(|tab| tab.open).map_or("", |tab| tab.name);
    Ok(shown(&PeoplePage { frame, list, name, tabs: tabs.into(), rows, organisations, next }))
}

async fn rows(
    console: &Console,
    list: List,
    after: Option<&Cursor>,
) -> Result<(Vec<Row>, Option<Cursor>), OversightError> {
    let (over, now) = (&console.oversight, console.clock.now());
    Ok(match list {
        List::Unlinked => {
            let (all, next) = over.unlinked(after, ROWS).await?;
            (all.iter().map(|one| Row::unlinked(one, When::of(one.at, now))).collect(), next)
        }
        List::Said => {
            let (all, next) = over.overrides(after, ROWS).await?;
            (all.iter().map(|one| Row::said(one, When::of(one.at, now))).collect(), next)
        }
        List::Linked => {
            let (all, next) = over.mappings(after, ROWS).await?;
            (all.iter().map(|one| Row::linked(one, When::of(one.at, now))).collect(), next)
        }
    })
}

/// Who is meant, as a form says it.
#[derive(Debug, Deserialize)]
pub(in crate::console) struct Meant {
    team: String,
    user: String,
    #[serde(default)]
    organisation: String,
    #[serde(default)]
    account: String,
}

impl Meant {
    fn person(&self) -> Result<Person, OversightError> {
        let organisation = self.organisation.trim();
        Ok(Person {
            team: id(&self.team)?,
            user: id(&self.user)?,
            organisation: (!organisation.is_empty()).then(|| organisation.to_owned()),
        })
    }

    fn said(&self) -> Result<Said, OversightError> {
        let account = self.account.trim().to_owned();
        if account.is_empty() {
            return Err(OversightError::Refused(
                "The Devin account is missing: its e-mail address or its id.".to_owned(),
            ));
        }
        Ok(Said { person: self.person()?, account })
    }
}

pub(in crate::console) async fn set(
    State(console): State<Arc<Console>>,
    admin: Admin,
    Form(meant): Form<Meant>,
) -> Response {
    let outcome = async { console.oversight.set_override(&admin.actor(), &meant.said()?).await };
    let outcome = outcome.await;
    console.did(Done::Mapped, "/console/people?list=said", admin, outcome).await
}

pub(in crate::console) async fn remove(
    State(console): State<Arc<Console>>,
    admin: Admin,
    Form(meant): Form<Meant>,
) -> Response {
    let outcome = async { console.oversight.remove_override(&admin.actor(), &meant.person()?).await };
    let outcome = outcome.await;
    console.did(Done::Unmapped, "/console/people?list=said", admin, outcome).await
}

fn id<T: FromStr<Err = InvalidId>>(text: &str) -> Result<T, OversightError> {
    text.trim().parse().map_err(|error: InvalidId| OversightError::Refused(format!("{error}.")))
}
