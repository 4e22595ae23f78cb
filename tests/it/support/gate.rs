//! A door in front of a server that can refuse connections: the one failure that a server cannot play by itself.

use std::net::SocketAddr;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
};
use tokio_util::task::TaskTracker;

/// A door on a loopback port; it falls in when it is dropped.
#[derive(Debug)]
pub(crate) struct Gate {
    address: SocketAddr,
    orders: mpsc::Sender<(Order, oneshot::Sender<()>)>,
}

#[derive(Debug, Clone, Copy)]
enum Order {
    /// Lets so many connections in, then refuses.
    RefuseAfter(usize),
    /// Opens again, if it was closed.
    Open,
}

impl Gate {
    /// A door that leads to a server.
    pub(crate) async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (orders, obeyed) = mpsc::channel(1);
        TaskTracker::new().spawn(keep(listener, server, obeyed));
        Self { address, orders }
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets so many connections in from now on, then refuses until it is opened.
    pub(crate) async fn refuse_after(&self, connections: usize) {
        self.order(Order::RefuseAfter(connections)).await;
    }

    /// Opens again, if it was closed.
    pub(crate) async fn open(&self) {
        self.order(Order::Open).await;
    }

    async fn order(&self, order: Order) {
        let (done, obeyed) = oneshot::channel();
        self.orders.send((order, done)).await.unwrap();
        obeyed.await.unwrap();
    }
}

async fn keep(listener: TcpListener, server: SocketAddr, mut orders: mpsc::Receiver<(Order, oneshot::Sender<()>)>) {
    let address = listener.local_addr().unwrap();
    let mut listener = Some(listener);
    let mut left: Option<usize> = None;
    loop {
        tokio::select! {
            order = orders.recv() => {
                let Some((order, done)) = order else { return };
                match order {
                    Order::RefuseAfter(connections) => left = Some(connections),
                    Order::Open if listener.is_none() => {
                        listener = Some(TcpListener::bind(address).await.unwrap());
                        left = None;
                    }
                    Order::Open => {}
                }
                if left == Some(0) {
                    listener = None;
                }
                done.send(()).unwrap();
            }
            client = accept(listener.as_ref()) => {
                left = left.map(|left| left - 1);
                if left == Some(0) {
                    listener = None;
                }
                TaskTracker::new().spawn(relay(client, server));
            }
        }
    }
}

/// The next connection; never, while the door is closed.
async fn accept(listener: Option<&TcpListener>) -> TcpStream {
    match listener {
        Some(listener) => listener.accept().await.unwrap().0,
        None => std::future::pending().await,
    }
}

async fn relay(mut client: TcpStream, server: SocketAddr) {
    let mut server = TcpStream::connect(server).await.unwrap();
    // Either side may vanish at any time: that ends the relayed connection and is not the door's failure.
    drop(copy_bidirectional(&mut client, &mut server).await);
}
