//! A tool as a row of a table: one definition, read by Lambda payloads, MCP, the command line, the docs and the tests.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::audit::AuditLine;
use crate::masking::{mask_text, mask_value};
use crate::{ArtifactLink, Call, Capability, Effect, Error, Report, Result, Tool, arguments, schema};

type Run<C> = for<'a> fn(&'a C, &'a Call, Value) -> BoxFuture<'a, Result<Outcome>>;

/// One row of a capability's table of tools.
pub struct Entry<C: 'static> {
    /// The tool's name.
    pub name: &'static str,
    /// A short title for people.
    pub title: &'static str,
    /// The capability that the tool belongs to.
    pub capability: &'static str,
    /// What a call changes.
    pub effect: Effect,
    /// The schema of the arguments, with our aliases.
    pub input_schema: fn() -> Value,
    /// The schema of the result.
    pub output_schema: fn() -> Value,
    /// Runs the tool on untyped arguments.
    pub run: Run<C>,
}

impl<C: Capability> Entry<C> {
    /// The row of that tool.
    pub const fn of<T: Tool<Capability = C>>() -> Self {
        Self {
            name: T::NAME,
            title: T::TITLE,
            capability: C::ID,
            effect: T::EFFECT,
            input_schema: schema::of_input::<T>,
            output_schema: schema::of_output::<T::Output>,
            run: |room, call, arguments| Box::pin(run_untyped::<T>(room, call, arguments)),
        }
    }

    /// What the tool does, in its own words.
    pub fn description(&self) -> String {
        (self.input_schema)()["description"].as_str().unwrap_or_default().to_owned()
    }
}

/// What an untyped call gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The tool's whole result: MCP's `structuredContent`, and what `mlops tool` prints.
    pub value: Value,
    /// The result in one line.
    pub summary: String,
    /// The artifacts that the result speaks of.
    pub artifacts: Vec<ArtifactLink>,
}

impl Outcome {
    /// The shape that the design document gives for Lambda payloads: `{content, metadata|metrics, …}`.
    pub fn to_payload(&self) -> Value {
        let mut content = vec![json!({"type": "text", "text": self.summary})];
        content.extend(self.artifacts.iter().map(|link| {
            json!({"type": "resource", "resource": {"uri": link.uri, "name": link.name, "mimeType": link.mime_type}})
        }));
        let mut payload = json!({"content": content});
        for (key, value) in self.value.as_object().into_iter().flatten() {
            payload[key] = value.clone();
        }
        payload
    }
}

async fn run_untyped<T: Tool>(room: &T::Capability, call: &Call, arguments: Value) -> Result<Outcome> {
    let started = Instant::now();
    let outcome = async {
        let tool: T = arguments::parse(&input_schema::<T>(), arguments.clone())?;
        let report = tool.run(room, call).await?;
        outcome_of(&report, call)
    }
    .await
    .map_err(masked);
    write_audit_line::<T>(call, &arguments, started, outcome.as_ref().map(|outcome| outcome.summary.as_str()));
    outcome
}

/// The schema of a tool's arguments, made once for each tool: making it takes longer than most calls.
fn input_schema<T: Tool>() -> Arc<Value> {
    static MADE: RwLock<BTreeMap<&'static str, Arc<Value>>> = RwLock::new(BTreeMap::new());
    let tool = std::any::type_name::<T>();
    let made = MADE.read().unwrap_or_else(PoisonError::into_inner).get(tool).map(Arc::clone);
    made.unwrap_or_else(|| {
        let schema = Arc::new(schema::of_input::<T>());
        MADE.write().unwrap_or_else(PoisonError::into_inner).insert(tool, Arc::clone(&schema));
        schema
    })
}

/// Runs a tool on typed arguments, with the same audit line as an untyped call.
pub(crate) async fn run_typed<T: Tool>(room: &T::Capability, call: &Call, tool: T) -> Result<T::Output> {
    let started = Instant::now();
    let arguments = serde_json::to_value(&tool).map_err(|error| Error::internal(error.to_string()))?;
    let result = match call.check() {
        Ok(()) => tool.run(room, call).await.map_err(masked),
        Err(error) => Err(error),
    };
    let summary = result.as_ref().map_or_else(|_| String::new(), |report| report.summary(call.lang));
    write_audit_line::<T>(call, &arguments, started, result.as_ref().map(|_| summary.as_str()));
    result
}

fn outcome_of(report: &impl Report, call: &Call) -> Result<Outcome> {
    let value = serde_json::to_value(report)
        .map_err(|error| Error::internal("the result could not be written as JSON").caused_by(error))?;
    let artifacts = report.artifacts();
    Ok(Outcome { value: mask_value(&value), summary: mask_text(&report.summary(call.lang)), artifacts })
}

fn masked(mut error: Error) -> Error {
    error.message = mask_text(&error.message);
    error.hint = error.hint.map(|hint| mask_text(&hint));
    error.field = error.field.map(|field| mask_text(&field));
    error
}

fn write_audit_line<T: Tool>(call: &Call, arguments: &Value, started: Instant, outcome: Result<&str, &Error>) {
    let line = AuditLine::of((T::Capability::ID, T::NAME), arguments, call, started.elapsed(), outcome);
    call.audit.write(&line);
}
