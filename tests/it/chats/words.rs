//! What is said in the session, as the thread shows it: Devin's Markdown and files, what people write in the web app, and
//! questions that can be answered by pressing a button.

use std::time::Duration;

use bobbin::{
    clock::Clock as _,
    domain::ids::Ts,
    twin::{
        FaultAction,
        devin::{SessionMessage, Source},
        slack::Message,
        world::{ADA, BACKEND, BOT_USER, GRACE, LINUS},
    },
};
use insta::assert_snapshot;
use serde_json::Value;

use crate::support::world::{World, id};

/// Posts of Devin's words, with what they are made of.
fn kinds(post: &Message) -> Vec<&str> {
    post.blocks.iter().map(|block| block["type"].as_str().unwrap()).collect()
}

/// The bot's messages that show files.
fn shared(world: &World) -> Vec<(Message, Vec<u8>)> {
    world.slack.read(|state| {
        let ours = |m: &&Message| m.user.as_str() == BOT_USER && !m.files.is_empty() && !m.deleted;
        let messages = state.channels[&id(BACKEND)].messages.iter().filter(ours);
        messages.map(|m| (m.clone(), state.files[&m.files[0]].bytes.clone())).collect()
    })
}

/// Somebody writes in Devin's web app.
fn in_the_web_app(world: &World, text: &str) {
    let (now, session) = (world.clock.now(), world.session_id());
    world.devin.change(|state| {
        let session = state.session_mut(&session).unwrap();
        session.updated_at = now;
        session.messages.push(SessionMessage {
            event_id: format!("event-{}", session.messages.len()),
            source: Source::User,
            message: text.to_owned(),
            created_at: now,
            as_user: None,
            attachment_urls: Vec::new(),
        });
    });
}

async fn press(world: &mut World, user: &str, ts: &Ts, action: &str) {
    world.slack.press(&id(user), &id(BACKEND), ts, action).unwrap();
    world.settle().await;
}

/// What people said in the only session.
fn heard(world: &World) -> Vec<(String, String)> {
    let session = world.session();
    let people = session.messages.into_iter().filter(|m| m.source == Source::User && m.message != session.prompt);
    people.map(|m| (m.as_user.map_or("nobody".to_owned(), |user| user.to_string()), m.message)).collect()
}

#[tokio::test]
async fn markdown_becomes_blocks_that_slack_takes_and_long_texts_become_a_file() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix the login test").await;
    world
        .devin_says("# Done\n\nSee `a.rs`:\n\n| Test | ms |\n|---|--:|\n| login | 12 |\n\n- [x] fixed\n  1. first\n")
        .await;
    let lines = (0..220).map(|n| format!("line {n} of the log\n")).collect::<Vec<_>>().concat();
    world.devin_says(&format!("The log:\n\n```text\n{lines}```\n\nThat was it.")).await;
    let posts = world.posts("bobbin_relay");
    assert_eq!(kinds(&posts[0]), ["header", "rich_text", "table", "rich_text"]);
    assert_eq!(posts.len(), 3, "a log of two posts");
    let parts: Vec<&str> = posts[1..]
        .iter()
        .map(|post| post.metadata.as_ref().unwrap()["event_payload"]["part"].as_str().unwrap())
        .collect();
    assert_eq!(parts, ["0", "1"]);
    let report = format!("# Report\n\n{}", "All of it matters. ".repeat(1_000));
    world.devin_says(&report).await;
    let files = shared(&world);
    assert_eq!(files.len(), 1);
    assert_eq!(String::from_utf8_lossy(&files[0].1), report, "nothing is cut");
    let first = world.posts("bobbin_relay").pop().unwrap();
    assert!(first.text.ends_with("(19010 characters). All of it is in the file below."), "{}", first.text);
    assert!(world.thread(&root).ends_with("bobbin: (file devin-message.md)\n"));
}

