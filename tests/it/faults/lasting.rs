//! Troubles that last: a Devin that is away for an hour, an installation that is gone, a channel that takes no posts;
//! and events that come late, in the wrong order, or about what is not there.

use std::time::Duration;

use bobbin::{
    clock::Clock as _,
    store::Store as _,
    twin::{
        Fault, FaultAction,
        devin::Source,
        slack::Undelivered,
        world::{ADA, BACKEND, BOT_TOKEN, BOT_USER, GRACE},
    },
};

use super::{
    afterwards, doubles,
    scenes::{look_now, root_of},
};
use crate::support::world::{Making, On, World, id};

/// How long the troubles last.
const HOUR: Duration = Duration::from_hours(1);

async fn world() -> World {
    let mut world = World::made(Making::on(On::Embedded)).await;
    world.lenient();
    world
}

/// Lets time pass in steps of a minute.
async fn pass(world: &mut World, time: Duration) {
    let end = world.clock.now() + time;
    while world.clock.now() < end {
        world.clock.advance(Duration::from_mins(1));
        world.tick().await;
        world.settle().await;
    }
}

/// The bot's posts in `#backend` that contain these words.
fn posts_saying(world: &World, words: &str) -> usize {
    world.posts("bobbin_notice").iter().filter(|post| post.text.contains(words)).count()
}

#[tokio::test]
async fn f23_devin_away_for_an_hour_is_told_once_a_thread_and_everything_goes_on_afterwards() {
    for fault in [FaultAction::Status(503), FaultAction::RateLimited { after: Some(30) }, FaultAction::DropBefore] {
        let mut world = world().await;
        let linked = world.mention(ADA, "one").await;
        world.devin_becomes("running", Some("working")).await;
        world.devin.faults().push(Fault { matcher: "*".to_owned(), action: fault.clone(), times: None });
        world.say_in(ADA, BACKEND, Some(&linked), "use the main branch");
        world.say(GRACE, BACKEND, &format!("<@{BOT_USER}> two"));
        world.say(ADA, BACKEND, &format!("<@{BOT_USER}> three"));
        pass(&mut world, HOUR).await;
        let told = posts_saying(&world, "can't reach Devin");
        assert!(told <= 3, "{fault:?}: {told} notices in three threads");
        assert!(told == 3 || matches!(fault, FaultAction::RateLimited { .. }), "{fault:?}: {told} notices");
        world.devin.faults().clear();
        pass(&mut world, Duration::from_mins(11)).await;
        assert_eq!(world.devin.sessions().len(), 3, "{fault:?}");
        assert_eq!(posts_saying(&world, "can't reach Devin"), 0, "{fault:?}: what is over is no longer said");
        assert_eq!(posts_saying(&world, "can be reached again"), told, "{fault:?}");
        assert!(world.devin.sessions()[0].messages.iter().any(|m| m.message == "use the main branch"), "{fault:?}");
        assert!(world.store.dead(10).await.unwrap().is_empty(), "{fault:?}");
        assert_eq!(doubles(&world), Vec::<String>::new(), "{fault:?}");
    }
}

#[tokio::test]
async fn f20_a_post_lost_on_a_second_wake_is_not_taken_for_that_of_the_first() {
    let mut world = world().await;
    let root = world.mention(ADA, "fix it").await;
    world.devin.change(|state| state.messages_move_updated_at = false);
    world.devin_becomes("running", Some("waiting_for_user")).await;
    for round in 0..2 {
        // The state is seen first; that the question is a new one shows in the words alone, which a wake finds.
        world.reply(ADA, &root, &format!("answer {round}")).await;
        world.set("running", Some("waiting_for_user"));
        look_now(&mut world).await;
        world.devin.say(&world.session_id(), &format!("question {round}")).unwrap();
        if round == 1 {
            world.slack.faults().once("chat.postMessage", FaultAction::Delay(Duration::ZERO));
            world.slack.faults().once("chat.postMessage", FaultAction::DropBefore);
        }
        world.settle().await;
        afterwards(&mut world).await;
    }
    assert_eq!(world.posts("bobbin_transition").len(), 3, "{}", world.thread(&root));
    assert_eq!(doubles(&world), Vec::<String>::new());
}

/// Calls that would be seen, and so have to stop: those that post.
fn tries(world: &World) -> usize {
    ["chat.postMessage", "chat.update"].iter().map(|method| world.slack.calls(method)).sum()
}

#[tokio::test]
async fn f24_a_channel_that_takes_no_posts_is_tried_once_and_left_alone() {
    for code in ["is_archived", "not_in_channel", "channel_not_found"] {
        let mut world = world().await;
        world.mention(ADA, "one").await;
        world.devin_becomes("running", Some("working")).await;
        let matcher = "chat.*".to_owned();
        world.slack.faults().push(Fault { matcher, action: FaultAction::OkFalse(code.to_owned()), times: None });
        let before = tries(&world);
        for n in 0..5 {
            world.devin.say(&world.session_id(), &format!("word {n}")).unwrap();
            world.devin_becomes("running", Some("waiting_for_user")).await;
            world.devin_becomes("running", Some("working")).await;
            pass(&mut world, HOUR / 5).await;
        }
        // One post, and one edit of the card.
        let tried = tries(&world) - before;
        assert!(tried <= 2, "{code}: {tried} calls within an hour");
        assert_eq!(world.devin.sessions().len(), 1, "{code}: the session runs on");
        assert!(world.store.dead(10).await.unwrap().is_empty(), "{code}");
    }
}

