//! The server on a port: it takes connections until it is told to end, and lets open requests end.

use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use mlops_core::{Error, Result};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::{HttpSettings, router};
use crate::mcp::McpServer;

/// How many connections are open at most; further ones wait.
const CONNECTIONS: usize = 4_096;
/// How long the head of a request may take, and how long a connection may be idle.
const HEAD_TIME: Duration = Duration::from_mins(1);
/// How long open requests may take once the server is told to end.
const LAST_REQUESTS: Duration = Duration::from_secs(25);
/// The largest head of a request, in bytes.
const HEAD_LIMIT: usize = 64 * 1024;

/// Serves until `end` is ready; then no connection is taken any more, and open requests have 25 s to end.
pub async fn serve(
    listener: TcpListener,
    server: McpServer,
    settings: &HttpSettings,
    end: impl Future<Output = ()> + Send,
) -> Result<()> {
    let service = TowerToHyperService::new(router(server.clone(), settings));
    run(listener, service, end).await?;
    server.stop_jobs().await;
    Ok(())
}

pub(crate) async fn run(
    listener: TcpListener,
    service: TowerToHyperService<axum::Router>,
    end: impl Future<Output = ()> + Send,
) -> Result<()> {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(HEAD_LIMIT);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let open = GracefulShutdown::new();
    let mut end = std::pin::pin!(end);
    loop {
        let taken = tokio::select! {
            taken = accept(&listener, &places) => taken,
            () = &mut end => break,
        };
        let (stream, place) = taken?;
        let connection = open.watch(http.serve_connection(TokioIo::new(stream), service.clone()));
        tokio::spawn(async move {
            // What a client does to its own connection is no concern of the server.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    // Who has not ended by then is cut off with the process.
    let _ = tokio::time::timeout(LAST_REQUESTS, open.shutdown()).await;
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Result<(tokio::net::TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await;
    let place = place.map_err(|error| Error::internal("the server is closed").caused_by(error))?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are small: they must not wait for more to come.
                let _ = stream.set_nodelay(true);
                return Ok((stream, place));
            }
            // A client that is gone already, or no file handle left: the next one may do.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}
