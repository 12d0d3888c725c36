//! Accepts connections, and lets them finish when the process is to end.

use crate::limits::Addresses;
use axum::{
    Router,
    extract::{ConnectInfo, Request},
    http::StatusCode,
    response::IntoResponse as _,
};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{net::TcpListener, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;

/// A client that takes longer to send its request's head is cut off (slow loris).
const HEADERS_WITHIN: Duration = Duration::from_secs(10);
/// What is under way when the process is to end has this long.
const DRAIN_WITHIN: Duration = Duration::from_secs(6);
/// After an error of `accept` that isn't one connection's own (no more file descriptors).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `shutdown`; then requests finish and `sockets` close, or are dropped after 6 s.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    addresses: Arc<Addresses>,
    sockets: TaskTracker,
    shutdown: CancellationToken,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS_WITHIN).max_buf_size(64 * 1024);
    let connections = TaskTracker::new();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(connection) => connection,
                Err(error) if is_of_one_connection(&error) => continue,
                Err(error) => {
                    tracing::error!(%error, "can't accept connections");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
            () = shutdown.cancelled() => break,
        };
        // Answering would cost what refusing is to save.
        let Some(place) = addresses.take(peer.ip()) else { continue };
        // A chat frame is small and wanted now.
        let _ = stream.set_nodelay(true);
        let service = hyper::service::service_fn({
            let router = router.clone();
            move |request: Request<Incoming>| call(router.clone(), request, peer)
        });
        let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
        let shutdown = shutdown.clone();
        connections.spawn(async move {
            let _place = place;
            let mut connection = pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = shutdown.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, %peer, "connection ended early");
            }
        });
    }
    drop(listener);
    connections.close();
    sockets.close();
    let drained = timeout(DRAIN_WITHIN, async {
        tokio::join!(connections.wait(), sockets.wait());
    });
    if drained.await.is_err() {
        tracing::warn!("not everything finished in time; ending anyway");
    }
}

/// Begins the work at once and in a task of its own: a client that hangs up must not end a handler
/// between its commit and the news of it.
fn call(
    router: Router,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> impl Future<Output = Result<axum::response::Response, std::convert::Infallible>> {
    let mut request = request.map(axum::body::Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    let work = tokio::spawn(router.oneshot(request));
    async move {
        Ok(match work.await {
            Ok(Ok(answer)) => answer,
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        })
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}