#[tokio::test]
async fn files_of_devins_arrive_once_and_nobody_sees_where_they_lay() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix the login test").await;
    let session = world.session_id();
    world.devin.attach(&session, "report.txt", "text/plain", b"all good").unwrap();
    world.look().await;
    assert_eq!(shared(&world)[0].1, b"all good");
    // A file that no words name comes with the next words.
    world.devin.attach(&session, "shot one.png", "image/png", b"pixels").unwrap();
    world
        .devin
        .change(|state| state.session_mut(&session).unwrap().messages.last_mut().unwrap().message = "Look:".to_owned());
    world.devin.attach(&session, "empty.log", "text/plain", b"").unwrap();
    world.devin.say(&session, r#"ATTACHMENT:{"url": "https://bucket.s3.example/k?X-Amz-Signature=abc"}"#).unwrap();
    world.look().await;
    world.devin_says("Anything else?").await;
    assert_snapshot!(world.thread(&root), @"
    ada: <@U0BOBBIN> fix the login test [eyes]
    bobbin: [card] *fix the login test* / :hourglass_flowing_sand: Starting | Runs as *Ada Lovelace* | <Open session>
    bobbin: (file report.txt)
    bobbin: Look:
    bobbin: :paperclip: Devin's file `empty.log` did not get here: it is empty. <https://app.devin.ai/sessions/SESSION|Look for it in the session>.
    bobbin: :paperclip: A file of Devin's did not get here: what the message names is no file of Devin's. <https://app.devin.ai/sessions/SESSION|Look for it in the session>.
    bobbin: (file shot one.png)
    bobbin: Anything else?
    ");
    let slack = world.slack.read(|state| format!("{:?}", state.channels[&id(BACKEND)].messages));
    for secret in ["presigned", "Amz", "ATTACHMENT", "/attachments/"] {
        assert!(!slack.contains(secret), "{secret} is shown");
    }
    assert_eq!(world.slack.calls("files.completeUploadExternal"), 2);
}

#[tokio::test]
async fn a_file_that_is_too_large_or_cannot_be_had_is_said_with_the_way_to_it() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix the login test").await;
    let session = world.session_id();
    world.devin.attach(&session, "core.dump", "application/octet-stream", &vec![0; 21 << 20]).unwrap();
    world.look().await;
    world.devin.faults().once("attachments.download", FaultAction::Problem(404));
    world.devin.faults().once("attachments.download", FaultAction::Problem(404));
    world.devin.faults().once("attachments.download", FaultAction::Problem(404));
    world.devin.faults().once("attachments.download", FaultAction::Problem(404));
    world.devin.attach(&session, "gone.txt", "text/plain", b"x").unwrap();
    world.look().await;
    world.slack.faults().once("files.getUploadURLExternal", FaultAction::OkFalse("file_uploads_disabled".to_owned()));
    world.devin_says(&"long ".repeat(4_000)).await;
    let thread = world.thread(&root);
    let notes: Vec<&str> =
        thread.lines().filter(|line| line.contains(":paperclip:") || line.contains(":warning:")).collect();
    assert_snapshot!(notes.join("\n"), @"
    bobbin: :paperclip: Devin's file `core.dump` did not get here: it is larger than 20 MiB. <https://app.devin.ai/sessions/SESSION|Look for it in the session>.
    bobbin: :paperclip: Devin's file `gone.txt` did not get here: I could not fetch it from Devin. <https://app.devin.ai/sessions/SESSION|Look for it in the session>.
    bobbin: :warning: Slack did not take the file with the whole message. <https://app.devin.ai/sessions/SESSION|Read the rest in the session>.
    ");
    assert!(shared(&world).is_empty());
}

#[tokio::test]
async fn what_people_write_in_devins_web_app_appears_once_and_what_they_write_here_does_not() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix the login test").await;
    world.reply(GRACE, &root, "use the `main` branch").await;
    in_the_web_app(&world, "and **please** <!channel> see [here](https://docs.acme.example)");
    world.devin_says("Noted.").await;
    world.pass(Duration::from_mins(2)).await;
    assert_snapshot!(world.thread(&root), @"
    ada: <@U0BOBBIN> fix the login test [eyes]
    bobbin: [card] *fix the login test* / :hourglass_flowing_sand: Starting | Runs as *Ada Lovelace* | <Open session>
    grace: use the `main` branch [eyes] [incoming_envelope]
    bobbin: :globe_with_meridians: In Devin's web app somebody wrote (Devin does not say who):
    and please &lt;!channel&gt; see here (https://docs.acme.example/)
    bobbin: Noted.
    ");
    let post = world.posts("bobbin_relay").remove(0);
    assert_eq!(post.metadata.unwrap()["event_payload"]["source"], "user");
    assert_eq!(kinds(&world.posts("bobbin_relay")[0]), ["context", "rich_text"]);
}

#[tokio::test]
async fn a_store_that_was_lost_says_nothing_twice_and_what_is_missing_once() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix the login test").await;
    let session = world.session_id();
    in_the_web_app(&world, "go on");
    world.devin.attach(&session, "alone.txt", "text/plain", b"alone").unwrap();
    let unnamed = |state: &mut bobbin::twin::devin::State| {
        state.session_mut(&session).unwrap().messages.last_mut().unwrap().message = "Look:".to_owned();
    };
    world.devin.change(unnamed);
    world.look().await;
    let lines = (0..220).map(|n| format!("line {n} of the log\n")).collect::<Vec<_>>().concat();
    let marked = "ATTACHMENT:{\"url\": \"https://api.devin.ai/attachments/none/a.txt\"}";
    world.devin_says(&format!("```\n{lines}```\n{marked}")).await;
    let relayed = world.posts("bobbin_relay");
    assert_eq!((relayed.len(), shared(&world).len()), (5, 1), "{}", world.thread(&root));
    // Of the last message only its second part is there.
    let channel = id(BACKEND);
    for lost in [&relayed[2], &relayed[4]] {
        world.slack.change(|state| state.message_mut(&channel, &lost.ts).unwrap().deleted = true);
    }
    world.empty_store();
    world.pass(Duration::from_mins(12)).await;
    world.devin_says("After.").await;
    let parts: Vec<String> = world
        .posts("bobbin_relay")
        .iter()
        .map(|post| post.metadata.as_ref().unwrap()["event_payload"]["part"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(parts, ["0", "0", "1", "0", "2", "0"], "{}", world.thread(&root));
    assert_eq!(shared(&world).len(), 1);
    world.thread(&root);
}

#[tokio::test]
async fn a_muted_thread_hears_nothing_of_it() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix the login test").await;
    world.reply(ADA, &root, "mute").await;
    world.devin.attach(&world.session_id(), "report.txt", "text/plain", b"all good").unwrap();
    world.devin_says("Reading.").await;
    in_the_web_app(&world, "go on");
    world.look().await;
    assert!(world.posts("bobbin_relay").is_empty() && shared(&world).is_empty());
    world.reply(ADA, &root, "unmute").await;
    world.devin_says("Done.").await;
    assert_eq!(world.posts("bobbin_relay").len(), 1);
    world.thread(&root);
}

#[tokio::test]
async fn a_post_that_slack_refuses_arrives_as_plain_text_once() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix the login test").await;
    for code in ["invalid_blocks", "msg_blocks_too_long"] {
        world.slack.faults().once("chat.postMessage", FaultAction::OkFalse(code.to_owned()));
        world.devin_says("It **works** <!here>\n\n- `a`\n- b").await;
        let post = world.posts("bobbin_relay").pop().unwrap();
        assert!(post.blocks.is_empty());
        assert_eq!(post.text, "It works &lt;!here&gt;\n\n• a\n• b");
    }
    // The second try is lost: it is looked for under the same mark.
    world.slack.faults().once("chat.postMessage", FaultAction::OkFalse("invalid_blocks".to_owned()));
    world.slack.faults().once("chat.postMessage", FaultAction::DropAfter);
    world.devin_says("Once more").await;
    assert_eq!(world.posts("bobbin_relay").len(), 3, "{}", world.thread(&root));
    world.lenient();
}

#[tokio::test]
async fn a_question_with_choices_is_answered_by_a_button_as_whoever_presses() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix the login test").await;
    world.devin.say(&world.session_id(), "Which branch shall I use?\n\n1. `main`\n2. **release/2.4**").unwrap();
    world.devin_becomes("running", Some("waiting_for_user")).await;
    let question = world.posts("bobbin_relay").pop().unwrap();
    let labels: Vec<&Value> =
        question.blocks[1]["elements"].as_array().unwrap().iter().map(|button| &button["text"]["text"]).collect();
    assert_eq!(labels, ["1. main", "2. release/2.4"]);
    press(&mut world, LINUS, &question.ts, "choose_2").await;
    assert_eq!(heard(&world), [], "nobody acts for Linus");
    press(&mut world, GRACE, &question.ts, "choose_2").await;
    press(&mut world, ADA, &question.ts, "choose_1").await;
    let answer = ("okta|grace".to_owned(), "2. **release/2.4**".to_owned());
    assert_eq!(heard(&world), std::slice::from_ref(&answer), "the first answer counts");
    world.devin.say(&world.session_id(), "And the tag?\nA) v2\nB) v3").unwrap();
    world.devin_becomes("running", Some("waiting_for_user")).await;
    let question = world.posts("bobbin_relay").pop().unwrap();
    // Words are an answer as well, and make the buttons stale.
    world.reply(ADA, &root, "none yet").await;
    press(&mut world, GRACE, &question.ts, "choose_1").await;
    assert_eq!(heard(&world), [answer, ("user-ada".to_owned(), "none yet".to_owned())]);
    assert_snapshot!(world.thread(&root), @"
    ada: <@U0BOBBIN> fix the login test [eyes]
    bobbin: [card] *fix the login test* / :gear: Working | Runs as *Ada Lovelace* | <Open session>
    bobbin: Which branch shall I use?

    1. main
    2. release/2.4
    bobbin: :raised_hand: <@U0ADA> Devin needs you: it is waiting for your answer. Reply in this thread and I pass it on.
    bobbin: :white_check_mark: Grace Hopper chose “2. release/2.4”.
    bobbin: And the tag?
    A) v2
    B) v3
    bobbin: :raised_hand: <@U0ADA> Devin needs you: it is waiting for your answer. Reply in this thread and I pass it on.
    ada: none yet [eyes] [incoming_envelope]
    (only linus sees) I can't start Devin for you: nobody in the Devin organisation has the e-mail address of your Slack account. Ask a Devin administrator to invite that address; I look again after ten minutes.
    (only ada sees) :hourglass: The thread has gone on since that question, so nothing was sent. Write your answer as a message.
    (only grace sees) :hourglass: The thread has gone on since that question, so nothing was sent. Write your answer as a message.
    ");
}
