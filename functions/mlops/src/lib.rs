//! The commands of `mlops`, as a library, so that the tests call what the binary calls.

pub mod cli;
mod commands;
mod driver;
mod output;
mod platform;
mod progress;
mod walking;

use std::process::ExitCode;

use clap::Parser as _;
use mlops_core::Result;

use cli::{Cli, Command};

use crate::output::tell;
pub use platform::{Audience, Platform, ROLLBACK_MACHINE, TRAINING_MACHINE};

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
    let resumes = matches!(cli.command, Command::Run { .. } | Command::Approve { .. } | Command::Retry { .. });
    // A server ends by itself when it is told to: what is under way may end first.
    let is_server = matches!(cli.command, Command::Serve { .. } | Command::Mcp { .. });
    let interrupted = async {
        if is_server || tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let command = tokio::select! {
        result = dispatch(cli.command) => result,
        () = interrupted => {
            if resumes {
                tell!("interrupted: nothing is lost, the same command goes on from the last finished step");
            }
            return ExitCode::from(130);
        }
    };
    command.unwrap_or_else(|error| {
        output::error(&error, wants_json);
        ExitCode::from(error.kind.exit_code())
    })
}

async fn dispatch(command: Command) -> Result<ExitCode> {
    if let Command::Completions { shell } = command {
        commands::completions::run(shell);
        return Ok(ExitCode::SUCCESS);
    }
    let audience = match command {
        Command::Serve { .. } | Command::Mcp { http: Some(_), .. } => Audience::Others,
        _ => Audience::Owner,
    };
    let platform = Platform::from_environment(audience)?;
    let platform = &platform;
    match command {
        Command::Run { issue, json, again } => return commands::run::run(platform, &issue, again, json).await,
        Command::Approve { run, reason, json } => {
            return commands::answer::run(platform, &run, (true, reason), json).await;
        }
        Command::Reject { run, reason, json } => {
            return commands::answer::run(platform, &run, (false, reason), json).await;
        }
        Command::Retry { run, json } => return commands::retry::run(platform, &run, json).await,
        Command::Cancel { run, reason, json } => commands::cancel::run(platform, &run, reason, json).await?,
        Command::Rollback { model, to_version, reason, json } => {
            commands::rollback::run(platform, &model, (to_version, reason), json).await?;
        }
        Command::Tool { name, arguments } => commands::tool::run(platform, &name, &arguments).await?,
        Command::Tools { json } => commands::tools::run(platform, json),
        Command::Agent { name, event } => commands::agent::run(platform, &name, &event).await?,
        Command::Runs { limit, json } => commands::runs::run(platform, limit, json).await?,
        Command::Status { run, json } => commands::status::run(platform, &run, json).await?,
        Command::Report { run, json } => commands::report::run(platform, &run, json).await?,
        Command::Mcp { http, toolsets, read_only, .. } => {
            commands::mcp::run(platform, http, toolsets, read_only).await?;
        }
        Command::Serve { http } => commands::serve::run(platform, http).await?,
        Command::Doctor { json } => commands::doctor::run(platform, json).await?,
        Command::Completions { .. } => {}
    }
    Ok(ExitCode::SUCCESS)
}
