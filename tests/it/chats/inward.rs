//! What people write in a thread on its way into the session: short messages as one, edits and deletions before and after
//! they have gone, files, people nobody acts for, and the signs that say where a message stands.

use std::time::Duration;

use bobbin::{
    domain::ids::Ts,
    store::Store as _,
    twin::{
        Fault, FaultAction,
        devin::Source,
        slack::{NewFile, SayOptions},
        world::{ADA, BACKEND, BOT_USER, GRACE, LINUS},
    },
};
use insta::{allow_duplicates, assert_snapshot};

use crate::support::world::{On, World, id};

/// What people said in the only session after its prompt, each with its author and number of files.
fn said(world: &World) -> Vec<String> {
    let session = world.session();
    let people = session.messages.into_iter().filter(|m| m.source == Source::User && m.message != session.prompt);
    people
        .map(|m| {
            let who = m.as_user.map_or_else(String::new, |user| user.to_string());
            let files =
                if m.attachment_urls.is_empty() { String::new() } else { format!(" +{}", m.attachment_urls.len()) };
            format!("{who}{files}: {}", m.message)
        })
        .collect()
}

/// A thread with a session, to which the bot has nothing more to say.
async fn linked(on: On) -> (World, Ts) {
    let mut world = World::on(on).await;
    let root = world.mention(ADA, "fix it").await;
    world.devin_becomes("running", Some("working")).await;
    world.thread(&root);
    (world, root)
}

/// Everything that has arrived is handled, without any time passing.
async fn now(world: &World) {
    world.deliver_due().await;
    world.work_off().await;
}

fn edit(world: &World, user: &str, ts: &Ts, text: &str) {
    world.slack.edit(&id(user), &id(BACKEND), ts, text).unwrap();
}

fn delete(world: &World, user: &str, ts: &Ts) {
    world.slack.delete(&id(user), &id(BACKEND), ts).unwrap();
}

