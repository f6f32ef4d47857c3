//! The MCP endpoint as a process: a Lambda function, a server on a port, or a child of its client.
//!
//! `mcp` under Lambda, `mcp --http 127.0.0.1:8000`, `mcp --stdio`.

#![expect(clippy::print_stderr, reason = "the standard output belongs to the protocol; people read the other one")]

use std::env;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use mcp_endpoint::{Ports, Rooms};
use mlops_core::ports::{ObjectStore, Secrets};
use mlops_core::{Audit, Error, ErrorKind, Result, Settings};
use mlops_host::lambda::{self, Function};
use mlops_host::mcp::http::{HttpSettings, Keys, router, serve};
use mlops_host::mcp::{LongCalls, McpServer, McpSettings, serve_stdio, told_to_end};
use mlops_host::{GuardedStore, Toolbox};

const API_KEY: &str = "mlops/mcp-api-key";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ended = match arguments.as_slice() {
        [] if env::var_os("AWS_LAMBDA_RUNTIME_API").is_some() => return lambda::http(|settings| function(&settings)),
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
fn function(settings: &Settings) -> Result<Function> {
    let streaming = settings.mcp.streaming;
    let Composed { toolbox, settings, mut http, .. } = compose(settings, Audience::Others)?;
    // The gateway before the function answers to its own names alone.
    if http.hosts.is_empty() {
        http.hosts.push("*".to_owned());
    }
    let server = McpServer::new(Arc::new(toolbox), settings.with_long_calls(LongCalls::Wait))?;
    let router = router(server, &http);
    Ok(if streaming { Function::of_streaming_router(router) } else { Function::of_router(router) })
}

#[tokio::main]
async fn stdio() -> Result<()> {
    // Who starts the process may read what it may read.
    let Composed { toolbox, settings, .. } = compose(&here()?, Audience::Owner)?;
    serve_stdio(Arc::new(toolbox), settings).await
}

#[tokio::main]
async fn http(address: &str) -> Result<()> {
    let wrong = |error| Error::invalid_input(format!("`{address}` is not an address")).caused_by(error);
    let address: SocketAddr = address.parse().map_err(|error| wrong(error).hint("such as 127.0.0.1:8000"))?;
    let Composed { toolbox, settings, secrets, mut http } = compose(&here()?, Audience::Others)?;
    match secrets.secret(API_KEY).await {
        Err(error) if error.kind == ErrorKind::NotFound && address.ip().is_loopback() => http.keys = Keys::NotAsked,
        Err(error) if error.kind == ErrorKind::NotFound => return Err(no_key()),
        found => drop(found?),
    }
    let server = McpServer::new(Arc::new(toolbox), settings)?;
    let taken = |error| Error::unavailable(format!("{address} cannot be listened at")).caused_by(error);
    let listener = tokio::net::TcpListener::bind(address).await.map_err(taken)?;
    let address = listener.local_addr().map_err(taken)?;
    eprintln!("listening on http://{address}/mcp");
    serve(listener, server, &http, told_to_end()).await
}

fn no_key() -> Error {
    Error::forbidden("an API key is needed: others than this machine can call this address")
        .hint("set the secret mlops/mcp-api-key, or MLOPS_SECRET_MCP_API_KEY")
}

fn here() -> Result<Settings> {
    let folder = env::current_dir()
        .map_err(|error| Error::unavailable("the working directory is not there").caused_by(error))?;
    Settings::from_variables(|name| env::var(name).ok(), &folder)
}

/// Who calls: that decides which files they may name.
#[derive(Clone, Copy, PartialEq)]
enum Audience {
    Owner,
    Others,
}

struct Composed {
    toolbox: Toolbox,
    settings: McpSettings,
    http: HttpSettings,
    secrets: Arc<dyn Secrets>,
}

fn compose(settings: &Settings, audience: Audience) -> Result<Composed> {
    let (mut ports, audit) = ports(settings, audience)?;
    if audience == Audience::Others {
        ports.store = GuardedStore::of(ports.store, settings);
    }
    let (store, secrets): (Arc<dyn ObjectStore>, _) = (Arc::clone(&ports.store), Arc::clone(&ports.secrets));
    let http = HttpSettings::new(&settings.mcp, Keys::Secret(Arc::clone(&secrets)));
    let toolbox = Rooms::new(settings, ports).toolbox();
    let settings = McpSettings::new(settings, store, audit, Arc::clone(&secrets));
    Ok(Composed { toolbox, settings, http, secrets })
}

#[cfg(feature = "aws")]
fn ports(settings: &Settings, _: Audience) -> Result<(Ports, Arc<dyn Audit>)> {
    use mlops_core::ports::SystemClock;
    let aws = mlops_aws_environment::AwsEnvironment::from_variables()?;
    let secrets: Arc<dyn Secrets> =
        Arc::new(mlops_aws_secretsmanager::SecretsManager::new(&aws, Arc::new(SystemClock)));
    let github = mlops_github::Github::new(&settings.github, Arc::clone(&secrets))?;
    let machines = settings.cloud.state_machines.clone();
    let ports = Ports {
        store: Arc::new(mlops_aws_s3::S3Store::new(&aws, settings.cloud.kms_key.clone())),
        workflows: Arc::new(mlops_aws_stepfunctions::StepFunctions::new(&aws, machines)?),
        code_host: Arc::new(github.clone()),
        repositories: Arc::new(github),
        mailer: Arc::new(mlops_aws_ses::SesMailer::new(&aws)),
        secrets,
    };
    Ok((ports, lambda::audit("mcp")))
}

/// On one machine runs that are started here are walked by `mlops run`.
#[cfg(not(feature = "aws"))]
fn ports(settings: &Settings, audience: Audience) -> Result<(Ports, Arc<dyn Audit>)> {
    use mlops_local::{Access, LocalMachine};
    let access = if audience == Audience::Owner { Access::Anywhere } else { Access::HomeOnly };
    let machine = LocalMachine::here(settings.clone(), access)?;
    let workflows = machine
        .workflows([])
        .recording()
        .machine("training", include_str!("../../../statemachine/training.asl.json"))?
        .machine("rollback", include_str!("../../../statemachine/rollback.asl.json"))?;
    let LocalMachine { store, audit, secrets, code_host, repositories, mailer, .. } = machine;
    let ports = Ports { store, workflows: Arc::new(workflows), code_host, repositories, mailer, secrets };
    Ok((ports, audit))
}
