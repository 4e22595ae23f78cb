//! The card and the posts that go with a state: what people see of a session without opening it.

use std::time::Duration;

use insta::assert_snapshot;

use bobbin::{
    domain::ids::Ts,
    twin::{
        FaultAction,
        world::{ADA, BACKEND},
    },
};
use serde_json::{Value, json};

use crate::support::world::{World, id};

#[tokio::test]
async fn the_card_says_since_when_what_is_wanted_and_what_devin_said_last() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix the login test").await;
    world.devin_becomes("running", Some("working")).await;
    world.devin_says("## Which *branch* <!here> shall I use?\nmain or next").await;
    assert_snapshot!(world.card(), @"
    *fix the login test*
    :gear: Working · since (when)
    · Devin, (when): Which branch &lt;!here&gt; shall I use?
    · Runs as *Ada Lovelace* · Feature development · from API
    <Open session> <Stop…> <Put to sleep> <Mute>
    ");
    let state = |world: &World| world.posts("bobbin_card")[0].blocks[0].to_string();
    let before = state(&world);
    world.pass(Duration::from_mins(5)).await;
    assert_eq!(state(&world), before, "a state lasts since it was entered, and needs no edit");
    world.devin_becomes("running", Some("waiting_for_user")).await;
    assert_snapshot!(world.card(), @"
    *fix the login test*
    :raised_hand: Waiting for your answer · since (when)
    Wanted: an answer. Reply in this thread and I pass it on.
    · Devin, (when): Which branch &lt;!here&gt; shall I use?
    · Runs as *Ada Lovelace* · Feature development · from API
    <Open session> <Stop…> <Put to sleep> <Mute>
    ");
    world.thread(&root);
}

#[tokio::test]
async fn the_post_that_ends_the_work_says_what_came_out() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix the login test").await;
    world.devin_becomes("running", Some("working")).await;
    world.devin.open_pr(&world.session_id()).unwrap();
    world.devin.use_acus(&world.session_id(), 1.35).unwrap();
    world.pass(Duration::from_mins(12)).await;
    world.devin_becomes("running", Some("finished")).await;
    world.devin_becomes("exit", None).await;
    let said: Vec<String> = world.posts("bobbin_transition").into_iter().map(|post| post.text).collect();
    assert!(said.iter().all(|post| post.contains(" · took 12 min · ") || post.contains(" · took 13 min · ")));
    assert_snapshot!(world.thread(&root), @"
    ada: <@U0BOBBIN> fix the login test [eyes]
    bobbin: [card] *fix the login test* / :checkered_flag: Ended | :arrow_heading_up: <https://github.com/acme/api/pull/41|acme/api#41> · open | Runs as *Ada Lovelace* · 1.4 ACUs | <Open session>
    bobbin: :arrow_heading_up: Pull request opened: <https://github.com/acme/api/pull/41|acme/api#41>
    bobbin: :white_check_mark: Devin finished its task. Reply in this thread to ask for more.
    _Asked for by Ada Lovelace · 1.4 ACUs_
    :arrow_heading_up: <https://github.com/acme/api/pull/41|acme/api#41> · open
    bobbin: :checkered_flag: The session has ended. To go on, mention me in a new thread.
    _Asked for by Ada Lovelace · 1.4 ACUs_
    :arrow_heading_up: <https://github.com/acme/api/pull/41|acme/api#41> · open
    ");
    world.thread(&root);
}

#[tokio::test]
async fn an_approval_keeps_its_buttons_until_devin_left_the_state() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "deploy it").await;
    world.devin_becomes("running", Some("waiting_for_approval")).await;
    let asked = |world: &World| world.blocks(&world.posts("bobbin_transition")[0]);
    assert_snapshot!(asked(&world), @"
    :raised_hand: <@U0ADA> Devin is waiting for an approval. Its API neither tells me for what nor takes the decision: <https://app.devin.ai/sessions/SESSION|open the session> to see it and decide there.
    · _The buttons are a best effort: they send your answer into the session as your message. Whether Devin takes it as the decision I read from its status; the card shows it._
    <Approve> <Reject with reason>
    ");
    world.reply(ADA, &root, "what is it about?").await;
    assert!(asked(&world).contains("<Approve>"), "an answer is not yet a decision");
    world.devin_becomes("running", Some("working")).await;
    assert_snapshot!(asked(&world), @"
    :raised_hand: <@U0ADA> Devin is waiting for an approval. Its API neither tells me for what nor takes the decision: <https://app.devin.ai/sessions/SESSION|open the session> to see it and decide there.
    · _Devin no longer waits for this approval._
    ");
    world.thread(&root);
}

/// The session's result, in the form that was asked for; no other sign of a change.
fn output(world: &World, output: Value) {
    world.devin.change(|state| state.sessions[0].structured_output = Some(output));
}

/// The files that the bot brought into a thread.
fn files(world: &World, root: &Ts) -> Vec<String> {
    let thread = world.slack.thread(&id(BACKEND), root);
    let names = thread.iter().flat_map(|message| &message.files);
    world.slack.read(|state| names.map(|file| String::from_utf8(state.files[file].bytes.clone()).unwrap()).collect())
}

#[tokio::test]
async fn a_result_in_the_form_that_was_asked_for_comes_as_a_table_and_a_file_once_per_value() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "are the tests flaky?").await;
    output(&world, json!({ "flaky": true, "runs": 41, "note": "<!here> *login*" }));
    world.devin_becomes("running", Some("finished")).await;
    assert_snapshot!(world.thread(&root), @"
    ada: <@U0BOBBIN> are the tests flaky? [eyes]
    bobbin: [card] *are the tests flaky?* / :white_check_mark: Finished | Runs as *Ada Lovelace* | <Open session>
    bobbin: The result, in the form that was asked for

    ```
    Field  Value
    -----  ---------------
    flaky  yes
    note   &lt;!here&gt; *login*
    runs   41
    ```
    bobbin: (file result.json)
    bobbin: :white_check_mark: Devin finished its task. Reply in this thread to ask for more.
    _Asked for by Ada Lovelace · no pull requests_
    ");
    assert_eq!(files(&world, &root), ["{\n  \"flaky\": true,\n  \"note\": \"<!here> *login*\",\n  \"runs\": 41\n}"]);
    let posts = world.posts("bobbin_notice").len();
    world.look().await;
    world.pass(Duration::from_mins(11)).await;
    assert_eq!((world.posts("bobbin_notice").len(), files(&world, &root).len()), (posts, 1), "the same value once");
    output(&world, json!({ "flaky": false, "runs": 90, "note": "" }));
    world.pass(Duration::from_mins(11)).await;
    assert_eq!(files(&world, &root).len(), 2, "found by the sweep, although nothing else changed");
    world.thread(&root);
}

