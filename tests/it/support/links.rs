//! Links by the thousand: threads tied to sessions, with state of the usual size, as if each had been talked in. They
//! are put in through the store's contract, and the stand-in Devin knows their sessions.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::Duration,
};

use bobbin::{
    domain::{
        announce::{About, Moment, Observation, Told},
        ids::{SessionId, Ts},
        link::{Asker, Card, Link, Relayed, Reread, Thread},
        mailbox::{Mailbox, ThreadKey},
        phase::State,
        status::{Detail, Status},
    },
    store::{Activity, Admit, Commit, Door, Input, Leased, Offer, Store, Track, Turn},
    twin::{
        DevinTwin,
        devin::{Extras, PullRequest, Session},
        world::{ADA, BACKEND, TEAM},
    },
};
use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::world::id;

/// Store operations at once: enough that a store's round trips overlap.
const AT_ONCE: usize = 64;
/// Spreads numbers over all session ids (the golden ratio, as hash functions use it).
const SPREAD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
/// Longer than anything here takes.
const TTL: Duration = Duration::from_mins(5);

/// One link.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) thread: ThreadKey,
    pub(crate) session: SessionId,
    pub(crate) activity: Activity,
}

/// Plans links of these activities, numbered on from `first`; their threads' messages exist nowhere.
pub(crate) fn planned(first: usize, counts: [(Activity, usize); 3]) -> Vec<Made> {
    let each = counts.into_iter().flat_map(|(activity, count)| std::iter::repeat_n(activity, count));
    let made = |(number, activity): (usize, Activity)| Made {
        thread: thread_of(&id(&format!("1700000000.{:06}", first + number))),
        session: id(&format!("{:032x}", ((first + number) as u128 + 1).wrapping_mul(SPREAD))),
        activity,
    };
    each.enumerate().map(made).collect()
}

/// The thread below a message of `#backend`.
pub(crate) fn thread_of(root: &Ts) -> ThreadKey {
    ThreadKey { team: id(TEAM), channel: id(BACKEND), root: root.clone() }
}

/// Puts links into the store and their sessions into the stand-in, all unchanged since a day before `now`.
pub(crate) async fn make(store: &dyn Store, devin: &DevinTwin, now: Timestamp, links: &[Made]) {
    let at = now - SignedDuration::from_hours(24);
    let by_mailbox: HashMap<Mailbox, &Made> =
        links.iter().map(|made| (Mailbox::Thread(made.thread.clone()), made)).collect();
    stream::iter(links)
        .for_each_concurrent(AT_ONCE, async |made| {
            let input = Input::received(now, Door::Watch, b"{}".to_vec());
            // Without ids for de-duplication: a day after it was made a link has none either.
            let mailbox = Mailbox::Thread(made.thread.clone());
            store.accept(&Offer { mailbox, input, seen: Vec::new(), admit: Admit::Always }).await.unwrap();
            let leased = taken(store).await;
            let made = by_mailbox[&leased.lease.mailbox];
            let state = Some(serde_json::to_string(&thread_state(made, at)).unwrap());
            let track = Some(Track { session: made.session.clone(), activity: made.activity });
            store.commit(&leased.lease, &Commit { state, track, ..Commit::default() }).await.unwrap();
        })
        .await;
    let sessions: Vec<Session> = links.iter().map(|made| session(made, at)).collect();
    devin.change(|state| state.sessions.extend(sessions));
}

/// The link that the store has for a thread.
pub(crate) async fn read(store: &dyn Store, made: &Made) -> Link {
    let state = store.state(&Mailbox::Thread(made.thread.clone())).await.unwrap();
    serde_json::from_str::<Thread>(&state.unwrap()).unwrap().link.unwrap()
}

/// Gives a thread another link.
pub(crate) async fn write(store: &dyn Store, made: &Made, link: Link) {
    let input = Input::received(link.started_at, Door::Watch, b"{}".to_vec());
    let mailbox = Mailbox::Thread(made.thread.clone());
    store.accept(&Offer { mailbox, input, seen: Vec::new(), admit: Admit::Always }).await.unwrap();
    let leased = taken(store).await;
    let state = Some(serde_json::to_string(&Thread { link: Some(link), ..Thread::empty() }).unwrap());
    store.commit(&leased.lease, &Commit { state, ..Commit::default() }).await.unwrap();
}

