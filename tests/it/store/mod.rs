//! The store's contract, kept by both stores, what only one of them has to keep, and the spool.

pub(crate) mod contract;
mod embedded;
pub(crate) mod redis;
mod redis_faults;
mod samples;
mod spool;
