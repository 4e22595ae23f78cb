//! A door in front of a server, which a test can make behave like a bad network: late, silent or cut; and an address
//! that begins to lead elsewhere while old connections stay where they are: what DNS, a load balancer and a Kubernetes
//! service do in a failover.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, AtomicUsize, Ordering},
        mpsc::{Receiver, channel},
    },
    thread,
    time::{Duration, Instant},
};

/// How often a connection asks whether the network is still silent.
const SILENCE_CHECK: Duration = Duration::from_millis(10);

/// How the network behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    /// As it should.
    Good,
    /// Every answer is late by this much.
    Late(Duration),
    /// Nothing arrives, either way; what was sent arrives once that is over.
    Silent,
    /// Connections break, and new ones break at once.
    Cut,
}

/// A relay on a loopback port.
pub(crate) struct Relay {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: AtomicU16,
    network: Mutex<Network>,
    opened: AtomicUsize,
    open: Mutex<Vec<TcpStream>>,
}

/// Which way bytes go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    There,
    Back,
}

impl Relay {
    /// Relays to a loopback port.
    pub(crate) fn start(upstream: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            upstream: AtomicU16::new(upstream),
            network: Mutex::new(Network::Good),
            opened: AtomicUsize::new(0),
            open: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                accepting.connect(&client);
            }
        });
        Self { port, shared }
    }

    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Its address, for Redis.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its address, for an API.
    pub(crate) fn http(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Leads new connections elsewhere; those that exist stay.
    pub(crate) fn lead_to(&self, upstream: u16) {
        self.shared.upstream.store(upstream, Ordering::SeqCst);
    }

    /// Changes the network, also for connections that exist.
    pub(crate) fn becomes(&self, network: Network) {
        *self.shared.network.lock().unwrap() = network;
        if network == Network::Cut {
            for stream in self.shared.open.lock().unwrap().drain(..) {
                // It may be closed already.
                drop(stream.shutdown(Shutdown::Both));
            }
        }
    }

    /// How many connections were made so far.
    pub(crate) fn connections(&self) -> usize {
        self.shared.opened.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn network(&self) -> Network {
        *self.network.lock().unwrap()
    }

    fn lateness(&self, way: Way) -> Duration {
        match self.network() {
            Network::Late(by) if way == Way::Back => by,
            Network::Good | Network::Late(_) | Network::Silent | Network::Cut => Duration::ZERO,
        }
    }

    fn connect(self: &Arc<Self>, client: &TcpStream) {
        self.opened.fetch_add(1, Ordering::SeqCst);
        if self.network() == Network::Cut {
            return;
        }
        let Ok(server) = TcpStream::connect(("127.0.0.1", self.upstream.load(Ordering::SeqCst))) else { return };
        let copy = |stream: &TcpStream| stream.try_clone().unwrap();
        self.open.lock().unwrap().retain(|stream| stream.peer_addr().is_ok());
        for stream in [client, &server] {
            stream.set_nodelay(true).unwrap_or_default();
            self.open.lock().unwrap().push(copy(stream));
        }
        self.pump(copy(client), copy(&server), Way::There);
        self.pump(copy(&server), copy(client), Way::Back);
    }

    /// Reads on one thread and writes on another, so that lateness adds no lateness.
    fn pump(self: &Arc<Self>, mut from: TcpStream, to: TcpStream, way: Way) {
        let (queue, queued) = channel();
        let shared = Arc::clone(self);
        thread::spawn(move || {
            let mut bytes = vec![0; 64 * 1024];
            // Either side may vanish at any time: that ends the relayed connection and is not the relay's failure.
            let mut wanted = true;
            while wanted && let Ok(count @ 1..) = from.read(&mut bytes) {
                let due = Instant::now() + shared.lateness(way);
                wanted = queue.send((due, bytes[..count].to_vec())).is_ok();
            }
        });
        let shared = Arc::clone(self);
        thread::spawn(move || shared.write(to, &queued));
    }

    fn write(&self, mut to: TcpStream, queued: &Receiver<(Instant, Vec<u8>)>) {
        while let Ok((due, bytes)) = queued.recv() {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            while self.network() == Network::Silent {
                thread::sleep(SILENCE_CHECK);
            }
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        drop(to.shutdown(Shutdown::Both));
    }
}
