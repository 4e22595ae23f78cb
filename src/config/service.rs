//! Where we listen and how we are reached.

use std::net::SocketAddr;

use url::Url;

use super::Source;

/// Where we listen and how we are reached.
#[derive(Debug, Clone)]
pub struct ServiceConfig {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// How the outside reaches us.
    pub public_url: Option<Url>,
}

impl ServiceConfig {
    pub(super) fn read(source: &mut Source) -> Self {
        let fallback = SocketAddr::from(([127, 0, 0, 1], 3000));
        let listen =
            source.parse("BOBBIN_LISTEN", "an IP address and a port, such as 0.0.0.0:3000", |t| t.parse().ok());
        Self { listen: listen.unwrap_or(fallback), public_url: source.url("BOBBIN_PUBLIC_URL") }
    }
}
