//! Nobody acts as somebody else.

use std::{sync::Arc, time::Duration};

use bobbin::{
    devin::Devin,
    domain::standing::{Refusal, Standing},
    people::People,
    slack::Slack,
    twin::{
        FaultAction,
        devin::Member,
        slack::UserKind,
        world::{
            ADA, BACKEND, BOT_TOKEN, BOT_USER, DEPLOY_BOT, DEVIN_KEY, GIL, GRACE, LINUS, NOAH, ORG, SHARED, SOL,
            STELLA, TEAM, UMA,
        },
    },
};
use insta::assert_snapshot;
use secrecy::SecretString;

use crate::support::world::{World, id};

#[tokio::test]
async fn people_without_an_account_are_told_why_and_what_to_do() {
    for (who, channel) in [(LINUS, BACKEND), (GIL, BACKEND), (SOL, BACKEND), (UMA, BACKEND), (NOAH, BACKEND)] {
        let mut world = World::new().await;
        world.slack.join(&id(who), &id(channel)).unwrap();
        let root = world.say(who, channel, &format!("<@{BOT_USER}> fix it"));
        world.settle().await;
        let thread = world.thread(&root);
        assert!(thread.contains("[eyes] [no_entry_sign]"), "{who}: {thread}");
        assert_eq!(thread.matches("(only ").count(), 1, "{who}: {thread}");
        assert!(world.devin.sessions().is_empty(), "{who}");
        assert_eq!(world.devin.calls("sessions.create"), 0, "{who}");
    }
}

#[tokio::test]
async fn the_refusal_of_somebody_unlinked_reads_well() {
    let mut world = World::new().await;
    let root = world.mention(LINUS, "fix it").await;
    assert_snapshot!(world.thread(&root), @"
    linus: <@U0BOBBIN> fix it [eyes] [no_entry_sign]
    (only linus sees) I can't start Devin for you: nobody in the Devin organisation has the e-mail address of your Slack account. Ask a Devin administrator to invite that address; I look again after ten minutes.
    ");
}

#[tokio::test]
async fn people_from_outside_get_nothing_at_all() {
    let mut world = World::new().await;
    let root = world.say(STELLA, SHARED, &format!("<@{BOT_USER}> fix it"));
    world.settle().await;
    let thread = world.thread_in(SHARED, &root);
    assert!(!thread.contains('['), "no reaction, no answer: {thread}");
    assert_eq!(world.slack.read(|s| s.ephemerals.len()), 0);
    assert_eq!(world.devin.calls("sessions.create"), 0);
}

#[tokio::test]
async fn bots_are_never_heard() {
    let mut world = World::new().await;
    world.slack.join(&id(DEPLOY_BOT), &id(BACKEND)).unwrap();
    let root = world.say(DEPLOY_BOT, BACKEND, &format!("<@{BOT_USER}> fix it"));
    world.settle().await;
    assert_eq!(world.devin.calls("sessions.create"), 0);
    assert_eq!(world.slack.calls("reactions.add"), 0);
    world.thread(&root);
}

#[tokio::test]
async fn a_look_up_that_fails_is_tried_again_and_never_taken_for_not_found() {
    let mut world = World::new().await;
    world.slack.faults().once("users.info", FaultAction::Status(500));
    world.devin.faults().once("members.users", FaultAction::Status(503));
    world.devin.faults().once("members.idp-users", FaultAction::DropBefore);
    let root = world.mention(GRACE, "fix it").await;
    let thread = world.thread(&root);
    assert!(!thread.contains("only "), "nobody was refused: {thread}");
    assert_eq!(world.session().user_id, Some(id("okta|grace")));
}

#[tokio::test]
async fn a_person_is_looked_up_once_a_day_and_again_when_their_profile_changes() {
    let mut world = World::new().await;
    world.lenient();
    world.mention(ADA, "one").await;
    world.mention(ADA, "two").await;
    assert_eq!(world.devin.calls("members.users"), 1);
    world.slack.change_user(&id(ADA), |user| user.deleted = true).unwrap();
    world.settle().await;
    world.slack.change_user(&id(ADA), |user| user.deleted = false).unwrap();
    world.settle().await;
    world.mention(ADA, "three").await;
    assert_eq!(world.devin.calls("members.users"), 2);
    world.clock.advance(Duration::from_hours(25));
    world.mention(ADA, "four").await;
    assert_eq!(world.devin.calls("members.users"), 3);
}

#[tokio::test]
async fn who_was_not_found_is_looked_for_again_after_ten_minutes() {
    let mut world = World::new().await;
    world.lenient();
    world.mention(LINUS, "one").await;
    let linus =
        Member { id: id("user-linus"), email: Some("LINUS@acme.example".to_owned()), name: Some("Linus".to_owned()) };
    world.devin.change(|state| state.users.push(linus));
    world.mention(LINUS, "two").await;
    assert!(world.devin.sessions().is_empty(), "remembered for ten minutes");
    world.clock.advance(Duration::from_mins(11));
    world.mention(LINUS, "three").await;
    // The stand-in's filter is exact to the letter, as the vendor's may be; we compare without case.
    assert_eq!(world.session().user_id, Some(id("user-linus")));
}

#[tokio::test]
async fn somebody_who_became_a_guest_is_refused_at_once() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "one").await;
    world.slack.change_user(&id(ADA), |user| user.kind = UserKind::Guest).unwrap();
    world.settle().await;
    world.reply(ADA, &root, "go on").await;
    let sent = world.session().messages.iter().filter(|m| m.message == "go on").count();
    assert_eq!(sent, 0);
    assert!(world.thread(&root).contains("for guests"));
}

