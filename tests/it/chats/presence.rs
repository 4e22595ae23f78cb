//! What Slack itself shows of a session: its agent session's state, or a reaction where there is no such thing.

use std::time::Duration;

use bobbin::{
    domain::ids::Ts,
    twin::{
        slack::AgentStatus,
        world::{ADA, BACKEND, GRACE},
    },
};

use crate::support::world::{World, id};

/// The state, title and initiator that Slack shows of a thread.
fn shown(world: &World, root: &Ts) -> Option<(AgentStatus, Option<String>, Option<String>)> {
    let session = world.slack.agent_session(&id(BACKEND), root)?;
    Some((session.status, session.title, session.initiator.map(|user| user.to_string())))
}

fn status(world: &World, root: &Ts) -> AgentStatus {
    shown(world, root).expect("an agent session").0
}

/// How often Slack was told.
fn calls(world: &World) -> usize {
    world.slack.read(|state| state.ledger.iter().filter(|call| call.method == "agents.sessions.setStatus").count())
}

fn reactions(world: &World, root: &Ts) -> String {
    let thread = world.slack.thread(&id(BACKEND), root);
    thread[0].reactions.iter().map(|reaction| reaction.name.as_str()).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn slacks_own_state_follows_the_session_and_the_receipt_stays() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix the login test").await;
    let title = Some("fix the login test".to_owned());
    assert_eq!(shown(&world, &root), Some((AgentStatus::Processing, title, Some(ADA.to_owned()))));
    assert_eq!(calls(&world), 1, "said when the mention was taken up, and true ever since");
    for (state, detail, expected) in [
        ("running", Some("working"), AgentStatus::Processing),
        ("running", Some("waiting_for_user"), AgentStatus::Suspended),
        ("running", Some("waiting_for_approval"), AgentStatus::Suspended),
        ("suspended", Some("inactivity"), AgentStatus::Suspended),
        ("suspended", Some("out_of_credits"), AgentStatus::Suspended),
        ("resuming", None, AgentStatus::Processing),
        ("running", Some("finished"), AgentStatus::Active),
        ("exit", None, AgentStatus::Closed),
    ] {
        world.devin_becomes(state, detail).await;
        assert_eq!(status(&world, &root), expected, "{state} {detail:?}");
    }
    assert_eq!(calls(&world), 5, "only what changes is said");
    assert_eq!(reactions(&world, &root), "eyes");
    world.thread(&root);
}

#[tokio::test]
async fn work_that_takes_hours_does_not_lapse() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix the login test").await;
    world.devin_becomes("running", Some("working")).await;
    for _ in 0..5 {
        world.pass(Duration::from_mins(30)).await;
        assert_eq!(status(&world, &root), AgentStatus::Processing);
    }
    assert!(calls(&world) <= 5, "said {} times in two and a half hours", calls(&world));
    world.thread(&root);
}

#[tokio::test]
async fn a_session_that_is_refused_leaves_nobody_at_work() {
    let mut world = World::new().await;
    world.devin.change(|state| {
        for key in state.keys.values_mut() {
            key.permissions.remove("ImpersonateOrgSessions");
        }
    });
    let root = world.mention(ADA, "fix the login test").await;
    assert_eq!(status(&world, &root), AgentStatus::Closed);
    world.thread(&root);
}

#[tokio::test]
async fn without_agent_sessions_a_reaction_shows_the_state_and_nobody_asks_for_them_again_that_day() {
    let mut world = World::new().await;
    world.slack.change(|state| state.features.agents_refused = Some("feature_disabled".to_owned()));
    let root = world.mention(ADA, "fix the login test").await;
    assert_eq!(reactions(&world, &root), "eyes");
    for (state, detail, expected) in [
        ("running", Some("working"), "gear"),
        ("running", Some("waiting_for_user"), "raised_hand"),
        ("suspended", Some("out_of_credits"), "raised_hand"),
        ("running", Some("finished"), "white_check_mark"),
        ("hibernating", None, "white_check_mark"),
        ("error", None, "x"),
    ] {
        world.devin_becomes(state, detail).await;
        assert_eq!(reactions(&world, &root), expected, "{state} {detail:?}");
    }
    let other = world.mention(GRACE, "and the logout test").await;
    assert_eq!(calls(&world), 1, "asked once for the workspace");
    world.thread(&root);
    world.thread(&other);
}

#[tokio::test]
async fn agent_sessions_that_are_new_in_the_workspace_are_found_after_a_day() {
    let mut world = World::new().await;
    world.slack.change(|state| state.features.agents_refused = Some("not_authorized".to_owned()));
    let root = world.mention(ADA, "fix the login test").await;
    world.devin_becomes("running", Some("finished")).await;
    assert_eq!(reactions(&world, &root), "white_check_mark");
    world.slack.change(|state| state.features.agents_refused = None);
    world.clock.advance(Duration::from_hours(25));
    world.devin_becomes("running", Some("working")).await;
    assert_eq!(status(&world, &root), AgentStatus::Processing);
    assert_eq!(reactions(&world, &root), "eyes", "the receipt is only a receipt again");
    world.thread(&root);
}
