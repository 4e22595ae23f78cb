//! The Home tab: fresh when it is opened, and when something changes for who looks at it.

use std::time::Duration;

use bobbin::twin::world::{ADA, BACKEND, GRACE, LINUS};
use insta::assert_snapshot;

use crate::support::world::{World, id};

#[tokio::test]
async fn home_shows_what_waits_first_as_whom_it_runs_and_how_to_start() {
    let mut world = World::new().await;
    world.lenient();
    world.mention(ADA, "fix the login test").await;
    world.devin_becomes("running", Some("waiting_for_user")).await;
    world.mention(ADA, "tidy up the search").await;
    world.slack.open_home(&id(ADA), "home").unwrap();
    world.settle().await;
    assert_snapshot!(world.home(ADA), @"
    # Your Devin sessions
    You are linked: your sessions run as *Ada Lovelace*. To start one, mention me in a channel, write to me directly, use `/devin new`, or press the button.
    <Start a session>
    ---
    *Waiting for you*
    *fix the login test* / :raised_hand: Waiting for your answer · changed TIME
    <Go to thread> <Open in Devin>
    ---
    *Working*
    *tidy up the search* / :hourglass_flowing_sand: Starting · changed TIME
    <Go to thread> <Open in Devin>
    (Updated TIME. `/devin help` says all that I can do.)
    ");
    world.slack.open_home(&id(LINUS), "home").unwrap();
    world.slack.open_home(&id(GRACE), "home").unwrap();
    world.settle().await;
    assert_snapshot!(world.home(LINUS), @"
    # Your Devin sessions
    I can't start Devin for you: nobody in the Devin organisation has the e-mail address of your Slack account. Ask a Devin administrator to invite that address; I look again after ten minutes.
    (Updated TIME. `/devin help` says all that I can do.)
    ");
    assert!(world.home(GRACE).contains("You have no sessions that were started from Slack yet"));
}

#[tokio::test]
async fn home_follows_the_sessions_of_who_looked_at_it_and_a_burst_makes_few_publishes() {
    let mut world = World::new().await;
    world.lenient();
    world.mention(ADA, "fix the login test").await;
    world.mention(ADA, "tidy up the search").await;
    world.look().await;
    assert_eq!(world.slack.calls("views.publish"), 0, "nobody looks");
    world.slack.open_home(&id(ADA), "home").unwrap();
    world.settle().await;
    assert_eq!(world.slack.calls("views.publish"), 1);
    for (status, detail) in [("running", "working"), ("running", "waiting_for_user"), ("running", "working")] {
        for session in world.devin.sessions() {
            world.devin.set(&session.id, status.to_owned().into(), Some(detail.to_owned().into())).unwrap();
        }
        world.look().await;
    }
    let session = world.devin.sessions()[0].id.clone();
    world.devin.set(&session, "running".to_owned().into(), Some("waiting_for_approval".to_owned().into())).unwrap();
    world.look().await;
    let publishes = world.slack.calls("views.publish") - 1;
    assert!((1..=4).contains(&publishes), "{publishes} publishes for seven changes in four looks");
    assert!(world.home(ADA).contains(":raised_hand: Waiting for an approval"), "{}", world.home(ADA));
    // Half a day later nobody looks any more.
    world.clock.advance(Duration::from_hours(13));
    let before = world.slack.calls("views.publish");
    world.devin.set(&session, "exit".to_owned().into(), None).unwrap();
    world.look().await;
    assert_eq!(world.slack.calls("views.publish"), before);
}

#[tokio::test]
async fn home_says_that_it_cannot_look_and_looks_again() {
    let mut world = World::new().await;
    world.devin.faults().unreachable();
    world.slack.open_home(&id(ADA), "home").unwrap();
    world.deliver_due().await;
    world.work_off().await;
    assert!(world.home(ADA).contains("I can't look up your sessions right now"), "{}", world.home(ADA));
    world.devin.faults().clear();
    world.settle().await;
    assert!(world.home(ADA).contains("You are linked"), "{}", world.home(ADA));
}

#[tokio::test]
async fn without_a_home_tab_nothing_breaks() {
    let mut world = World::new().await;
    world.slack.change(|state| state.features.home_tab = false);
    world.slack.open_home(&id(ADA), "home").unwrap();
    world.settle().await;
    assert!(world.store_dead().await.is_empty());
    let root = world.say(ADA, BACKEND, "still there?");
    world.settle().await;
    world.thread(&root);
}
