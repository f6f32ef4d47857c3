//! Completions: what could stand in an argument of a prompt or in the place of a name in a resource template.

use std::collections::BTreeSet;

use mlops_core::ports::ObjectStore;
use mlops_core::values::ArtifactUri;
use mlops_core::{Error, Result};
use rmcp::model::{CompleteRequestParams, CompleteResult, CompletionInfo, Reference};
use serde_json::Value;

use super::prompts;
use super::resources::{KINDS, templates};
use super::server::Inner;

/// How many pages of a listing are looked at.
const PAGES: usize = 5;
/// How many bytes of a file are read for its columns.
const HEAD: u64 = 64 * 1024;

/// The values that begin with what is there already, at most 100.
pub(super) async fn complete(server: &Inner, request: &CompleteRequestParams) -> Result<CompleteResult> {
    let (name, typed) = (request.argument.name.as_str(), request.argument.value.as_str());
    let other =
        |name: &str| request.context.as_ref().and_then(|context| context.get_argument(name)).map(String::as_str);
    let known = match &request.r#ref {
        Reference::Prompt(prompt) => prompts::has_argument(&prompt.name, name),
        Reference::Resource(resource) => templates(&server.settings.root).iter().any(|template| {
            template.uri_template == resource.uri && template.uri_template.contains(&format!("{{{name}}}"))
        }),
        _ => false,
    };
    if !known {
        return Err(Error::invalid_input(format!("there is no argument `{name}` here")).at("argument.name"));
    }
    let values = match name {
        "kind" => KINDS.map(str::to_owned).into(),
        "algorithm" => algorithms(server),
        "target" => match other("data") {
            Some(data) => columns(&*server.settings.store, data).await,
            None => BTreeSet::new(),
        },
        "run_id" => {
            folders(server, other("kind").filter(|kind| KINDS.contains(kind)).unwrap_or("history"), typed).await?
        }
        "model_name" => folders(server, "registry", typed).await?,
        "from" | "to" => match other("model_name") {
            Some(model) => versions(server, model).await?,
            None => BTreeSet::new(),
        },
        "name" => match (other("kind").filter(|kind| KINDS.contains(kind)), other("run_id")) {
            (Some(kind), Some(run_id)) => files(server, kind, run_id).await?,
            _ => BTreeSet::new(),
        },
        _ => BTreeSet::new(),
    };
    let lower = typed.to_lowercase();
    let mut fitting: Vec<String> =
        values.into_iter().filter(|value| value.to_lowercase().starts_with(&lower)).collect();
    let total = fitting.len();
    fitting.truncate(CompletionInfo::MAX_VALUES);
    let more = total > fitting.len();
    let info = CompletionInfo::with_pagination(fitting, u32::try_from(total).ok(), more).map_err(Error::internal)?;
    Ok(CompleteResult::new(info))
}

/// What the tools that train take as `algorithm`.
fn algorithms(server: &Inner) -> BTreeSet<String> {
    let schemas = server.toolbox.tools().iter().map(|tool| &tool.input_schema()["properties"]["algorithm"]["enum"]);
    let values = schemas.filter_map(Value::as_array).flatten();
    values.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The names of the folders of a kind that begin with what is typed.
async fn folders(server: &Inner, kind: &str, typed: &str) -> Result<BTreeSet<String>> {
    // A prefix that leads elsewhere leads nowhere.
    let typed = if typed.contains(['/', '\\']) || typed.starts_with('.') { "" } else { typed };
    let folder = format!("{}/", server.settings.root.join(kind));
    let below = keys(&*server.settings.store, &folder, typed).await?;
    Ok(below.iter().filter_map(|key| key.split_once('/')).map(|(name, _)| name.to_owned()).collect())
}

async fn versions(server: &Inner, model: &str) -> Result<BTreeSet<String>> {
    let folder = format!("{}/", server.settings.root.join(&format!("registry/{model}/versions")));
    let below = keys(&*server.settings.store, &folder, "").await?;
    let numbers = below.iter().filter_map(|key| key.strip_suffix(".json")?.parse::<u64>().ok());
    Ok(numbers.map(|number| number.to_string()).collect())
}

async fn files(server: &Inner, kind: &str, run_id: &str) -> Result<BTreeSet<String>> {
    let folder = format!("{}/", server.settings.root.join(&format!("{kind}/{run_id}")));
    Ok(keys(&*server.settings.store, &folder, "").await?.into_iter().collect())
}

/// The keys below a folder that begin so, relative to it.
async fn keys(store: &dyn ObjectStore, folder: &str, beginning: &str) -> Result<Vec<String>> {
    let prefix = ArtifactUri::new(format!("{folder}{beginning}"))?;
    let mut keys = Vec::new();
    let mut next = None;
    for _ in 0..PAGES {
        let page = store.list(&prefix, next).await?;
        let below = page.objects.iter().filter_map(|object| object.uri.as_str().strip_prefix(folder));
        keys.extend(below.map(str::to_owned));
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    Ok(keys)
}

/// The columns of a delimited text file, from its first line. Other files have none that are cheap to know.
async fn columns(store: &dyn ObjectStore, data: &str) -> BTreeSet<String> {
    let lower = data.to_lowercase();
    let comma = match lower.rsplit_once('.').map(|(_, ending)| ending) {
        Some("csv") => ',',
        Some("tsv") => '\t',
        _ => return BTreeSet::new(),
    };
    let read = async {
        let (_, body) = store.get(&ArtifactUri::new(data)?, Some(0..HEAD)).await?;
        body.collect(HEAD).await
    };
    // A completion is a help: a file that cannot be read gives none, and the tool will say why.
    let Ok(bytes) = read.await else { return BTreeSet::new() };
    let text = String::from_utf8_lossy(&bytes);
    header(text.trim_start_matches('\u{feff}'), comma).into_iter().filter(|name| !name.is_empty()).collect()
}

/// The fields of the first line; quotes hold separators and line ends.
fn header(text: &str, separator: char) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let Some(field) = fields.last_mut() else { break };
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            '\r' | '\n' if !quoted => break,
            other if other == separator && !quoted => fields.push(String::new()),
            other => field.push(other),
        }
    }
    fields.into_iter().map(|field| field.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_with_its_quotes() {
        assert_eq!(header("a,\"b,\"\"c\"\"\",d \r\n1,2,3", ','), ["a", "b,\"c\"", "d"]);
        assert_eq!(header("x\ty", '\t'), ["x", "y"]);
        assert_eq!(header("", ','), [""]);
    }
}
