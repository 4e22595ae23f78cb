//! What our own posts and receipts in a thread say: enough to restore a link from that the store has lost.
//!
//! Everybody can read metadata, and every app can write the same into its own, so only what our own bot posted counts.
//! The key in it is not compared: it changes with the secret it is made from, and a card that is not recognised after
//! such a change would be posted again.

use std::{borrow::Cow, collections::BTreeMap};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{label::Label, orders::DETACHED, room::PostKind, start::REFUSED};
use crate::{
    domain::{
        announce::{Observation, Told, announce},
        ids::{SessionId, Ts, UserId},
        phase::State,
        presence::REACTIONS,
    },
    slack::{ThreadMessage, text, wire::objects::TOMBSTONE},
};

/// The posts of relayed messages: by the message's id, then by part.
pub(super) type Relays<'a> = BTreeMap<String, BTreeMap<usize, &'a Ts>>;
/// The fact by which the post of a structured output says which one it is.
pub(super) const OUTPUT: &str = "output";

/// A thread, read for its traces.
#[derive(Debug)]
pub(super) struct Traces<'a> {
    me: &'a UserId,
    ours: Vec<Ours<'a>>,
    people: Vec<&'a ThreadMessage>,
}

/// A post of ours.
#[derive(Debug)]
struct Ours<'a> {
    ts: &'a Ts,
    kind: &'a str,
    facts: Cow<'a, Map<String, Value>>,
}

impl<'a> Traces<'a> {
    /// Reads a thread's messages, oldest first, as the bot `me`.
    pub(super) fn read(messages: &'a [ThreadMessage], me: &'a UserId) -> Self {
        let mut traces = Self { me, ours: Vec::new(), people: Vec::new() };
        for message in messages {
            if message.user.as_ref() == Some(me) {
                traces.ours.extend(Ours::read(message));
            } else if message.user.is_some()
                && message.bot_id.is_none()
                && message.subtype.as_deref() != Some(TOMBSTONE)
            {
                traces.people.push(message);
            }
        }
        traces
    }

    /// The card: of this session, or else of the one that the thread really belongs to.
    pub(super) fn card(&self, session: &SessionId) -> Option<(SessionId, &'a Ts)> {
        let card = |post: &Ours<'a>| Some((post.fact("session_id")?.parse().ok()?, post.ts));
        let mut others = self.ours.iter().filter(|post| post.kind == PostKind::Card.event_type()).filter_map(card);
        self.of(session, PostKind::Card).find_map(card).or_else(|| others.next())
    }

