//! `mlops report`: where the report of a run lies.

use mlops_core::{Error, Result};
use serde_json::json;

use crate::output::say;
use crate::{Platform, output};

/// Prints the path of the report.
pub(crate) async fn run(platform: &Platform, name: &str, json: bool) -> Result<()> {
    let run = platform.find_run(name).await?;
    let uri = run.output.as_ref().and_then(|output| output["report_uri"].as_str().map(str::to_owned));
    let Some(uri) = uri else {
        let message = format!("{} has no report: it has not ended with a decision", run.name);
        return Err(Error::not_found(message).hint(format!("mlops status {}", run.name)));
    };
    if json {
        output::json(
            &json!({"run_id": run.name, "report_uri": uri, "json_uri": uri.replace("report.html", "report.json"),
            "markdown_uri": uri.replace("report.html", "report.md")}),
        );
    } else {
        say!("{}", output::shown_path(&uri));
    }
    Ok(())
}
