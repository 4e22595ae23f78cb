//! The slash command: what follows it is answered to whoever used it, and nobody else; a task opens a thread.

use std::time::Duration;

use bobbin::twin::{
    slack::SlackTwin,
    world::{ADA, ADA_AT_DEVIN, BACKEND, GENERAL, GRACE, LINUS},
};
use insta::assert_snapshot;

use crate::support::world::{World, id};

/// Somebody types `/devin` and these words.
fn devin(slack: &SlackTwin, user: &str, channel: &str, text: &str) {
    slack.command(&id(user), &id(channel), "/devin", text).unwrap();
}

#[tokio::test]
async fn words_that_are_no_task_are_answered_to_whoever_typed_them() {
    let mut world = World::new().await;
    for text in ["whoami", "list", "stop", "lsit", "halp"] {
        devin(&world.slack, ADA, BACKEND, text);
        world.settle().await;
    }
    devin(&world.slack, LINUS, BACKEND, "whoami");
    devin(&world.slack, LINUS, BACKEND, "list");
    world.settle().await;
    assert_snapshot!(world.whispers(ADA).join("\n"), @"
    :bust_in_silhouette: Your sessions run as *Ada Lovelace* in Devin: I found that account by the e-mail address of your Slack profile.
    You have no sessions that were started from Slack. Mention me with a task, write to me directly, or use `/devin new`.
    :wave: `stop` is said in the thread of a session: write `@bobbin stop` there. Slack allows no slash commands in threads. `/devin list` shows your sessions, with their threads.
    :thinking_face: I don't know `lsit`. Did you mean `/devin list`? To start a session with just that word as its task, write `/devin new lsit`.
    :thinking_face: I don't know `halp`. Did you mean `/devin help`? To start a session with just that word as its task, write `/devin new halp`.
    ");
    let no = &world.whispers(LINUS);
    assert!(no.len() == 2 && no.iter().all(|told| told.starts_with("I can't start Devin for you")), "{no:?}");
    assert_eq!((world.devin.calls("sessions.create"), world.slack.calls("chat.postMessage")), (0, 0));
}

#[tokio::test]
async fn help_says_that_threads_take_no_commands() {
    let mut world = World::new().await;
    devin(&world.slack, ADA, BACKEND, "help");
    devin(&world.slack, ADA, BACKEND, "");
    world.settle().await;
    let told = world.whispers(ADA);
    assert_eq!(told.len(), 2);
    for help in told {
        assert!(help.contains("/devin new") && help.contains("Slack allows no slash commands in threads"), "{help}");
    }
}

#[tokio::test]
async fn a_task_opens_a_thread_in_its_channel_as_the_person_who_typed_it() {
    let mut world = World::new().await;
    devin(&world.slack, ADA, BACKEND, "new fix the *login* test for <@U0GRACE>");
    world.settle().await;
    let root = world.newest_root(BACKEND);
    assert_snapshot!(world.thread(&root), @"
    bobbin: :speech_balloon: *Ada Lovelace* asks Devin:
    > fix the *login* test for @Grace Hopper [eyes]
    bobbin: [card] *fix the login test for @Grace Hopper* / :hourglass_flowing_sand: Starting | Runs as *Ada Lovelace* | <Open session>
    (only ada sees) :white_check_mark: Asked in <#C0BACKEND>. Follow it in the thread that I opened there.
    ");
    let session = world.session();
    assert_eq!(session.user_id, Some(id(ADA_AT_DEVIN)));
    assert!(session.tags.contains(&format!("bobbin-thread:T0ACME/{BACKEND}/{root}")));
    // The thread is like any other.
    world.reply(GRACE, &root, "use the main branch").await;
    assert!(world.devin.sessions()[0].messages.iter().any(|m| m.message.contains("use the main branch")));

    devin(&world.slack, ADA, BACKEND, "fix the search test");
    world.settle().await;
    assert_eq!(world.devin.sessions().len(), 2, "a task needs no word before it");
    let second = world.newest_root(BACKEND);
    assert_ne!(second, root);
    let _both = (world.thread(&root), world.thread(&second));
}

#[tokio::test]
async fn the_list_begins_with_what_waits_for_its_person() {
    let mut world = World::new().await;
    world.lenient();
    world.mention(ADA, "fix the login test").await;
    world.devin_becomes("running", Some("waiting_for_user")).await;
    world.mention(ADA, "tidy up the search").await;
    world.mention(GRACE, "somebody else's").await;
    devin(&world.slack, ADA, BACKEND, "list");
    world.settle().await;
    assert_snapshot!(world.whispers(ADA)[0], @"
    *Waiting for you*
    • <https://app.devin.ai/sessions/SESSION|fix the login test> · :raised_hand: Waiting for your answer · <https://acme.slack.com/archives/C0BACKEND/TS|thread>
    *Working*
    • <https://app.devin.ai/sessions/SESSION|tidy up the search> · :hourglass_flowing_sand: Starting · <https://acme.slack.com/archives/C0BACKEND/TS|thread>
    ");
    world.mention(ADA, "list").await;
    assert_eq!(world.whispers(ADA)[1], world.whispers(ADA)[0], "as an order it says the same");
    let root = world.thread_roots()[0].clone();
    let permalink = format!("/archives/{BACKEND}/p{}|thread>", root.as_str().replace('.', ""));
    assert!(world.slack.read(|state| state.ephemerals[0].text.contains(&permalink)));
}

#[tokio::test]
async fn nothing_is_started_where_i_could_not_report_or_for_whom_i_may_not() {
    let mut world = World::new().await;
    devin(&world.slack, ADA, GENERAL, "new fix it");
    devin(&world.slack, LINUS, BACKEND, "new fix it");
    world.settle().await;
    assert_snapshot!(world.whispers(ADA).join("\n"), @":wave: I am not in this conversation, so I could not report there, and started nothing. Invite me there with `/invite @bobbin` and do it again.");
    assert!(world.whispers(LINUS)[0].starts_with("I can't start Devin for you"));
    assert_eq!(world.devin.calls("sessions.create"), 0);
}

#[tokio::test]
async fn an_answer_that_comes_after_half_an_hour_is_dropped_in_peace() {
    let mut world = World::new().await;
    devin(&world.slack, ADA, BACKEND, "whoami");
    world.deliver_due().await;
    world.clock.advance(Duration::from_mins(31));
    world.settle().await;
    assert!(world.whispers(ADA).is_empty());
    assert!(world.store_dead().await.is_empty());
}

#[tokio::test]
async fn while_devin_is_away_the_person_knows_that_the_answer_comes() {
    let mut world = World::new().await;
    world.devin.faults().unreachable();
    devin(&world.slack, ADA, BACKEND, "list");
    world.deliver_due().await;
    for _ in 0..4 {
        world.clock.advance(Duration::from_secs(10));
        world.work_off().await;
    }
    world.devin.faults().clear();
    world.settle().await;
    let told = world.whispers(ADA);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("I can't reach Devin right now") && told[1].starts_with("You have no sessions"));
}
