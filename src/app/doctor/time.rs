//! Whether our clock agrees with the others'. Slack's signatures hold for five minutes: a clock that is off by more
//! refuses everything, and by much less already makes stored times lie.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};

use super::check::{Area, Check};

/// Time that an answer may have been under way.
const ALLOWED: Duration = Duration::from_secs(10);
/// Far below the five minutes of Slack's signatures.
const MOST: Duration = Duration::from_mins(1);

/// Compares our time with that of an answer's head.
pub(super) fn against_head(area: Area, ours: Timestamp, date: Option<&str>) -> Check {
    let theirs = date.and_then(|date| rfc2822::parse(date).ok()).map(|zoned| zoned.timestamp());
    against(area, ours, theirs)
}

/// Compares our time with theirs.
pub(super) fn against(area: Area, ours: Timestamp, theirs: Option<Timestamp>) -> Check {
    let name = "clock";
    let Some(theirs) = theirs else {
        return Check::skipped(area, name, "the other side does not tell its time", "compare clocks by hand");
    };
    let ahead = ours.duration_since(theirs);
    let off = ahead.unsigned_abs();
    let way = if ahead > SignedDuration::ZERO { "ahead" } else { "behind" };
    let found = format!("our clock is {} s {way}", off.as_secs());
    let remedy = "set this machine's clock by NTP (timedatectl set-ntp true), or that of the other side";
    match off {
        off if off <= ALLOWED => Check::ok(area, name, found),
        off if off <= MOST => Check::warn(area, name, found, remedy),
        _ => Check::fail(area, name, format!("{found}: signatures are refused at 300 s"), remedy),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::check::State::{Fail, Ok, Skipped, Warn},
        *,
    };

    #[test]
    fn a_clock_that_is_off_is_told_long_before_signatures_are_refused() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        let theirs: Timestamp = "1994-11-06T08:49:37Z".parse().unwrap();
        for (seconds, expected) in [(0, Ok), (9, Ok), (-9, Ok), (45, Warn), (-61, Fail), (240, Fail)] {
            let ours = theirs + SignedDuration::from_secs(seconds);
            let check = against_head(Area::Slack, ours, Some(date));
            assert_eq!(check.state, expected, "{seconds}: {check:?}");
            assert_eq!(check.remedy.is_some(), expected != Ok);
        }
        assert_eq!(against_head(Area::Slack, theirs, Some("yesterday")).state, Skipped);
        assert_eq!(against_head(Area::Slack, theirs, None).state, Skipped);
    }
}
