//! Takes inputs out of the mailboxes and does what they ask: the only room that speaks.
//!
//! One file per kind of input. A handler reads from top to bottom as plain code; what must not happen twice is a
//! durable step. A [`Worker`] does one unit at a time: it takes a mailbox, lets the handler of its oldest input run
//! under the lease, and writes down how it ended. The loop around it is in `app`.
//!
//! To add a kind of input: let `receive` admit it, give it a variant in [`kind`], a line in [`table`] and a file of its
//! own here.

mod account;
mod admission;
mod agent_view;
mod answer;
mod approve;
mod asking;
mod begin;
mod button;
mod card;
mod catalog;
mod changed;
mod choose;
mod command;
mod edited;
mod errand;
mod fate;
mod files;
mod halt;
mod home;
mod installed;
mod kind;
mod label;
mod lane;
mod modal;
mod opening;
mod orders;
mod organisations;
mod outbox;
mod output;
mod parcel;
mod paused;
mod presence;
mod press;
mod private;
mod profile;
mod prompt;
mod reacted;
mod relay;
mod reply;
mod restore;
mod room;
mod said;
mod second;
mod sessions;
mod shortcut;
mod start;
mod stopped;
mod submitted;
mod sweep;
mod table;
mod task;
mod tenants;
mod traces;
mod trouble;
mod wish;
mod words;
mod worker;

pub use self::{
    lane::Lane,
    organisations::Organisation,
    task::Deps,
    tenants::{Other, SlackOf, Tenants},
    worker::{Stepped, Worker},
};
