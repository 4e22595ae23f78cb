//! Approvals: Devin's API says neither what is asked nor takes the decision, so an answer is sent as a message.

use bobbin::{
    domain::ids::Ts,
    twin::world::{ADA, GRACE},
};

use crate::support::world::World;

/// A world in which Devin waits for an approval; the thread's first message, and the post that says so.
async fn waiting() -> (World, Ts, Ts) {
    let mut world = World::new().await;
    world.lenient();
    let root = world.mention(ADA, "fix the login test").await;
    world.devin_becomes("running", Some("waiting_for_approval")).await;
    let post = world.posts("bobbin_transition").pop().unwrap().ts;
    (world, root, post)
}

fn sent(world: &World) -> Vec<(String, Option<String>)> {
    let messages = world.session().messages;
    messages.into_iter().skip(1).map(|m| (m.message, m.as_user.map(|user| user.to_string()))).collect()
}

#[tokio::test]
async fn a_yes_is_sent_once_as_whoever_pressed_and_what_comes_of_it_is_read_from_the_status() {
    let (mut world, root, post) = waiting().await;
    world.press(GRACE, &post, "approve").await;
    let yes = ("Approved: please go ahead.".to_owned(), Some("okta|grace".to_owned()));
    assert_eq!(sent(&world), [yes]);
    assert!(world.private(GRACE).contains("this is a best effort"), "{}", world.private(GRACE));

    world.set("running", Some("waiting_for_approval"));
    world.press(ADA, &post, "approve").await;
    assert!(world.private(ADA).contains("answered already"), "{}", world.private(ADA));
    world.devin_becomes("running", Some("working")).await;
    let value = world.value_of(&post, "approve");
    if let Some(value) = value {
        world.put_button(&post, "approve", &value);
        world.press(ADA, &post, "approve").await;
        assert!(world.private(ADA).contains("does not wait for that any more"), "{}", world.private(ADA));
    }
    assert_eq!(sent(&world).len(), 1);
    world.thread(&root);
}

#[tokio::test]
async fn a_no_takes_the_next_message_for_its_reason() {
    let (mut world, root, post) = waiting().await;
    world.press(GRACE, &post, "reject").await;
    assert!(world.private(GRACE).contains("Write your reason"), "{}", world.private(GRACE));
    world.reply(GRACE, &root, "it drops the *users* table").await;
    let words = "Rejected: please don't do this. The reason: it drops the **users** table";
    assert_eq!(sent(&world), [(words.to_owned(), Some("okta|grace".to_owned()))]);
    world.reply(GRACE, &root, "use a copy of it").await;
    world.look().await;
    assert_eq!(sent(&world)[1].0, "use a copy of it", "only the next message");
}

#[tokio::test]
async fn a_no_without_a_reason_and_one_that_was_thought_over() {
    let (mut world, root, post) = waiting().await;
    world.press(ADA, &post, "reject").await;
    world.press_private(ADA, "keep").await;
    world.reply(ADA, &root, "what is it for?").await;
    world.look().await;
    assert_eq!(sent(&world).pop().unwrap().0, "what is it for?");

    world.devin.say(&world.session_id(), "For the test.").unwrap();
    world.devin_becomes("running", Some("working")).await;
    world.devin_becomes("running", Some("waiting_for_approval")).await;
    let post = world.posts("bobbin_transition").pop().unwrap().ts;
    world.press(ADA, &post, "reject").await;
    world.press_private(ADA, "reject_plainly").await;
    assert_eq!(sent(&world).pop().unwrap().0, "Rejected: please don't do this.");
}
