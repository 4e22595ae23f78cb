//! What a look at a session should announce, given what the thread was told before.
//!
//! Pure, so that it can be tried with every order of looks: the same look twice announces nothing, and looks that
//! arrive out of order end in the same told state. Order is Devin's `updated_at`, then when we looked.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    ids::SessionId,
    phase::{Phase, State, Telling},
};

/// One look at a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// The session.
    pub session: SessionId,
    /// What it is doing.
    pub state: State,
    /// Devin's `updated_at`, in Unix seconds.
    pub updated_at: i64,
    /// When we looked.
    pub seen_at: Timestamp,
    /// Title, if Devin has one.
    pub title: Option<String>,
    /// Web address of the session.
    pub url: String,
    /// Agent compute units used so far.
    pub acus: f64,
    /// Pull requests: address to state (`open`, `merged`, `closed`, or nothing said).
    pub pull_requests: BTreeMap<String, Option<String>>,
}

/// Where a look stands in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Moment {
    /// Devin's `updated_at`, in Unix seconds.
    pub updated_at: i64,
    /// When we looked.
    pub seen_at: Timestamp,
}

/// What the thread was told last.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// The newest look that was told; `None` before the first.
    pub at: Option<Moment>,
    /// The state it showed.
    pub state: Option<State>,
    /// Pull requests that were told, with their state then.
    #[serde(default)]
    pub pull_requests: BTreeMap<String, Option<String>>,
    /// When a person wrote since: the same waiting state is then worth another call, once Devin has spoken.
    #[serde(default)]
    pub answered_at: Option<Timestamp>,
    /// Whether Devin has spoken after that.
    #[serde(default)]
    pub spoken: bool,
}

impl Told {
    /// A person wrote into the session.
    pub fn answered(&mut self, at: Timestamp) {
        self.answered_at = Some(at);
        self.spoken = false;
    }
}

/// One thing to tell, in the order in which it is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Announcement {
    /// A pull request is new, or its state changed.
    PullRequest {
        /// Its address.
        url: String,
        /// Its state, as Devin wrote it.
        state: Option<String>,
    },
    /// The session entered a state that people should hear of.
    Transition(State),
}

/// Compares a look with what was told: what to announce, and what is told afterwards.
pub fn announce(told: &Told, seen: &Observation) -> (Told, Vec<Announcement>) {
    let moment = Moment { updated_at: seen.updated_at, seen_at: seen.seen_at };
    if told.at.is_some_and(|at| moment <= at) {
        return (told.clone(), Vec::new());
    }
    let mut pull_requests = told.pull_requests.clone();
    let mut news = Vec::new();
    for (url, state) in &seen.pull_requests {
        if is_news(told.pull_requests.get(url), state.as_deref()) {
            news.push(Announcement::PullRequest { url: url.clone(), state: state.clone() });
        }
        // A row may leave out what an earlier one had: what is known stays known.
        let known = pull_requests.entry(url.clone()).or_default();
        *known = state.clone().or_else(|| known.take());
    }

    let same = told.state.as_ref().is_some_and(|before| reads_same(before, &seen.state));
    let left_and_returned = told.answered_at.is_some() && told.spoken;
    if (!same || left_and_returned) && Phase::of(&seen.state).telling() != Telling::CardOnly {
        news.push(Announcement::Transition(seen.state.clone()));
    }
    let still_owed = same && !left_and_returned;
    let after = Told {
        at: Some(moment),
        state: Some(seen.state.clone()),
        pull_requests,
        answered_at: told.answered_at.filter(|_| still_owed),
        spoken: false,
    };
    (after, news)
}

/// Whether two states are one to people: an archived session is archived, whatever it did before.
fn reads_same(a: &State, b: &State) -> bool {
    let phase = Phase::of(a);
    a == b || (phase == Phase::of(b) && phase != Phase::Unheard)
}

