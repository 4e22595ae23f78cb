//! Identifiers that no other run of a twin gave before.
//!
//! A counter would be easier to read, but a store outlives a twin: with a counter the second run's `Ev00000001` would be
//! refused as a duplicate of the first run's.

use jiff::Timestamp;
use uuid::{NoContext, Uuid};

/// An identifier that begins with the given time and ends with chance.
pub(super) fn unique(now: Timestamp) -> Uuid {
    let seconds = u64::try_from(now.as_second()).unwrap_or(0);
    let nanos = u32::try_from(now.subsec_nanosecond()).unwrap_or(0);
    Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, seconds, nanos))
}

/// `prefix` and eleven letters and digits, as Slack's ids look.
pub(super) fn slack_id(prefix: &str, now: Timestamp) -> String {
    let text = unique(now).simple().to_string().to_uppercase();
    let tail: String = text.chars().rev().take(11).collect();
    format!("{prefix}{tail}")
}
