//! Upstreams that act on a request after we have given it up, and processes that go on after their lease: a double may
//! appear, and is gone within ten minutes.

use std::time::Duration;

use bobbin::{
    domain::ids::{ChannelId, Ts},
    twin::{
        FaultAction,
        world::{ADA, BACKEND},
    },
};

use crate::support::world::{On, World, id};

/// Longer than the last of the later looks.
const SWEPT: Duration = Duration::from_mins(12);

/// Devin acts on a creation after all: a second session with the marks of the first.
fn commit_session_late(world: &World) {
    world.devin.change(|state| {
        let mut late = state.sessions[0].clone();
        late.id = "0000late0000".parse().unwrap();
        late.messages.clear();
        state.sessions.push(late);
    });
}

/// Slack acts on a post after all: the same message once more in its thread.
fn commit_post_late(world: &World, event_type: &str) {
    let late = world.posts(event_type).remove(0);
    world.slack.change(|state| {
        let channel = state.channels.get_mut(&id::<ChannelId>(BACKEND)).unwrap();
        let (second, micros) = late.ts.as_str().split_once('.').unwrap();
        let ts: Ts = format!("{second}.{:06}", micros.parse::<u32>().unwrap() + 1).parse().unwrap();
        channel.messages.push(bobbin::twin::slack::Message { ts, ..late });
    });
}

fn sent(world: &World, text: &str) -> usize {
    world.session().messages.iter().filter(|message| message.message == text).count()
}

fn living(world: &World) -> usize {
    world.devin.sessions().iter().filter(|session| session.status.as_str() != "exit").count()
}

#[tokio::test]
async fn f22_a_session_that_devin_made_after_we_gave_up_is_ended() {
    let mut world = World::new().await;
    world.devin.faults().once("sessions.create", FaultAction::DropBefore);
    let root = world.mention(ADA, "fix it").await;
    assert_eq!(world.devin.sessions().len(), 1);
    let ours = world.devin.sessions()[0].id.clone();
    commit_session_late(&world);

    world.pass(SWEPT).await;
    let left: Vec<_> = world.devin.sessions().into_iter().filter(|s| s.status.as_str() != "exit").collect();
    assert_eq!(left.iter().map(|s| &s.id).collect::<Vec<_>>(), [&ours], "the one that the thread knows stays");
    assert_eq!(world.devin.calls("sessions.terminate"), 1);
    assert_eq!(world.posts("bobbin_card").len(), 1);
    world.thread(&root);
}

#[tokio::test]
async fn f22_a_session_that_devin_made_after_it_had_refused_is_ended_too() {
    let mut world = World::new().await;
    world.devin.faults().once("sessions.create", FaultAction::DropBefore);
    world.devin.faults().once("sessions.create", FaultAction::OkFalse("no".to_owned()));
    let root = world.mention(ADA, "fix it").await;
    assert!(world.thread(&root).contains("did not accept"), "{}", world.thread(&root));
    let tag = format!("bobbin-input:{}", world.bobbin.store.dead(1).await.unwrap()[0].input.id);
    let other = world.mention(ADA, "something else").await;
    commit_session_late(&world);
    world.devin.change(|state| state.sessions[1].tags = vec![tag]);

    world.pass(SWEPT).await;
    assert_eq!(world.devin.calls("sessions.terminate"), 1);
    assert_eq!(living(&world), 1);
    world.thread(&other);
}

#[tokio::test]
async fn f20_a_post_that_slack_made_after_we_gave_up_is_taken_back() {
    for on in [On::Redis, On::Embedded] {
        let mut world = World::on(on).await;
        world.slack.faults().once("chat.postMessage", FaultAction::DropBefore);
        let root = world.mention(ADA, "fix it").await;
        commit_post_late(&world, "bobbin_card");
        assert_eq!(world.posts("bobbin_card").len(), 2);

        world.pass(SWEPT).await;
        assert_eq!(world.posts("bobbin_card").len(), 1);
        world.devin_becomes("running", Some("finished")).await;
        assert!(world.thread(&root).contains("Finished"), "the card that stays is the one that is edited");
    }
}

