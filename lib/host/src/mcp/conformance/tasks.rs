//! Fixtures of the tasks extension: calls that the client follows by asking.

use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, ContentBlock, CreateTaskResult,
    ErrorData, Task, Tool,
};
use rmcp::service::RequestContext;
use rmcp::task_manager::{TaskContext, TaskExit, TaskOptions};
use serde_json::{Value, json};

use super::content::said;
use super::rounds::{answer, question};
use super::{Fixtures, plain, tool};

const NAMES: [&str; 7] = [
    "greet",
    "slow_compute",
    "failing_job",
    "protocol_error_job",
    "confirm_delete",
    "multi_input",
    "test_tool_with_task",
];
/// Those that cannot be done within one request.
const NEED_A_TASK: [&str; 4] = ["failing_job", "confirm_delete", "multi_input", "test_tool_with_task"];

pub(super) fn has(name: &str) -> bool {
    NAMES.contains(&name)
}

pub(super) fn tools() -> Vec<Tool> {
    let schema = |name: &str| match name {
        "greet" => Some(json!({"type": "object", "properties": {"name": {"type": "string"}}})),
        "slow_compute" => Some(json!({"type": "object",
            "properties": {"seconds": {"type": "number"}, "label": {"type": "string"}}})),
        "confirm_delete" => Some(json!({"type": "object", "properties": {"filename": {"type": "string"}}})),
        _ => None,
    };
    NAMES.into_iter().map(|name| schema(name).map_or_else(|| plain(name), |schema| tool(name, &schema))).collect()
}

pub(super) async fn call(
    fixtures: &Fixtures,
    request: &CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let name = request.name.as_ref();
    let arguments = Value::Object(request.arguments.clone().unwrap_or_default());
    let follows = context.client_capabilities().is_some_and(|client| client.supports_tasks());
    if name == "greet" {
        return Ok(said(format!("Hello, {}!", arguments["name"].as_str().unwrap_or("world"))).into());
    }
    if NEED_A_TASK.contains(&name) && !follows {
        let needed = ClientCapabilities::builder().enable_tasks().build();
        return Err(ErrorData::missing_required_client_capability(needed));
    }
    if name == "test_tool_with_task" && answer(request.input_responses.as_ref(), "user_name").is_none() {
        let asked = [("user_name".to_owned(), question("What is your name?", "name", "string")?)];
        return Ok(rmcp::model::InputRequiredResult::from_input_requests(asked.into()).into());
    }
    if !follows {
        return work(name, &arguments).await.map(Into::into);
    }
    Ok(CreateTaskResult::new(start(fixtures, name.to_owned(), arguments, request)).into())
}

fn start(fixtures: &Fixtures, name: String, arguments: Value, request: &CallToolRequestParams) -> Task {
    let told = answer(request.input_responses.as_ref(), "user_name");
    let user = told.and_then(|told| told["content"]["name"].as_str()).unwrap_or_default().to_owned();
    fixtures.tasks.spawn(TaskOptions::default(), move |task| {
        Box::pin(async move {
            match name.as_str() {
                "confirm_delete" => {
                    let answer = ask(&task, "confirm", "Delete the file?", "confirm", "boolean").await?;
                    Ok(said(format!("deleted: {}", answer["content"]["confirm"])))
                }
                "multi_input" => {
                    let first = ask(&task, "first", "The first value?", "value", "string");
                    let second = ask(&task, "second", "The second value?", "value", "string");
                    let (first, second) = tokio::join!(first, second);
                    Ok(said(format!("{} {}", first?["content"], second?["content"])))
                }
                "test_tool_with_task" => Ok(said(format!("Hello, {user}!"))),
                _ => tokio::select! {
                    () = task.cancelled() => Err(TaskExit::Cancelled),
                    done = work(&name, &arguments) => done.map_err(TaskExit::Error),
                },
            }
        })
    })
}

async fn ask(task: &TaskContext, key: &str, message: &str, field: &str, kind: &str) -> Result<Value, TaskExit> {
    let question = question(message, field, kind).map_err(TaskExit::Error)?;
    task.request_input(key, question).await
}

async fn work(name: &str, arguments: &Value) -> Result<CallToolResult, ErrorData> {
    match name {
        "failing_job" => {
            tokio::time::sleep(Duration::from_millis(500)).await;
            Ok(CallToolResult::error(vec![ContentBlock::text("This job always fails.")]))
        }
        "protocol_error_job" => {
            tokio::time::sleep(Duration::from_millis(200)).await;
            Err(ErrorData::internal_error("This job always breaks.", None))
        }
        _ => {
            let seconds = arguments["seconds"].as_f64().unwrap_or(1.0).clamp(0.0, 600.0);
            tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
            Ok(said(format!("{} is done", arguments["label"].as_str().unwrap_or("the job"))))
        }
    }
}
