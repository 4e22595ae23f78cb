//! A door in front of a server, so that an address can begin to lead elsewhere while old connections stay where they
//! are: what DNS, a load balancer and a Kubernetes service do in a failover.

use std::{
    io,
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    thread,
};

/// A relay on a loopback port.
pub(crate) struct Relay {
    port: u16,
    upstream: Arc<AtomicU16>,
}

impl Relay {
    /// Relays to a loopback port.
    pub(crate) fn start(upstream: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let upstream = Arc::new(AtomicU16::new(upstream));
        let target = Arc::clone(&upstream);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                connect(client, target.load(Ordering::SeqCst));
            }
        });
        Self { port, upstream }
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Leads new connections elsewhere; those that exist stay.
    pub(crate) fn lead_to(&self, upstream: u16) {
        self.upstream.store(upstream, Ordering::SeqCst);
    }
}

fn connect(client: TcpStream, upstream: u16) {
    if let Ok(server) = TcpStream::connect(("127.0.0.1", upstream)) {
        pump(client.try_clone().unwrap(), server.try_clone().unwrap());
        pump(server, client);
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        // Either side may vanish at any time: that ends the relayed connection and is not the relay's failure.
        drop(io::copy(&mut from, &mut to));
        drop(to.shutdown(Shutdown::Both));
    });
}
