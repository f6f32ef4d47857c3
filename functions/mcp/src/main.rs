//! The MCP endpoint as a process: a Lambda function, a server on a port, or a child of its client.
//!
//! `mcp` under Lambda, `mcp --http 127.0.0.1:8000`, `mcp --stdio`.

#![expect(clippy::print_stderr, reason = "the standard output belongs to the protocol; people read the other one")]

use std::env;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use mcp_endpoint::{Ports, Rooms};
use mlops_core::{Error, ErrorKind, Result, Settings};
use mlops_host::lambda::{self, Function};
use mlops_host::mcp::http::{HttpSettings, router, serve};
use mlops_host::mcp::{LongCalls, McpServer, McpSettings, serve_stdio, told_to_end};
use mlops_host::{GuardedStore, Toolbox};
use mlops_local::{Access, LocalMachine};

const TRAINING: &str = include_str!("../../../statemachine/training.asl.json");
const ROLLBACK: &str = include_str!("../../../statemachine/rollback.asl.json");
const API_KEY: &str = "mlops/mcp-api-key";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ended = match arguments.as_slice() {
        [] if env::var_os("AWS_LAMBDA_RUNTIME_API").is_some() => return lambda::http(function),
        ["--stdio"] => stdio(),
        ["--http", address] => http(address),
        _ => Err(Error::invalid_input("say how to serve").hint("mcp --stdio, or mcp --http 127.0.0.1:8000")),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", error.to_value());
            ExitCode::from(error.kind.exit_code())
        }
    }
}

/// Between two invocations nothing goes on: a call that takes long is ended shortly before the function is.
fn function(settings: Settings) -> Result<Function> {
    let (toolbox, settings, mut http) = compose(settings, Access::HomeOnly)?;
    if http.api_key.is_none() {
        return Err(no_key("a Lambda function can be called from everywhere"));
    }
    // The gateway before the function answers to its own names alone.
    if http.hosts.is_empty() {
        http.hosts.push("*".to_owned());
    }
    let server = McpServer::new(Arc::new(toolbox), settings.with_long_calls(LongCalls::Wait))?;
    Ok(Function::of_router(router(server, &http)))
}

#[tokio::main]
async fn stdio() -> Result<()> {
    // Who starts the process may read what it may read.
    let (toolbox, settings, _) = compose(here()?, Access::Anywhere)?;
    serve_stdio(Arc::new(toolbox), settings).await
}

#[tokio::main]
async fn http(address: &str) -> Result<()> {
    let wrong = |error| Error::invalid_input(format!("`{address}` is not an address")).caused_by(error);
    let address: SocketAddr = address.parse().map_err(|error| wrong(error).hint("such as 127.0.0.1:8000"))?;
    let (toolbox, settings, http) = compose(here()?, Access::HomeOnly)?;
    if http.api_key.is_none() && !address.ip().is_loopback() {
        return Err(no_key("others than this machine can call this address"));
    }
    let server = McpServer::new(Arc::new(toolbox), settings)?;
    let taken = |error| Error::unavailable(format!("{address} cannot be listened at")).caused_by(error);
    let listener = tokio::net::TcpListener::bind(address).await.map_err(taken)?;
    let address = listener.local_addr().map_err(taken)?;
    eprintln!("listening on http://{address}/mcp");
    serve(listener, server, &http, told_to_end()).await
}

fn no_key(why: &str) -> Error {
    Error::forbidden(format!("an API key is needed: {why}"))
        .hint("set the secret mlops/mcp-api-key, or MLOPS_SECRET_MCP_API_KEY")
}

fn here() -> Result<Settings> {
    let folder = env::current_dir()
        .map_err(|error| Error::unavailable("the working directory is not there").caused_by(error))?;
    Settings::from_variables(|name| env::var(name).ok(), &folder)
}

/// The toolbox and the settings on this machine. Runs that are started here are walked by `mlops run`.
fn compose(settings: Settings, access: Access) -> Result<(Toolbox, McpSettings, HttpSettings)> {
    let machine = LocalMachine::here(settings, access)?;
    let workflows = machine.workflows([]).recording().machine("training", TRAINING)?.machine("rollback", ROLLBACK)?;
    let LocalMachine { settings, mut store, audit, secrets, code_host, .. } = machine;
    if access == Access::HomeOnly {
        store = GuardedStore::of(store, &settings);
    }
    let api_key = match futures::executor::block_on(secrets.secret(API_KEY)) {
        Ok(key) => Some(key),
        Err(error) if error.kind == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let http = HttpSettings::new(&settings.mcp, api_key);
    let ports =
        Ports { store: Arc::clone(&store), workflows: Arc::new(workflows), code_host, secrets: Arc::clone(&secrets) };
    let toolbox = Rooms::new(&settings, ports).toolbox();
    Ok((toolbox, McpSettings::new(&settings, store, audit, secrets), http))
}
