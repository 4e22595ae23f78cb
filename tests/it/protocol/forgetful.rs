//! A Redis that was started anew without what it was told last: inputs come again, and what was done for them is found.

use std::{path::Path, sync::Arc, time::Duration};

use bobbin::{
    store::{SharedStore, redis::RedisStore},
    twin::world::{ADA, BACKEND},
};

use crate::support::{
    redis::RedisServer,
    world::{On, World},
};

const SETTINGS: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

/// A mention and a reply are handled, and Redis forgets all that was written about it; with or without a new start.
async fn forgotten(anew: bool) -> World {
    let mut server = RedisServer::start(&SETTINGS);
    let url = server.url();
    let open = |_: &Path, clock| -> SharedStore { Arc::new(RedisStore::new(&url, clock, 0).unwrap()) };
    let mut world = World::with(On::Redis, &[], open).await;
    world.lenient();
    let root = world.mention(ADA, "something before").await;
    world.say_in(ADA, BACKEND, Some(&root), "use main");
    world.say(ADA, BACKEND, "<@U0BOBBIN> fix it");
    world.deliver_due().await;
    let before = server.copy();
    world.settle().await;
    server.put_back(&before);
    if anew {
        server.restart();
        while world.bobbin.worker.step().await.is_err() {}
    }
    world.settle().await;
    world.pass(Duration::from_mins(12)).await;
    world
}

fn counts(world: &World) -> (usize, usize, usize) {
    let sessions = world.devin.sessions();
    let sent = sessions.iter().flat_map(|s| &s.messages).filter(|m| m.message == "use main").count();
    (sessions.len(), sent, world.posts("bobbin_card").len())
}

#[tokio::test]
async fn f08_what_a_new_redis_has_forgotten_is_looked_for_before_it_is_done_again() {
    assert_eq!(counts(&forgotten(true).await), (2, 1, 2));
}

#[tokio::test]
async fn control_f08_without_a_sign_that_redis_is_new_things_are_done_twice() {
    let (sessions, sent, _) = counts(&forgotten(false).await);
    assert!(sessions > 2 && sent > 1, "{sessions} sessions, sent {sent} times");
}