#[tokio::test]
async fn f24_a_revoked_token_is_not_pressed_and_everything_goes_on_when_it_is_put_right() {
    let mut world = world().await;
    world.mention(ADA, "one").await;
    let refuse = |code: Option<&str>| {
        let code = code.map(str::to_owned);
        move |state: &mut bobbin::twin::slack::State| state.tokens.get_mut(BOT_TOKEN).unwrap().refused = code
    };
    world.slack.change(refuse(Some("token_revoked")));
    let asked = |world: &World| world.slack.read(|state| state.ledger.len());
    let before = asked(&world);
    world.say(GRACE, BACKEND, &format!("<@{BOT_USER}> two"));
    pass(&mut world, HOUR).await;
    // Doubling waits up to five minutes: seven in the first two minutes, then one every five. The other thread's card is
    // tried once more, and then every hour.
    let calls = asked(&world) - before;
    let which: Vec<String> =
        world.slack.read(|state| state.ledger.iter().skip(before).map(|call| call.method.clone()).collect());
    assert!(calls <= 22, "{calls} calls within an hour for one waiting input: {which:?}");
    world.slack.change(refuse(None));
    pass(&mut world, Duration::from_mins(6)).await;
    assert_eq!(world.devin.sessions().len(), 2);
    assert_eq!(doubles(&world), Vec::<String>::new());
}

/// Delivers what waits, last things first, and the repeats of what was delivered as well.
async fn deliver_backwards(world: &mut World) {
    for delivery in world.slack.pending() {
        world.slack.duplicate_delivery(delivery.id);
    }
    world.slack.change(|state| state.deliveries.reverse());
    world.settle().await;
}

#[tokio::test]
async fn f27_events_in_the_wrong_order_do_neither_harm_nor_double() {
    let mut world = world().await;
    let root = world.say(ADA, BACKEND, &format!("<@{BOT_USER}> fix it"));
    world.say_in(ADA, BACKEND, Some(&root), "first reply");
    let second = world.say_in(ADA, BACKEND, Some(&root), "second reply");
    world.slack.edit(&id(ADA), &id(BACKEND), &second, "second reply, edited").unwrap();
    let third = world.say_in(ADA, BACKEND, Some(&root), "third reply");
    world.slack.delete(&id(ADA), &id(BACKEND), &third).unwrap();
    deliver_backwards(&mut world).await;
    afterwards(&mut world).await;
    assert_eq!(doubles(&world), Vec::<String>::new());
    let session = world.session();
    let said: Vec<&str> =
        session.messages.iter().filter(|m| m.source == Source::User).map(|m| m.message.as_str()).skip(1).collect();
    // Slack's own order is lost with the order of its events: replies that came before their mention were talk.
    assert!(said.len() <= 3, "{said:?}");
    assert!(world.store.dead(10).await.unwrap().is_empty(), "nothing was set aside");
}

#[tokio::test]
async fn f27_a_reply_that_comes_a_day_late_is_handled_and_an_old_look_tells_nothing() {
    let mut world = world().await;
    let root = world.mention(ADA, "fix it").await;
    world.devin_becomes("running", Some("waiting_for_user")).await;
    let transitions = world.posts("bobbin_transition").len();
    world.say_in(ADA, BACKEND, Some(&root), "use the main branch");
    let late = world.slack.take_due().unwrap();
    world.clock.advance(Duration::from_hours(25));
    let again = world.slack.outgoing(&late);
    assert_eq!(world.send(again).await.unwrap().status, 200);
    world.settle().await;
    afterwards(&mut world).await;
    assert!(world.session().messages.iter().any(|m| m.message == "use the main branch"));
    assert_eq!(world.posts("bobbin_transition").len(), transitions, "{}", world.thread(&root_of(&world)));
}

#[tokio::test]
async fn f27_an_edit_or_a_deletion_of_what_never_came_is_ignored() {
    let mut world = world().await;
    let root = world.say(ADA, BACKEND, &format!("<@{BOT_USER}> fix it"));
    while let Some(delivery) = world.slack.take_due() {
        // The message itself never arrives, in none of four attempts.
        world.slack.settle(delivery, Err(Undelivered::Timeout));
        world.slack.change(|state| state.deliveries.clear());
    }
    world.slack.delete(&id(ADA), &id(BACKEND), &root).unwrap();
    world.settle().await;
    afterwards(&mut world).await;
    assert!(world.devin.sessions().is_empty());
    assert!(world.store.dead(10).await.unwrap().is_empty());
    assert_eq!(world.slack.calls("chat.postMessage"), 0);
}
