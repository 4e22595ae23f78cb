//! The product from outside: the built binary, its output, its answers and its exit code, with stand-ins of Slack and
//! Devin where it would have the real ones. Here time is real; what needs a moved clock is proven in `chats`.

mod browser;
mod commands;
mod console;
mod doctor;
mod doctor_live;
mod driver;
mod emptied;
pub(crate) mod fleet;
mod floods;
mod hurried;
pub(crate) mod killed;
#[cfg(feature = "otlp")]
mod otlp;
mod outage;
pub(crate) mod outside;
mod paused;
pub(crate) mod process;
mod readme;
mod redis;
pub(crate) mod redis_troubles;
mod refusals;
mod reloading;
pub(crate) mod replicas;
mod serving;
mod signing_in;
mod sockets;
pub(crate) mod traffic;
