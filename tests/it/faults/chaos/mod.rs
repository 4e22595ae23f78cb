//! Everything at random, from a seed: people write, Devin works, Slack repeats and reorders, calls fail, processes die,
//! time jumps, and two processes on one store take turns. Then the troubles stop, time passes, and a checker reads off
//! the stand-ins what was promised (`check`). What is played is in `play`.
//!
//! A seed that fails is printed; `BOBBIN_SEED=… cargo test --test it chaos` plays it again and tells what happened.
//! `BOBBIN_SEEDS=…` plays more of them than an ordinary run does.

mod check;
mod play;

use bobbin::outbound::OutboundOptions;
use futures_util::{StreamExt as _, stream};

use self::play::Play;
use crate::support::{
    crash::Sabotage,
    world::{Making, On},
};

/// Worlds that live at once.
const AT_ONCE: usize = 3;
/// Seeds of an ordinary run.
const SEEDS: u64 = 120;
/// Parts that the seeds are dealt to, so that a run uses the machine's processors.
const PARTS: u64 = 2;

/// One promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Violation {
    /// What was acknowledged, or said by Devin, came to nothing.
    Lost(String),
    /// What should be there once is there twice.
    Doubled(String),
    /// What has an order stands in another one.
    Disordered(String),
}

/// Plays one seed; the promises that were not kept, and what happened.
async fn played(seed: u64, sabotage: Option<Sabotage>) -> (Vec<Violation>, Vec<String>) {
    let making = Making { sabotage, outbound: OutboundOptions::default(), ..Making::on(On::Embedded) };
    let mut play = Play::begin(seed, making).await;
    play.run().await;
    play.rest().await;
    let violations = check::violations(&play).await;
    (violations, std::mem::take(&mut play.log))
}

/// A number from the environment, for whoever plays a seed again or more of them.
#[expect(clippy::disallowed_methods, reason = "a run of the tests is told here what to play")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// Plays one part of the seeds.
async fn part(index: u64) {
    if let Some(seed) = number("BOBBIN_SEED") {
        let (violations, log) = played(seed, None).await;
        assert!(violations.is_empty(), "seed {seed}:\n{}\n{violations:#?}", log.join("\n"));
        return;
    }
    let seeds = (0..number("BOBBIN_SEEDS").unwrap_or(SEEDS)).filter(|seed| seed % PARTS == index);
    let one = async |seed| (seed, played(seed, None).await.0);
    let ended: Vec<(u64, Vec<Violation>)> = stream::iter(seeds).map(one).buffer_unordered(AT_ONCE).collect().await;
    let wrong: Vec<_> = ended.into_iter().filter(|(_, violations)| !violations.is_empty()).collect();
    assert!(wrong.is_empty(), "play again with BOBBIN_SEED=… : {wrong:#?}");
}

#[tokio::test]
async fn f36_random_schedules_keep_every_promise() {
    part(0).await;
}

#[tokio::test]
async fn f36_other_random_schedules_keep_every_promise() {
    part(1).await;
}

#[tokio::test]
async fn control_f36_a_missing_protection_is_noticed_within_a_few_seeds() {
    for sabotage in [Sabotage::JournalForgotten, Sabotage::IdsForgotten] {
        let mut noticed = false;
        for seed in 0..20 {
            noticed = noticed || !played(seed, Some(sabotage)).await.0.is_empty();
        }
        assert!(noticed, "{sabotage:?} went unnoticed");
    }
}
