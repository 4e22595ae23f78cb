//! The store's contract, kept by both stores, what only one of them has to keep, and the spool.

mod cluster;
pub(crate) mod contract;
mod embedded;
mod failover;
pub(crate) mod redis;
mod redis_faults;
mod samples;
mod spool;
