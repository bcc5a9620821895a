//! The loop that accepts connections, and its graceful end.

mod header_timer;

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use djauth::settings::Settings;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Semaphore;
use tower::ServiceExt;

use self::header_timer::HeaderTimer;
use crate::failure::Failure;
use crate::unread::Unread;

/// The largest head of a request, in bytes.
const LARGEST_HEAD: usize = 64 * 1024;

/// How long to wait when the system has no more sockets.
const PAUSE: Duration = Duration::from_millis(50);

/// The limits of the server.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    connections: usize,
    header: Duration,
    unread: Duration,
    shutdown: Duration,
}

impl Limits {
    pub(crate) fn of(settings: &Settings) -> Self {
        let connections = usize::try_from(settings.server_max_connections).unwrap_or(usize::MAX);
        Self {
            connections: connections.min(Semaphore::MAX_PERMITS),
            header: Duration::from_secs(settings.server_header_timeout),
            unread: Duration::from_secs(settings.server_request_timeout),
            shutdown: Duration::from_secs(settings.server_shutdown_timeout),
        }
    }
}

/// The signals that stop the server. They are caught from when this is made.
pub(crate) struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    pub(crate) fn new() -> Result<Self, Failure> {
        let catch =
            |kind| signal(kind).map_err(|error| Failure::caused("cannot catch signals", &error));
        Ok(Self {
            terminate: catch(SignalKind::terminate())?,
            interrupt: catch(SignalKind::interrupt())?,
        })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// What is served.
pub(crate) trait Pages: Clone + Send + Sync + 'static {
    /// The answer to a request of whoever is connected from there.
    fn answer(
        &self,
        request: hyper::Request<Incoming>,
        peer: SocketAddr,
    ) -> impl Future<Output = Response> + Send;
}

impl Pages for Router {
    async fn answer(&self, request: hyper::Request<Incoming>, peer: SocketAddr) -> Response {
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        let Ok(response) = self.clone().oneshot(request).await;
        response
    }
}

/// Serves until a signal comes; then requests in flight finish. A second signal, or the time that
/// the settings give, ends them too.
pub(crate) async fn serve(
    listener: TcpListener,
    pages: impl Pages,
    limits: Limits,
    mut stop: Stop,
) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(limits.connections));
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = stop.asked() => break,
        };
        let Some((stream, peer, place)) = accepted else {
            continue;
        };
        let connection = connection(stream, peer, pages.clone(), limits);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = connection.await {
                tracing::debug!(target: "djauth.server", %peer, %error, "connection ended");
            }
        });
    }
    drop(listener);
    tracing::info!(target: "djauth.server", "stopping; requests in flight finish first");
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(limits.shutdown) => {
            tracing::warn!(target: "djauth.server", "some requests did not finish in time");
        }
        () = stop.asked() => tracing::warn!(target: "djauth.server", "stopping at once"),
    }
}

/// Serves beside the pages until the process ends: few connections, and nothing to wait for at the end.
pub(crate) fn serve_aside(listener: TcpListener, pages: impl Pages, limits: Limits) {
    const CONNECTIONS: usize = 16;
    tokio::spawn(async move {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            if let Some((stream, peer, place)) = accept(&listener, &places).await {
                let connection = connection(stream, peer, pages.clone(), limits);
                tokio::spawn(async move {
                    let _place = place;
                    let _ = connection.await;
                });
            }
        }
    });
}

type Accepted = (TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit);

/// Waits for a place first, so that connections beyond the limit wait in the system's queue.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<Accepted> {
    // The semaphore is never closed.
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, place)),
        Err(error) => {
            tracing::warn!(target: "djauth.server", %error, "cannot accept a connection");
            tokio::time::sleep(PAUSE).await;
            None
        }
    }
}

fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    pages: impl Pages,
    limits: Limits,
) -> impl GracefulConnection<Error = hyper::Error, Output = Result<(), hyper::Error>> {
    // Answers are written whole, so waiting to fill a packet only adds time.
    let _ = stream.set_nodelay(true);
    // The connection's own, because connections of other threads count up and down all the time too.
    let pages = Arc::new(pages);
    let service = service_fn(move |request| {
        let pages = pages.clone();
        async move { Ok::<_, Infallible>(pages.answer(request, peer).await) }
    });
    http1::Builder::new()
        .timer(HeaderTimer::default())
        .header_read_timeout(limits.header)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(Unread::new(stream, limits.unread)), service)
}
