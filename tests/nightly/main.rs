//! What takes too long for every run: the same scenarios as in `tests/it`, harder and longer. `tests/run nightly` runs
//! `nightly`, `tests/run soak` runs `soak`; the modules of `tests/it` are here only to be called.

#[cfg(test)]
#[path = "../it/chats/mod.rs"]
mod chats;
#[cfg(test)]
#[path = "../it/crashes.rs"]
mod crashes;
#[cfg(test)]
#[path = "../it/doors.rs"]
mod doors;
#[cfg(test)]
#[path = "../it/faults/mod.rs"]
mod faults;
#[cfg(test)]
mod nightly;
#[cfg(test)]
#[path = "../it/outage.rs"]
mod outage;
#[cfg(test)]
#[path = "../it/pages.rs"]
mod pages;
#[cfg(test)]
#[path = "../it/payloads.rs"]
mod payloads;
#[cfg(test)]
#[path = "../it/product/mod.rs"]
mod product;
#[cfg(test)]
#[path = "../it/protocol/mod.rs"]
mod protocol;
#[cfg(test)]
#[path = "../it/rebuild.rs"]
mod rebuild;
#[cfg(test)]
#[path = "../it/scale.rs"]
mod scale;
#[cfg(test)]
mod soak;
#[cfg(test)]
#[path = "../it/store/mod.rs"]
mod store;
#[cfg(test)]
#[path = "../it/support/mod.rs"]
mod support;
