//! Durable steps: a handler reads as plain async code, and each side effect that must not happen twice is a step.
//!
//! A step is written into the journal before its effect and again, with its result, after it. When a handler runs
//! again, a finished step gives its recorded result; a begun one looks whether the lost attempt took effect and only
//! then, after a grace and more than one look (lists may lag), does it again under the same mark. Neither Slack nor
//! Devin has an idempotency key, so what is looked for is a mark of our own: see [`Marks`].
//!
//! Effects that are idempotent by nature (reactions, edits of a message) need no step.

mod journal;
mod marks;

pub use self::{
    journal::{StepError, Steps, told},
    marks::Marks,
};
