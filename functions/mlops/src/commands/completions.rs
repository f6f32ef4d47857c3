//! `mlops completions`.

use clap::CommandFactory as _;
use clap_complete::Shell;
use mlops_core::Result;

use crate::cli::Cli;

/// Prints the completions for a shell.
#[expect(clippy::unnecessary_wraps, reason = "every command has the same result")]
pub(crate) fn run(shell: Shell) -> Result<()> {
    clap_complete::generate(shell, &mut Cli::command(), "mlops", &mut std::io::stdout());
    Ok(())
}
