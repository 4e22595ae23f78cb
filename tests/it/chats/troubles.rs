//! Every outcome is told in plain words with the next step.

use std::time::Duration;

use bobbin::{
    domain::trace::TraceId,
    store::Store as _,
    twin::{
        Fault, FaultAction,
        world::{ADA, DEVIN_KEY},
    },
};
use insta::assert_snapshot;

use crate::support::world::World;

#[tokio::test]
async fn devin_being_away_is_told_and_so_is_its_return() {
    let mut world = World::new().await;
    world.devin.faults().push(Fault {
        matcher: "sessions.create".to_owned(),
        action: FaultAction::RateLimited { after: Some(2) },
        times: Some(1),
    });
    let root = world.mention(ADA, "fix it").await;
    assert_eq!(world.devin.sessions().len(), 1, "a short limit is sat out in silence");
    world.thread(&root);

    world.devin.faults().push(Fault { matcher: "*".to_owned(), action: FaultAction::Status(503), times: None });
    let second = world.mention(ADA, "fix that").await;
    world.pass(Duration::from_mins(2)).await;
    assert_snapshot!(world.thread(&second), @"
    ada: <@U0BOBBIN> fix that [eyes]
    bobbin: :warning: I can't reach Devin right now. Your request is kept and I go on trying; there is nothing you have to do.
    ");
    world.devin.faults().clear();
    world.pass(Duration::from_mins(6)).await;
    assert_eq!(world.devin.sessions().len(), 2);
    let shown = world.thread(&second);
    assert!(shown.contains("can be reached again"), "{shown}");
    world.thread(&root);
}

#[tokio::test]
async fn a_missing_permission_is_named_and_for_whom() {
    let mut world = World::new().await;
    world.devin.change(|state| {
        state.keys.get_mut(DEVIN_KEY).unwrap().permissions.remove("ImpersonateOrgSessions");
    });
    let root = world.mention(ADA, "fix it").await;
    assert_snapshot!(world.thread(&root), @"
    ada: <@U0BOBBIN> fix it [eyes]
    bobbin: :x: Devin does not allow this (403): starting a session, as Ada Lovelace. It says: _Missing permission ImpersonateOrgSessions_. A Devin administrator can check that Ada Lovelace may use Devin sessions (`UseDevinSessions`) and that Bobbin's service user may act for others (`ImpersonateOrgSessions`, `ManageOrgSessions`); then try again. (Reference: `INPUT`)
    ");
    assert!(world.devin.sessions().is_empty());
    assert_eq!(
        world.store.dead(10).await.unwrap().len(),
        1,
        "set aside, so that it can be replayed once that is mended"
    );
}

#[tokio::test]
async fn a_replayed_dead_letter_goes_through_once_the_cause_is_mended() {
    let mut world = World::new().await;
    world.lenient();
    let permission = "ImpersonateOrgSessions";
    world.devin.change(|state| state.keys.get_mut(DEVIN_KEY).unwrap().permissions.remove(permission));
    world.mention(ADA, "fix it").await;
    world.devin.change(|state| state.keys.get_mut(DEVIN_KEY).unwrap().permissions.insert(permission.to_owned()));
    let dead = world.store.dead(10).await.unwrap().remove(0);
    assert!(world.store.replay_dead(&dead.input.id).await.unwrap());
    world.settle().await;
    assert_eq!(world.devin.sessions().len(), 1);
}

#[tokio::test]
async fn a_refused_key_is_the_operators_business() {
    let mut world = World::new().await;
    world.devin.change(|state| state.keys.clear());
    let root = world.mention(ADA, "fix it").await;
    assert_snapshot!(world.thread(&root), @"
    ada: <@U0BOBBIN> fix it [eyes]
    bobbin: :x: Devin refuses my key (401), so I did nothing. An operator of Bobbin has to set a valid `BOBBIN_DEVIN_API_KEY`; then try again. (Reference: `INPUT`)
    ");
}

#[tokio::test]
async fn the_reference_in_a_thread_is_the_name_of_the_trace_and_of_the_dead_letter() {
    let mut world = World::new().await;
    world.devin.change(|state| state.keys.clear());
    let root = world.mention(ADA, "fix it").await;
    world.thread(&root);
    let said = world.posts("bobbin_notice").remove(0).text;
    let reference = said.split_once("(Reference: `").unwrap().1.split('`').next().unwrap();
    let dead = world.store.dead(10).await.unwrap().remove(0);
    assert_eq!(dead.input.id.as_str(), reference);
    assert_eq!(TraceId::of(&dead.input.id).to_string(), reference);
    let letter = world.bobbin.oversight.referred_to(reference).await.unwrap().unwrap();
    assert_eq!((letter.id, letter.mailbox), (dead.input.id, dead.mailbox));
}

#[tokio::test]
async fn a_request_that_devin_does_not_accept_is_told_in_its_words() {
    let mut world = World::new().await;
    world.devin.faults().once("sessions.create", FaultAction::OkFalse("the prompt is not acceptable".to_owned()));
    let root = world.mention(ADA, "fix it").await;
    assert_snapshot!(world.thread(&root), @"
    ada: <@U0BOBBIN> fix it [eyes]
    bobbin: :x: Devin did not accept this. It says: _the prompt is not acceptable_. Change your message and send it again. (Reference: `INPUT`)
    ");
}

#[tokio::test]
async fn what_cannot_be_done_within_a_day_is_set_aside_and_told() {
    let mut world = World::new().await;
    world.devin.faults().push(Fault {
        matcher: "sessions.create".to_owned(),
        action: FaultAction::RateLimited { after: Some(3_600) },
        times: None,
    });
    let root = world.mention(ADA, "fix it").await;
    for _ in 0..26 {
        world.clock.advance(Duration::from_hours(1));
        world.settle().await;
    }
    let thread = world.thread(&root);
    assert!(thread.contains("I could not do this within a day"), "{thread}");
    assert_eq!(world.store.dead(10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn cards_say_when_there_is_no_news_and_when_there_is_again() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix it").await;
    world.devin_becomes("running", Some("working")).await;
    world.devin.faults().unreachable();
    world.pass(Duration::from_mins(6)).await;
    assert!(world.thread(&root).contains("No news from Devin since"));
    world.devin.faults().clear();
    world.pass(Duration::from_mins(6)).await;
    assert!(!world.thread(&root).contains("No news from Devin since"));
}

#[tokio::test]
async fn slack_refusing_for_a_while_delays_and_loses_nothing() {
    let mut world = World::new().await;
    world.slack.faults().once("chat.postMessage", FaultAction::RateLimited { after: Some(7) });
    world.slack.faults().once("chat.postMessage", FaultAction::Status(500));
    world.slack.faults().once("reactions.add", FaultAction::OkFalse("internal_error".to_owned()));
    let root = world.mention(ADA, "fix it").await;
    assert_eq!(world.posts("bobbin_card").len(), 1);
    assert_eq!(world.devin.sessions().len(), 1);
    world.thread(&root);
}

#[tokio::test]
async fn a_refusal_over_money_names_who_can_settle_it() {
    let mut world = World::new().await;
    world.devin.faults().once("sessions.create", FaultAction::OkFalse("You are out of credits".to_owned()));
    let root = world.mention(ADA, "fix it").await;
    let thread = world.thread(&root);
    assert!(
        thread.contains("refused because of a limit or of billing") && thread.contains("out of credits"),
        "{thread}"
    );
}
