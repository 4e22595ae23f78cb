//! What one watch looks after, and what a rebuild adopts from one place: the threads of one Devin organisation. There is a
//! watch for each, and what they remember in the store has a name of its own for each; the organisation for all has the
//! names without an addition.

use std::sync::Arc;

use crate::domain::{mailbox::Mailbox, routing::Routing};

/// The threads of one organisation.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// What the configuration calls the organisation; `None`: the one for all.
    pub organisation: Option<String>,
    /// Which threads belong to which.
    pub routing: Arc<Routing>,
}

impl Scope {
    /// Whether a mailbox is of this organisation.
    pub fn has(&self, mailbox: &Mailbox) -> bool {
        self.routing.of(mailbox) == self.organisation.as_deref()
    }

    /// What is called `name` in the store, for this organisation.
    pub(super) fn named(&self, name: &str) -> String {
        match &self.organisation {
            None => name.to_owned(),
            Some(organisation) => format!("{name}@{organisation}"),
        }
    }
}
