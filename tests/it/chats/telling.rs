//! What Devin says and every change of its state comes back, each once and in order.

use std::time::Duration;

use bobbin::{
    domain::status::Detail,
    store::Store as _,
    twin::{
        FaultAction,
        world::{ADA, BACKEND},
    },
};
use insta::assert_snapshot;

use crate::support::world::World;

#[tokio::test]
async fn devins_words_come_before_the_call_for_an_answer() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix the login test").await;
    world.devin_becomes("running", Some("working")).await;
    world
        .devin
        .say(&world.session_id(), "Which **branch** shall I use? See [the docs](https://docs.acme.example)")
        .unwrap();
    world.devin_becomes("running", Some("waiting_for_user")).await;
    assert_snapshot!(world.thread(&root), @"
    ada: <@U0BOBBIN> fix the login test [eyes]
    bobbin: [card] *fix the login test* / :raised_hand: Waiting for your answer | Runs as *Ada Lovelace* | <Open session>
    bobbin: Which branch shall I use? See the docs (https://docs.acme.example/)
    bobbin: :raised_hand: <@U0ADA> Devin needs you: it is waiting for your answer. Reply in this thread and I pass it on.
    ");
}

#[tokio::test]
async fn pull_requests_are_told_and_shown_on_the_card() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix the login test").await;
    world.devin_becomes("running", Some("working")).await;
    let url = world.devin.open_pr(&world.session_id()).unwrap();
    world.look().await;
    world.devin.merge_pr(&world.session_id(), &url).unwrap();
    world.devin_becomes("running", Some("finished")).await;
    assert_snapshot!(world.thread(&root), @"
    ada: <@U0BOBBIN> fix the login test [eyes]
    bobbin: [card] *fix the login test* / :white_check_mark: Finished | :arrow_heading_up: <https://github.com/acme/api/pull/41|acme/api#41> · merged | Runs as *Ada Lovelace* | <Open session>
    bobbin: :arrow_heading_up: Pull request opened: <https://github.com/acme/api/pull/41|acme/api#41>
    bobbin: :arrow_heading_up: Pull request merged: <https://github.com/acme/api/pull/41|acme/api#41>
    bobbin: :white_check_mark: Devin finished its task. Reply in this thread to ask for more.
    _Asked for by Ada Lovelace_
    :arrow_heading_up: <https://github.com/acme/api/pull/41|acme/api#41> · merged
    ");
}

#[tokio::test]
async fn the_same_state_is_told_once_until_it_was_left() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix it").await;
    for _ in 0..3 {
        world.devin_becomes("running", Some("finished")).await;
    }
    assert_eq!(world.posts("bobbin_transition").len(), 1);
    world.devin_becomes("running", Some("working")).await;
    world.devin_becomes("running", Some("finished")).await;
    assert_eq!(world.posts("bobbin_transition").len(), 2);
    world.thread(&root);
}

#[tokio::test]
async fn each_state_that_is_posted_has_its_own_sentence_and_what_devin_wrote_in_its_metadata() {
    let mut sentences = std::collections::BTreeSet::new();
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix it").await;
    let waiting = [Detail::WaitingForUser, Detail::WaitingForApproval, Detail::Finished];
    let running = waiting.into_iter().map(|detail| ("running", detail));
    let not_reasons = [Detail::Working, Detail::WaitingForUser, Detail::WaitingForApproval, Detail::Finished];
    let reasons = Detail::DOCUMENTED.iter().filter(|d| !not_reasons.contains(d)).cloned();
    for (status, detail) in running.chain(reasons.map(|detail| ("suspended", detail))) {
        world.devin_becomes(status, Some(detail.as_str())).await;
        let post = world.posts("bobbin_transition").pop().expect("a post");
        let payload = &post.metadata.as_ref().unwrap()["event_payload"];
        assert_eq!(
            (payload["status"].as_str(), payload["status_detail"].as_str()),
            (Some(status), Some(detail.as_str()))
        );
        assert_eq!(payload["session_id"].as_str(), Some(world.session_id().bare()));
        assert!(sentences.insert(post.text.clone()), "said before: {}", post.text);
        let calls = post.text.contains("<@U0ADA>");
        assert_eq!(calls, matches!(detail, Detail::WaitingForUser | Detail::WaitingForApproval), "{}", post.text);
    }
    world.devin_becomes("hibernating", Some("deep")).await;
    assert!(world.posts("bobbin_transition").pop().unwrap().text.contains("`hibernating` / `deep`"));
    world.devin_becomes("exit", None).await;
    assert!(world.posts("bobbin_transition").pop().unwrap().text.contains("ended"));
    world.thread(&root);
}

