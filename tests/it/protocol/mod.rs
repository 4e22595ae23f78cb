//! The protocol around an effect that cannot be made idempotent: doubles that are withdrawn, turns that break, channels
//! that are busy, clocks that disagree.

mod clocks;
mod doubles;
mod forgetful;
mod pacing;
mod poison;
