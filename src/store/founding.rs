//! A store that is new cannot be told from one that was emptied, and one that was emptied must not act: its threads have
//! sessions that it has forgotten, and a mention in one of them would start a second. So a store without the founding
//! mark keeps what it is given and hands nothing out, until somebody has looked outside for what it should know
//! ([`adopt`](Founding::adopt)) and says so ([`found`](Founding::found)). Losing everything loses the mark as well, which
//! is why nobody has to notice the loss.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Result;
use crate::domain::mailbox::Mailbox;

/// A state for a mailbox that the store does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    /// The mailbox.
    pub mailbox: Mailbox,
    /// Its state.
    pub state: String,
    /// When it shall wake; `None`: when an input comes.
    pub wake: Option<Timestamp>,
    /// Whether the state also replaces one that is there: that of a store restored from an old copy.
    pub anew: bool,
}

/// What a store offers to whoever looks outside for what it should know.
#[async_trait]
pub trait Founding {
    /// Whether the store has its founding mark; without it [`lease`](super::Store::lease) gives
    /// [`Turn::Unfounded`](super::Turn::Unfounded), and an input for a mailbox that is not known is stored even if it
    /// asked for a known one.
    async fn is_founded(&self) -> Result<bool>;

    /// Writes the founding mark.
    async fn found(&self) -> Result<()>;

    /// Gives a mailbox its state; whether that was done. Refused for one that has a state, and, once the store is
    /// founded, for one that has inputs: then these are about to make the state. Inputs and journal stay.
    async fn adopt(&self, adoption: &Adoption) -> Result<bool>;
}
