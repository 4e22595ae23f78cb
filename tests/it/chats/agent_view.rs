//! The conversation with the bot: what it proposes, what its threads are called, and that each message is one.

use bobbin::twin::world::{ADA, GRACE};
use insta::assert_snapshot;

use crate::support::world::{World, id};

#[tokio::test]
async fn whoever_opens_the_conversation_is_proposed_what_to_start_with() {
    let mut world = World::new().await;
    world.slack.open_home(&id(ADA), "messages").unwrap();
    world.settle().await;
    let prompts = world.slack.prompts(&world.slack.direct(&id(ADA)).unwrap()).unwrap();
    let shown: Vec<String> = prompts.prompts.iter().map(|(title, message)| format!("{title}: {message}")).collect();
    assert_snapshot!(shown.join("\n"), @"
    Fix something: Fix the flaky login test and open a pull request
    Look into something: Find out why the nightly build got slower this week
    My sessions: list
    What can you do?: help
    ");
    assert_eq!(world.slack.calls("views.publish"), 0);
}

#[tokio::test]
async fn every_message_of_a_conversation_is_a_thread_of_its_own_with_a_name() {
    let mut world = World::new().await;
    let direct = world.slack.direct(&id(GRACE)).unwrap();
    let first = world.say(GRACE, direct.as_str(), "why did the nightly build get slower?");
    world.settle().await;
    let second = world.say(GRACE, direct.as_str(), "fix the *login* test");
    world.settle().await;
    assert_eq!(world.devin.sessions().len(), 2);
    let title = |root| world.slack.title(&direct, root).unwrap_or_default();
    assert_eq!(
        (title(&first).as_str(), title(&second).as_str()),
        ("why did the nightly build get slower?", "fix the login test")
    );
    let _both = (world.thread_in(direct.as_str(), &first), world.thread_in(direct.as_str(), &second));
}

#[tokio::test]
async fn a_workspace_without_the_agent_view_costs_nothing() {
    let mut world = World::new().await;
    world.slack.change(|state| state.features.agent_view = false);
    world.slack.open_home(&id(ADA), "messages").unwrap();
    let direct = world.slack.direct(&id(ADA)).unwrap();
    let root = world.say(ADA, direct.as_str(), "fix it");
    world.settle().await;
    assert_eq!(world.devin.sessions().len(), 1);
    assert!(world.store_dead().await.is_empty());
    world.thread_in(direct.as_str(), &root);
}
