//! The card and the posts that go with a state: what people see of a session without opening it.

use std::time::Duration;

use insta::assert_snapshot;

use bobbin::twin::world::ADA;

use crate::support::world::World;

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
    · Runs as *Ada Lovelace*
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
    · Runs as *Ada Lovelace*
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
