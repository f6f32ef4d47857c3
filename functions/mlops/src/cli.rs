//! What `mlops` understands.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

const EXAMPLES: &str = "\
Examples:
  mlops run examples/penguins-classification.md      from an issue to a registered model and a report
  mlops tool load_dataset uri=examples/penguins.csv  call one tool
  mlops tools                                        what tools there are
  mlops runs                                         what has been run
  mlops approve RUN                                  the model of a run that waits may be used
  mlops mcp --stdio                                  every tool for an MCP client

Exit codes: 0 the work was done, 1 a defect, 2 wrong input, 3 waits for an approval, 4 not found, 5 exists already,
6 conflict, 7 forbidden, 8 throttled, 9 unavailable, 10 timed out, 11 rejected, 130 interrupted.";

/// From a GitHub issue to a trained, evaluated, judged and registered model.
#[derive(Debug, Parser)]
#[command(name = "mlops", version, about, after_help = EXAMPLES, max_term_width = 110)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Turn an issue into a judged, registered model with a report
    ///
    /// The issue is a Markdown file with the block that a GitHub issue would have (see examples/). The same issue on the
    /// same data is the same run: an interrupted one goes on, a finished one is shown again.
    #[command(after_help = "Example:\n  mlops run examples/penguins-classification.md --json")]
    Run {
        /// The issue's text, a Markdown file; - reads the standard input
        issue: PathBuf,
        /// Print the run's output as one JSON object
        #[arg(long)]
        json: bool,
        /// Run it again although it has ended
        #[arg(long)]
        again: bool,
    },
    /// Call one tool and print its result as one JSON object; `mlops tool NAME --help` shows its arguments
    #[command(
        disable_help_flag = true,
        after_help = "Arguments are a JSON object, @file, - (standard input), name=value or --name value.\n\n\
        Examples:\n  mlops tool load_dataset uri=examples/penguins.csv limit=5\n  \
        mlops tool split_dataset '{\"dataset_s3_uri\": \"examples/penguins.csv\", \"target_column\": \"species\"}'"
    )]
    Tool {
        /// The tool's name
        name: String,
        /// Its arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// List the tools
    Tools {
        /// With descriptions and schemas, as JSON
        #[arg(long)]
        json: bool,
    },
    /// Give one agent a task, as Step Functions would
    #[command(after_help = "Example:\n  mlops agent judge --event task.json")]
    Agent {
        /// The agent's name: judge, training, …
        name: String,
        /// The task's payload, a JSON file; - reads the standard input
        #[arg(long)]
        event: PathBuf,
    },
    /// Say that the model of a run may be used; the run goes on
    #[command(after_help = "Example:\n  mlops approve penguin-species-51a1 --reason 'looks right'")]
    Approve {
        /// The run's id, or the beginning of it
        run: String,
        /// Why
        #[arg(long)]
        reason: Option<String>,
        /// Print the run's output as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Say that the model of a run may not be used; the run goes on
    Reject {
        /// The run's id, or the beginning of it
        run: String,
        /// Why
        #[arg(long)]
        reason: Option<String>,
        /// Print the run's output as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Let a run that failed go on from the step that failed; one that ended well is run again
    Retry {
        /// The run's id, or the beginning of it
        run: String,
        /// Print the run's output as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// End a run now
    Cancel {
        /// The run's id, or the beginning of it
        run: String,
        /// Why
        #[arg(long)]
        reason: Option<String>,
        /// Print what was done as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Put an earlier version of a model in the place of the present one
    #[command(after_help = "Example:\n  mlops rollback penguin-species --reason 'worse on new data'")]
    Rollback {
        /// The model's name
        model: String,
        /// The version to go back to; by default the champion before the present one
        #[arg(long)]
        to_version: Option<u64>,
        /// Why
        #[arg(long)]
        reason: Option<String>,
        /// Print what was done as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// List the runs, the newest first
    Runs {
        /// The most runs to list
        #[arg(long, default_value_t = 20)]
        limit: usize,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show how a run stands: its steps with their times, and what went wrong
    Status {
        /// The run's id, or the beginning of it
        run: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print where the report of a run lies
    Report {
        /// The run's id, or the beginning of it
        run: String,
        /// With the places of the Markdown and JSON forms, as JSON
        #[arg(long)]
        json: bool,
    },
    /// Serve every tool to MCP clients
    #[command(after_help = "Example of a client's configuration:\n  \
        {\"mcpServers\": {\"mlops\": {\"command\": \"mlops\", \"args\": [\"mcp\", \"--stdio\"]}}}")]
    Mcp {
        /// Over the standard input and output
        #[arg(long, required_unless_present = "http", conflicts_with = "http")]
        stdio: bool,
        /// Over HTTP, at that address: 127.0.0.1:8080, or port 0 for a free one
        #[arg(long, value_name = "ADDRESS")]
        http: Option<SocketAddr>,
        /// Only the tools of these capabilities, separated by commas
        #[arg(long, value_delimiter = ',')]
        toolsets: Vec<String>,
        /// Only tools that change nothing
        #[arg(long)]
        read_only: bool,
    },
    /// Serve GitHub's webhook (/webhook) and MCP (/mcp) over HTTP, and walk the runs that they start
    #[command(after_help = "Example:\n  MLOPS_SECRET_GITHUB_WEBHOOK_SECRET=… mlops serve --http 127.0.0.1:8080")]
    Serve {
        /// The address, or port 0 for a free one
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
        http: SocketAddr,
    },
    /// Check that this machine has what the fleet needs
    Doctor {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the completions for a shell
    #[command(after_help = "Example:\n  mlops completions bash > ~/.local/share/bash-completion/completions/mlops")]
    Completions {
        /// The shell
        shell: Shell,
    },
}

impl Command {
    /// Whether a program reads the output, so that an error is JSON as well.
    pub fn wants_json(&self) -> bool {
        match self {
            Self::Tool { .. } | Self::Agent { .. } => true,
            Self::Run { json, .. }
            | Self::Tools { json }
            | Self::Runs { json, .. }
            | Self::Status { json, .. }
            | Self::Report { json, .. }
            | Self::Approve { json, .. }
            | Self::Reject { json, .. }
            | Self::Retry { json, .. }
            | Self::Cancel { json, .. }
            | Self::Rollback { json, .. }
            | Self::Doctor { json } => *json,
            Self::Mcp { .. } | Self::Serve { .. } | Self::Completions { .. } => false,
        }
    }
}
