//! The console's handles, and whether it is open.

use std::{net::SocketAddr, sync::Arc};

use axum::Router;
use tokio_util::sync::CancellationToken;

use super::{bobbin::Bobbin, manifest};
use crate::{
    config::Config,
    console::{self, Access, Console},
};

/// The console of this bot, which listens here.
pub(super) fn routes(bobbin: &Bobbin, config: &Config, listen: SocketAddr, stop: CancellationToken) -> Router {
    console::routes(Arc::new(Console {
        oversight: bobbin.oversight.clone(),
        installations: bobbin.install.as_ref().map(|install| install.installations.clone()),
        scopes: manifest::scopes(),
        clock: bobbin.clock.clone(),
        access: Access::of(listen, config.service.public_url.as_ref()),
        stop,
    }))
}
