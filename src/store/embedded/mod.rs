//! The store in one file, for one process on one machine: nothing to install, and an answer means that the disk has it.
//!
//! All operations, reads too, go to one writer thread, which takes whatever has queued up meanwhile into one
//! transaction: an fsync costs milliseconds, and shared by a group it costs each little. A reader may ask why reads
//! queue behind writes: a lease is a write anyway, the other reads are rare, and so each sees every answered write.
//! A group that wrote nothing is not committed and costs no fsync.
//!
//! The spool, which takes inputs while Redis is away, is such a file too.

mod backlog;
mod founding;
mod handle;
mod letters;
mod memory;
mod register;
mod schedule;
mod spool;
mod store;
mod survey;
mod tables;
mod turns;
mod writer;

pub use self::{
    spool::{Kept, Spool, SpoolBounds, SpoolEntry, SpoolItem, SpoolSize, Spooled},
    store::EmbeddedStore,
};

#[cfg(test)]
mod tests;
