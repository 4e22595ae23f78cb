//! Stand-in Slack and Devin, for `bobbin demo` and the tests.
//!
//! They keep state, refuse what the real ones refuse, sign what they send, and can be told to fail. What they answer
//! follows the vendors' documents and recorded answers, never what our own clients happen to send.

pub mod devin;
pub mod faults;
mod ids;
pub mod ledger;
mod manifest;
pub mod playground;
pub mod slack;
pub mod world;

pub use self::{
    devin::DevinTwin,
    faults::{Fault, FaultAction, Faults, Hangup, Tap},
    ledger::Call,
    slack::SlackTwin,
    world::{World, world},
};
