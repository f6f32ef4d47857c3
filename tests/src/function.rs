//! A function whose agent does what its task says, for the tests of the Lambda front door.
#![expect(clippy::panic, reason = "some tasks ask for a panic")]

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use mlops_core::{Agent, Call, Error, ErrorKind, Result, Task, TaskResult};
use mlops_host::lambda::{self, Function, HttpRequest, HttpResponse};
use mlops_host::{ClaimChecked, GuardedStore};
use mlops_local::{Access, LocalMachine};
use serde::Deserialize;
use serde_json::{Value, json};

struct Probe;

/// What the agent is told to do.
#[derive(Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
enum Asked {
    /// Give the value back.
    Echo { value: Value },
    /// Give a list of so many numbers.
    Count { numbers: u32 },
    /// Fail by that kind.
    Fail { kind: String },
    /// Panic.
    Panic,
    /// Compute until the call is over.
    Compute,
    /// Sleep without ever looking at the call.
    Sleep { milliseconds: u64 },
}

impl Agent for Probe {
    const NAME: &'static str = "probe";
    type Inputs = Asked;
    type Outputs = Value;

    async fn handle(&self, task: Task<Asked>, call: &Call) -> Result<TaskResult<Value>> {
        let outputs = match task.inputs {
            Asked::Echo { value } => json!({ "value": value }),
            Asked::Count { numbers } => json!({ "numbers": (0..numbers).collect::<Vec<_>>(), "decision": "promote" }),
            Asked::Fail { kind } => {
                let kind = ErrorKind::from_name(&kind).unwrap_or(ErrorKind::Internal);
                return Err(Error::new(kind, "it went wrong").at("inputs.kind").hint("ask for something else"));
            }
            Asked::Panic => panic!("out of cheese"),
            Asked::Compute => {
                let until_over = |call: &Call| -> Result<()> {
                    loop {
                        call.check()?;
                        std::thread::sleep(Duration::from_millis(1));
                    }
                };
                call.compute(until_over).await?;
                Value::Null
            }
            Asked::Sleep { milliseconds } => {
                std::thread::sleep(Duration::from_millis(milliseconds));
                Value::Null
            }
        };
        Ok(TaskResult::succeeded::<Self>(task.run_id, outputs, "go on"))
    }
}

fn answer(request: &HttpRequest, call: &Call) -> Result<HttpResponse> {
    match request.path.as_str() {
        "/panic" => panic!("out of cheese"),
        "/fail" => Err(Error::not_found("it is not here").hint("look elsewhere")),
        _ => {
            let seen = json!({"method": request.method, "path": request.path, "query": request.query,
                "signature": request.headers.get("x-hub-signature-256"), "body": request.body,
                "request_id": call.request_id});
            Ok(HttpResponse::json(202, &seen))
        }
    }
}

fn main() -> ExitCode {
    lambda::http(|settings| {
        let LocalMachine { settings, store, .. } = LocalMachine::here(settings, Access::HomeOnly)?;
        let store = GuardedStore::of(store, &settings);
        Ok(Function::of_requests(|request, call| async move { answer(&request, &call) }).with_tasks(ClaimChecked::new(
            Arc::new(Probe),
            store,
            settings.store,
        )))
    })
}
