//! What tests share: servers they start, a clock they move, a process that dies, a door that refuses, links by the
//! thousand, what size does to the watch and the backlog, and the world of a chat.

pub(crate) mod chance;
pub(crate) mod clock;
pub(crate) mod crash;
pub(crate) mod gate;
pub(crate) mod links;
pub(crate) mod private;
pub(crate) mod redis;
pub(crate) mod relay;
pub(crate) mod scale;
pub(crate) mod surfaces;
pub(crate) mod topology;
pub(crate) mod world;
