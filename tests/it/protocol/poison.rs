//! An input that breaks whoever handles it is set aside after a few tries; everything else goes on beside it.

use std::time::Duration;

use bobbin::{
    store::Store as _,
    twin::world::{ADA, BACKEND},
};

use crate::support::world::{On, World};

#[tokio::test]
async fn f29_an_input_that_ends_the_process_is_set_aside_after_five_deaths() {
    for on in [On::Redis, On::Embedded] {
        let mut world = World::on(on).await;
        let root = world.say(ADA, BACKEND, "<@U0BOBBIN> fix it");
        world.deliver_due().await;
        for death in 1..=5 {
            // Whoever takes it dies at its first write, and leaves the lease to run out.
            world.life.die_after(1);
            world.settle().await;
            assert!(world.life.is_dead(), "nobody took it for the {death}. time");
            world.life.live_on();
            world.clock.advance(Duration::from_secs(61));
        }
        world.settle().await;
        let thread = world.thread(&root);
        assert!(thread.contains("I broke down several times over this message"), "{thread}");
        let dead = world.store.dead(9).await.unwrap();
        assert_eq!(dead.len(), 1);
        assert!(thread.contains(dead[0].input.id.as_str()), "the thread names the dead letter: {thread}");
        assert_eq!(world.devin.sessions().len(), 0);

        // Replayed once the cause is mended, it goes through.
        assert!(world.store.replay_dead(&dead[0].input.id).await.unwrap());
        world.settle().await;
        assert_eq!(world.devin.sessions().len(), 1);
        world.lenient();
    }
}

#[tokio::test]
async fn f29_a_handler_that_panics_is_not_run_for_ever_and_delays_nobody() {
    let mut world = World::on(On::Embedded).await;
    let poison = world.say(ADA, BACKEND, "<@U0BOBBIN> poison");
    world.life.panic_in(poison.as_str(), 5);
    let fine = world.mention(ADA, "fine").await;
    let thread = world.thread(&poison);
    assert!(thread.contains("I broke down several times over this message"), "{thread}");
    let fine = world.thread(&fine);
    assert!(fine.contains("[card]"), "{fine}");
    assert_eq!(world.store.dead(9).await.unwrap().len(), 1);
    assert_eq!(world.devin.sessions().len(), 1);
}

#[tokio::test]
async fn a_handler_that_breaks_down_once_goes_through_the_next_time() {
    let mut world = World::on(On::Embedded).await;
    let root = world.say(ADA, BACKEND, "<@U0BOBBIN> fix it");
    world.life.panic_in(root.as_str(), 2);
    world.settle().await;
    let thread = world.thread(&root);
    assert!(thread.contains("[card]") && !thread.contains("broke down"), "{thread}");
    assert_eq!(world.devin.sessions().len(), 1);
}

#[tokio::test]
async fn f29_what_an_input_told_before_it_was_set_aside_is_not_told_again_and_the_rest_still_is() {
    for on in [On::Redis, On::Embedded] {
        let mut event = 1;
        while told_once_though_set_aside(on, event).await {
            event += 1;
        }
        assert!(event > 6, "only {event} moments to die at");
    }
}

/// A change that is being told dies at one of its moments, and then at once whoever takes it. Whether there was such a
/// moment.
async fn told_once_though_set_aside(on: On, event: usize) -> bool {
    let mut world = World::on(on).await;
    world.lenient();
    let root = world.mention(ADA, "fix it").await;
    world.pass(Duration::from_mins(1)).await;
    world.devin.say(&world.session_id(), "I need a decision.").unwrap();
    world.set("running", Some("waiting_for_user"));
    world.clock.advance(Duration::from_secs(5));
    world.bobbin.watch.hurry().await;
    world.tick().await;
    world.life.die_after(event);
    world.settle().await;
    let died = world.life.is_dead();
    for _death in 2..=5 {
        world.life.live_on();
        world.clock.advance(Duration::from_secs(61));
        world.life.die_after(1);
        world.settle().await;
    }
    world.life.live_on();
    world.clock.advance(Duration::from_secs(61));
    world.settle().await;
    let thread = world.thread(&root);
    assert_eq!(world.posts("bobbin_relay").len(), 1, "dead at {event}: {thread}");
    assert_eq!(world.posts("bobbin_transition").len(), 1, "dead at {event}: {thread}");
    died
}
