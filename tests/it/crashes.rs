//! Handlers stopped at every boundary, and answers that never arrive: the world ends the same each time.
//!
//! With the look-up of lost attempts switched off (`Steps::look`) both kinds fail.

use std::{pin::Pin, time::Duration};

use bobbin::{
    domain::ids::Ts,
    twin::{
        FaultAction,
        world::{ADA, BACKEND, BOT_USER, LINUS},
    },
};

use crate::support::{
    crash::Side,
    world::{On, World},
};

/// More writes than any of these handlers makes; reaching it means that the handler never ended.
const MAX_BOUNDARIES: usize = 60;

/// Time in which a new process takes over, looks for what the dead one had begun, and the watch looks a few times.
const AFTERWARDS: Duration = Duration::from_mins(4);

/// What a scenario does, and the thread it happens in.
type Scene = for<'a> fn(&'a mut World) -> Played<'a>;
/// A scene being played.
type Played<'a> = Pin<Box<dyn Future<Output = Ts> + Send + 'a>>;

/// Runs a scene once for each boundary, dying there and starting again, and compares with the undisturbed run.
async fn stopped_at_every_boundary(on: On, prepare: Scene, act: Scene) {
    let mut world = World::on(on).await;
    prepare(&mut world).await;
    world.store.die_at(usize::MAX, Side::Before);
    let root = act(&mut world).await;
    let boundaries = world.store.met();
    assert!(boundaries.iter().any(|b| b == "commit"), "{boundaries:?}");
    assert!(boundaries.len() < MAX_BOUNDARIES, "{boundaries:?}");
    world.pass(AFTERWARDS).await;
    let undisturbed = world.thread(&root);
    let ledger = visible(&world);
    drop(world);

    for (at, name) in boundaries.iter().enumerate() {
        for side in [Side::Before, Side::After] {
            let mut world = World::on(on).await;
            prepare(&mut world).await;
            world.store.die_at(at, side);
            act(&mut world).await;
            assert!(world.store.is_dead(), "the boundary {side:?} {name} was not hit");
            world.store.revive();
            world.settle().await;
            world.pass(AFTERWARDS).await;
            let shown = world.thread(&root_of(&world));
            assert_eq!(shown, undisturbed, "stopped {side:?} {name}");
            assert_eq!(visible(&world), ledger, "stopped {side:?} {name}");
        }
    }
}

/// What can be counted from outside: sessions, messages in them, and posts by type.
fn visible(world: &World) -> (usize, usize, Vec<usize>) {
    let sessions = world.devin.sessions();
    let messages = sessions.iter().map(|s| s.messages.len()).sum();
    let types = ["bobbin_card", "bobbin_transition", "bobbin_relay", "bobbin_notice"];
    (sessions.len(), messages, types.iter().map(|t| world.posts(t).len()).collect())
}

/// The only thread there is.
fn root_of(world: &World) -> Ts {
    let channel = BACKEND.parse().unwrap();
    world.slack.read(|state| state.channels[&channel].messages[0].ts.clone())
}

fn nothing(world: &mut World) -> Played<'_> {
    Box::pin(async move {
        let _ = world;
        "1.0".parse().unwrap()
    })
}

fn mention(world: &mut World) -> Played<'_> {
    Box::pin(world.mention(ADA, "fix the login test"))
}

fn refused(world: &mut World) -> Played<'_> {
    Box::pin(world.mention(LINUS, "fix the login test"))
}

fn reply(world: &mut World) -> Played<'_> {
    Box::pin(async move {
        let root = root_of(world);
        world.reply(ADA, &root, "use main").await;
        root
    })
}

fn change(world: &mut World) -> Played<'_> {
    Box::pin(async move {
        world.devin.say(&world.session_id(), "Which branch?").unwrap();
        world.devin.open_pr(&world.session_id()).unwrap();
        world.devin_becomes("running", Some("waiting_for_user")).await;
        root_of(world)
    })
}

#[tokio::test]
async fn a_mention_stopped_anywhere_ends_in_one_session_one_card_one_receipt_on_redis() {
    stopped_at_every_boundary(On::Redis, nothing, mention).await;
}

#[tokio::test]
async fn a_mention_stopped_anywhere_ends_in_one_session_one_card_one_receipt_in_one_file() {
    stopped_at_every_boundary(On::Embedded, nothing, mention).await;
}

#[tokio::test]
async fn a_reply_stopped_anywhere_is_sent_once() {
    stopped_at_every_boundary(On::Embedded, mention, reply).await;
}

#[tokio::test]
async fn a_change_stopped_anywhere_is_told_once_and_in_order() {
    stopped_at_every_boundary(On::Embedded, mention, change).await;
}

#[tokio::test]
async fn a_refusal_stopped_anywhere_starts_nothing_and_leaves_its_sign() {
    let mut world = World::on(On::Embedded).await;
    world.store.die_at(usize::MAX, Side::Before);
    refused(&mut world).await;
    let boundaries = world.store.met().len();
    world.lenient();
    for at in 0..boundaries {
        for side in [Side::Before, Side::After] {
            let mut world = World::on(On::Embedded).await;
            world.store.die_at(at, side);
            refused(&mut world).await;
            world.store.revive();
            world.settle().await;
            let root = root_of(&world);
            let thread = world.thread(&root);
            assert!(thread.contains("[no_entry_sign]"), "{side:?} {at}: {thread}");
            assert!(thread.matches("(only ").count() <= 1, "{side:?} {at}: {thread}");
            assert_eq!(world.devin.calls("sessions.create"), 0);
        }
    }
}

#[tokio::test]
async fn answers_that_never_arrive_make_neither_a_second_session_nor_a_second_card() {
    for fault in [FaultAction::DropAfter, FaultAction::StatusAfter(502), FaultAction::Garbage] {
        let mut world = World::new().await;
        world.devin.faults().once("sessions.create", fault.clone());
        world.slack.faults().once("chat.postMessage", fault.clone());
        let root = world.mention(ADA, "fix the login test").await;
        assert_eq!(world.devin.sessions().len(), 1, "{fault:?}");
        assert_eq!(world.posts("bobbin_card").len(), 1, "{fault:?}");
        assert_eq!(world.devin.calls("sessions.create"), 1, "{fault:?}");
        assert_eq!(world.slack.calls("chat.postMessage"), 1, "{fault:?}");
        world.thread(&root);
    }
}

#[tokio::test]
async fn requests_that_never_arrived_are_made_again() {
    for fault in [FaultAction::DropBefore, FaultAction::Status(503)] {
        let mut world = World::new().await;
        world.devin.faults().once("sessions.create", fault.clone());
        world.slack.faults().once("chat.postMessage", fault.clone());
        let root = world.mention(ADA, "fix the login test").await;
        assert_eq!(world.devin.sessions().len(), 1, "{fault:?}");
        assert_eq!(world.posts("bobbin_card").len(), 1, "{fault:?}");
        world.thread(&root);
    }
}

#[tokio::test]
async fn a_list_that_lags_does_not_make_a_second_session() {
    let mut world = World::new().await;
    world.devin.change(|state| state.list_lag = Duration::from_secs(20));
    world.devin.faults().once("sessions.create", FaultAction::DropAfter);
    let root = world.mention(ADA, "fix the login test").await;
    assert_eq!(world.devin.sessions().len(), 1);
    world.thread(&root);
    assert!(world.session().prompt.contains("fix the login test"), "not a mention of <@{BOT_USER}>");
}
