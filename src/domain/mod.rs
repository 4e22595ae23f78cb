//! Pure rules: identifiers, phases, what a change should announce. No I/O, no async, no clock.

pub mod announce;
pub mod ask;
pub mod button;
pub mod choices;
pub mod code;
pub mod errand;
pub mod fate;
pub mod findings;
pub mod ids;
pub mod lately;
pub mod link;
pub mod listing;
pub mod mailbox;
pub mod outbox;
pub mod pause;
pub mod phase;
pub mod presence;
pub mod press;
pub mod routing;
pub mod rules;
pub mod settings;
pub mod sighting;
pub mod standing;
pub mod status;
pub mod story;
pub mod words;
