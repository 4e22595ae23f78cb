//! What a session did over time, as a band: each state as wide as it lasted, and wide enough to be seen.

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{
        phase::{Phase, State},
        story::Entry,
    },
    oversight::LinkRow,
};

/// Width of a band, in its own units.
const WIDTH: u64 = 1_000;
/// Least width of a state: what lasted for a moment only is seen all the same.
const LEAST: u64 = 8;

/// A state for as long as it lasted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spell {
    /// The state.
    pub(super) state: State,
    /// Since when.
    pub(super) from: Timestamp,
    /// Until when; as long as it lasts, the time of the look.
    pub(super) until: Timestamp,
}

impl Spell {
    /// What people call it.
    pub(super) fn phase(&self) -> Phase {
        Phase::of(&self.state)
    }

    /// How long it lasted.
    pub(super) fn lasted(&self) -> SignedDuration {
        self.until.duration_since(self.from)
    }
}

/// The states that a story tells of, oldest first; the last one lasts until now, unless nothing comes after it. The link
/// knows the newest one, and all that is known where the story is too old to tell.
pub(super) fn spells(entries: &[Entry], link: Option<&LinkRow>, now: Timestamp) -> Vec<Spell> {
    let told = entries.iter().filter_map(|entry| Some((entry.state.clone()?, entry.since.unwrap_or(entry.at))));
    let mut entered: Vec<(State, Timestamp)> = Vec::new();
    for (state, since) in told.chain(link.map(|link| (link.state.clone(), link.since))) {
        let last = entered.last();
        if last.is_some_and(|(last, _)| last.reads_as(&state)) {
            continue;
        }
        // Devin's clock may be behind ours: no state begins before the one that it follows.
        let from = last.map_or(since, |(_, before)| since.max(*before)).min(now);
        entered.push((state, from));
    }
    let followers: Vec<Timestamp> = entered.iter().skip(1).map(|(_, from)| *from).collect();
    let mut followers = followers.into_iter();
    let lasted = |(state, from): (State, Timestamp)| {
        let open_end = if Phase::of(&state).is_final() { from } else { now };
        Spell { until: followers.next().unwrap_or(open_end), state, from }
    };
    entered.into_iter().map(lasted).collect()
}

/// Where each of these lengths of time begins in a band, and how wide it is: without gaps, from edge to edge.
pub(super) fn widths(lengths: impl IntoIterator<Item = SignedDuration>) -> Vec<(u64, u64)> {
    let lengths: Vec<u64> = lengths.into_iter().map(|length| u64::try_from(length.as_secs()).unwrap_or(0)).collect();
    let count = lengths.len() as u64;
    let least = WIDTH.checked_div(count).unwrap_or(WIDTH).min(LEAST);
    let total: u64 = lengths.iter().sum();
    let left_over = WIDTH - least * count;
    let share = |length: u64, index: u64| match total {
        // Nothing lasted: all alike.
        0 => (left_over * index).checked_div(count).unwrap_or_default(),
        total => u64::try_from(u128::from(left_over) * u128::from(length) / u128::from(total)).unwrap_or(left_over),
    };
    let (mut parts, mut before) = (Vec::new(), 0);
    for (index, length) in (0..).zip(lengths) {
        let from = least * index + share(before, index);
        before += length;
        let until = least * (index + 1) + share(before, index + 1);
        parts.push((from, until - from));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn state(status: &str, detail: Option<&str>) -> State {
        State::new(status.to_owned().into(), detail.map(|d| d.to_owned().into()))
    }

    fn entry(second: i64, entered: Option<(State, Option<i64>)>) -> Entry {
        let (state, since) = entered.unzip();
        Entry {
            v: 1,
            at: at(second),
            input: None,
            came: None,
            kind: "session_changed".to_owned(),
            by: None,
            ts: None,
            attempts: 1,
            steps: Vec::new(),
            calls: Vec::new(),
            state,
            since: since.flatten().map(at),
            trouble: None,
            buried: None,
        }
    }

    fn told(spells: &[Spell]) -> Vec<(&'static str, i64, i64)> {
        spells.iter().map(|s| (s.phase().name(), s.from.as_second(), s.until.as_second())).collect()
    }

    #[test]
    fn states_follow_one_another_and_the_last_one_lasts() {
        let story = [
            entry(10, Some((state("new", None), None))),
            entry(15, None),
            entry(22, Some((state("running", Some("working")), Some(20)))),
            entry(23, Some((state("running", None), Some(23)))),
            // Told late, and by a clock that is behind.
            entry(40, Some((state("running", Some("waiting_for_user")), Some(19)))),
        ];
        let expected = [("starting", 10, 20), ("working", 20, 20), ("your_turn", 20, 100)];
        assert_eq!(told(&spells(&story, None, at(100))), expected);
        let over = [entry(10, Some((state("new", None), None))), entry(50, Some((state("exit", None), None)))];
        assert_eq!(told(&spells(&over, None, at(100))), [("starting", 10, 50), ("over", 50, 50)], "nothing after it");
        assert_eq!(spells(&[], None, at(100)), []);
    }

    #[test]
    fn what_the_link_knows_counts_where_the_story_is_silent() {
        let link = LinkRow {
            thread: crate::domain::mailbox::ThreadKey::from_tag("bobbin-thread:T1/C1/1.5").unwrap(),
            session: "0f3a".parse().unwrap(),
            title: String::new(),
            url: String::new(),
            requester: "U1".parse().unwrap(),
            runs_as: "Ada".to_owned(),
            started_at: at(5),
            state: state("suspended", Some("inactivity")),
            since: at(60),
            no_news_since: None,
            closed: false,
        };
        assert_eq!(told(&spells(&[], Some(&link), at(100))), [("asleep", 60, 100)]);
        let story = [entry(10, Some((state("new", None), None)))];
        assert_eq!(told(&spells(&story, Some(&link), at(100))), [("starting", 10, 60), ("asleep", 60, 100)]);
    }

    #[test]
    fn a_band_is_filled_from_edge_to_edge_and_shows_the_shortest_moment() {
        let of = |seconds: &[i64]| widths(seconds.iter().map(|s| SignedDuration::from_secs(*s)));
        assert_eq!(of(&[]), []);
        assert_eq!(of(&[0]), [(0, 1_000)]);
        assert_eq!(of(&[1, 1_000_000]), [(0, 8), (8, 992)]);
        assert_eq!(of(&[0, 0]), [(0, 500), (500, 500)]);
        for seconds in [vec![i64::MAX / 300; 200], (0..200).collect(), vec![7; 999]] {
            let parts = of(&seconds);
            let mut edge = 0;
            for (from, width) in &parts {
                assert!(*from == edge && *width >= 1, "{parts:?}");
                edge = from + width;
            }
            assert_eq!(edge, 1_000);
        }
    }
}
