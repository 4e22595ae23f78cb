//! The last hour of this process: what came in and how long things took, read every few seconds off the same metrics that
//! `/metrics` shows. Nothing is measured a second time; kept is what the metrics moved by in each minute, in memory alone.

mod hour;
mod totals;
mod view;

pub(super) use self::hour::MINUTES;
pub use self::hour::Pulse;
pub(super) use self::view::PulseView;
use self::{hour::Minute, totals::Buckets};
