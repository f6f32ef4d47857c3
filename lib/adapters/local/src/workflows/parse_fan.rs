//! Reads the states that wait, and those that divide one thread of control into many.

use mlops_core::Result;
use serde_json::Value;

use super::agents::Agents;
use super::definition::{Until, Wait};
use super::expressions::Template;
use super::fan_definition::{Batch, Items, Mapping, Parallel, Reader, Source};
use super::fields::{Fields, refused};
use super::parse::{MOST, exit, flow, next, template};
use super::parse_task::{handling, number};

pub(crate) fn wait(fields: &mut Fields<'_>) -> Result<Wait> {
    let seconds = number(fields, "Seconds", 0)?;
    let moment = fields.text("Timestamp")?.map(str::to_owned);
    let until = match (seconds, moment) {
        (Some(seconds), None) => Until::Seconds(seconds),
        (None, Some(text)) => {
            let path = fields.path_of("Timestamp");
            let moment = Template::parse(&Value::String(text.clone()), &path)?;
            if matches!(moment, Template::Literal(_)) && text.parse::<jiff::Timestamp>().is_err() {
                return Err(refused(&path, "must be a moment or an expression").hint("write 2026-01-31T12:00:00Z"));
            }
            Until::Timestamp(moment)
        }
        _ => return Err(fields.refused("must have either Seconds or Timestamp")),
    };
    Ok(Wait { until, exit: exit(fields)?, next: next(fields)? })
}

pub(crate) fn parallel(fields: &mut Fields<'_>, agents: &Agents) -> Result<Parallel> {
    let arguments = template(fields, "Arguments")?;
    let branches = fields.list("Branches")?.into_iter().map(|(value, path)| {
        let mut fields = Fields::of(value, path)?;
        fields.text("Comment")?;
        let branch = flow(&mut fields, agents)?;
        fields.finish()?;
        Ok(branch)
    });
    let branches = branches.collect::<Result<Vec<_>>>()?;
    if branches.is_empty() {
        return Err(refused(&fields.path_of("Branches"), "must have a branch"));
    }
    Ok(Parallel { arguments, branches, handling: handling(fields)?, exit: exit(fields)?, next: next(fields)? })
}

pub(crate) fn mapping(fields: &mut Fields<'_>, agents: &Agents) -> Result<Mapping> {
    let (value, path) = fields.required("ItemProcessor")?;
    let mut inner = Fields::of(value, path)?;
    inner.text("Comment")?;
    let distributed = match inner.optional("ProcessorConfig") {
        None => false,
        Some((value, path)) => is_distributed(value, path)?,
    };
    let processor = flow(&mut inner, agents)?;
    inner.finish()?;
    let concurrency = number(fields, "MaxConcurrency", 0)?;
    let selector = template(fields, "ItemSelector")?;
    let mut items = match template(fields, "Items")? {
        None => Items::Input,
        Some(Template::Literal(value)) if !value.is_array() => {
            return Err(refused(&fields.path_of("Items"), "must be a list or an expression"));
        }
        Some(template) => Items::Given(template),
    };
    let (mut batch, mut tolerated_count, mut tolerated_percentage) = (None, None, None);
    // Only items that are executions of their own have these; on other maps they stay unknown and are refused.
    if distributed {
        fields.text("Label")?;
        tolerated_count = number(fields, "ToleratedFailureCount", 0)?;
        tolerated_percentage = percentage(fields)?;
        if let Some((value, path)) = fields.optional("ItemReader") {
            if matches!(items, Items::Given(_)) {
                return Err(refused(&path, "and Items are both given").hint("the items come from one of them"));
            }
            items = Items::Read(Box::new(reader(Fields::of(value, path)?)?));
        }
        if let Some((value, path)) = fields.optional("ItemBatcher") {
            batch = Some(batcher(Fields::of(value, path)?)?);
        }
    }
    Ok(Mapping {
        items,
        selector,
        batch,
        processor,
        distributed,
        concurrency,
        tolerated_count,
        tolerated_percentage,
        handling: handling(fields)?,
        exit: exit(fields)?,
        next: next(fields)?,
    })
}

fn is_distributed(value: &Value, path: String) -> Result<bool> {
    let mut config = Fields::of(value, path)?;
    let distributed = match config.text("Mode")? {
        None | Some("INLINE") => false,
        Some("DISTRIBUTED") => {
            let kind = config.required_text("ExecutionType")?;
            if kind != "STANDARD" && kind != "EXPRESS" {
                return Err(refused(&config.path_of("ExecutionType"), "must be STANDARD or EXPRESS"));
            }
            true
        }
        Some(other) => {
            return Err(refused(&config.path_of("Mode"), format!("must be INLINE or DISTRIBUTED, and is {other}")));
        }
    };
    config.finish()?;
    Ok(distributed)
}

