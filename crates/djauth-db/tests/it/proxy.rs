//! A TCP proxy that can be cut, stopped and started again: a server that goes and comes back.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Stands between the code under test and a server.
pub(crate) struct Proxy {
    address: SocketAddr,
    server: String,
    running: Option<JoinSet<()>>,
}

impl Proxy {
    /// In front of the server of a URL; answers the URL that leads through the proxy.
    pub(crate) async fn before(url: &str) -> (Self, String) {
        let (start, rest) = url.split_once('@').unwrap();
        let (server, database) = rest.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut proxy = Proxy {
            address,
            server: server.to_owned(),
            running: None,
        };
        proxy.run(listener);
        (proxy, format!("{start}@{address}/{database}"))
    }

    fn run(&mut self, listener: TcpListener) {
        let server = self.server.clone();
        let mut running = JoinSet::new();
        running.spawn(async move {
            // Dropped, and with it every connection, when the accepting task is.
            let mut connections = JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                let server = server.clone();
                connections.spawn(async move {
                    let Ok(mut server) = TcpStream::connect(server).await else {
                        return;
                    };
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        self.running = Some(running);
    }

    /// Cuts every connection and refuses new ones.
    pub(crate) async fn cut(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.shutdown().await;
        }
    }

    /// Is there again, at the same address.
    pub(crate) async fn restore(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.run(listener);
    }

    /// Takes connections and never answers, as a host behind a dead link.
    pub(crate) async fn hang(&mut self) {
        self.cut().await;
        let listener = TcpListener::bind(self.address).await.unwrap();
        let mut running = JoinSet::new();
        running.spawn(async move {
            let mut held = Vec::new();
            while let Ok(client) = listener.accept().await {
                held.push(client);
            }
        });
        self.running = Some(running);
    }
}
