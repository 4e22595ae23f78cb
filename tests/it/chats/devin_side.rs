//! Replies go into the session, in order, as their author.

use bobbin::{
    domain::status::Detail,
    twin::{
        FaultAction,
        devin::Source,
        world::{ADA, BACKEND, GRACE, LINUS},
    },
};
use insta::assert_snapshot;

use crate::support::world::World;

fn said(world: &World) -> Vec<(String, Option<String>)> {
    let session = world.session();
    let people = session.messages.into_iter().filter(|m| m.source == Source::User && m.message != session.prompt);
    people.map(|m| (m.message, m.as_user.map(|u| u.to_string()))).collect()
}

#[tokio::test]
async fn replies_are_sent_in_order_as_whoever_wrote_them() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix it").await;
    world.say_in(GRACE, BACKEND, Some(&root), "use the `main` branch");
    world.say_in(ADA, BACKEND, Some(&root), "and <https://ci.acme.example|this run>");
    world.settle().await;
    let expected = [("use the `main` branch", "okta|grace"), ("and [this run](https://ci.acme.example)", "user-ada")];
    let expected: Vec<_> = expected.iter().map(|(m, u)| ((*m).to_owned(), Some((*u).to_owned()))).collect();
    assert_eq!(said(&world), expected);
    assert_snapshot!(world.thread(&root), @"
    ada: <@U0BOBBIN> fix it [eyes]
    bobbin: [card] *fix it* / :gear: Working | Runs as *Ada Lovelace* | <Open session>
    grace: use the `main` branch [eyes] [incoming_envelope]
    ada: and <https://ci.acme.example|this run> [eyes] [incoming_envelope]
    ");
}

#[tokio::test]
async fn a_reply_wakes_a_sleeping_session_and_the_next_question_calls_again() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix it").await;
    world.devin_becomes("suspended", Some("inactivity")).await;
    world.reply(ADA, &root, "go on").await;
    world.devin_becomes("running", Some("working")).await;
    assert_eq!(said(&world).len(), 1);
    world.devin.say(&world.session_id(), "And now?").unwrap();
    world.devin_becomes("running", Some("waiting_for_user")).await;
    assert_eq!(world.session().detail, Some(Detail::WaitingForUser));
    world.thread(&root);
}

#[tokio::test]
async fn an_answer_that_devin_answers_between_two_looks_calls_again() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix it").await;
    world.devin.say(&world.session_id(), "Which branch?").unwrap();
    world.devin_becomes("running", Some("waiting_for_user")).await;
    world.reply(ADA, &root, "main").await;
    world.devin.say(&world.session_id(), "And which tag?").unwrap();
    world.devin_becomes("running", Some("waiting_for_user")).await;
    assert_eq!(world.posts("bobbin_transition").len(), 2);
    assert_eq!(world.posts("bobbin_relay").len(), 2);
    world.thread(&root);
}

#[tokio::test]
async fn a_reply_of_somebody_unlinked_is_not_sent_and_only_they_are_told() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix it").await;
    world.reply(LINUS, &root, "drop the database").await;
    assert_eq!(said(&world), []);
    let thread = world.thread(&root);
    assert_eq!(thread.matches("(only linus sees)").count(), 1, "{thread}");
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_is_sent_once() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix it").await;
    world.reply(ADA, &root, "same words").await;
    world.devin.faults().once("messages.send", FaultAction::DropAfter);
    world.reply(ADA, &root, "same words").await;
    assert_eq!(said(&world).len(), 2, "two messages of the same words, each once");
    world.devin.faults().once("messages.send", FaultAction::DropBefore);
    world.reply(ADA, &root, "other words").await;
    assert_eq!(said(&world).len(), 3);
    world.thread(&root);
}

#[tokio::test]
async fn a_reply_to_an_archived_session_says_what_can_be_done() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix it").await;
    world.devin.change(|state| state.sessions[0].archived = true);
    world.reply(ADA, &root, "go on").await;
    assert_eq!(said(&world), []);
    assert_snapshot!(world.thread(&root), @"
    ada: <@U0BOBBIN> fix it [eyes]
    bobbin: [card] *fix it* / :file_cabinet: Archived | Runs as *Ada Lovelace* | <Open session>
    ada: go on [eyes] [warning]
    bobbin: :file_cabinet: The session was archived and takes no messages. Write `unarchive` here to go on, or mention me in a new thread.
    bobbin: :file_cabinet: Your message was not passed on: this session is archived. Write `unarchive` here and send it again. To start a new one, mention me in a new thread.
    ");
}

#[tokio::test]
async fn a_session_that_was_brought_back_takes_messages_again() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix it").await;
    world.devin.change(|state| state.sessions[0].archived = true);
    world.devin_becomes("suspended", Some("user_request")).await;
    world.devin.change(|state| state.sessions[0].archived = false);
    world.reply(ADA, &root, "go on").await;
    assert_eq!(said(&world).len(), 1);
    world.thread(&root);
}

#[tokio::test]
async fn a_refusal_of_a_session_that_lives_does_not_end_it() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix it").await;
    world.devin_becomes("suspended", Some("out_of_credits")).await;
    world.devin.faults().once("messages.send", FaultAction::OkFalse("cannot message a suspended session".to_owned()));
    world.reply(ADA, &root, "go on").await;
    world.reply(ADA, &root, "and now?").await;
    assert_eq!(said(&world).len(), 1, "the second one went through");
    assert!(world.thread(&root).contains("cannot message a suspended session"));
}