#[tokio::test]
async fn what_devin_finds_out_about_the_session_stands_on_the_card() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix the login test").await;
    world.devin.change(|state| state.sessions[0].category = Some("bug_fixing".to_owned()));
    world.devin_becomes("running", Some("working")).await;
    assert_snapshot!(world.card(), @"
    *fix the login test*
    :gear: Working · since (when)
    · Runs as *Ada Lovelace* · Bug fixing · from API
    <Open session> <Stop…> <Put to sleep> <Mute>
    ");
    world.thread(&root);
}

#[tokio::test]
async fn the_buttons_fit_what_the_session_does() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix the login test").await;
    let mut rows = Vec::new();
    for (status, detail) in [
        ("claimed", None),
        ("running", Some("waiting_for_approval")),
        ("suspended", Some("inactivity")),
        ("suspended", Some("out_of_credits")),
        ("suspended", Some("error")),
        ("exit", None),
    ] {
        world.devin_becomes(status, detail).await;
        let card = world.card();
        let lines: Vec<&str> = card.lines().filter(|line| !line.starts_with('·') && !line.starts_with('*')).collect();
        rows.push(lines.join(" / "));
    }
    assert_snapshot!(rows.join("\n"), @"
    :hourglass_flowing_sand: Starting · since (when) / <Open session> <Stop…> <Put to sleep> <Mute>
    :raised_hand: Waiting for an approval · since (when) / Wanted: a decision. Devin does not tell me on what; the session shows it. / <Open session> <Stop…> <Put to sleep> <Mute>
    :zzz: Asleep: nobody answered · since (when) / A reply in this thread wakes it. / <Open session> <Stop…> <Wake> <Mute>
    :pause_button: Suspended: no credits left · since (when) / Wanted: credits, from a Devin administrator, then a reply here. / <Open session> <Stop…> <Wake> <Mute>
    :x: Suspended after an error · since (when) / Wanted: a reply here to try to wake it, or a look at what happened. / <Open session> <Stop…> <Wake> <Mute>
    :checkered_flag: Ended · since (when) / <Open session>
    ");
    world.thread(&root);
}

#[tokio::test]
async fn buttons_are_made_anew_before_they_run_out_and_for_nothing_else() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix the login test").await;
    world.devin_becomes("running", Some("waiting_for_approval")).await;
    let edits = |world: &World| {
        world.slack.read(|state| state.ledger.iter().filter(|call| call.method == "chat.update").count())
    };
    let values = |world: &World| {
        let posts = [world.posts("bobbin_card"), world.posts("bobbin_transition")].concat();
        posts.iter().map(|post| post.blocks.last().unwrap()["elements"].to_string()).collect::<Vec<_>>()
    };
    let (first, edited) = (values(&world), edits(&world));
    world.pass(Duration::from_hours(2)).await;
    assert_eq!((values(&world), edits(&world)), (first.clone(), edited), "time alone edits nothing");
    world.clock.advance(Duration::from_hours(11));
    world.settle().await;
    assert_eq!(edits(&world), edited + 1, "an approval's buttons work for a day");
    world.clock.advance(Duration::from_hours(84));
    world.settle().await;
    let later = values(&world);
    assert!(first.iter().zip(&later).all(|(first, later)| first != later), "{later:#?}");
    world.thread(&root);
}

