//! The console's handles, and whether it is open.

use std::{net::SocketAddr, sync::Arc};

use axum::Router;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{bobbin::Bobbin, manifest};
use crate::console::{self, Access, Console};

/// The console of this bot, which listens here and is reached so from outside.
pub fn routes(bobbin: &Bobbin, listen: SocketAddr, public_url: Option<&Url>, stop: CancellationToken) -> Router {
    console::routes(Arc::new(Console {
        oversight: bobbin.oversight.clone(),
        installations: bobbin.install.as_ref().map(|install| install.installations.clone()),
        scopes: manifest::scopes(),
        clock: bobbin.clock.clone(),
        access: Access::of(listen, public_url, bobbin.sign_in.clone()),
        stop,
    }))
}
