//! Size, small enough for every run: what grows with the number of links and of waiting inputs, and what must not.

use std::time::Duration;

use crate::support::{
    scale::{backlog_at_scale, console_at_scale, pages_at_scale, watch_at_scale},
    world::On,
};

/// What a link may take in Redis: its state is about 1.5 kB of that.
const REDIS_BYTES_PER_LINK: i64 = 4_096;

#[tokio::test]
async fn thousands_of_links_cost_about_as_many_calls_as_fifty() {
    let few = watch_at_scale(50, 3).await;
    let many = watch_at_scale(2_000, 3).await;
    assert!(many.lists_per_minute <= few.lists_per_minute + 2.0, "{few} {many}");
    assert!(many.calls_per_minute <= 2.0 * few.calls_per_minute, "{few} {many}");
    assert!(many.redis_bytes_per_link <= REDIS_BYTES_PER_LINK, "{many}");
    // The tick, and a generous while for a busy machine.
    assert!(many.told_max.unsigned_abs() <= Duration::from_secs(25), "{many}");
}

#[tokio::test]
async fn a_long_backlog_is_handled_as_quickly_as_a_short_one_and_nothing_is_dropped() {
    let report = backlog_at_scale(20_000).await;
    // That it does not take five times as long is far from what a walk through all of it would cost.
    assert!(report.turns_per_second_full * 5.0 >= report.turns_per_second_empty, "{report}");
    assert!(report.backlog_asked <= Duration::from_secs(1), "{report}");
}

#[tokio::test]
async fn the_consoles_pages_of_many_links_come_as_quickly_as_those_of_few() {
    // The few are the yardstick: how fast a machine is, and how busy, both have in common.
    let (few, many) = (console_at_scale(200).await, console_at_scale(10_000).await);
    for ((name, few_took), (_, many_took)) in few.iter().zip(&many) {
        assert!(*many_took <= *few_took * 5 + Duration::from_millis(20), "{name}: {few:?} {many:?}");
    }
}

#[tokio::test]
async fn pages_of_many_links_come_as_quickly_as_those_of_few() {
    for on in [On::Redis, On::Embedded] {
        let slowest = pages_at_scale(on, 10_000).await;
        // A walk through all of them would take seconds.
        assert!(slowest <= Duration::from_millis(500), "{on:?}: {slowest:?}");
    }
}
