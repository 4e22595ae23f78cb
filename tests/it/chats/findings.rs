//! What was found out about Slack and Devin changes what the bot does.

use std::time::Duration;

use bobbin::{
    domain::findings::Findings,
    store::notes,
    twin::{faults::FaultAction, world::ADA},
};

use crate::support::world::World;

/// Whether words beside which nothing else moves are relayed within this time, when this is known.
async fn relayed(moves: Option<bool>, within: Duration) -> bool {
    let mut world = World::new().await;
    let known = Findings { messages_move_updated_at: moves, ..Findings::default() };
    notes::keep_findings(&*world.store, &known).await.unwrap();
    world.devin.change(|state| state.messages_move_updated_at = false);
    let root = world.mention(ADA, "fix it").await;
    world.devin_becomes("running", Some("working")).await;
    // Past the turn of the sweep that follows a start.
    world.pass(Duration::from_mins(1)).await;
    world.devin.say(&world.session_id(), "Still reading the code.").unwrap();
    world.pass(within).await;
    assert!(world.thread(&root).contains("fix it"));
    world.posts("bobbin_relay").len() == 1
}

#[tokio::test]
async fn words_are_looked_for_by_the_clock_as_often_as_is_known_to_be_needed() {
    let (soon, later) = (Duration::from_secs(45), Duration::from_mins(2));
    assert!(relayed(Some(false), soon).await, "known not to move: looked for often");
    assert!(relayed(None, later).await, "not known: looked for every minute");
    assert!(
        !relayed(Some(true), later).await,
        "known to move: looked for rarely, although this Devin does not move it"
    );
    assert!(relayed(Some(true), Duration::from_mins(6)).await);
}

/// How many sessions a mention leads to whose session shows in lists only after a minute, and whose answer is lost.
async fn sessions(known: Findings) -> usize {
    let mut world = World::new().await;
    notes::keep_findings(&*world.store, &known).await.unwrap();
    world.devin.change(|state| state.list_lag = Duration::from_mins(1));
    world.devin.faults().once("sessions.create", FaultAction::DropAfter);
    let root = world.mention(ADA, "fix it").await;
    assert!(world.thread(&root).contains("[card]"));
    world.devin.calls("sessions.create")
}

#[tokio::test]
async fn a_lost_session_is_looked_for_until_it_is_known_to_be_listed() {
    assert_eq!(sessions(Findings { list_lag_s: Some(60), ..Findings::default() }).await, 1);
    assert_eq!(sessions(Findings::default()).await, 2, "made again, and withdrawn later");
}
