//! What this process alone knows, beside the store that all replicas share: pages that show it say so.

use super::{Checkup, Complaints, Pulse};

/// Where no log is listened to.
static NONE: Complaints = Complaints::new();

/// One process of the bot.
#[derive(Debug)]
pub struct Replica {
    /// The examination behind the Health page.
    pub checkup: Checkup,
    /// The last hour.
    pub pulse: Pulse,
    /// The newest warnings and errors.
    pub complaints: &'static Complaints,
}

impl Replica {
    /// A process that has just begun and complains there.
    pub fn new(complaints: &'static Complaints) -> Self {
        Self { checkup: Checkup::default(), pulse: Pulse::default(), complaints }
    }
}

impl Default for Replica {
    fn default() -> Self {
        Self::new(&NONE)
    }
}
