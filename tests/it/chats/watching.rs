//! The watch neither loses what it saw nor presses Devin when that is in trouble.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Json, Router, extract::RawQuery};
use bobbin::{
    app::{Limits, serve},
    clock::Clock as _,
    devin::Devin,
    slack::Slack,
    store::Store as _,
    tenancy::OneWorkspace,
    twin::{
        FaultAction,
        world::{ADA, BOT_TOKEN, DEVIN_KEY, ORG},
    },
    watch::{Looked, Scope, Watch, WatchDeps},
};
use secrecy::SecretString;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::support::world::{World, id};

/// A world whose only session works, and whose watch has just looked and swept.
async fn watched() -> World {
    let mut world = World::new().await;
    world.lenient();
    world.mention(ADA, "fix it").await;
    world.devin_becomes("running", Some("working")).await;
    world.clock.advance(Duration::from_secs(61));
    assert!(matches!(world.bobbin.watch.step().await.unwrap(), Looked::Saw(_)));
    world
}

/// Looks at once, whatever the pace.
async fn look(world: &World) -> Looked {
    world.bobbin.watch.hurry().await;
    world.bobbin.watch.step().await.unwrap()
}

#[tokio::test]
async fn a_look_that_the_store_could_not_take_is_offered_again() {
    let world = watched().await;
    world.set("running", Some("waiting_for_user"));
    // The store goes away between Devin's answer and the mailbox.
    let asked = world.devin.calls("sessions.list");
    world.devin.faults().once("sessions.list", FaultAction::DelayAfter(Duration::from_millis(300)));
    let store_goes = async {
        while world.devin.calls("sessions.list") == asked {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        world.life.die_after(0);
    };
    world.bobbin.watch.hurry().await;
    let (looked, ()) = tokio::join!(world.bobbin.watch.step(), store_goes);
    looked.unwrap_err();
    world.life.live_on();
    assert_eq!(look(&world).await, Looked::Saw(1));
    assert_eq!(look(&world).await, Looked::Saw(0));
}

#[tokio::test]
async fn a_nudge_does_not_shorten_the_wait_that_devin_asks_for() {
    let world = watched().await;
    world.devin.faults().once("sessions.list", FaultAction::RateLimited { after: Some(120) });
    assert_eq!(look(&world).await, Looked::Failed);
    assert_eq!(look(&world).await, Looked::NotDue);
    world.clock.advance(Duration::from_secs(119));
    assert_eq!(look(&world).await, Looked::NotDue);
    world.clock.advance(Duration::from_secs(2));
    assert!(matches!(look(&world).await, Looked::Saw(_)));
}

#[tokio::test]
async fn a_sweep_that_always_fails_is_a_failure_that_lasts() {
    let world = watched().await;
    world.clock.advance(Duration::from_secs(61));
    let mut looks = 0;
    for _ in 0..30 {
        world.devin.faults().clear();
        // The list of changes is answered, the list by id is not.
        world.devin.faults().once("sessions.list", FaultAction::Delay(Duration::ZERO));
        world.devin.faults().once("sessions.list", FaultAction::Status(503));
        looks += usize::from(world.bobbin.watch.step().await.unwrap() == Looked::Failed);
        world.clock.advance(Duration::from_secs(10));
    }
    assert!((3..=8).contains(&looks), "looked {looks} times in five minutes");
    assert!(world.store.backlog().await.unwrap().ready > 0, "the cards are told that there is no news");
}

#[tokio::test]
async fn one_time_in_the_future_hides_no_later_change() {
    let world = watched().await;
    let session = world.session_id();
    let ahead = world.clock.now() + Duration::from_hours(5);
    world.devin.change(|state| state.session_mut(&session).unwrap().updated_at = ahead);
    assert_eq!(look(&world).await, Looked::Saw(1));
    world.set("running", Some("waiting_for_user"));
    assert_eq!(look(&world).await, Looked::Saw(1));
}

#[tokio::test]
async fn a_list_that_was_cut_is_read_on_from_there() {
    let world = World::new().await;
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (queries, clock) = (asked.clone(), world.clock.clone());
    let endless = move |RawQuery(query): RawQuery| async move {
        queries.lock().unwrap().push(query.unwrap_or_default());
        let row = json!({ "session_id": "s1", "status": "running", "updated_at": clock.now().as_second() });
        Json(json!({ "items": [row], "end_cursor": "more", "has_next_page": true }))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let stop = CancellationToken::new();
    TaskTracker::new().spawn(serve(listener, Router::new().fallback(endless), Limits::default(), stop.clone()));
    let devin = Devin::new(world.outbound.clone(), base, SecretString::from(DEVIN_KEY), id(ORG));
    let clock = world.clock.clone();
    let slack = Slack::new(
        world.outbound.clone(),
        format!("{}/api/", world.base).parse().unwrap(),
        BOT_TOKEN.into(),
        Vec::new(),
    );
    let deps = WatchDeps {
        store: world.store.clone(),
        clock,
        devin,
        workspaces: Arc::new(OneWorkspace::of(slack)),
        scope: Scope::default(),
        bell: Arc::default(),
    };
    let watch = Watch::new(deps, Duration::from_secs(10), "other".to_owned());
    for _ in 0..2 {
        watch.hurry().await;
        assert_eq!(watch.step().await.unwrap(), Looked::Saw(0));
    }
    let asked = asked.lock().unwrap().clone();
    let since = |query: &String| {
        let pair = query.split('&').find_map(|pair| pair.strip_prefix("updated_after=")).unwrap();
        pair.parse::<i64>().unwrap()
    };
    let first = since(&asked[0]);
    assert!((20..=60).contains(&asked.len()) && asked.iter().all(|query| since(query) == first), "{asked:?}");
    let begun_anew = asked.iter().filter(|query| !query.contains("after=more")).count();
    assert_eq!(begun_anew, 1, "{asked:?}");
    stop.cancel();
}
