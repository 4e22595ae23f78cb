//! Slack's own stop button, also in the seconds before there is a session.

use bobbin::{
    domain::ids::{ChannelId, Ts},
    twin::{
        FaultAction,
        slack::AgentStatus,
        world::{ADA, BACKEND, BOT_USER, GRACE, LINUS},
    },
};
use serde_json::json;

use crate::support::world::{World, id};

fn status(world: &World, root: &Ts) -> AgentStatus {
    let session = world.slack.agent_session(&id(BACKEND), root).unwrap();
    world.slack.read(|_| session.status)
}

/// The event of somebody who presses stop, when Slack has not shown the button yet on the twin's side.
fn press_stop(world: &World, user: &str, root: &Ts) {
    let event = json!({"type": "agent_session_stopped", "channel": BACKEND, "thread_ts": root, "user": user,
        "streaming_message_ts": []});
    world.slack.emit(&event, Some(&id::<ChannelId>(BACKEND)));
}

#[tokio::test]
async fn the_stop_button_puts_the_session_to_sleep_and_the_next_message_wakes_it() {
    let mut world = World::new().await;
    world.lenient();
    let root = world.mention(ADA, "fix the login test").await;
    world.devin_becomes("running", Some("working")).await;
    assert_eq!(status(&world, &root), AgentStatus::Processing);
    world.slack.stop_agent(&id(GRACE), &id(BACKEND), &root).unwrap();
    world.settle().await;
    let session = world.session();
    assert_eq!((session.status.as_str(), session.archived), ("suspended", false), "nothing is lost");
    assert_ne!(status(&world, &root), AgentStatus::Processing, "and Slack is told what comes next");
    assert!(world.private(GRACE).contains("Any message in this thread wakes it"), "{}", world.private(GRACE));
    world.reply(GRACE, &root, "look at the clock first").await;
    world.look().await;
    assert_eq!(world.session().status.as_str(), "running");
}

#[tokio::test]
async fn a_stranger_stops_nothing_and_slack_is_told_that_the_work_goes_on() {
    let mut world = World::new().await;
    world.lenient();
    let root = world.mention(ADA, "fix the login test").await;
    world.devin_becomes("running", Some("working")).await;
    let calls = world.slack.calls("agents.sessions.setStatus");
    world.slack.stop_agent(&id(LINUS), &id(BACKEND), &root).unwrap();
    world.settle().await;
    assert_eq!(world.session().status.as_str(), "running");
    assert!(world.private(LINUS).contains("Ask a Devin administrator"), "{}", world.private(LINUS));
    assert!(world.slack.calls("agents.sessions.setStatus") > calls);
    assert_eq!(status(&world, &root), AgentStatus::Processing);
}

#[tokio::test]
async fn what_is_stopped_before_its_turn_has_come_never_starts() {
    let mut world = World::new().await;
    world.lenient();
    let root = world.say(ADA, BACKEND, &format!("<@{BOT_USER}> fix the login test"));
    press_stop(&world, ADA, &root);
    world.deliver_due().await;
    world.settle().await;
    assert!(world.devin.sessions().is_empty());
    assert!(world.thread(&root).contains("Stopped before it started"), "{}", world.thread(&root));
    world.reply(ADA, &root, &format!("<@{BOT_USER}> fix it after all")).await;
    assert_eq!(world.devin.sessions().len(), 1, "what is asked for later is another matter");
}

#[tokio::test]
async fn a_start_that_is_tried_again_is_stopped_as_well() {
    let mut world = World::new().await;
    world.lenient();
    world.devin.faults().once("sessions.create", FaultAction::RateLimited { after: Some(30) });
    let root = world.say(ADA, BACKEND, &format!("<@{BOT_USER}> fix the login test"));
    world.deliver_due().await;
    world.work_off().await;
    assert!(world.devin.sessions().is_empty());
    press_stop(&world, ADA, &root);
    world.settle().await;
    assert!(world.devin.sessions().is_empty(), "not after the wait either");
    assert!(world.thread(&root).contains("Stopped before it started"), "{}", world.thread(&root));
    assert_ne!(status(&world, &root), AgentStatus::Processing);
}

#[tokio::test]
async fn a_start_that_may_have_taken_effect_is_found_and_put_to_sleep() {
    let mut world = World::new().await;
    world.lenient();
    world.devin.faults().once("sessions.create", FaultAction::DropAfter);
    let root = world.say(ADA, BACKEND, &format!("<@{BOT_USER}> fix the login test"));
    world.deliver_due().await;
    world.work_off().await;
    press_stop(&world, ADA, &root);
    world.settle().await;
    assert_eq!(world.session().status.as_str(), "suspended");
    world.thread(&root);
}