#[tokio::test]
async fn states_on_the_way_change_the_card_only() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix it").await;
    for (status, detail) in [("claimed", None), ("running", Some("working")), ("resuming", None)] {
        world.devin_becomes(status, detail).await;
    }
    assert!(world.posts("bobbin_transition").is_empty());
    assert_snapshot!(world.thread(&root), @"
    ada: <@U0BOBBIN> fix it [eyes]
    bobbin: [card] *fix it* / :sunrise: Waking up | Runs as *Ada Lovelace* | <Open session>
    ");
}

#[tokio::test]
async fn the_card_is_edited_at_most_once_in_three_seconds_and_ends_up_right() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix it").await;
    let before = world.slack.calls("chat.update");
    world.set("running", Some("working"));
    world.bobbin.watch.hurry().await;
    world.bobbin.watch.step().await.unwrap();
    world.settle().await;
    world.set("running", Some("waiting_for_user"));
    world.bobbin.watch.hurry().await;
    world.bobbin.watch.step().await.unwrap();
    world.settle().await;
    let edits: Vec<_> =
        world.slack.read(|s| s.ledger.iter().filter(|c| c.method == "chat.update").map(|c| c.at).collect());
    for pair in edits.windows(2) {
        assert!(pair[1].duration_since(pair[0]).as_secs() >= 3, "{edits:?}");
    }
    assert!(edits.len() > before);
    assert!(world.thread(&root).contains("Waiting for your answer"));
}

#[tokio::test]
async fn what_devin_says_can_neither_ping_nor_fake_a_link() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix it").await;
    world.devin_says("<!channel> <@U0GRACE> <https://evil.example|https://good.example> <!subteam^S1>").await;
    let relay = world.posts("bobbin_relay").pop().unwrap();
    for forbidden in ["<!", "<@", "<https://evil"] {
        assert!(!relay.text.contains(forbidden), "{}", relay.text);
    }
    world.thread(&root);
}

#[tokio::test]
async fn a_long_message_is_split_and_nothing_is_lost() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix it").await;
    let lines: Vec<String> = (0..400).map(|n| format!("line {n} of the report")).collect();
    world.devin_says(&lines.join("\n")).await;
    let relays = world.posts("bobbin_relay");
    assert!(relays.len() > 1);
    let all: String = relays.iter().map(|m| m.text.clone()).collect::<Vec<_>>().join("\n");
    for line in lines {
        assert!(all.contains(&line), "{line} is missing");
    }
    world.thread(&root);
}

#[tokio::test]
async fn words_are_relayed_even_when_nothing_else_about_the_session_moves() {
    let mut world = World::new().await;
    world.devin.change(|state| state.messages_move_updated_at = false);
    let root = world.mention(ADA, "fix it").await;
    world.devin_becomes("running", Some("working")).await;
    world.devin.say(&world.session_id(), "Still reading the code.").unwrap();
    world.pass(Duration::from_mins(2)).await;
    assert_eq!(world.posts("bobbin_relay").len(), 1);
    world.thread(&root);
}

#[tokio::test]
async fn a_session_that_ends_is_told_once_and_watched_no_longer_after_a_while() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix it").await;
    world.devin_becomes("exit", None).await;
    world.pass(Duration::from_mins(30)).await;
    assert_eq!(world.posts("bobbin_transition").len(), 1);
    let counts = world.store.tracked_counts().await.unwrap();
    assert_eq!(counts.values().sum::<u64>(), 0, "{counts:?}");
    world.reply(ADA, &root, "one more thing").await;
    assert_snapshot!(world.thread(&root), @"
    ada: <@U0BOBBIN> fix it [eyes]
    bobbin: [card] *fix it* / :checkered_flag: Ended | Runs as *Ada Lovelace* | <Open session>
    bobbin: :checkered_flag: The session has ended. To go on, mention me in a new thread.
    _Asked for by Ada Lovelace · no pull requests_
    ada: one more thing [eyes] [warning]
    bobbin: :checkered_flag: Your message was not passed on: this session has ended. To start a new one, mention me in a new thread.
    ");
}

