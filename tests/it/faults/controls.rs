//! The negative controls: each protection taken away in turn, and the very scenario that proves it must then go wrong.
//! A protection that can be missing without a test noticing is not protected itself.

use std::time::Duration;

use bobbin::{
    twin::{
        FaultAction,
        devin::Source,
        world::{ADA, BACKEND},
    },
    work::Stepped,
};

use super::{
    afterwards, doubles,
    scenes::{change, mention, reply, root_of},
};
use crate::{
    crashes::wrong_when_killed,
    support::{
        crash::{Life, Sabotage},
        world::{Making, On, World},
    },
};

/// How long an answer is held back, so that another process can act meanwhile.
const HELD_BACK: Duration = Duration::from_millis(1_500);

fn with(sabotage: Option<Sabotage>) -> Making {
    Making { sabotage, ..Making::on(On::Embedded) }
}

async fn world(sabotage: Option<Sabotage>) -> World {
    let mut world = World::made(with(sabotage)).await;
    world.lenient();
    world
}

#[tokio::test]
async fn control_f02_a_forgotten_journal_is_noticed() {
    for scene in ["mention", "reply", "change"] {
        let wrong = wrong_when_killed(scene, with(Some(Sabotage::JournalForgotten))).await;
        assert!(!wrong.is_empty(), "{scene}: nothing went wrong without the journal");
    }
}

#[tokio::test]
async fn control_f02_a_step_that_is_not_written_down_before_its_effect_is_noticed() {
    for scene in ["mention", "reply", "change"] {
        let wrong = wrong_when_killed(scene, with(Some(Sabotage::BeginSkipped))).await;
        assert!(!wrong.is_empty(), "{scene}: nothing went wrong without the record before the effect");
    }
}

/// A reply whose event Slack sends twice.
async fn doubles_of_a_repeated_event(sabotage: Option<Sabotage>) -> Vec<String> {
    let mut world = world(sabotage).await;
    mention(&mut world).await;
    let root = root_of(&world);
    world.say_in(ADA, BACKEND, Some(&root), "use the main branch");
    for delivery in world.slack.pending() {
        world.slack.duplicate_delivery(delivery.id);
    }
    world.settle().await;
    doubles(&world)
}

#[tokio::test]
async fn control_f26_forgotten_ids_of_inputs_are_noticed() {
    assert_eq!(doubles_of_a_repeated_event(None).await, Vec::<String>::new());
    assert!(!doubles_of_a_repeated_event(Some(Sabotage::IdsForgotten)).await.is_empty());
}

/// Effects whose answers are lost, with lists that show, or never show, what was made.
async fn doubles_of_lost_answers(blind: bool) -> Vec<String> {
    let mut world = world(None).await;
    if blind {
        world.devin.change(|state| (state.list_lag, state.messages_lag) = (Duration::MAX, Duration::MAX));
        world.slack.change(|state| state.replies_lag = Duration::MAX);
    }
    world.devin.faults().once("sessions.create", FaultAction::DropAfter);
    world.slack.faults().once("chat.postMessage", FaultAction::DropAfter);
    mention(&mut world).await;
    world.devin.faults().once("messages.send", FaultAction::DropAfter);
    reply(&mut world).await;
    if !blind {
        world.slack.faults().once("chat.postMessage", FaultAction::DropAfter);
        change(&mut world).await;
    }
    afterwards(&mut world).await;
    doubles(&world)
}

#[tokio::test]
async fn control_f20_looks_that_find_nothing_are_noticed() {
    assert_eq!(doubles_of_lost_answers(false).await, Vec::<String>::new());
    let doubled = doubles_of_lost_answers(true).await;
    for what in ["session ", "message ", "post "] {
        assert!(doubled.iter().any(|double| double.contains(what)), "no double {what}in {doubled:#?}");
    }
}

/// A process that is held up past its lease in the middle of one reply, while another finishes that reply and has begun
/// with the next. What of both replies came through.
async fn replies_of_a_process_held_up(sabotage: Option<Sabotage>) -> Vec<String> {
    let mut world = world(sabotage).await;
    mention(&mut world).await;
    let root = root_of(&world);
    // Long ones, which wait for nobody: each goes in its own turn.
    for reply in ["first", "second"] {
        world.say_in(ADA, BACKEND, Some(&root), &format!("{reply} {}", "and so on ".repeat(100)));
    }
    world.deliver_due().await;
    let other = world.another(Life::default());
    world.devin.faults().once("messages.send", FaultAction::DelayAfter(HELD_BACK));
    let held_up = world.bobbin.worker.step();
    let takes_over = async {
        while world.devin.calls("messages.send") == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        world.clock.advance(Duration::from_secs(61));
        // The lost attempt is looked for and found; then the next reply is held up before its effect.
        assert_eq!(other.worker.step().await.unwrap(), Stepped::Handled);
        world.slack.faults().once("reactions.add", FaultAction::DelayAfter(HELD_BACK * 2));
        drop(other.worker.step().await);
    };
    let (_late, ()) = tokio::join!(held_up, takes_over);
    world.restart();
    world.settle().await;
    afterwards(&mut world).await;
    let session = world.session();
    let sent = session.messages.into_iter().filter(|m| m.source == Source::User).skip(1);
    sent.map(|m| m.message.split(' ').next().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn control_f06_a_lease_that_anybody_can_use_is_noticed() {
    let (fenced, open) =
        tokio::join!(replies_of_a_process_held_up(None), replies_of_a_process_held_up(Some(Sabotage::TokensIgnored)));
    assert_eq!(fenced, ["first", "second"]);
    assert_ne!(open, ["first", "second"]);
}
