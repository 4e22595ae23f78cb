//! Reactions that are orders, on the card and on the message that asked.

use bobbin::twin::world::{ADA, BACKEND, GRACE, LINUS};

use crate::support::world::{World, id};

#[tokio::test]
async fn a_cross_asks_to_stop_and_the_muting_sign_mutes_until_it_is_taken_away() {
    let mut world = World::new().await;
    world.lenient();
    let root = world.mention(ADA, "fix the login test").await;
    world.devin_becomes("running", Some("working")).await;
    let card = world.posts("bobbin_card").remove(0).ts;

    for message in [&root, &card] {
        world.clear_private();
        world.slack.react(&id(GRACE), &id(BACKEND), message, "x").unwrap();
        world.settle().await;
        assert!(world.private(GRACE).contains("End this session for good?"), "{}", world.private(GRACE));
    }
    world.slack.unreact(&id(GRACE), &id(BACKEND), &card, "x").unwrap();
    world.settle().await;
    assert_eq!(world.session().status.as_str(), "running");

    world.slack.react(&id(ADA), &id(BACKEND), &card, "mute").unwrap();
    world.settle().await;
    assert!(world.private(ADA).contains("I post nothing here any more"), "{}", world.private(ADA));
    world.slack.unreact(&id(ADA), &id(BACKEND), &card, "mute").unwrap();
    world.settle().await;
    assert!(world.private(ADA).contains("I post here again"), "{}", world.private(ADA));
}

#[tokio::test]
async fn other_reactions_other_messages_and_other_people_order_nothing() {
    let mut world = World::new().await;
    world.lenient();
    let root = world.mention(ADA, "fix the login test").await;
    let reply = world.reply(GRACE, &root, "use the staging database").await;
    let elsewhere = world.say(GRACE, BACKEND, "lunch?");
    let card = world.posts("bobbin_card").remove(0).ts;
    world.settle().await;
    for (message, name) in [(&card, "tada"), (&reply, "x"), (&elsewhere, "x"), (&reply, "mute")] {
        world.slack.react(&id(ADA), &id(BACKEND), message, name).unwrap();
        world.settle().await;
    }
    assert_eq!(world.private(ADA), "");
    world.slack.react(&id(LINUS), &id(BACKEND), &card, "x").unwrap();
    world.settle().await;
    let said = world.private(LINUS);
    assert!(said.contains("Ask a Devin administrator") && !said.contains("End this session"), "{said}");
}