/// The look-ups as another replica makes them.
fn people(world: &World) -> Arc<People> {
    let api = format!("{}/api/", world.base).parse().unwrap();
    let slack = Slack::new(world.outbound.clone(), api, SecretString::from(BOT_TOKEN), Vec::new());
    let key = SecretString::from(DEVIN_KEY);
    let devin = Devin::new(world.outbound.clone(), world.base.parse().unwrap(), key, id(ORG));
    People::new(slack, devin, world.store.clone(), [].into())
}

#[tokio::test]
async fn a_profile_that_changes_during_the_look_up_is_not_remembered_as_it_was() {
    let world = World::new().await;
    let people = people(&world);
    // Slack answers with the old profile, late.
    world.slack.faults().once("users.info", FaultAction::DelayAfter(Duration::from_millis(400)));
    let (team, user) = (id(TEAM), id(ADA));
    let change = async {
        while world.slack.calls("users.info") == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        world.slack.change_user(&user, |ada| ada.kind = UserKind::Guest).unwrap();
        people.forget(&team, &user).await.unwrap();
    };
    let (standing, ()) = tokio::join!(people.who(&team, &user), change);
    let guest = Standing::Refused { why: Refusal::Guest };
    assert_eq!(standing.unwrap(), guest);
    assert_eq!(people.who(&team, &user).await.unwrap(), guest, "the old profile must not come back from memory");
}

#[tokio::test]
async fn whom_slack_does_not_show_is_from_outside() {
    let world = World::new().await;
    for code in ["user_not_found", "user_not_visible"] {
        world.slack.faults().once("users.info", FaultAction::OkFalse(code.to_owned()));
        let standing = people(&world).who(&id(TEAM), &id(ADA)).await.unwrap();
        assert_eq!(standing, Standing::Refused { why: Refusal::Outside }, "{code}");
        people(&world).forget(&id(TEAM), &id(ADA)).await.unwrap();
    }
}

#[tokio::test]
async fn an_address_of_two_devin_users_is_nobodys() {
    let mut world = World::new().await;
    world.lenient();
    world.devin.change(|state| {
        let mut other = state.users.iter().find(|m| m.id == id("user-ada")).unwrap().clone();
        other.id = id("user-other");
        state.users.push(other);
    });
    let root = world.mention(ADA, "fix it").await;
    assert!(world.devin.sessions().is_empty());
    assert!(world.thread(&root).contains("[no_entry_sign]"));
}

#[tokio::test]
async fn a_member_with_an_odd_id_is_a_member() {
    let mut world = World::new().await;
    world.lenient();
    world.devin.change(|state| {
        let ada = state.users.iter_mut().find(|m| m.id == id("user-ada")).unwrap();
        ada.id = id("auth0|ada lovelace/1+{2}");
    });
    world.mention(ADA, "fix it").await;
    assert_eq!(world.session().user_id, Some(id("auth0|ada lovelace/1+{2}")));
}
