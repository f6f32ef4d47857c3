//! Agents that do what the functions of the recording do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use mlops_core::{AgentHandler, Call, Error, ErrorKind, Result};
use serde_json::{Value, json};

/// A function of the recording.
struct Function {
    name: &'static str,
    /// How often `flaky` was called with a key.
    calls: Mutex<BTreeMap<String, usize>>,
}

/// One agent for each function; they remember nothing of other runs.
pub(super) fn all() -> Vec<Arc<dyn AgentHandler>> {
    let agent = |name| Arc::new(Function { name, calls: Mutex::default() }) as Arc<dyn AgentHandler>;
    ["echo", "fail", "flaky", "slow", "ask", "scripted"].map(agent).to_vec()
}

impl Function {
    async fn answer(&self, payload: Value) -> Result<Value> {
        match self.name {
            "fail" => Err(error(&payload["error"], payload["message"].as_str().unwrap_or_default())),
            "flaky" => self.flaky(&payload),
            "slow" => {
                tokio::time::sleep(Duration::from_secs_f64(payload["seconds"].as_f64().unwrap_or_default())).await;
                Ok(payload)
            }
            "ask" => Ok(Value::Null),
            "scripted" => scripted(&payload),
            _ => Ok(payload),
        }
    }

    /// The errors of a key one after the other, and then the number of its calls and the retries.
    fn flaky(&self, payload: &Value) -> Result<Value> {
        let key = payload["key"].as_str().expect("flaky has a key").to_owned();
        let calls = {
            let mut calls = self.calls.lock().unwrap();
            let count = calls.entry(key).or_default();
            *count += 1;
            *count
        };
        match payload["errors"].get(calls - 1) {
            Some(name) => Err(error(name, &format!("call {calls}"))),
            None => Ok(json!({ "calls": calls, "retries": payload["retries"] })),
        }
    }
}

/// What the script says of this attempt of this state, with what the state gave.
fn scripted(payload: &Value) -> Result<Value> {
    let state = payload["state"].as_str().expect("scripted has a state");
    let steps = &payload["script"][state];
    let attempt = payload["attempt"].as_u64().expect("an attempt has a number") as usize;
    let step = steps.as_array().map_or(steps, |steps| &steps[attempt.min(steps.len()) - 1]);
    match step.get("error") {
        Some(name) => Err(error(name, step["message"].as_str().unwrap_or_default())),
        None => Ok(json!({ "status": "SUCCEEDED", "outputs": step, "given": payload["inputs"], "next_hint": state })),
    }
}

fn error(name: &Value, message: &str) -> Error {
    let kind = name.as_str().and_then(ErrorKind::from_name);
    Error::new(kind.unwrap_or_else(|| panic!("{name} is no kind of error")), message)
}

impl AgentHandler for Function {
    fn name(&self) -> &'static str {
        self.name
    }

    fn invoke<'a>(&'a self, payload: Value, _: &'a Call) -> BoxFuture<'a, Result<Value>> {
        Box::pin(self.answer(payload))
    }
}
