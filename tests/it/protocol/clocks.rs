//! Replicas whose clocks are minutes apart: they agree on the store's time, so that nothing happens too early or twice.

use std::time::Duration;

use bobbin::{
    store::Store as _,
    twin::world::{ADA, BACKEND},
};

use crate::support::world::{On, World};

const SKEW: i64 = 600;

#[tokio::test]
async fn f25_replicas_ten_minutes_apart_tell_a_chat_as_one_would() {
    let mut expected = World::on(On::Redis).await;
    let mut world = World::on(On::Redis).await;
    let ahead = world.another_at(SKEW);
    let behind = world.another_at(-SKEW);
    let mut threads = Vec::new();
    for (skewed, world) in [(false, &mut expected), (true, &mut world)] {
        let replicas: &[&bobbin::app::Bobbin] = if skewed { &[&ahead, &behind] } else { &[] };
        let root = world.say(ADA, BACKEND, "<@U0BOBBIN> fix it");
        world.take_turns(replicas, Duration::from_mins(1)).await;
        world.devin.say(&world.session_id(), "Which branch?").unwrap();
        world.set("running", Some("waiting_for_user"));
        world.look_with(replicas).await;
        world.say_in(ADA, BACKEND, Some(&root), "main");
        world.take_turns(replicas, Duration::from_mins(1)).await;
        world.devin.say(&world.session_id(), "Done.").unwrap();
        world.set("running", Some("finished"));
        world.look_with(replicas).await;
        world.take_turns(replicas, Duration::from_mins(3)).await;
        threads.push(world.thread(&root));
    }
    assert_eq!(threads[0], threads[1]);
    assert!(threads[0].contains("Devin finished its task"), "{}", threads[0]);
}

#[tokio::test]
async fn f25_a_grace_is_no_shorter_for_a_replica_whose_clock_is_ahead() {
    let mut world = World::on(On::Redis).await;
    let ahead = world.another_at(SKEW);
    world.say(ADA, BACKEND, "<@U0BOBBIN> fix it");
    world.deliver_due().await;
    world.life.die_after(world.events_until("begin create session").await);
    world.bobbin.worker.step().await.unwrap_err();
    world.life.live_on();

    // The request of the dead process may reach Devin within the minute that its call was given.
    world.clock.advance(Duration::from_secs(61));
    let before_the_end = Duration::from_secs(5);
    world.take_turns(&[&ahead], before_the_end).await;
    assert_eq!(world.devin.calls("sessions.create"), 0, "made again before the first call could have ended");
    world.take_turns(&[&ahead], Duration::from_mins(3)).await;
    assert_eq!(world.devin.sessions().len(), 1);
    world.lenient();
}

#[tokio::test]
async fn f25_a_back_off_is_no_shorter_for_a_replica_whose_clock_is_behind() {
    let mut world = World::on(On::Redis).await;
    let behind = world.another_at(-SKEW);
    world.devin.faults().unreachable();
    world.say(ADA, BACKEND, "<@U0BOBBIN> fix it");
    world.deliver_due().await;
    for _ in 0..50 {
        behind.worker.step().await.unwrap();
    }
    let tried = world.devin.calls("members.users");
    assert!(tried <= 2, "{tried} attempts without any wait");
    world.devin.faults().clear();
    world.take_turns(&[&behind], Duration::from_mins(3)).await;
    assert_eq!(world.devin.sessions().len(), 1);
    assert!(world.store.dead(1).await.unwrap().is_empty());
    world.lenient();
}

#[tokio::test]
async fn f25_a_clock_set_back_by_hours_stops_nothing() {
    for on in [On::Redis, On::Embedded] {
        let mut world = World::on(on).await;
        let root = world.mention(ADA, "fix it").await;
        world.clock.set_back(Duration::from_hours(2));
        world.devin.say(&world.session_id(), "Which branch?").unwrap();
        world.set("running", Some("waiting_for_user"));
        world.look().await;
        world.pass(Duration::from_mins(2)).await;
        let thread = world.thread(&root);
        assert!(thread.contains("Which branch?") && thread.contains("Devin needs you"), "{on:?}: {thread}");
        world.reply(ADA, &root, "main").await;
        let sent = world.session().messages.iter().filter(|m| m.message == "main").count();
        assert_eq!(sent, 1, "{on:?}");
    }
}