#[tokio::test]
async fn a_late_look_that_fails_is_taken_again() {
    let mut world = World::new().await;
    world.slack.faults().once("chat.postMessage", FaultAction::DropBefore);
    let root = world.mention(ADA, "fix it").await;
    commit_post_late(&world, "bobbin_card");
    world.slack.faults().push(bobbin::twin::Fault {
        matcher: "chat.delete".to_owned(),
        action: FaultAction::Status(503),
        times: Some(2),
    });
    world.pass(SWEPT).await;
    assert_eq!(world.posts("bobbin_card").len(), 1);
    world.thread(&root);
}

#[tokio::test]
async fn f22_a_message_that_reached_devin_twice_is_told() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix it").await;
    world.devin.faults().once("messages.send", FaultAction::DropBefore);
    world.reply(ADA, &root, "use main").await;
    assert_eq!(sent(&world, "use main"), 1);
    world.devin.change(|state| {
        let mut late = state.sessions[0].messages.last().unwrap().clone();
        late.event_id = "late".to_owned();
        state.sessions[0].messages.push(late);
    });
    world.pass(SWEPT).await;
    let thread = world.thread(&root);
    assert_eq!(thread.matches("reached Devin twice").count(), 1, "{thread}");
}

#[tokio::test]
async fn the_same_words_said_twice_by_people_are_no_double() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix it").await;
    world.devin.faults().once("messages.send", FaultAction::DropBefore);
    world.reply(ADA, &root, "yes").await;
    world.reply(ADA, &root, "yes").await;
    assert_eq!(sent(&world, "yes"), 2);
    world.pass(SWEPT).await;
    let thread = world.thread(&root);
    assert!(!thread.contains("reached Devin twice"), "{thread}");
}

/// The negative control: what was never in doubt is not looked for, so that the very same double stays.
#[tokio::test]
async fn control_f22_without_a_doubt_the_double_stays() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix it").await;
    commit_session_late(&world);
    commit_post_late(&world, "bobbin_card");
    world.pass(SWEPT).await;
    assert_eq!((living(&world), world.posts("bobbin_card").len()), (2, 2));
    world.thread(&root);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f06_a_worker_that_is_paused_past_its_lease_leaves_one_card_in_the_end() {
    let mut world = World::new().await;
    world.say(ADA, BACKEND, "<@U0BOBBIN> fix it");
    world.deliver_due().await;
    // The first worker stops right before its post goes out, which Slack then sees much later.
    world.slack.faults().once("chat.postMessage", FaultAction::Delay(Duration::from_secs(3)));
    let paused = world.bobbin.worker.clone();
    let paused = tokio_util::task::TaskTracker::new().spawn(async move { paused.step().await });
    while world.slack.faults().waiting().len() == 1 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.clock.advance(Duration::from_secs(61));
    world.settle().await;
    assert_eq!(world.posts("bobbin_card").len(), 1, "somebody else has taken over");
    paused.await.unwrap().unwrap();
    assert_eq!(world.posts("bobbin_card").len(), 2, "what was on its way arrives");

    world.pass(SWEPT).await;
    assert_eq!(world.posts("bobbin_card").len(), 1);
    assert_eq!(world.devin.sessions().len(), 1);
    world.lenient();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_in_hand_at_the_stop_goes_on_elsewhere_at_once() {
    let mut world = World::new().await;
    world.say(ADA, BACKEND, "<@U0BOBBIN> fix it");
    world.deliver_due().await;
    world.slack.faults().once("chat.postMessage", FaultAction::Delay(Duration::from_secs(20)));
    let stopping = bobbin::app::Bobbin::clone(&world.bobbin).worker;
    let running = stopping.clone();
    let running = tokio_util::task::TaskTracker::new().spawn(async move { running.step().await });
    while world.slack.faults().waiting().len() == 1 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stopping.give_back();
    running.await.unwrap().unwrap();
    let other = world.another_at(0);
    assert_eq!(other.worker.step().await.unwrap(), bobbin::work::Stepped::Handled, "it is ready at once");
    world.bobbin = other;
    world.settle().await;
    assert_eq!(world.posts("bobbin_card").len(), 1);
    assert_eq!(world.devin.sessions().len(), 1);
    world.lenient();
}
