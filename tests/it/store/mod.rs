//! The store's contract, kept by both stores, and what only one of them has to keep.

mod contract;
mod embedded;
pub(crate) mod redis;
mod redis_faults;
mod samples;
