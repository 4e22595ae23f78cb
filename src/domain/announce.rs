//! What a look at a session should announce, given what the thread was told before.
//!
//! Pure, so that it can be tried with every order of looks: the same look twice announces nothing, and looks that
//! arrive out of order end in the same told state. Order is Devin's `updated_at`, then when we looked.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

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
    /// What Devin knows about it after a while.
    #[serde(default, skip_serializing_if = "About::is_empty")]
    pub about: About,
}

/// What Devin finds out about a session while it runs. Only the list and a single look have it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// The kind of work, such as `bug_fixing`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Which of that kind, in Devin's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subcategory: Option<String>,
    /// Where it was started, such as `api` or `webapp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Its structured output. Kept only until it is told: it can be large.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
}

impl About {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Observation {
    /// The look as it is kept once it was told: what a row leaves out stays known, what was used does not shrink, and an
    /// output is told and can be large.
    #[must_use]
    pub fn kept(self, known: &Self) -> Self {
        let About { category, subcategory, origin, output: _ } = self.about;
        let before = known.about.clone();
        let about = About {
            category: category.or(before.category),
            subcategory: subcategory.or(before.subcategory),
            origin: origin.or(before.origin),
            output: None,
        };
        Self { acus: self.acus.max(known.acus), about, ..self }
    }
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
    /// Stands for the structured output that was told last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
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
    /// The session's structured output is new.
    Output(Value),
    /// The session entered a state that people should hear of.
    Transition(State),
}

/// Stands for a structured output where the output itself need not be kept.
pub fn output_digest(output: &Value) -> String {
    let hash = Sha256::digest(output.to_string().as_bytes());
    hex::encode(hash.get(..8).unwrap_or_default())
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

    let output = seen.about.output.as_ref().map(|output| (output_digest(output), output));
    if let Some((_, value)) = output.as_ref().filter(|(digest, _)| told.output.as_ref() != Some(digest)) {
        news.push(Announcement::Output((*value).clone()));
    }

    let same = told.state.as_ref().is_some_and(|before| before.reads_as(&seen.state));
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
        // A row may leave this out, too.
        output: output.map(|(digest, _)| digest).or_else(|| told.output.clone()),
    };
    (after, news)
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
    use std::time::Duration;

    use super::*;
    use crate::domain::status::{Detail, Status};
    use proptest::prelude::*;
    use serde_json::json;

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
            about: About::default(),
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

    #[test]
    fn a_structured_output_is_told_once_per_value_and_before_the_transition() {
        let with = |at: i64, output: Option<Value>| {
            let mut seen = look(at, at, running(Detail::Finished));
            seen.about.output = output;
            seen
        };
        let first = json!({ "passed": 41 });
        let (told, news) = announce(&Told::default(), &with(1, Some(first.clone())));
        assert!(matches!(&news[..], [Announcement::Output(value), Announcement::Transition(_)] if *value == first));
        let (told, news) = announce(&told, &with(2, None));
        assert!(news.is_empty(), "a row that leaves it out takes nothing back");
        let (told, news) = announce(&told, &with(3, Some(first)));
        assert!(news.is_empty(), "the same value is told once");
        let (_, news) = announce(&told, &with(4, Some(json!({ "passed": 42 }))));
        assert_eq!(news, [Announcement::Output(json!({ "passed": 42 }))]);
    }

    fn states() -> impl Strategy<Value = State> {
        let statuses: Vec<Status> = Status::DOCUMENTED.to_vec();
        let details: Vec<Option<Detail>> =
            std::iter::once(None).chain(Detail::DOCUMENTED.iter().cloned().map(Some)).collect();
        (prop::sample::select(statuses), prop::sample::select(details), any::<bool>())
            .prop_map(|(status, detail, archived)| State { status, detail, archived })
    }

    fn pull_requests() -> impl Strategy<Value = BTreeMap<String, Option<String>>> {
        let states = prop::option::of(prop::sample::select(vec!["open", "merged", "closed"]).prop_map(str::to_owned));
        prop::collection::btree_map(prop::sample::select(vec!["u1", "u2"]).prop_map(str::to_owned), states, 0..3)
    }

    fn looks() -> impl Strategy<Value = Vec<Observation>> {
        let row = (0..6_i64, states(), pull_requests(), prop::option::of(0..3_i32));
        prop::collection::vec(row, 1..8).prop_map(|rows| {
            let rows = rows.into_iter().enumerate();
            rows.map(|(i, (at, state, pull_requests, output))| Observation {
                pull_requests,
                about: About { output: output.map(|n| json!({ "n": n })), ..About::default() },
                ..look(at, i64::try_from(i).unwrap(), state)
            })
            .collect()
        })
    }

    /// In the order of the moments that they show, as a watch sees them that misses nothing.
    fn in_order(mut seen: Vec<Observation>) -> Vec<Observation> {
        seen.sort_by_key(|one| (one.updated_at, one.seen_at));
        seen
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
            let (ordered, shuffled) = (end(&ordered), end(&shuffled));
            prop_assert_eq!((ordered.at, ordered.state), (shuffled.at, shuffled.state));
        }

        /// What somebody was told stays told: neither a look that comes late nor a row that leaves something out makes
        /// it be told again, and a state is told again only after another one was seen.
        #[test]
        fn nothing_is_told_twice_in_a_row(seen in looks()) {
            let mut told = Told::default();
            let mut output = None;
            let mut state: Option<State> = None;
            let mut requests: BTreeMap<String, Option<String>> = BTreeMap::new();
            for one in in_order(seen) {
                let (after, news) = announce(&told, &one);
                for news in news {
                    match news {
                        Announcement::PullRequest { url, state } => {
                            prop_assert_ne!(requests.get(&url), Some(&state));
                            requests.insert(url, state);
                        }
                        Announcement::Output(value) => {
                            prop_assert_ne!(output.as_ref(), Some(&value));
                            output = Some(value);
                        }
                        Announcement::Transition(entered) => {
                            prop_assert!(state.as_ref().is_none_or(|before| !before.reads_as(&entered)));
                        }
                    }
                }
                state = Some(one.state);
                told = after;
            }
        }

        /// The last thing that a row says of anything is told in the end, whatever came between.
        #[test]
        fn nothing_that_was_seen_stays_untold(seen in looks()) {
            let seen = in_order(seen);
            let told = seen.iter().fold(Told::default(), |told, one| announce(&told, one).0);
            let last_output = seen.iter().rev().find_map(|one| one.about.output.as_ref()).map(output_digest);
            prop_assert_eq!(told.output, last_output);
            for url in seen.iter().flat_map(|one| one.pull_requests.keys()) {
                let state = seen.iter().rev().find_map(|one| one.pull_requests.get(url)?.as_ref());
                prop_assert_eq!(told.pull_requests[url].as_ref(), state);
            }
            prop_assert_eq!(told.state.as_ref(), seen.last().map(|one| &one.state));
        }

        /// What is announced and what is remembered as told agree, so that whoever posts none of it (a muted thread)
        /// owes none of it later.
        #[test]
        fn what_a_muted_thread_did_not_post_is_not_owed(seen in looks()) {
            let seen = in_order(seen);
            let told = seen.iter().fold(Told::default(), |told, one| announce(&told, one).0);
            if let Some(last) = seen.last() {
                let again = Observation { seen_at: last.seen_at + Duration::from_mins(1), ..last.clone() };
                prop_assert!(announce(&told, &again).1.is_empty());
            }
        }
    }
}