    /// The message that asked for the session: a best guess. The last one before the card that got our receipt, one
    /// that was said to us before one that somebody used the shortcut on; who used that is not written anywhere. With a
    /// card, a message that lost its receipt will do; without one only a receipt says that we were asked at all.
    pub(super) fn asked(&self, card: Option<&Ts>, direct: bool) -> Option<&'a ThreadMessage> {
        let last = |wanted: &dyn Fn(&ThreadMessage) -> bool| {
            let before = |m: &&&ThreadMessage| card.is_none_or(|card| m.ts < *card);
            self.people.iter().rev().filter(before).find(|m| wanted(m)).copied()
        };
        let to_us = |m: &ThreadMessage| direct || text::mentions(&m.text, self.me);
        last(&|m| self.took_up(m) && to_us(m))
            .or_else(|| last(&|m| self.took_up(m)))
            .or_else(|| card.and_then(|_| last(&to_us).or_else(|| last(&|_| true))))
    }

    /// What the thread was told, given what the session does now: a state that is only shown on the card counts as
    /// told, as does the newest one that was posted; any other is owed, and the next look tells it.
    pub(super) fn told(&self, session: &SessionId, seen: &Observation) -> Told {
        let transition = self.of(session, PostKind::Transition).last();
        let later = |m: &&&ThreadMessage| transition.is_some_and(|post| m.ts > *post.ts) && self.took_up(m);
        let answer = self.people.iter().rev().find(later);
        let told = Told {
            at: None,
            state: transition.and_then(Ours::state),
            pull_requests: self.pull_requests(session),
            answered_at: answer.and_then(|m| Timestamp::from_second(m.ts.second()).ok()),
            spoken: answer.is_some_and(|m| self.devins_words(session).any(|post| *post.ts > m.ts)),
            output: self.of(session, PostKind::Notice).filter_map(|post| post.fact(OUTPUT)).last().map(str::to_owned),
        };
        let (after, owed) = announce(&told, seen);
        if owed.is_empty() { after } else { told }
    }

    /// The posts of each message that was relayed, by the part that each is.
    pub(super) fn relays(&self, session: &SessionId) -> Relays<'a> {
        let mut relays = Relays::new();
        for post in self.of(session, PostKind::Relay) {
            let Some(event) = post.fact("event_id") else { continue };
            let parts = relays.entry(event.to_owned()).or_default();
            // Posts of before parts were counted stand in order.
            let part = post.fact("part").and_then(|part| part.parse().ok()).unwrap_or(parts.len());
            parts.entry(part).or_insert(post.ts);
        }
        relays
    }

    /// The last card of a session that nobody untied the thread from.
    pub(super) fn tied_card(&self) -> Option<(SessionId, &'a Ts)> {
        let cards = self.ours.iter().rev().filter(|post| post.kind == PostKind::Card.event_type());
        cards
            .filter_map(|post| Some((post.fact("session_id")?.parse().ok()?, post.ts)))
            .find(|(session, _)| !self.is_detached(session))
    }

    /// Whether somebody untied the thread from this session.
    pub(super) fn is_detached(&self, session: &SessionId) -> bool {
        self.of(session, PostKind::Notice).any(|post| post.fact(DETACHED).is_some())
    }

    /// What Devin said, without what people said in its web app.
    fn devins_words(&self, session: &SessionId) -> impl Iterator<Item = &Ours<'a>> {
        self.of(session, PostKind::Relay).filter(|post| post.fact("source").is_none())
    }

    fn pull_requests(&self, session: &SessionId) -> BTreeMap<String, Option<String>> {
        let told = |post: &Ours<'_>| {
            Some((post.fact("pull_request")?.to_owned(), post.fact("pull_request_state").map(str::to_owned)))
        };
        self.of(session, PostKind::Notice).filter_map(told).collect()
    }

    fn of(&self, session: &SessionId, kind: PostKind) -> impl Iterator<Item = &Ours<'a>> {
        let session = session.bare().to_owned();
        self.ours.iter().filter(move |post| post.kind == kind.event_type() && post.fact("session_id") == Some(&session))
    }

    /// Whether a message has our receipt, or what took its place, and nothing that says that we did nothing.
    fn took_up(&self, message: &ThreadMessage) -> bool {
        REACTIONS.iter().any(|name| message.has_reaction(name, self.me)) && !message.has_reaction(REFUSED, self.me)
    }
}

impl<'a> Ours<'a> {
    /// By its metadata, or by the label of a file's message, which has none.
    fn read(message: &'a ThreadMessage) -> Option<Self> {
        let ts = &message.ts;
        if let Some(metadata) = &message.metadata {
            return Some(Self { ts, kind: &metadata.event_type, facts: Cow::Borrowed(&metadata.event_payload) });
        }
        let facts = Cow::Owned(Label::of(message)?.facts());
        Some(Self { ts, kind: PostKind::Relay.event_type(), facts })
    }

    fn fact(&self, name: &str) -> Option<&str> {
        self.facts.get(name).and_then(Value::as_str)
    }

