//! Buttons: whose they are, how long they work, and what a second press does.

use std::time::Duration;

use bobbin::{
    domain::ids::Ts,
    twin::{
        FaultAction,
        world::{ADA, ADA_AT_DEVIN, GRACE, LINUS, STELLA},
    },
};

use crate::support::world::World;

/// A world in which Ada has a session and was asked whether to stop it; its thread's first message.
async fn asked() -> (World, Ts) {
    let mut world = World::new().await;
    world.lenient();
    let root = world.mention(ADA, "fix the login test").await;
    world.devin_becomes("running", Some("working")).await;
    world.reply(ADA, &root, "stop").await;
    (world, root)
}

fn status(world: &World) -> String {
    world.session().status.as_str().to_owned()
}

#[tokio::test]
async fn a_button_is_the_persons_that_it_was_shown_to() {
    let (mut world, _root) = asked().await;
    let value = world.private_value(ADA, "stop");
    let card = world.posts("bobbin_card").remove(0);
    world.put_button(&card.ts, "stop", &value);
    world.press(GRACE, &card.ts, "stop").await;
    assert!(world.private(GRACE).contains("shown to somebody else"), "{}", world.private(GRACE));
    assert_eq!(status(&world), "running");
}

#[tokio::test]
async fn a_value_that_was_changed_or_comes_from_another_thread_does_nothing() {
    let (mut world, _root) = asked().await;
    let value = world.private_value(ADA, "keep");
    let card = world.posts("bobbin_card").remove(0);
    let other = world.mention(GRACE, "fix the logout test").await;
    let elsewhere = world.posts("bobbin_card").pop().unwrap();
    let moved = value.replacen(value.split(':').next().unwrap(), other.as_str(), 1);
    for (post, forged) in
        [(&card, value.replace(r#""keep""#, r#""stop""#)), (&elsewhere, moved), (&card, format!("{other}:x"))]
    {
        world.put_button(&post.ts, "stop", &forged);
        world.press(ADA, &post.ts, "stop").await;
        let said = world.private(ADA);
        assert!(said.contains("not one that I made for this thread"), "{forged}: {said}");
        world.clear_private();
    }
    assert!(world.devin.sessions().iter().all(|s| s.status.as_str() != "exit"));
}

#[tokio::test]
async fn a_question_can_be_answered_for_ten_minutes() {
    let (mut world, _root) = asked().await;
    world.pass(Duration::from_mins(11)).await;
    world.press_private(ADA, "stop").await;
    assert!(world.private(ADA).contains("too old"), "{}", world.private(ADA));
    assert_eq!(status(&world), "running");
}

/// A press that cannot be answered at once is handled again, and is then no younger.
#[tokio::test]
async fn a_press_that_came_too_late_stays_too_late() {
    let (mut world, _root) = asked().await;
    world.pass(Duration::from_mins(11)).await;
    world.slack.faults().once("hooks", FaultAction::RateLimited { after: None });
    world.press_private(ADA, "stop").await;
    assert!(world.slack.faults().waiting().is_empty(), "the first answer was refused");
    assert!(world.private(ADA).contains("too old"), "{}", world.private(ADA));
    assert_eq!((status(&world).as_str(), world.devin.calls("sessions.terminate")), ("running", 0));
}

#[tokio::test]
async fn what_happened_meanwhile_is_said_and_nothing_is_done_twice() {
    let (mut world, root) = asked().await;
    let value = world.private_value(ADA, "stop");
    world.devin_becomes("exit", None).await;
    world.press_private(ADA, "stop").await;
    assert!(world.private(ADA).contains("has ended already"), "{}", world.private(ADA));
    assert_eq!(world.devin.calls("sessions.terminate"), 0);
    let card = world.posts("bobbin_card").remove(0);
    world.put_button(&card.ts, "stop", &value);
    world.press(ADA, &card.ts, "stop").await;
    assert!(world.private(ADA).contains("has ended already"));
    world.thread(&root);
}

#[tokio::test]
async fn strangers_who_press_are_told_so_alone() {
    let (mut world, _root) = asked().await;
    let value = world.private_value(ADA, "sleep");
    let card = world.posts("bobbin_card").remove(0);
    world.put_button(&card.ts, "sleep", &value);
    for (stranger, words) in [(LINUS, "shown to somebody else")] {
        world.press(stranger, &card.ts, "sleep").await;
        assert!(world.private(stranger).contains(words), "{}", world.private(stranger));
    }
    assert!(world.slack.press(&STELLA.parse().unwrap(), &"C0BACKEND".parse().unwrap(), &card.ts, "sleep").is_err());
    assert_eq!(status(&world), "running");
    assert_eq!(world.session().user_id.unwrap().as_str(), ADA_AT_DEVIN);
}
