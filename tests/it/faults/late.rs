//! Outcomes that are unknown for longer (row F22): upstreams that process what their client gave up, lists that show a
//! new thing late or pass over it. One thing lives for each that was asked for.

use std::time::Duration;

use bobbin::twin::FaultAction;

use super::{
    afterwards, doubles,
    scenes::{mention, reply, root_of},
};
use crate::support::world::{Making, On, World};

/// The three effects that must not happen twice, and where each is looked for.
const EFFECTS: [(&str, &str); 3] = [
    ("sessions.create", "sessions.list"),
    ("messages.send", "messages.list"),
    ("chat.postMessage", "conversations.replies"),
];

/// Plays a mention and a reply in which one effect fails once; how often it was asked for, and what was made twice.
async fn failing(effect: &str, fault: FaultAction) -> (usize, Vec<String>) {
    let mut world = world().await;
    let faults = if effect.starts_with("chat") { world.slack.faults() } else { world.devin.faults() };
    faults.once(effect, fault);
    mention(&mut world).await;
    reply(&mut world).await;
    afterwards(&mut world).await;
    assert_eq!((world.devin.sessions().len(), world.posts("bobbin_card").len()), (1, 1), "{effect}");
    assert_eq!(world.session().messages.len(), 2, "{effect}: the prompt and the reply");
    let calls = world.slack.calls(effect) + world.devin.calls(effect);
    (calls, doubles(&world))
}

#[tokio::test]
async fn f20_an_effect_whose_answer_never_arrives_is_found_and_not_made_again() {
    for (effect, _) in EFFECTS {
        for fault in [FaultAction::DropAfter, FaultAction::StatusAfter(502), FaultAction::Garbage] {
            assert_eq!(failing(effect, fault.clone()).await, (1, Vec::new()), "{effect} {fault:?}");
        }
    }
}

#[tokio::test]
async fn f21_an_effect_that_did_not_happen_is_made_again() {
    for (effect, _) in EFFECTS {
        let limited = FaultAction::RateLimited { after: Some(3) };
        for fault in [FaultAction::DropBefore, FaultAction::Status(503), limited] {
            assert_eq!(failing(effect, fault.clone()).await, (2, Vec::new()), "{effect} {fault:?}");
        }
    }
}

/// How often a list was wrong, and how late an effect came.
#[derive(Debug, Clone, Copy)]
struct Unknown {
    /// What becomes of the request.
    late: Option<Duration>,
    /// How long lists do not show what is new.
    lag: Duration,
    /// Whether the first look is answered with a page that has nothing on it.
    hole: bool,
}

async fn world() -> World {
    let mut world = World::made(Making::on(On::Embedded)).await;
    world.lenient();
    world
}

/// A mention and a reply to it, of which one effect's outcome stays unknown in this way. What was made twice, in the end.
async fn unknown(effect: &str, look: &str, how: Unknown) -> Vec<String> {
    let mut world = world().await;
    world.devin.change(|state| (state.list_lag, state.messages_lag) = (how.lag, how.lag));
    world.slack.change(|state| state.replies_lag = how.lag);
    if effect == "messages.send" {
        mention(&mut world).await;
    }
    let faults = if effect.starts_with("chat") { world.slack.faults() } else { world.devin.faults() };
    faults.once(effect, how.late.map_or(FaultAction::DropAfter, FaultAction::Late));
    if how.hole {
        faults.once(look, FaultAction::AnswerAfter(r#"{"ok":true,"messages":[],"items":[]}"#.to_owned()));
    }
    if effect == "messages.send" {
        reply(&mut world).await;
    } else {
        mention(&mut world).await;
    }
    for _ in 0..3 {
        afterwards(&mut world).await;
    }
    assert!(!world.devin.sessions().is_empty(), "{effect} {how:?}: nothing was started");
    assert!(world.thread(&root_of(&world)).contains("[card]"), "{effect} {how:?}: no card");
    if effect == "messages.send" {
        assert!(world.devin.sessions()[0].messages.iter().any(|m| m.message == "use the main branch"), "{how:?}");
    }
    doubles(&world)
}

async fn for_each(effects: &[(&str, &str)], ways: &[Unknown]) -> Vec<String> {
    let mut doubled = Vec::new();
    for (effect, look) in effects {
        for how in ways {
            let twice = unknown(effect, look, *how).await;
            doubled.extend(twice.into_iter().map(|what| format!("{effect}, {how:?}: {what}")));
        }
    }
    doubled
}

const fn seconds(late: Option<u64>, lag: u64, hole: bool) -> Unknown {
    let late = match late {
        Some(seconds) => Some(Duration::from_secs(seconds)),
        None => None,
    };
    Unknown { late, lag: Duration::from_secs(lag), hole }
}

#[tokio::test]
async fn f22_what_comes_or_shows_before_the_last_look_is_never_made_twice() {
    let ways = [
        seconds(None, 0, false),
        seconds(None, 5, false),
        seconds(None, 25, false),
        seconds(None, 0, true),
        seconds(Some(2), 0, false),
        seconds(Some(15), 0, false),
        seconds(Some(25), 0, false),
        seconds(Some(10), 15, false),
        seconds(Some(2), 0, true),
    ];
    let doubled = for_each(&EFFECTS, &ways).await;
    assert!(doubled.is_empty(), "{doubled:#?}");
}

/// Sessions and posts only: a message that was sent into a session twice cannot be taken back.
#[tokio::test]
async fn f22_what_comes_or_shows_after_the_last_look_is_withdrawn_in_the_end() {
    let ways = [
        seconds(Some(45), 0, false),
        seconds(Some(120), 0, false),
        seconds(None, 60, false),
        seconds(None, 90, false),
        seconds(Some(30), 60, false),
    ];
    let withdrawable = [EFFECTS[0], EFFECTS[2]];
    let doubled = for_each(&withdrawable, &ways).await;
    assert!(doubled.is_empty(), "{doubled:#?}");
}
