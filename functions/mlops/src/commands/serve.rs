//! `mlops serve`: GitHub's webhook and MCP over HTTP on one machine, and the runs that they start.

use std::net::SocketAddr;
use std::sync::Arc;

use mlops_core::Result;
use mlops_host::mcp::{McpServer, told_to_end};
use mlops_host::{mcp, web};

use super::mcp::{doors, listen, settings, shown};
use crate::Platform;
use crate::output::tell;
use crate::walking::walk_all;

/// The largest delivery of GitHub's webhook, in bytes.
const LARGEST_DELIVERY: usize = 25 * 1024 * 1024;

/// Serves until the process is told to end. Runs that are under way then go on with the next start.
pub(crate) async fn run(platform: &Platform, address: SocketAddr) -> Result<()> {
    let settings = settings(platform);
    let doors = doors(platform, &settings.access, address).await?;
    let server = McpServer::new(Arc::clone(&platform.toolbox), settings)?;
    let (webhook, call) = (platform.webhook.clone(), platform.call("webhook"));
    let answer: web::Answer = Arc::new(move |headers, body| {
        let (webhook, call) = (webhook.clone(), call.clone());
        Box::pin(async move {
            let answer = webhook.answer(&headers, &body, &call).await;
            (answer.status, answer.body)
        })
    });
    let routes = mcp::http::router(server.clone(), &doors).merge(web::webhook("/webhook", LARGEST_DELIVERY, answer));
    let listener = listen(address).await?;
    let at = shown(&listener)?;
    tell!("listening on http://{at}/webhook and http://{at}/mcp");
    tokio::select! {
        served = web::serve(listener, routes, told_to_end()) => served?,
        () = walk_all(&platform.workflows) => {}
    }
    server.stop_jobs().await;
    Ok(())
}