/// Gives a thread a story of so many turns, each of the usual size.
pub(crate) async fn narrate(store: &dyn Store, made: &Made, turns: usize) {
    let at = read(store, made).await.started_at;
    let entry = |turn: usize| {
        let at = at + SignedDuration::from_secs(i64::try_from(turn).unwrap() * 30);
        let detail = if turn.is_multiple_of(2) { "working" } else { "waiting_for_user" };
        json!({
            "v": 1, "at": at, "input": format!("0198f2a3-{turn:04}"), "came": at, "kind": "session_changed", "by": ADA,
            "attempts": 1, "steps": [{ "name": "relay ev_0198f2a3b4c5d6e7", "outcome": "done", "ts": "1700000001.000100" }],
            "calls": [{ "service": "slack", "method": "chat.postMessage", "times": 2, "took_ms": 240 }],
            "state": { "status": "running", "detail": detail, "archived": false }, "since": at,
        })
        .to_string()
    };
    let input = Input::received(at, Door::Watch, b"{}".to_vec());
    let mailbox = Mailbox::Thread(made.thread.clone());
    store.accept(&Offer { mailbox, input, seen: Vec::new(), admit: Admit::Always }).await.unwrap();
    let leased = taken(store).await;
    let commit = Commit { notes: (0..turns).map(entry).collect(), ..Commit::default() };
    store.commit(&leased.lease, &commit).await.unwrap();
}

/// Takes a turn; there is one for whoever has put an input in.
pub(crate) async fn taken(store: &dyn Store) -> Leased {
    loop {
        match store.lease(TTL).await.unwrap() {
            Turn::Taken(leased) => return *leased,
            Turn::Idle { .. } => tokio::time::sleep(Duration::from_millis(1)).await,
            Turn::Unfounded => panic!("the store of a world is founded"),
        }
    }
}

fn state_of(activity: Activity) -> State {
    match activity {
        Activity::Working => State::new(Status::Running, Some(Detail::Working)),
        Activity::Waiting => State::new(Status::Running, Some(Detail::WaitingForUser)),
        Activity::Asleep => State::new(Status::Suspended, Some(Detail::Inactivity)),
        Activity::Over => State::new(Status::Exit, None),
    }
}

fn title(made: &Made) -> String {
    format!("Fix the login test that fails since the session store moved ({})", made.thread.root)
}

fn pull_request(made: &Made) -> String {
    format!("https://github.com/acme/api/pull/{}", made.thread.root.as_str().len() + 4_000)
}

fn thread_state(made: &Made, at: Timestamp) -> Thread {
    let state = state_of(made.activity);
    let pull_requests = BTreeMap::from([(pull_request(made), Some("open".to_owned()))]);
    let moment = Moment { updated_at: at.as_second(), seen_at: at };
    let seen = Observation {
        session: made.session.clone(),
        state: state.clone(),
        updated_at: at.as_second(),
        seen_at: at,
        title: Some(title(made)),
        url: format!("https://app.devin.ai/sessions/{}", made.session.bare()),
        acus: 1.35,
        pull_requests: pull_requests.clone(),
        about: About { origin: Some("api".to_owned()), ..About::default() },
    };
    let asker = Asker { asked_in: made.thread.root.clone(), requester: id(ADA), runs_as: "Ada Lovelace".to_owned() };
    let link = Link {
        // Without a card: there is no message that could be edited.
        card: Card { ts: None, shows: "0f3a55cc0f3a55cc".to_owned(), written_at: at },
        told: Told {
            at: Some(moment),
            state: Some(state),
            pull_requests,
            answered_at: None,
            spoken: false,
            output: None,
        },
        relayed: Relayed {
            cursor: None,
            seen: (0..4).map(|n| format!("ev_0198f2a3b4c5d6e7f8091a2b3c4d5e{n:02}")).collect(),
            sent: vec!["0f3a55cc0f3a55cc".to_owned()],
            ..Relayed::default()
        },
        reread: Reread { since: Some(at), times: 2 },
        ..Link::new(asker, seen, at)
    };
    Thread { link: Some(link), ..Thread::empty() }
}

fn session(made: &Made, at: Timestamp) -> Session {
    let state = state_of(made.activity);
    Session {
        id: made.session.clone(),
        prompt: title(made),
        title: title(made),
        status: state.status,
        detail: state.detail,
        tags: vec!["bobbin".to_owned(), made.thread.tag(), format!("bobbin-input:{}", made.session.bare())],
        created_at: at,
        updated_at: at,
        acus: 1.35,
        pull_requests: vec![PullRequest { url: pull_request(made), state: "open".to_owned() }],
        structured_output: None,
        category: None,
        user_id: None,
        service_user_id: None,
        playbook_id: None,
        devin_mode: None,
        archived: false,
        repos: Vec::new(),
        attachment_urls: Vec::new(),
        max_acu_limit: None,
        extras: Extras::default(),
        messages: Vec::new(),
        files: Vec::new(),
        script: VecDeque::new(),
        scripted: false,
    }
}
