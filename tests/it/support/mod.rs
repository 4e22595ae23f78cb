//! What tests share: servers they start, a clock they move, a store that dies, links by the thousand, and the world of a
//! chat.

pub(crate) mod clock;
pub(crate) mod crash;
pub(crate) mod links;
pub(crate) mod redis;
pub(crate) mod relay;
pub(crate) mod world;
