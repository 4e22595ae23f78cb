//! A mention becomes a session, once, as the person who asked.

use bobbin::{
    domain::ids::UserId,
    twin::{
        slack::{MentionOrder, NewFile, SayOptions},
        world::{ADA, ADA_AT_DEVIN, BACKEND, BOT_USER, GENERAL, GRACE, GRACE_AT_DEVIN, LINUS},
    },
};
use insta::assert_snapshot;

use crate::support::world::{World, id};

#[tokio::test]
async fn a_mention_starts_a_session_as_the_person_who_asked() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix the *flaky* login test &amp; open a pull request").await;

    assert_snapshot!(world.thread(&root), @"
    ada: <@U0BOBBIN> fix the *flaky* login test &amp; open a pull request [eyes]
    bobbin: [card] *fix the flaky login test &amp; open a pull request* / :hourglass_flowing_sand: Starting | Runs as *Ada Lovelace* | <Open session>
    ");
    let session = world.session();
    assert_eq!(session.user_id, Some(id(ADA_AT_DEVIN)));
    assert_eq!(session.title, "fix the flaky login test & open a pull request");
    let input = session.tags.iter().find(|t| t.starts_with("bobbin-input:")).expect("a tag of its own");
    let thread = format!("bobbin-thread:T0ACME/{BACKEND}/{root}");
    assert_eq!(session.tags, ["bobbin".to_owned(), thread, input.clone()]);
}

#[tokio::test]
async fn both_events_of_a_mention_start_one_session_in_either_order() {
    for order in [MentionOrder::MentionFirst, MentionOrder::MessageFirst] {
        let mut world = World::new().await;
        world.slack.change(|state| state.mention_order = order);
        let root = world.mention(ADA, "fix it").await;
        assert_eq!(world.devin.sessions().len(), 1, "{order:?}");
        assert_eq!(world.posts("bobbin_card").len(), 1);
        world.thread(&root);
    }
}

#[tokio::test]
async fn slacks_retries_and_an_edited_mention_start_nothing_more() {
    let mut world = World::new().await;
    let root = world.say(ADA, BACKEND, &format!("<@{BOT_USER}> fix it"));
    for delivery in world.slack.pending() {
        world.slack.duplicate_delivery(delivery.id);
    }
    world.settle().await;
    world.slack.edit(&id(ADA), &id(BACKEND), &root, &format!("<@{BOT_USER}> fix it, please")).unwrap();
    world.settle().await;
    assert_eq!(world.devin.sessions().len(), 1);
    assert_eq!(world.posts("bobbin_card").len(), 1);
    world.thread(&root);
}

#[tokio::test]
async fn a_message_edited_into_a_mention_starts_one() {
    let mut world = World::new().await;
    let root = world.say(ADA, BACKEND, "could somebody fix the login test?");
    world.settle().await;
    assert!(world.devin.sessions().is_empty());
    let edited = format!("<@{BOT_USER}> could you fix the login test?");
    world.slack.edit(&id(ADA), &id(BACKEND), &root, &edited).unwrap();
    world.settle().await;
    assert_eq!(world.session().title, "could you fix the login test?");
    world.thread(&root);
}

