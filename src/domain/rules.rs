//! What the configuration says about channels and people, as the rooms read it.

use std::collections::BTreeMap;

/// What a reaction on the card or on the asking message means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReactionOrder {
    /// Ask whether the session shall be stopped.
    Stop,
    /// Mute the thread, and unmute it when the reaction is taken away.
    Mute,
}

/// The rules of this installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Reactions that are orders, by their names without colons.
    pub reactions: BTreeMap<String, ReactionOrder>,
    /// Largest file that is passed on, in bytes. Held in memory on its way, so it bounds what one message can cost us.
    pub max_file_bytes: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            reactions: [("x", ReactionOrder::Stop), ("mute", ReactionOrder::Mute)]
                .map(|(name, order)| (name.to_owned(), order))
                .into(),
            max_file_bytes: 20 * 1024 * 1024,
        }
    }
}
