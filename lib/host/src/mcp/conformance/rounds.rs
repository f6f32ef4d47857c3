//! Fixtures that need an answer of the client before they can end: they say what they need, and are called again with it.

#![expect(deprecated, reason = "sampling and roots are still part of what can be asked for")]

use rmcp::RoleServer;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CreateMessageRequest, CreateMessageRequestParams, ElicitRequest,
    ErrorData, GetPromptRequestParams, GetPromptResponse, GetPromptResult, InputRequest, InputRequests,
    InputRequiredResult, InputResponses, ListRootsRequest, PromptMessage, Role, SamplingMessage, Tool,
};
use rmcp::service::RequestContext;
use serde_json::{Value, json};

use super::content::said;
use super::{Fixtures, dialogue, plain};

const NAMES: [&str; 9] = [
    "test_input_required_result_elicitation",
    "test_input_required_result_sampling",
    "test_input_required_result_list_roots",
    "test_input_required_result_request_state",
    "test_input_required_result_multiple_inputs",
    "test_input_required_result_multi_round",
    "test_input_required_result_tampered_state",
    "test_input_required_result_capabilities",
    "test_streaming_elicitation",
];

pub(super) fn has(name: &str) -> bool {
    NAMES.contains(&name)
}

pub(super) fn tools() -> Vec<Tool> {
    NAMES.into_iter().map(plain).collect()
}

/// A question for one field.
pub(super) fn question(message: &str, field: &str, kind: &str) -> Result<InputRequest, ErrorData> {
    let asked = dialogue::form(message, &json!({field: {"type": kind}}), &json!([field]))?;
    Ok(InputRequest::Elicitation(ElicitRequest::new(asked)))
}

fn sample(prompt: &str) -> InputRequest {
    let asked = CreateMessageRequestParams::new(vec![SamplingMessage::user_text(prompt)], 50);
    InputRequest::CreateMessage(CreateMessageRequest::new(asked))
}

fn roots() -> InputRequest {
    InputRequest::ListRoots(ListRootsRequest::default())
}

/// What the client has answered under that key; only an object is an answer.
pub(super) fn answer<'a>(given: Option<&'a InputResponses>, key: &str) -> Option<&'a Value> {
    given?.get(key).filter(|value| value.is_object())
}

fn needs<const N: usize>(asked: [(&str, InputRequest); N]) -> InputRequests {
    asked.into_iter().map(|(key, request)| (key.to_owned(), request)).collect()
}

pub(super) fn call(
    fixtures: &Fixtures,
    request: &CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let given = request.input_responses.as_ref();
    let ask = |asked: InputRequests| Ok(InputRequiredResult::from_input_requests(asked).into());
    let ask_sealed = |asked: InputRequests, state: Value| {
        let sealed =
            fixtures.seal.seal_json(&state).map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        Ok(InputRequiredResult::new(Some(asked), Some(sealed)).into())
    };
    let state: Option<Value> = match request.request_state.as_deref() {
        Some(sealed) => Some(
            fixtures
                .seal
                .open_json(sealed)
                .map_err(|_| ErrorData::invalid_params("requestState is not as it was given", None))?,
        ),
        None => None,
    };
    match request.name.as_ref() {
        "test_input_required_result_elicitation" => match answer(given, "user_name") {
            Some(name) => Ok(said(format!("Hello, {}!", name["content"]["name"].as_str().unwrap_or_default())).into()),
            None => ask(needs([("user_name", question("What is your name?", "name", "string")?)])),
        },
        "test_input_required_result_sampling" => match answer(given, "capital_question") {
            Some(answer) => Ok(said(answer["content"]["text"].as_str().unwrap_or_default()).into()),
            None => ask(needs([("capital_question", sample("What is the capital of France?"))])),
        },
        "test_input_required_result_list_roots" => match answer(given, "client_roots") {
            Some(roots) => Ok(said(format!("roots: {}", roots["roots"])).into()),
            None => ask(needs([("client_roots", roots())])),
        },
        "test_input_required_result_request_state" | "test_input_required_result_tampered_state" => {
            if state.is_some() && answer(given, "confirm").is_some() {
                return Ok(said("state-ok").into());
            }
            ask_sealed(needs([("confirm", question("Please confirm.", "ok", "boolean")?)]), json!({"step": "confirm"}))
        }
        "test_input_required_result_multiple_inputs" => {
            let keys = ["user_name", "greeting", "client_roots"];
            if state.is_some() && keys.iter().all(|key| answer(given, key).is_some()) {
                return Ok(said("all answers are there").into());
            }
            let asked = needs([
                ("user_name", question("What is your name?", "name", "string")?),
                ("greeting", sample("Write a greeting.")),
                ("client_roots", roots()),
            ]);
            ask_sealed(asked, json!({"step": "gather"}))
        }
        "test_input_required_result_multi_round" => {
            let round = state.as_ref().and_then(|state| state["round"].as_u64()).unwrap_or_default();
            match (round, answer(given, "step1"), answer(given, "step2")) {
                (2, _, Some(_)) => Ok(said("all rounds are done").into()),
                (1, Some(_), _) => {
                    ask_sealed(needs([("step2", question("Your colour?", "color", "string")?)]), json!({"round": 2}))
                }
                _ => ask_sealed(needs([("step1", question("Your name?", "name", "string")?)]), json!({"round": 1})),
            }
        }
        "test_input_required_result_capabilities" => {
            if given.is_some() {
                return Ok(said("answers are there").into());
            }
            let client = context.client_capabilities().unwrap_or_default();
            let mut asked = InputRequests::new();
            if client.elicitation.is_some() {
                asked.insert("user_name".to_owned(), question("What is your name?", "name", "string")?);
            }
            if client.sampling.is_some() {
                asked.insert("greeting".to_owned(), sample("Write a greeting."));
            }
            if client.roots.is_some() {
                asked.insert("client_roots".to_owned(), roots());
            }
            if asked.is_empty() { Ok(said("the client can be asked for nothing").into()) } else { ask(asked) }
        }
        _ => ask(needs([("value", question("Give a value.", "value", "string")?)])),
    }
}

/// A prompt that needs an answer first.
pub(super) fn prompt(request: &GetPromptRequestParams) -> Option<GetPromptResponse> {
    if request.name != "test_input_required_result_prompt" {
        return None;
    }
    if let Some(answer) = answer(request.input_responses.as_ref(), "user_context") {
        let text = format!("Context: {}", answer["content"]["context"].as_str().unwrap_or_default());
        return Some(GetPromptResult::new(vec![PromptMessage::new_text(Role::User, text)]).into());
    }
    let asked = question("Which context?", "context", "string").ok()?;
    Some(InputRequiredResult::from_input_requests(needs([("user_context", asked)])).into())
}