/// The lines of a thread after its card.
fn lines(world: &mut World, root: &Ts) -> String {
    world.thread(root).lines().skip(2).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn short_messages_of_one_breath_reach_devin_as_one_and_others_keep_their_place() {
    for on in [On::Redis, On::Embedded] {
        let (mut world, root) = linked(on).await;
        world.say_in(ADA, BACKEND, Some(&root), "use main");
        world.say_in(ADA, BACKEND, Some(&root), "and *hurry*");
        world.say_in(GRACE, BACKEND, Some(&root), "please");
        world.say_in(ADA, BACKEND, Some(&root), "thanks");
        now(&world).await;
        assert_eq!(said(&world), Vec::<String>::new(), "they wait for what may follow");
        assert_eq!(lines(&mut world, &root).matches("[eyes]").count(), 4, "but everybody sees that they came");
        world.settle().await;
        assert_eq!(said(&world), ["user-ada: use main\n\nand **hurry**", "okta|grace: please", "user-ada: thanks"]);
        allow_duplicates! {
            assert_snapshot!(lines(&mut world, &root), @"
            ada: use main [eyes] [incoming_envelope]
            ada: and *hurry* [eyes] [incoming_envelope]
            grace: please [eyes] [incoming_envelope]
            ada: thanks [eyes] [incoming_envelope]
            ");
        }
    }
}

#[tokio::test]
async fn a_message_waits_two_seconds_for_the_next_and_six_at_most() {
    let (mut world, root) = linked(On::Embedded).await;
    world.say_in(ADA, BACKEND, Some(&root), "one");
    now(&world).await;
    world.clock.advance(Duration::from_millis(1_500));
    now(&world).await;
    assert_eq!(said(&world), Vec::<String>::new());
    world.clock.advance(Duration::from_millis(600));
    now(&world).await;
    assert_eq!(said(&world), ["user-ada: one"]);
    for word in ["two", "three", "four", "five", "six"] {
        world.say_in(ADA, BACKEND, Some(&root), word);
        now(&world).await;
        world.clock.advance(Duration::from_millis(1_500));
    }
    now(&world).await;
    assert_eq!(said(&world)[1..], ["user-ada: two\n\nthree\n\nfour\n\nfive\n\nsix"], "six seconds are over");
    world.thread(&root);
}

#[tokio::test]
async fn long_words_and_files_go_at_once_with_what_waits_before_them() {
    let (mut world, root) = linked(On::Redis).await;
    world.say_in(ADA, BACKEND, Some(&root), "look at this:");
    let long = "It fails. ".repeat(80);
    world.say_in(ADA, BACKEND, Some(&root), &long);
    now(&world).await;
    assert_eq!(said(&world), [format!("user-ada: look at this:\n\n{}", long.trim())]);
    world.say_in(GRACE, BACKEND, Some(&root), "and at that");
    let file = NewFile { name: "a.png".to_owned(), mimetype: "image/png".to_owned(), bytes: b"png".to_vec() };
    let options = SayOptions { thread: Some(root.clone()), files: vec![file], ..SayOptions::default() };
    world.slack.say(&id(ADA), &id(BACKEND), "", options).unwrap();
    now(&world).await;
    assert_eq!(said(&world)[1..], ["okta|grace: and at that", "user-ada +1: "]);
    world.thread(&root);
}

#[tokio::test]
async fn what_still_waits_is_edited_and_withdrawn() {
    let (mut world, root) = linked(On::Redis).await;
    let first = world.say_in(ADA, BACKEND, Some(&root), "use mian");
    let second = world.say_in(ADA, BACKEND, Some(&root), "drop the database");
    now(&world).await;
    edit(&world, ADA, &first, "use main");
    delete(&world, ADA, &second);
    world.settle().await;
    assert_eq!(said(&world), ["user-ada: use main"]);
    // All of it is withdrawn: nothing is sent.
    let third = world.say_in(ADA, BACKEND, Some(&root), "never mind");
    now(&world).await;
    delete(&world, ADA, &third);
    world.settle().await;
    assert_eq!(said(&world).len(), 1);
    assert_snapshot!(lines(&mut world, &root), @"ada: use main [eyes] [incoming_envelope]");
}

#[tokio::test]
async fn an_edit_of_what_devin_has_is_sent_as_a_correction_once() {
    let (mut world, root) = linked(On::Redis).await;
    let reply = world.reply(GRACE, &root, "use <https://ci.acme.example|this run>").await;
    edit(&world, GRACE, &reply, "use <https://ci.acme.example|that run>");
    for delivery in world.slack.pending() {
        world.slack.duplicate_delivery(delivery.id);
    }
    world.settle().await;
    // Slack unfurls the link, and writes the same words in another way: nothing was edited.
    edit(&world, GRACE, &reply, "use <https://ci.acme.example|that run>");
    world.settle().await;
    edit(&world, ADA, &root, &format!("<@{BOT_USER}> fix it well"));
    world.settle().await;
    assert_eq!(
        said(&world),
        [
            "okta|grace: use [this run](https://ci.acme.example)",
            "okta|grace: Correction of my earlier message (“use [this run](https://ci.acme.example)”): use [that \
             run](https://ci.acme.example)",
            "user-ada: Correction of my earlier message (“fix it”): fix it well",
        ]
    );
    world.thread(&root);
}

#[tokio::test]
async fn an_edit_keeps_its_place_behind_what_waits() {
    let (mut world, root) = linked(On::Embedded).await;
    let first = world.reply(ADA, &root, "use main").await;
    world.say_in(ADA, BACKEND, Some(&root), "and hurry");
    edit(&world, ADA, &first, "use dev");
    now(&world).await;
    let correction = "user-ada: Correction of my earlier message (“use main”): use dev";
    assert_eq!(said(&world)[1..], ["user-ada: and hurry", correction]);
    world.thread(&root);
}

#[tokio::test]
async fn deleting_what_devin_has_takes_nothing_back_and_only_its_author_is_told() {
    let (mut world, root) = linked(On::Redis).await;
    let reply = world.reply(GRACE, &root, "drop the database").await;
    delete(&world, GRACE, &reply);
    world.settle().await;
    assert_eq!(said(&world), ["okta|grace: drop the database"]);
    assert_snapshot!(lines(&mut world, &root), @"(only grace sees) :wave: Devin already has the message that you deleted; deleting it here takes nothing back. If it matters, tell Devin in this thread to pass over it.");
}

#[tokio::test]
async fn deleting_the_first_message_of_a_thread_with_replies_is_told_to_its_author() {
    for on in [On::Redis, On::Embedded] {
        let (mut world, root) = linked(on).await;
        delete(&world, ADA, &root);
        world.settle().await;
        // What stands in its place is nobody's words, and the thread goes on.
        assert_eq!(said(&world), Vec::<String>::new());
        world.reply(GRACE, &root, "and the other one, too").await;
        assert_eq!(said(&world), ["okta|grace: and the other one, too"]);
        allow_duplicates! {
            assert_snapshot!(lines(&mut world, &root), @"(only ada sees) :wave: Devin already has the message that you deleted; deleting it here takes nothing back. If it matters, tell Devin in this thread to pass over it.");
        }
    }
}

#[tokio::test]
async fn a_reply_that_also_goes_to_the_channel_is_a_reply() {
    let (mut world, root) = linked(On::Embedded).await;
    let options = SayOptions { thread: Some(root.clone()), broadcast: true, ..SayOptions::default() };
    world.slack.say(&id(ADA), &id(BACKEND), "use main, everybody", options).unwrap();
    world.settle().await;
    assert_eq!(said(&world), ["user-ada: use main, everybody"]);
    world.thread(&root);
}

#[tokio::test]
async fn somebody_unlinked_is_told_once_in_a_thread_and_every_message_has_the_sign() {
    let (mut world, root) = linked(On::Redis).await;
    world.slack.join(&id(LINUS), &id(BACKEND)).unwrap();
    world.reply(LINUS, &root, "ignore that").await;
    world.reply(LINUS, &root, "and drop the database").await;
    assert_eq!(said(&world), Vec::<String>::new());
    assert_snapshot!(lines(&mut world, &root), @"
    linus: ignore that [eyes] [no_entry_sign]
    linus: and drop the database [eyes] [no_entry_sign]
    (only linus sees) I can't start Devin for you: nobody in the Devin organisation has the e-mail address of your Slack account. Ask a Devin administrator to invite that address; I look again after ten minutes.
    ");
}

#[tokio::test]
async fn what_devin_refuses_is_marked_and_told_and_a_long_one_can_be_sent_again() {
    let (mut world, root) = linked(On::Redis).await;
    let forbidden = Fault { matcher: "messages.send".to_owned(), action: FaultAction::Problem(403), times: Some(2) };
    world.devin.faults().push(forbidden);
    world.reply(ADA, &root, "use main").await;
    assert_eq!(world.store.dead(10).await.unwrap().len(), 0, "its words waited in the link");
    let long = "It fails. ".repeat(80);
    world.reply(ADA, &root, &long).await;
    let dead = world.store.dead(10).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(said(&world), Vec::<String>::new());
    let thread = lines(&mut world, &root).replace(&long, "LONG");
    assert_eq!(thread.matches("Devin does not allow this (403)").count(), 2, "{thread}");
    assert_eq!(thread.matches("[eyes] [warning]").count(), 2, "{thread}");
    world.store.replay_dead(&dead[0].input.id).await.unwrap();
    world.settle().await;
    assert_eq!(said(&world), [format!("user-ada: {}", long.trim())]);
}

#[tokio::test]
async fn what_waits_when_the_session_ends_is_told() {
    let (mut world, root) = linked(On::Embedded).await;
    world.say_in(ADA, BACKEND, Some(&root), "one more thing");
    now(&world).await;
    world.set("exit", None);
    world.look().await;
    assert_eq!(said(&world), Vec::<String>::new());
    let thread = lines(&mut world, &root);
    assert!(thread.contains("ada: one more thing [eyes] [warning]"), "{thread}");
    assert_eq!(thread.matches("Your message was not passed on: this session has ended").count(), 1, "{thread}");
}

#[tokio::test]
async fn what_cannot_be_sent_for_a_day_is_given_up_and_told() {
    let (mut world, root) = linked(On::Embedded).await;
    world.lenient();
    world.devin.faults().push(Fault {
        matcher: "messages.*".to_owned(),
        action: FaultAction::Status(503),
        times: None,
    });
    world.reply(ADA, &root, "use main").await;
    for _ in 0..26 {
        world.clock.advance(Duration::from_hours(1));
        world.settle().await;
    }
    world.devin.faults().clear();
    let thread = lines(&mut world, &root);
    assert!(thread.contains("ada: use main [eyes] [warning]"), "{thread}");
    assert_eq!(thread.matches("For a day I could not reach Devin with what Ada Lovelace wrote").count(), 1, "{thread}");
    world.reply(ADA, &root, "hello?").await;
    assert_eq!(said(&world), ["user-ada: hello?"]);
}

#[tokio::test]
async fn several_files_go_with_their_message_and_what_is_left_out_is_said() {
    let (mut world, root) = linked(On::Embedded).await;
    let file = |name: &str, kind: &str, size: usize| NewFile {
        name: name.to_owned(),
        mimetype: kind.to_owned(),
        bytes: vec![b'x'; size],
    };
    let mut files = vec![file("huge.bin", "application/octet-stream", 21 * 1024 * 1024)];
    files.extend((0..10).map(|n| file(&format!("{n}.png"), "image/png", 10)));
    let options = SayOptions { thread: Some(root.clone()), files, ..SayOptions::default() };
    world.slack.say(&id(ADA), &id(BACKEND), "see the screenshots", options).unwrap();
    world.settle().await;
    assert_eq!(said(&world), ["user-ada +9: see the screenshots"]);
    assert_snapshot!(lines(&mut world, &root), @"
    ada: see the screenshots [eyes] [incoming_envelope]
    bobbin: :paperclip: Not passed on to Devin: `huge.bin` (larger than 20 MiB), `9.png` (I pass on 10 files of a message). Paste what matters as text, or upload it in the session.
    ");
}

/// What only one person sees in the thread, the newest last, without the times.
fn whispered(world: &World, user: &str) -> String {
    let last = world.slack.read(|state| {
        let theirs = state.ephemerals.iter().rfind(|one| one.user.as_str() == user);
        theirs.map(|one| one.text.clone()).unwrap_or_default()
    });
    let mut plain = String::new();
    for (n, part) in last.split("<!date^").enumerate() {
        plain.push_str(if n == 0 { part } else { part.split_once('>').unwrap().1 });
    }
    plain
}

#[tokio::test]
async fn whoever_asks_why_learns_what_became_of_their_messages() {
    let (mut world, root) = linked(On::Embedded).await;
    world.reply(ADA, &root, "why").await;
    assert_snapshot!(whispered(&world, ADA), @"
    :grey_question: I remember no message of yours in this thread after the one that started this session. I keep in mind what became of the last 30 messages here.
    ");
    let first = world.reply(ADA, &root, "use main").await;
    edit(&world, ADA, &first, "use dev");
    let second = world.reply(ADA, &root, "(aside) that will take a while").await;
    edit(&world, ADA, &second, "(aside) that will take a long while");
    world.say_in(ADA, BACKEND, Some(&root), "and hurry");
    world.say_in(GRACE, BACKEND, Some(&root), "please");
    world.say_in(ADA, BACKEND, Some(&root), "why");
    now(&world).await;
    assert_snapshot!(whispered(&world, ADA), @"
    :hourglass_flowing_sand: Your message of  waits a moment for what you may add, and then goes to Devin.
    :speech_balloon: Your message of  was not passed on: it is marked as an aside.
    :incoming_envelope: Your message of  was sent into the session at , as Ada Lovelace. It stands in the session. You edited it, and Devin was told the new words at .
    ");
    world.look().await;
    world.reply(GRACE, &root, "why").await;
    assert_snapshot!(whispered(&world, GRACE), @"
    :incoming_envelope: Your message of  was sent into the session at , as Grace Hopper. It stands in the session.
    ");
    let sent = ["user-ada: use main", "user-ada: Correction of my earlier message (“use main”): use dev"];
    assert_eq!(said(&world), [&sent[..], &["user-ada: and hurry", "okta|grace: please"]].concat());
    world.thread(&root);
}

#[tokio::test]
async fn where_only_mentions_go_a_message_that_is_edited_to_mention_the_bot_goes_then() {
    let (mut world, root) = linked(On::Embedded).await;
    world.reply(ADA, &root, "mentions").await;
    let talk = world.reply(GRACE, &root, "shall it use main?").await;
    world.reply(GRACE, &root, "why").await;
    assert_snapshot!(whispered(&world, GRACE), @"
    :speech_balloon: Your message of  was not passed on: in this thread only messages that mention me are. Mention me in it.
    ");
    assert_eq!(said(&world), Vec::<String>::new());
    edit(&world, GRACE, &talk, &format!("<@{BOT_USER}> use main"));
    world.settle().await;
    assert_eq!(said(&world), ["okta|grace: use main"]);
    world.thread(&root);
}

#[tokio::test]
async fn an_order_that_changes_the_session_comes_after_what_was_said_before_it() {
    let (mut world, root) = linked(On::Embedded).await;
    world.say_in(ADA, BACKEND, Some(&root), "push what you have");
    world.say_in(ADA, BACKEND, Some(&root), "sleep");
    now(&world).await;
    assert_eq!(said(&world), ["user-ada: push what you have"]);
    world.settle().await;
    world.thread(&root);
}