fn percentage(fields: &mut Fields<'_>) -> Result<Option<Template>> {
    let Some((value, path)) = fields.optional("ToleratedFailurePercentage") else { return Ok(None) };
    let template = Template::parse(value, &path)?;
    let is_fine = match &template {
        Template::Literal(value) => value.as_f64().is_some_and(|percentage| (0.0..=100.0).contains(&percentage)),
        other => matches!(other, Template::Expression(_)),
    };
    if is_fine { Ok(Some(template)) } else { Err(refused(&path, "must be a number from 0 to 100 or an expression")) }
}

fn reader(mut fields: Fields<'_>) -> Result<Reader> {
    const LISTING: &str = "arn:aws:states:::s3:listObjectsV2";
    const OBJECT: &str = "arn:aws:states:::s3:getObject";
    let resource = fields.required_text("Resource")?;
    if resource != LISTING && resource != OBJECT {
        return Err(refused(&fields.path_of("Resource"), format!("is {resource}, which is not read here"))
            .hint(format!("write {LISTING} or {OBJECT}")));
    }
    let (value, path) = fields.required("Arguments")?;
    let mut arguments = Fields::of(value, path)?;
    let text = |arguments: &mut Fields<'_>, name: &'static str| -> Result<Template> {
        arguments.required_text(name)?;
        let (value, path) = arguments.required(name)?;
        Template::parse(value, &path)
    };
    let bucket = text(&mut arguments, "Bucket")?;
    let key = text(&mut arguments, if resource == LISTING { "Prefix" } else { "Key" })?;
    arguments.finish()?;
    let (source, most) = match fields.optional("ReaderConfig") {
        None if resource == LISTING => (Source::Listing, None),
        None => return Err(refused(&fields.path_of("ReaderConfig"), "is missing").hint("it says the InputType")),
        Some((value, path)) => {
            let mut config = Fields::of(value, path)?;
            let source = if resource == LISTING { Source::Listing } else { source(&mut config)? };
            let most = number(&mut config, "MaxItems", 0)?;
            config.finish()?;
            (source, most)
        }
    };
    fields.finish()?;
    Ok(Reader { source, bucket, key, most })
}

fn source(config: &mut Fields<'_>) -> Result<Source> {
    match config.required_text("InputType")? {
        "JSON" => return Ok(Source::Json),
        "JSONL" => return Ok(Source::JsonLines),
        "CSV" => {}
        other => {
            return Err(refused(&config.path_of("InputType"), format!("is {other}, which is not read here"))
                .hint("there are: CSV, JSON, JSONL"));
        }
    }
    let delimiter = match config.text("CSVDelimiter")? {
        None | Some("COMMA") => b',',
        Some("PIPE") => b'|',
        Some("SEMICOLON") => b';',
        Some("SPACE") => b' ',
        Some("TAB") => b'\t',
        Some(_) => {
            let path = config.path_of("CSVDelimiter");
            return Err(refused(&path, "is not known").hint("there are: COMMA, PIPE, SEMICOLON, SPACE, TAB"));
        }
    };
    let headers = match config.required_text("CSVHeaderLocation")? {
        "FIRST_ROW" => None,
        "GIVEN" => {
            let names = config
                .list("CSVHeaders")?
                .into_iter()
                .map(|(name, path)| name.as_str().map(str::to_owned).ok_or_else(|| refused(&path, "must be a text")));
            let names = names.collect::<Result<Vec<_>>>()?;
            if names.is_empty() {
                return Err(refused(&config.path_of("CSVHeaders"), "must name the columns"));
            }
            Some(names)
        }
        _ => return Err(refused(&config.path_of("CSVHeaderLocation"), "must be FIRST_ROW or GIVEN")),
    };
    Ok(Source::Csv { delimiter, headers })
}

fn batcher(mut fields: Fields<'_>) -> Result<Batch> {
    let items = fields.count("MaxItemsPerBatch", 1..=MOST)?;
    let bytes = fields.count("MaxInputBytesPerBatch", 1..=262_144)?;
    let input = template(&mut fields, "BatchInput")?;
    if items.is_none() && bytes.is_none() {
        return Err(fields.refused("must have MaxItemsPerBatch or MaxInputBytesPerBatch"));
    }
    fields.finish()?;
    Ok(Batch { items, bytes, input })
}
