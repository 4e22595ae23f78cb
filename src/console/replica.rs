//! What this process alone knows, beside the store that all replicas share: pages that show it say so.

use super::{Checkup, Complaints, Pulse};

/// Where no log is listened to.
static NONE: Complaints = Complaints::new();

/// One process of the bot.
#[derive(Debug)]
pub struct Replica {
    /// Which one: its machine's name, where that is known.
    pub name: Option<String>,
    /// The examination behind the Health page.
    pub checkup: Checkup,
    /// The last hour.
    pub pulse: Pulse,
    /// The newest warnings and errors.
    pub complaints: &'static Complaints,
}

impl Replica {
    /// A process on a machine of that name that has just begun and complains there.
    pub fn new(name: Option<String>, complaints: &'static Complaints) -> Self {
        Self { name, checkup: Checkup::default(), pulse: Pulse::default(), complaints }
    }

    /// Which one, in words.
    pub(super) fn named(&self) -> String {
        self.name.as_ref().map_or("this replica".to_owned(), |name| format!("the replica on {name}"))
    }
}

impl Default for Replica {
    fn default() -> Self {
        Self::new(None, &NONE)
    }
}
