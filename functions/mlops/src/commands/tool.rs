//! `mlops tool`: one tool, with its result as one JSON object.

use std::path::Path;

use mlops_core::Result;
use mlops_host::command_line::{Texts, arguments};

use crate::{Platform, output};

struct Machine;

impl Texts for Machine {
    fn file(&mut self, path: &str) -> Result<String> {
        output::read_text(Path::new(path))
    }

    fn standard_input(&mut self) -> Result<String> {
        output::read_text(Path::new("-"))
    }
}

/// Calls the tool and prints its structured result.
pub(crate) async fn run(platform: &Platform, name: &str, words: &[String]) -> Result<()> {
    let tool = platform.toolbox.find(name)?;
    let arguments = arguments(words, &tool.input_schema, &mut Machine)?;
    let outcome = tool.call(platform.call("cli"), arguments).await?;
    output::json(&outcome.value);
    Ok(())
}