#[tokio::test]
async fn a_direct_message_needs_no_mention() {
    let mut world = World::new().await;
    let direct = world.slack.direct(&id::<UserId>(GRACE)).unwrap().to_string();
    let root = world.say(GRACE, &direct, "why did the nightly build get slower?");
    world.settle().await;
    assert_snapshot!(world.thread_in(&direct, &root), @"
    grace: why did the nightly build get slower? [eyes]
    bobbin: [card] *why did the nightly build get slower?* / :hourglass_flowing_sand: Starting | Runs as *Grace Hopper* | <Open session>
    ");
    assert_eq!(world.session().user_id, Some(id(GRACE_AT_DEVIN)), "found through the identity provider's list");
}

#[tokio::test]
async fn talk_that_is_not_for_us_is_left_alone() {
    let mut world = World::new().await;
    let root = world.say(ADA, BACKEND, "lunch?");
    world.say_in(GRACE, BACKEND, Some(&root), "yes!");
    world.settle().await;
    assert!(world.devin.sessions().is_empty());
    assert_snapshot!(world.thread(&root), @"
    ada: lunch?
    grace: yes!
    ");
}

#[tokio::test]
async fn a_mention_without_a_task_is_asked_for_one() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "").await;
    assert_snapshot!(world.thread(&root), @"
    ada: <@U0BOBBIN>  [eyes]
    bobbin: :wave: Tell me what Devin shall do: mention me with a task, such as _fix the flaky login test_. I start a session as you and report here.
    ");
    assert!(world.devin.sessions().is_empty());
}

#[tokio::test]
async fn files_are_handed_to_devin_and_what_is_skipped_is_said() {
    let mut world = World::new().await;
    let file = |name: &str, bytes: Vec<u8>| NewFile { name: name.to_owned(), mimetype: "text/plain".to_owned(), bytes };
    let files = vec![file("trace.log", b"it fails here".to_vec()), file("huge.bin", vec![0; 21 * 1024 * 1024])];
    let options = SayOptions { files, ..SayOptions::default() };
    let root = world.slack.say(&id(ADA), &id(BACKEND), &format!("<@{BOT_USER}> see the log"), options).unwrap();
    world.settle().await;
    let session = world.session();
    assert_eq!(session.attachment_urls.len(), 1);
    let stored = world.devin.read(|state| state.attachments.values().map(|a| a.bytes.clone()).collect::<Vec<_>>());
    assert_eq!(stored, [b"it fails here".to_vec()]);
    assert_snapshot!(world.thread(&root), @"
    ada: <@U0BOBBIN> see the log [eyes]
    bobbin: [card] *see the log* / :hourglass_flowing_sand: Starting | Runs as *Ada Lovelace* | <Open session>
    bobbin: :paperclip: Not passed on to Devin: `huge.bin` (larger than 20 MiB). Paste what matters as text, or upload it in the session.
    ");
}

#[tokio::test]
async fn the_shortcut_hands_over_somebody_elses_message_as_the_person_who_used_it() {
    let mut world = World::new().await;
    let root = world.say(GRACE, BACKEND, "The login test is flaky again");
    world.settle().await;
    world.slack.message_shortcut(&id(ADA), &id(BACKEND), &root, "start_here").unwrap();
    world.settle().await;
    let session = world.session();
    assert_eq!(session.user_id, Some(id(ADA_AT_DEVIN)));
    assert!(session.prompt.starts_with("The login test is flaky again"), "{}", session.prompt);
    world.thread(&root);
}

#[tokio::test]
async fn the_slash_command_says_how_to_start() {
    let mut world = World::new().await;
    world.slack.command(&id(ADA), &id(BACKEND), "/devin", "help").unwrap();
    world.settle().await;
    let said = world.slack.read(|state| state.ephemerals.iter().map(|e| e.text.clone()).collect::<Vec<_>>());
    assert_eq!(said.len(), 1);
    assert_snapshot!(said[0], @"
    :wave: Mention me in a channel with a task, such as _@bobbin fix the flaky login test_, or send it to me as a direct message. I start a Devin session as you, report in the thread, and pass on what you reply there. With the slash command:
    • `/devin new fix the flaky login test`: the same in a thread of its own in this channel; options such as `repo=owner/name` work there, too, and `new` may be left out
    • `/devin new`: a form with everything that can be chosen
    • `/devin list`: your sessions, those that wait for you first
    • `/devin whoami`: as whom your sessions run, or why they would not
    Slack allows no slash commands in threads: there, simply reply; `@bobbin help` names the words that work in one. To hand over an existing message, use its shortcuts *Start Devin here* or *Send to session*.
    ");
}

#[tokio::test]
async fn the_button_of_the_card_is_a_link_and_its_press_is_acknowledged() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix it").await;
    let card = world.posts("bobbin_card").remove(0);
    world.slack.press(&id(GRACE), &id(BACKEND), &card.ts, "open_session").unwrap();
    let delivered = world.deliver_one().await.unwrap();
    assert_eq!(delivered.answer.unwrap().status, 200);
    world.settle().await;
    assert_eq!(world.devin.sessions().len(), 1);
    world.thread(&root);
}

#[tokio::test]
async fn talk_behind_a_mention_that_came_to_nothing_starts_nothing() {
    let mut world = World::new().await;
    let root = world.say(LINUS, BACKEND, &format!("<@{BOT_USER}> fix it"));
    world.say_in(ADA, BACKEND, Some(&root), "don't bother, I'll look myself");
    world.deliver_due().await;
    world.settle().await;
    assert!(world.devin.sessions().is_empty(), "nobody asked for a session as Ada");
    assert!(!world.thread(&root).contains("myself [eyes]"));
}

#[tokio::test]
async fn the_shortcut_where_we_are_not_says_so_and_starts_nothing() {
    let mut world = World::new().await;
    let root = world.say(ADA, GENERAL, "The login test is flaky again");
    world.slack.message_shortcut(&id(ADA), &id(GENERAL), &root, "start_here").unwrap();
    world.settle().await;
    assert!(world.devin.sessions().is_empty());
    let said = world.slack.read(|state| state.ephemerals.iter().map(|e| e.text.clone()).collect::<Vec<_>>());
    assert!(said.len() == 1 && said[0].contains("/invite @bobbin"), "{said:?}");
}

#[tokio::test]
async fn a_mention_with_nothing_but_a_file_that_is_too_large_is_told_so() {
    let mut world = World::new().await;
    let huge =
        NewFile { name: "huge.bin".to_owned(), mimetype: "text/plain".to_owned(), bytes: vec![0; 21 * 1024 * 1024] };
    let options = SayOptions { files: vec![huge], ..SayOptions::default() };
    let root = world.slack.say(&id(ADA), &id(BACKEND), &format!("<@{BOT_USER}>"), options).unwrap();
    world.settle().await;
    assert!(world.thread(&root).contains("Not passed on to Devin: `huge.bin`"));
    assert!(world.devin.sessions().is_empty());
}
