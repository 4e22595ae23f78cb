//! What an operator can see and do, whatever shows it: the console and the command line both end here.
//!
//! Every action is recorded with who did it: in the store, in one atomic operation with what it settles (or before it,
//! where another operation does it), and in the log. There is no way to say who acts as whom, or to pause, around that.

mod audit;
pub mod check;
mod fill;
mod letters;
mod links;
mod pause;
mod people;
mod story;

use std::{collections::BTreeMap, sync::Arc};

pub use self::{
    audit::{Actor, Audited},
    letters::{Letter, LetterPage},
    links::{Filter, Found, LinkPage, LinkRow, SEARCHABLE, permalink_of, phases},
    people::{Failing, Mapping, Overridden, Person, Said},
    story::Told,
};
use crate::{
    devin::DevinError,
    people::People,
    store::{Bell, SharedStore, StoreError},
};

/// Why something could not be seen or done.
#[derive(Debug, thiserror::Error)]
pub enum OversightError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Devin's member lists could not be read.
    #[error("Devin's member lists cannot be read: {0}")]
    Devin(#[from] DevinError),
    /// What was asked for cannot be done; the words are for whoever asked.
    #[error("{0}")]
    Refused(String),
}

/// The result of looking or doing.
pub type Result<T> = std::result::Result<T, OversightError>;

/// The handles that operators need.
#[derive(Debug, Clone)]
pub struct Oversight {
    store: SharedStore,
    /// Who is who: in the organisation for all (`None`), and in the others.
    people: BTreeMap<Option<String>, Arc<People>>,
    /// Rung when a mailbox got something.
    bell: Bell,
}

impl Oversight {
    /// Looks into this store; `people` are those of each organisation.
    pub fn new(store: SharedStore, people: impl IntoIterator<Item = Arc<People>>, bell: Bell) -> Self {
        let people = people.into_iter().map(|people| (people.organisation().map(str::to_owned), people));
        Self { store, people: people.collect(), bell }
    }

    /// The organisations beside the one for all.
    pub fn organisations(&self) -> impl Iterator<Item = &str> {
        self.people.keys().flatten().map(String::as_str)
    }
}
