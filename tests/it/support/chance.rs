//! Chance with a seed: what a test does at random it can do again. The seed is printed, and is taken from `BOBBIN_SEED`
//! where that is set.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

/// A generator of random numbers (splitmix64: <https://prng.di.unimi.it/splitmix64.c>).
#[derive(Debug, Clone)]
pub(crate) struct Chance {
    state: u64,
}

impl Chance {
    /// One for a test, with the seed that is asked for or a new one. Tests with several schedules tell them apart by
    /// name.
    pub(crate) fn of(name: &str) -> Self {
        #[expect(clippy::disallowed_methods, reason = "a test's own setting, which the product never reads")]
        let asked = std::env::var("BOBBIN_SEED").ok();
        let seed = match asked {
            Some(text) => text.parse().unwrap_or_else(|_| panic!("BOBBIN_SEED: found {text:?}; allowed: a number")),
            None => RandomState::new().hash_one(name) >> 32,
        };
        #[expect(clippy::print_stderr, reason = "shown by the test harness when the test fails")]
        {
            eprintln!("{name}: again with BOBBIN_SEED={seed}");
        }
        let salt = name.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
        Self { state: seed ^ salt }
    }

    /// One with this seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// An own generator for a part of the test, so that parts at the same time do not depend on who is faster.
    pub(crate) fn split(&mut self) -> Self {
        Self { state: self.next() }
    }

    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below a bound.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap()
    }

    /// True in so many of a hundred cases.
    pub(crate) fn percent(&mut self, of_a_hundred: usize) -> bool {
        self.below(100) < of_a_hundred
    }

    /// One of several things.
    pub(crate) fn one_of<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        &things[self.below(things.len())]
    }

    /// A time of less than so many milliseconds.
    pub(crate) fn millis_below(&mut self, bound: usize) -> Duration {
        Duration::from_millis(self.below(bound) as u64)
    }
}

#[test]
fn a_seed_gives_the_same_choices_each_time() {
    let choices = |seed| {
        let mut chance = Chance::new(seed);
        (0..8).map(|_| chance.below(1000)).collect::<Vec<_>>()
    };
    assert_eq!(choices(1), choices(1));
    assert_ne!(choices(1), choices(2));
}
