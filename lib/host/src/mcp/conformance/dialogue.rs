//! Fixtures that talk with the client while they work: progress, log lines, sampling, questions.

#![expect(deprecated, reason = "the older of the two protocols still has sampling and log lines")]

use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientCapabilities, ContentBlock, CreateMessageRequestParams,
    ElicitRequestParams, ErrorData, LoggingLevel, LoggingMessageNotificationParam, ProgressNotificationParam,
    SamplingMessage, Tool,
};
use rmcp::service::RequestContext;
use serde_json::{Value, json};

use super::content::said;
use super::{plain, tool};

const PLAIN: [&str; 8] = [
    "test_tool_with_progress",
    "test_tool_with_logging",
    "test_logging_tool",
    "test_elicitation_sep1034_defaults",
    "test_elicitation_sep1330_enums",
    "test_missing_capability",
    "test_reconnection",
    "test_sampling",
];

pub(super) fn has(name: &str) -> bool {
    PLAIN.contains(&name) || name == "test_elicitation"
}

pub(super) fn tools() -> Vec<Tool> {
    let text = |field: &str| json!({"type": "object", "properties": {field: {"type": "string"}}, "required": [field]});
    let mut tools: Vec<Tool> = PLAIN[..7].iter().map(|name| plain(name)).collect();
    tools.push(tool("test_sampling", &text("prompt")));
    tools.push(tool("test_elicitation", &text("message")));
    tools
}

pub(super) async fn call(
    request: &CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResult, ErrorData> {
    let argument = |name: &str| {
        let given = request.arguments.as_ref().and_then(|given| given.get(name)).and_then(Value::as_str);
        given.unwrap_or_default().to_owned()
    };
    Ok(match request.name.as_ref() {
        "test_tool_with_progress" => {
            for done in [0.0, 50.0, 100.0] {
                if let Some(token) = context.meta.get_progress_token() {
                    let progress = ProgressNotificationParam::new(token, done).with_total(100.0);
                    heard(context.peer.notify_progress(progress.with_message(format!("{done} of 100"))).await)?;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            said("done")
        }
        "test_tool_with_logging" => {
            for text in ["Tool execution started", "Tool processing data", "Tool execution completed"] {
                log(context, LoggingLevel::Info, text).await?;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            said("done")
        }
        "test_logging_tool" => {
            // The newer protocol wants log lines only where the request asks for them.
            if let Some(level) = context.meta.log_level() {
                log(context, level, "asked for").await?;
            }
            said("done")
        }
        "test_missing_capability" => {
            if context.client_capabilities().is_none_or(|client| client.sampling.is_none()) {
                let needed = ClientCapabilities::builder().enable_sampling().build();
                return Err(ErrorData::missing_required_client_capability(needed));
            }
            said("declared")
        }
        "test_reconnection" => {
            tokio::time::sleep(Duration::from_millis(100)).await;
            said("done")
        }
        "test_sampling" => {
            let asked = CreateMessageRequestParams::new(vec![SamplingMessage::user_text(argument("prompt"))], 100);
            match context.peer.create_message(asked).await {
                Ok(answer) => {
                    let text = answer
                        .message
                        .content
                        .first()
                        .and_then(|content| content.as_text().map(|text| text.text.clone()));
                    said(format!("LLM response: {}", text.unwrap_or_default()))
                }
                Err(error) => CallToolResult::error(vec![ContentBlock::text(error.to_string())]),
            }
        }
        "test_elicitation" => {
            let fields = json!({"response": {"type": "string", "description": "The answer"}});
            ask(context, &argument("message"), fields, json!(["response"])).await?
        }
        "test_elicitation_sep1034_defaults" => ask(context, "Look at the defaults.", defaults(), json!([])).await?,
        _ => ask(context, "Choose.", choices(), json!([])).await?,
    })
}

async fn log(context: &RequestContext<RoleServer>, level: LoggingLevel, text: &str) -> Result<(), ErrorData> {
    let line = LoggingMessageNotificationParam::new(level, json!(text)).with_logger("fixtures");
    heard(context.peer.notify_logging_message(line).await)
}

fn heard<E: std::fmt::Display>(sent: Result<(), E>) -> Result<(), ErrorData> {
    sent.map_err(|error| ErrorData::internal_error(error.to_string(), None))
}

async fn ask(
    context: &RequestContext<RoleServer>,
    message: &str,
    fields: Value,
    required: Value,
) -> Result<CallToolResult, ErrorData> {
    let asked = form(message, &fields, &required)?;
    Ok(match context.peer.create_elicitation(asked).await {
        Ok(answer) => {
            let action = serde_json::to_value(&answer.action).unwrap_or_default();
            let content = answer.content.unwrap_or_default();
            let action = action.as_str().unwrap_or_default().to_owned();
            said(format!("User response: action={action}, content={content}"))
        }
        Err(error) => CallToolResult::error(vec![ContentBlock::text(error.to_string())]),
    })
}

/// A question with fields.
pub(super) fn form(message: &str, fields: &Value, required: &Value) -> Result<ElicitRequestParams, ErrorData> {
    let schema = json!({"type": "object", "properties": fields, "required": required});
    let requested_schema =
        serde_json::from_value(schema).map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
    Ok(ElicitRequestParams::FormElicitationParams { meta: None, message: message.to_owned(), requested_schema })
}

fn defaults() -> Value {
    json!({
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": true}
    })
}

fn choices() -> Value {
    let titled = |prefix: &str| -> Value {
        let choice = |(number, title): (usize, &str)| json!({"const": format!("value{number}"), "title": format!("{title} {prefix}")});
        ["First", "Second", "Third"].into_iter().enumerate().map(|(at, title)| choice((at + 1, title))).collect()
    };
    let plain = json!(["option1", "option2", "option3"]);
    json!({
        "untitledSingle": {"type": "string", "enum": plain},
        "titledSingle": {"type": "string", "oneOf": titled("Option")},
        "legacyEnum": {"type": "string", "enum": ["opt1", "opt2", "opt3"], "enumNames": ["Option One", "Option Two", "Option Three"]},
        "untitledMulti": {"type": "array", "minItems": 1, "maxItems": 3, "items": {"type": "string", "enum": plain}},
        "titledMulti": {"type": "array", "minItems": 1, "maxItems": 3, "items": {"anyOf": titled("Choice")}}
    })
}