/// Whether a pull request's state is worth telling. One without a state is taken for open, which most are when Devin
/// first names them.
fn is_news(before: Option<&Option<String>>, now: Option<&str>) -> bool {
    const OPEN: &str = "open";
    match (before, now) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(before), Some(now)) => before.as_deref().unwrap_or(OPEN) != now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::status::{Detail, Status};
    use proptest::prelude::*;

    fn look(updated_at: i64, seen: i64, state: State) -> Observation {
        Observation {
            session: "abc".parse().unwrap(),
            state,
            updated_at,
            seen_at: Timestamp::from_second(seen).unwrap(),
            title: None,
            url: "https://app.devin.ai/sessions/abc".to_owned(),
            acus: 0.0,
            pull_requests: BTreeMap::new(),
        }
    }

    fn running(detail: Detail) -> State {
        State::new(Status::Running, Some(detail))
    }

    #[test]
    fn work_changes_the_card_only_and_a_question_is_a_post() {
        let (told, news) = announce(&Told::default(), &look(1, 1, running(Detail::Working)));
        assert!(news.is_empty());
        let (told, news) = announce(&told, &look(2, 2, running(Detail::WaitingForUser)));
        assert_eq!(news, [Announcement::Transition(running(Detail::WaitingForUser))]);
        let (_, news) = announce(&told, &look(3, 3, running(Detail::WaitingForUser)));
        assert!(news.is_empty(), "the same state is told once");
    }

    #[test]
    fn the_same_question_state_is_told_again_only_after_an_answer_and_new_words() {
        let (mut told, _) = announce(&Told::default(), &look(1, 1, running(Detail::WaitingForUser)));
        told.answered(Timestamp::UNIX_EPOCH);
        let (mut told, news) = announce(&told, &look(2, 2, running(Detail::WaitingForUser)));
        assert!(news.is_empty(), "our own message moved updated_at, nothing more");
        told.spoken = true;
        let (_, news) = announce(&told, &look(3, 3, running(Detail::WaitingForUser)));
        assert_eq!(news.len(), 1);
    }

    #[test]
    fn pull_requests_are_told_before_the_transition_and_again_when_their_state_changes() {
        let mut seen = look(1, 1, running(Detail::Finished));
        seen.pull_requests.insert("https://github.com/acme/api/pull/42".to_owned(), Some("open".to_owned()));
        let (told, news) = announce(&Told::default(), &seen);
        assert!(matches!(&news[..], [Announcement::PullRequest { .. }, Announcement::Transition(_)]));
        let mut merged = look(2, 2, running(Detail::Finished));
        merged.pull_requests.insert("https://github.com/acme/api/pull/42".to_owned(), Some("merged".to_owned()));
        let (_, news) = announce(&told, &merged);
        assert!(matches!(&news[..], [Announcement::PullRequest { state: Some(s), .. }] if s == "merged"));
    }

    #[test]
    fn an_archived_session_is_told_once_whatever_it_did_on_the_way() {
        let archived = |status, detail| State { archived: true, ..State::new(status, detail) };
        let (told, news) = announce(&Told::default(), &look(1, 1, archived(Status::Running, Some(Detail::Working))));
        assert_eq!(news.len(), 1);
        let (_, news) = announce(&told, &look(2, 2, archived(Status::Suspended, Some(Detail::UserRequest))));
        assert!(news.is_empty());
    }

    #[test]
    fn a_pull_request_is_opened_once_even_when_a_row_leaves_it_out() {
        let url = "https://github.com/acme/api/pull/42";
        let with = |at: i64, requests: &[(&str, Option<&str>)]| {
            let mut seen = look(at, at, running(Detail::Working));
            seen.pull_requests =
                requests.iter().map(|(url, state)| ((*url).to_owned(), state.map(str::to_owned))).collect();
            seen
        };
        let (told, news) = announce(&Told::default(), &with(1, &[(url, None)]));
        assert_eq!(news.len(), 1);
        for requests in [vec![(url, Some("open"))], vec![], vec![(url, Some("open"))], vec![(url, None)]] {
            let (_, news) = announce(&told, &with(2, &requests));
            assert!(news.is_empty(), "{requests:?}");
        }
        let (_, news) = announce(&told, &with(3, &[(url, Some("merged"))]));
        assert_eq!(news.len(), 1);
    }

    fn states() -> impl Strategy<Value = State> {
        let statuses: Vec<Status> = Status::DOCUMENTED.to_vec();
        let details: Vec<Option<Detail>> =
            std::iter::once(None).chain(Detail::DOCUMENTED.iter().cloned().map(Some)).collect();
        (prop::sample::select(statuses), prop::sample::select(details), any::<bool>())
            .prop_map(|(status, detail, archived)| State { status, detail, archived })
    }

    fn looks() -> impl Strategy<Value = Vec<Observation>> {
        prop::collection::vec((0..6_i64, states()), 1..8).prop_map(|rows| {
            rows.into_iter().enumerate().map(|(i, (at, state))| look(at, i64::try_from(i).unwrap(), state)).collect()
        })
    }

    proptest! {
        #[test]
        fn the_same_look_twice_announces_nothing(seen in looks()) {
            let mut told = Told::default();
            for one in &seen {
                told = announce(&told, one).0;
                let (again, news) = announce(&told, one);
                prop_assert!(news.is_empty());
                prop_assert_eq!(&again, &told);
            }
        }

        #[test]
        fn any_order_of_looks_ends_in_the_same_told_state(
            (ordered, shuffled) in looks().prop_flat_map(|l| (Just(l.clone()), Just(l).prop_shuffle())),
        ) {
            let end = |list: &[Observation]| list.iter().fold(Told::default(), |t, o| announce(&t, o).0);
            prop_assert_eq!(end(&ordered), end(&shuffled));
        }
    }
}