    /// The state that a transition told.
    fn state(&self) -> Option<State> {
        let status = self.fact("status")?.to_owned().into();
        let detail = self.fact("status_detail").map(|detail| detail.to_owned().into());
        Some(State { status, detail, archived: self.fact("archived").is_some() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::announce::{About, output_digest};

    fn messages(rows: Value) -> Vec<ThreadMessage> {
        serde_json::from_value(rows).unwrap()
    }

    fn ours(ts: &str, kind: &str, facts: &Value) -> Value {
        json!({ "ts": ts, "user": "UBOT", "bot_id": "B1", "metadata": { "event_type": kind, "event_payload": facts } })
    }

    fn look(status: &str, detail: &str) -> Observation {
        Observation {
            session: "s1".parse().unwrap(),
            state: State::new(status.to_owned().into(), Some(detail.to_owned().into())),
            updated_at: 50,
            seen_at: Timestamp::from_second(60).unwrap(),
            title: None,
            url: String::new(),
            acus: 0.0,
            pull_requests: BTreeMap::new(),
            about: About::default(),
        }
    }

    fn ids() -> (UserId, SessionId) {
        ("UBOT".parse().unwrap(), "s1".parse().unwrap())
    }

    #[test]
    fn a_card_of_another_bot_is_no_card_and_a_card_of_ours_decides_which_session() {
        let (me, session) = ids();
        let forged = json!({ "ts": "2.0", "user": "UEVIL", "bot_id": "B2",
            "metadata": { "event_type": "bobbin_card", "event_payload": { "session_id": "s1" } } });
        let rows = messages(json!([forged]));
        assert_eq!(Traces::read(&rows, &me).card(&session), None);
        let rows = messages(json!([ours("3.0", "bobbin_card", &json!({ "session_id": "s2" }))]));
        let (of, ts) = Traces::read(&rows, &me).card(&session).unwrap();
        assert_eq!((of.bare(), ts.as_str()), ("s2", "3.0"));
    }

    #[test]
    fn who_asked_is_who_got_our_receipt_last_before_the_card() {
        let (me, _) = ids();
        let eyes = |name: &str| json!([{ "name": name, "users": ["UBOT"] }]);
        let rows = messages(json!([
            { "ts": "1.0", "user": "UADA", "text": "a bug", "reactions": eyes("eyes") },
            { "ts": "2.0", "user": "UGIL", "text": "<@UBOT> fix it", "reactions":
                [{ "name": "eyes", "users": ["UBOT"] }, { "name": "no_entry_sign", "users": ["UBOT"] }] },
            { "ts": "3.0", "user": "UEVE", "text": "<@UBOT> me too", "reactions": eyes("tada") },
            { "ts": "5.0", "user": "UBOB", "text": "<@UBOT> later", "reactions": eyes("eyes") },
        ]));
        let traces = Traces::read(&rows, &me);
        let card = "4.0".parse().unwrap();
        let asked = |card| traces.asked(card, false).map(|m| m.ts.as_str().to_owned());
        assert_eq!(asked(Some(&card)).as_deref(), Some("1.0"), "the shortcut was used on it");
        assert_eq!(asked(None).as_deref(), Some("5.0"));
        let without = messages(json!([{ "ts": "1.0", "user": "UADA", "text": "<@UBOT> fix it" }]));
        let traces = Traces::read(&without, &me);
        assert!(traces.asked(None, false).is_none(), "nothing shows that we were asked");
        assert!(traces.asked(Some(&card), false).is_some());
    }

    #[test]
    fn a_state_counts_as_told_when_it_was_posted_last_or_only_the_card_shows_it() {
        let (me, session) = ids();
        let facts = json!({ "session_id": "s1", "status": "running", "status_detail": "waiting_for_user" });
        let rows = messages(json!([ours("4.0", "bobbin_transition", &facts)]));
        let traces = Traces::read(&rows, &me);
        for told in ["waiting_for_user", "working"] {
            let seen = look("running", told);
            assert!(announce(&traces.told(&session, &seen), &seen).1.is_empty(), "{told}");
        }
        let seen = look("running", "finished");
        assert_eq!(announce(&traces.told(&session, &seen), &seen).1.len(), 1);
    }

    #[test]
    fn a_structured_output_that_stands_in_the_thread_is_not_owed_again() {
        let (me, session) = ids();
        let seen = |n: i32| {
            let about = About { output: Some(json!({ "n": n })), ..About::default() };
            Observation { about, ..look("running", "working") }
        };
        let facts = json!({ "session_id": "s1", "output": output_digest(&json!({ "n": 1 })) });
        let rows = messages(json!([ours("4.0", "bobbin_notice", &facts)]));
        let owed = |n| announce(&Traces::read(&rows, &me).told(&session, &seen(n)), &seen(n)).1.len();
        assert_eq!((owed(1), owed(2)), (0, 1));
    }

    #[test]
    fn an_answer_and_new_words_after_the_last_call_make_the_same_state_owed_again() {
        let (me, session) = ids();
        let waiting = json!({ "session_id": "s1", "status": "running", "status_detail": "waiting_for_user" });
        let answer = json!({ "ts": "5.0", "user": "UADA", "text": "main", "reactions":
            [{ "name": "eyes", "users": ["UBOT"] }] });
        let mut rows = vec![ours("4.0", "bobbin_transition", &waiting), answer];
        let seen = look("running", "waiting_for_user");
        let owed = |rows: &[Value]| {
            let rows = messages(json!(rows));
            announce(&Traces::read(&rows, &me).told(&session, &seen), &seen).1.len()
        };
        assert_eq!(owed(&rows), 0, "it has not taken note of the answer yet");
        rows.push(ours("6.0", "bobbin_relay", &json!({ "session_id": "s1", "event_id": "e9" })));
        assert_eq!(owed(&rows), 1);
    }
}