#[tokio::test]
async fn a_session_that_vanished_is_told_once() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix it").await;
    world.devin.change(|state| state.sessions.clear());
    world.pass(Duration::from_mins(15)).await;
    assert_snapshot!(world.thread(&root), @"
    ada: <@U0BOBBIN> fix it [eyes]
    bobbin: [card] *fix it* / :ghost: Gone | Runs as *Ada Lovelace*
    bobbin: :ghost: Devin no longer knows this session; it was probably deleted. To start a new one, mention me in a new thread.
    ");
}

#[tokio::test]
async fn an_archived_session_is_told_once_and_lives_again_when_unarchived() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix it").await;
    let session = world.session_id();
    let archive = |yes| {
        move |state: &mut bobbin::twin::devin::State| {
            state.sessions[0].archived = yes;
        }
    };
    world.devin.change(archive(true));
    world.devin_becomes("suspended", Some("user_request")).await;
    world.look().await;
    assert_eq!(world.posts("bobbin_transition").len(), 1);
    world.devin.change(archive(false));
    world.devin_becomes("running", Some("finished")).await;
    assert_eq!(world.posts("bobbin_transition").len(), 2);
    assert_eq!(world.session_id(), session);
    world.thread(&root);
}

#[tokio::test]
async fn an_answer_soon_after_the_end_does_not_keep_the_session_under_watch() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix it").await;
    world.devin_becomes("exit", None).await;
    world.reply(ADA, &root, "thanks").await;
    world.pass(Duration::from_mins(20)).await;
    let counts = world.store.tracked_counts().await.unwrap();
    assert_eq!(counts.values().sum::<u64>(), 0, "{counts:?}");
    world.thread(&root);
}

#[tokio::test]
async fn words_that_are_listed_after_the_change_are_relayed_and_call_again() {
    let mut world = World::new().await;
    world.devin.change(|state| state.messages_move_updated_at = false);
    let root = world.mention(ADA, "fix it").await;
    world.devin_becomes("running", Some("waiting_for_user")).await;
    world.reply(ADA, &root, "use main").await;
    world.devin_becomes("running", Some("waiting_for_user")).await;
    world.devin.say(&world.session_id(), "On which day?").unwrap();
    world.pass(Duration::from_mins(1)).await;
    assert_eq!(world.posts("bobbin_relay").len(), 1);
    assert_eq!(world.posts("bobbin_transition").len(), 2, "{}", world.thread(&root));
    world.thread(&root);
}

#[tokio::test]
async fn a_thread_that_takes_no_more_posts_is_left_alone_and_the_session_is_watched_to_its_end() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix it").await;
    world.devin_becomes("running", Some("working")).await;
    world.slack.change(|state| state.channels.get_mut(&BACKEND.parse().unwrap()).unwrap().archived = true);
    world.devin.say(&world.session_id(), "Anybody there?").unwrap();
    world.devin_becomes("running", Some("waiting_for_user")).await;
    let tried = world.slack.calls("chat.postMessage");
    world.devin_becomes("exit", None).await;
    world.pass(Duration::from_mins(20)).await;
    assert_eq!(world.slack.calls("chat.postMessage"), tried, "after the first refusal nothing more is tried");
    assert!(world.store.dead(10).await.unwrap().is_empty());
    let counts = world.store.tracked_counts().await.unwrap();
    assert_eq!(counts.values().sum::<u64>(), 0, "{counts:?}");
    world.thread(&root);
}

#[tokio::test]
async fn a_card_that_slack_refused_to_edit_for_a_while_ends_up_right() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix it").await;
    world.slack.faults().once("chat.update", FaultAction::OkFalse("token_revoked".to_owned()));
    world.devin_becomes("running", Some("finished")).await;
    world.pass(Duration::from_mins(3)).await;
    assert!(world.thread(&root).contains("white_check_mark: Finished"), "{}", world.thread(&root));
}
