//! The commands of `mlops`, as a library, so that the tests call what the binary calls.

pub mod cli;
mod commands;
mod driver;
mod output;
mod platform;
mod progress;

use std::process::ExitCode;

use clap::Parser as _;
use mlops_core::{Error, Result};

use cli::{Cli, Command};

use crate::output::tell;
pub use platform::{Platform, TRAINING_MACHINE};

/// The program: reads the command line, runs the command and gives its exit code.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tell!("the runtime could not be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(run(cli));
    // A computation that was told to stop may still be on its way: nobody waits for it.
    runtime.shutdown_background();
    code
}

/// Runs one command; its errors go to the standard error, and their kind is the exit code.
async fn run(cli: Cli) -> ExitCode {
    let wants_json = cli.command.wants_json();
    let resumes = matches!(cli.command, Command::Run { .. });
    let command = tokio::select! {
        result = dispatch(cli) => result,
        _ = tokio::signal::ctrl_c() => {
            if resumes {
                tell!("interrupted: nothing is lost, the same command goes on from the last finished step");
            }
            return ExitCode::from(130);
        }
    };
    match command {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error, wants_json);
            ExitCode::from(error.kind.exit_code())
        }
    }
}

async fn dispatch(cli: Cli) -> Result<()> {
    if let Command::Completions { shell } = cli.command {
        return commands::completions::run(shell);
    }
    let platform = Platform::from_environment()?;
    match cli.command {
        Command::Run { issue, json, again } => commands::run::run(&platform, &issue, again, json).await,
        Command::Tool { name, arguments } => commands::tool::run(&platform, &name, &arguments).await,
        Command::Tools { json } => commands::tools::run(&platform, json),
        Command::Agent { name, event } => commands::agent::run(&platform, &name, &event).await,
        Command::Runs { limit, json } => commands::runs::run(&platform, limit, json).await,
        Command::Status { run, json } => commands::status::run(&platform, &run, json).await,
        Command::Report { run, json } => commands::report::run(&platform, &run, json).await,
        Command::Mcp { stdio } => commands::mcp::run(&platform, stdio).await,
        Command::Doctor { json } => commands::doctor::run(&platform, json).await,
        Command::Completions { .. } => Err(Error::internal("completions need no platform")),
    }
}
