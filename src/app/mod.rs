//! Builds every handle once, starts every task, and stops them: the only room that constructs and spawns.

mod bobbin;
pub mod cli;
mod complaints;
mod console;
mod dead;
mod demo;
pub mod doctor;
mod health;
mod home;
mod logs;
pub mod manifest;
#[cfg(feature = "otlp")]
mod otlp;
mod pause;
mod rebuild;
mod reload;
mod replay;
mod run;
mod serve;
mod sockets;

pub use self::{
    bobbin::{Bobbin, open_store},
    console::routes as console_routes,
    demo::send_as_slack,
    rebuild::{Founding, Rebuild, Report, Sources},
    run::{Beside, run},
    serve::{Limits, serve},
    sockets::{SocketPace, Sockets},
};
