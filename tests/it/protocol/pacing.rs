//! One post a second into a channel: a busy one is slow, and no other one with it.

use std::time::Duration;

use bobbin::{
    domain::{
        ids::{ChannelId, Ts},
        mailbox::Mailbox,
    },
    store::{Pace, Store as _},
    twin::{
        FaultAction,
        world::{ADA, BACKEND, BOT_USER, OPS},
    },
    work::Stepped,
};

use crate::support::{
    links::thread_of,
    world::{World, id},
};

/// Posts of the bot in a channel: when, in seconds since the first of all.
fn posts(world: &World, channel: &str) -> Vec<f64> {
    let start = world
        .slack
        .read(|state| state.ledger.iter().find(|call| call.method == "chat.postMessage").unwrap().at.as_millisecond());
    let of_channel = |args: &str| args.contains(channel);
    #[expect(clippy::cast_precision_loss, reason = "a few minutes in milliseconds")]
    world.slack.read(|state| {
        let calls = state.ledger.iter().filter(|c| c.method == "chat.postMessage" && of_channel(&c.args));
        calls.map(|c| (c.at.as_millisecond() - start) as f64 / 1_000.0).collect()
    })
}

fn mentions(world: &World, channel: &str, count: usize) -> Vec<Ts> {
    (0..count).map(|n| world.say(ADA, channel, &format!("<@{BOT_USER}> task {n}"))).collect()
}

#[tokio::test]
async fn a_busy_channel_gets_about_one_post_a_second_and_delays_no_other() {
    let mut world = World::new().await;
    mentions(&world, BACKEND, 30);
    mentions(&world, OPS, 2);
    world.settle().await;
    let (busy, quiet) = (posts(&world, BACKEND), posts(&world, OPS));
    assert_eq!((busy.len(), quiet.len()), (30, 2));
    assert!(quiet.iter().all(|at| *at < 2.0), "the quiet channel waited: {quiet:?}");
    let took = busy.last().unwrap();
    assert!((20.0..45.0).contains(took), "30 posts took {took} s");
    let most = (0..busy.len()).map(|n| busy[n..].iter().take_while(|at| **at < busy[n] + 1.0).count()).max();
    assert!(most <= Some(6), "{most:?} posts within a second: {busy:?}");
    world.lenient();
}

#[tokio::test]
async fn f19_slack_asking_for_patience_in_one_channel_is_heeded_there_and_nowhere_else() {
    let mut world = World::new().await;
    world.slack.faults().once("chat.postMessage", FaultAction::RateLimited { after: Some(30) });
    mentions(&world, BACKEND, 4);
    world.settle().await;
    mentions(&world, OPS, 1);
    world.settle().await;
    let busy = posts(&world, BACKEND);
    assert_eq!(busy.len(), 4, "{busy:?}");
    assert!(busy.iter().all(|at| *at >= 30.0), "posted before it was time: {busy:?}");
    assert!(busy[0] < 34.0, "posted long after it was time: {busy:?}");
    world.lenient();
}

#[tokio::test]
async fn f19_another_channel_goes_on_while_slack_asks_for_patience() {
    let mut world = World::new().await;
    world.slack.faults().once("chat.postMessage", FaultAction::RateLimited { after: Some(30) });
    mentions(&world, BACKEND, 1);
    world.deliver_due().await;
    world.bobbin.worker.step().await.unwrap();
    mentions(&world, OPS, 1);
    world.settle().await;
    let quiet = posts(&world, OPS);
    assert!(quiet.len() == 1 && quiet[0] < 5.0, "{quiet:?}");
    world.lenient();
}

#[tokio::test]
async fn calls_for_attention_go_before_card_edits() {
    let mut world = World::new().await;
    let roots: Vec<Ts> = mentions(&world, BACKEND, 6);
    world.settle().await;
    world.pass(Duration::from_secs(30)).await;
    for session in world.devin.sessions() {
        let status = bobbin::domain::status::Status::from("running".to_owned());
        let detail = bobbin::domain::status::Detail::from("waiting_for_user".to_owned());
        world.devin.set(&session.id, status, Some(detail)).unwrap();
    }
    let before = world.slack.read(|state| state.ledger.len());
    world.look().await;
    world.pass(Duration::from_secs(40)).await;
    let after: Vec<String> = world
        .slack
        .read(|state| state.ledger[before..].iter().filter(|c| c.outcome.is_ok()).map(|c| c.method.clone()).collect());
    let calls = world.posts("bobbin_transition").len();
    assert_eq!(calls, roots.len());
    let last_call = after.iter().rposition(|m| m == "chat.postMessage").unwrap();
    let edits_before = after[..last_call].iter().filter(|m| *m == "chat.update").count();
    let edits = after.iter().filter(|m| *m == "chat.update").count();
    assert!(edits >= roots.len(), "every card shows it in the end: {after:?}");
    assert!(edits_before <= 1, "{edits_before} edits before the last call for attention: {after:?}");
    let cards = world.posts("bobbin_card");
    assert!(cards.iter().all(|card| format!("{:?}", card.blocks).contains("Waiting for your answer")));
    let channel = id::<ChannelId>(BACKEND);
    assert_eq!(roots.iter().filter(|root| world.slack.thread(&channel, root).len() == 3).count(), roots.len());
    world.lenient();
}

/// Handles what is due, and sits out nothing.
async fn work(world: &World) {
    world.deliver_due().await;
    while let Stepped::Handled = world.bobbin.worker.step().await.unwrap() {}
}

#[tokio::test]
async fn what_was_said_before_a_turn_had_to_pause_is_not_said_again_when_a_message_became_due_meanwhile() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix it").await;
    world.pass(Duration::from_mins(1)).await;
    world.say_in(ADA, BACKEND, Some(&root), "first");
    work(&world).await;
    world.clock.advance(Duration::from_secs(2));
    work(&world).await;
    let heard = |world: &World| world.session().messages.iter().filter(|m| m.as_user.is_some()).count();
    assert_eq!(heard(&world), 2, "what was asked, and the first message");
    // Five seconds after a message has gone Devin's words are looked at again. Nothing else tells of these.
    for words in ["one", "two", "three", "four"] {
        world.devin.say(&world.session_id(), words).unwrap();
    }
    world.clock.advance(Duration::from_secs(4));
    world.say_in(ADA, BACKEND, Some(&root), "second");
    work(&world).await;
    world.clock.advance(Duration::from_secs(1));
    // The channel has room for three posts.
    let pace = Pace { every: Duration::from_secs(1), ahead: Duration::from_secs(1) };
    while world.store.pace(&Mailbox::Thread(thread_of(&root)), pace).await.unwrap().is_none() {}
    work(&world).await;
    let said = |world: &World| world.posts("bobbin_relay").into_iter().map(|post| post.text).collect::<Vec<_>>();
    assert_eq!(said(&world), ["one", "two", "three"], "the turn pauses before the last");
    assert_eq!(heard(&world), 2, "the second message is not due yet");
    world.clock.advance(Duration::from_secs(3));
    work(&world).await;
    assert_eq!((said(&world).len(), heard(&world)), (4, 3));
    world.pass(Duration::from_mins(1)).await;
    assert_eq!(said(&world), ["one", "two", "three", "four"]);
    world.lenient();
}