#[tokio::test]
async fn an_approval_whose_post_cannot_be_edited_is_tried_again_and_then_left() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "deploy it").await;
    world.devin_becomes("running", Some("waiting_for_approval")).await;
    let asked = |world: &World| world.blocks(&world.posts("bobbin_transition")[0]);
    for _ in 0..4 {
        world.slack.faults().once("chat.update", FaultAction::Status(503));
    }
    world.devin_becomes("running", Some("working")).await;
    assert!(!asked(&world).contains("<Approve>"), "{}", asked(&world));
    world.devin_becomes("running", Some("waiting_for_approval")).await;
    world.slack.change(|state| {
        let channel = state.channels.get_mut(&id(BACKEND)).unwrap();
        let of_approval =
            |m: &&mut bobbin::twin::slack::Message| m.blocks.iter().any(|b| b.to_string().contains("approve"));
        channel.messages.iter_mut().filter(of_approval).for_each(|m| m.deleted = true);
    });
    world.devin_becomes("running", Some("finished")).await;
    world.look().await;
    world.thread(&root);
}

#[tokio::test]
async fn a_muted_thread_gets_what_wants_a_person_and_no_flood_afterwards() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix the login test").await;
    world.reply(ADA, &root, "mute").await;
    world.devin_says("I look at the code.").await;
    world.devin.open_pr(&world.session_id()).unwrap();
    output(&world, json!({ "flaky": true }));
    world.devin_becomes("running", Some("finished")).await;
    world.devin_becomes("suspended", Some("inactivity")).await;
    assert!(world.posts("bobbin_transition").is_empty() && world.posts("bobbin_relay").is_empty());
    assert!(world.posts("bobbin_notice").is_empty() && files(&world, &root).is_empty());
    assert_snapshot!(world.card(), @"
    *fix the login test*
    :zzz: Asleep: nobody answered · since (when)
    A reply in this thread wakes it.
    :arrow_heading_up: <https://github.com/acme/api/pull/41|acme/api#41> · open
    · Devin, (when): I look at the code.
    · Runs as *Ada Lovelace* · Feature development · from API · :mute: muted: only what wants you is posted
    <Open session> <Stop…> <Wake> <Unmute>
    ");
    world.devin_becomes("running", Some("waiting_for_user")).await;
    assert_eq!(world.posts("bobbin_transition").len(), 1, "a question that nobody sees would keep Devin waiting");
    world.reply(ADA, &root, "unmute").await;
    world.look().await;
    world.pass(Duration::from_mins(11)).await;
    assert_eq!(world.posts("bobbin_transition").len(), 1, "nothing of what was passed over comes afterwards");
    assert!(world.posts("bobbin_relay").is_empty() && world.posts("bobbin_notice").is_empty());
    world.devin_becomes("running", Some("finished")).await;
    assert_eq!(world.posts("bobbin_transition").len(), 2);
    world.thread(&root);
}

#[tokio::test]
async fn a_channel_that_wants_less_is_told_less_and_its_cards_show_all() {
    let mut world = World::ruled("[channels.C0BACKEND]\ntold = [\"finished\"]\n").await;
    let root = world.mention(ADA, "fix the login test").await;
    world.devin_says("I look at the code.").await;
    world.devin.open_pr(&world.session_id()).unwrap();
    for (status, detail) in [
        ("suspended", Some("inactivity")),
        ("running", Some("waiting_for_user")),
        ("running", Some("finished")),
        ("exit", None),
    ] {
        world.devin_becomes(status, detail).await;
    }
    assert_snapshot!(world.thread(&root), @"
    ada: <@U0BOBBIN> fix the login test [eyes]
    bobbin: [card] *fix the login test* / :checkered_flag: Ended | :arrow_heading_up: <https://github.com/acme/api/pull/41|acme/api#41> · open | Runs as *Ada Lovelace* | <Open session>
    bobbin: :raised_hand: <@U0ADA> Devin needs you: it is waiting for your answer. Reply in this thread and I pass it on.
    bobbin: :white_check_mark: Devin finished its task. Reply in this thread to ask for more.
    _Asked for by Ada Lovelace_
    :arrow_heading_up: <https://github.com/acme/api/pull/41|acme/api#41> · open
    ");
}
