//! Small state machines and scripted agents for the tests of the executor.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use mlops_core::ports::{Execution, NewExecution, Workflows as _};
use mlops_core::{AgentHandler, Call, Error, Result};
use mlops_local::LocalWorkflows;
use serde_json::{Value, json};
use tokio::sync::Notify;

type Script = dyn Fn(usize, &Value) -> Result<Value> + Send + Sync;

/// An agent that does what a script says and remembers what it was asked.
pub(crate) struct Scripted {
    name: &'static str,
    script: Box<Script>,
    begun: AtomicUsize,
    asked: Mutex<Vec<Value>>,
}

impl Scripted {
    /// An agent whose script gets the number of the call, from 1, and the payload. A result `"hang"` never comes.
    pub(crate) fn new(
        name: &'static str,
        script: impl Fn(usize, &Value) -> Result<Value> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { name, script: Box::new(script), begun: AtomicUsize::new(0), asked: Mutex::default() })
    }

    /// The payloads so far.
    pub(crate) fn asked(&self) -> Vec<Value> {
        self.asked.lock().unwrap().clone()
    }
}

impl AgentHandler for Scripted {
    fn name(&self) -> &'static str {
        self.name
    }

    fn invoke<'a>(&'a self, payload: Value, call: &'a Call) -> BoxFuture<'a, Result<Value>> {
        Box::pin(async move {
            let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
            self.asked.lock().unwrap().push(payload.clone());
            let result = (self.script)(number, &payload)?;
            if result == "hang" {
                std::future::pending::<()>().await;
            }
            if result == "busy" {
                // An agent that computes on a thread of its own and looks at its call.
                call.compute(|call| {
                    loop {
                        call.check()?;
                        std::thread::yield_now();
                    }
                })
                .await?;
            }
            Ok(result)
        })
    }
}

/// An agent that gives its payload back.
pub(crate) fn echo(name: &'static str) -> Arc<Scripted> {
    Scripted::new(name, |_, payload| Ok(payload.clone()))
}

/// An agent that fails that often with that error, and then gives its payload back.
pub(crate) fn failing(name: &'static str, times: usize, error: fn() -> Error) -> Arc<Scripted> {
    Scripted::new(name, move |number, payload| if number <= times { Err(error()) } else { Ok(payload.clone()) })
}

/// A machine of those states that begins with `A`.
pub(crate) fn machine(states: &Value) -> String {
    json!({ "QueryLanguage": "JSONata", "StartAt": "A", "States": states }).to_string()
}

/// A task of the agent `worker` with more fields.
pub(crate) fn task(more: &Value) -> Value {
    let mut task = json!({
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": { "FunctionName": "${WorkerFunctionArn}", "Payload": "{% $states.input %}" },
    });
    for (name, value) in more.as_object().unwrap() {
        task[name] = value.clone();
    }
    task
}

/// An executor of one machine, `test`, that does not wait between retries.
pub(crate) fn executor(home: &Path, agents: &[Arc<Scripted>], definition: &str) -> LocalWorkflows {
    let agents = agents.iter().map(|agent| Arc::clone(agent) as Arc<dyn AgentHandler>);
    LocalWorkflows::new(home, agents).waiting(0.0).machine("test", definition).unwrap()
}

/// Starts the execution `run` of the machine `test`.
pub(crate) async fn start(executor: &LocalWorkflows, input: Value) {
    let request = NewExecution { machine: "test".to_owned(), name: "run".to_owned(), input };
    executor.start(request).await.unwrap();
}

/// Starts the execution `run` and walks it to its end.
pub(crate) async fn run(executor: &LocalWorkflows, input: Value) -> Execution {
    start(executor, input).await;
    executor.run_to_end("run", |_| {}).await.unwrap()
}

/// The types of the events of the execution `run`.
pub(crate) async fn kinds(executor: &LocalWorkflows) -> Vec<String> {
    executor.history("run").await.unwrap().into_iter().map(|event| event.kind).collect()
}

/// A part of a machine: a branch, or what is done with an item.
pub(crate) fn flow(start_at: &str, states: &Value) -> Value {
    json!({ "StartAt": start_at, "States": states })
}

/// The types of the events of the execution `run` in that branch or item.
pub(crate) async fn kinds_in(executor: &LocalWorkflows, path: Option<&str>) -> Vec<String> {
    let events = executor.history("run").await.unwrap();
    events.into_iter().filter(|event| event.path.as_deref() == path).map(|event| event.kind).collect()
}

/// Walks until the n-th event of this walk is durable, and breaks off there; `true` when it ended before.
pub(crate) async fn walk_until(executor: &LocalWorkflows, events: usize) -> bool {
    let (seen, reached) = (AtomicUsize::new(0), Notify::new());
    let walk = executor.run_to_end("run", |_| {
        if seen.fetch_add(1, Ordering::SeqCst) + 1 == events {
            reached.notify_one();
        }
    });
    tokio::select! {
        biased;
        () = reached.notified() => false,
        ended = walk => { ended.unwrap(); true }
    }
}
