//! Stands in for Step Functions: answers requests in this process and remembers them.

use std::sync::{Arc, Mutex};

use aws_sdk_sfn::config::retry::RetryConfig;
use aws_sdk_sfn::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sfn::{Client, Config};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

/// The account's machines.
pub(crate) const TRAINING: &str = "arn:aws:states:eu-central-1:123456789012:stateMachine:fleet-training";
pub(crate) const ROLLBACK: &str = "arn:aws:states:eu-central-1:123456789012:stateMachine:fleet-rollback";

type Answer = dyn Fn(&str, &Value) -> (u16, Value) + Send + Sync;

/// Gives status and body of the answer to an action with its input.
#[derive(Clone)]
pub(crate) struct StandIn {
    answer: Arc<Answer>,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
}

impl StandIn {
    pub(crate) fn new(answer: impl Fn(&str, &Value) -> (u16, Value) + Send + Sync + 'static) -> Self {
        Self { answer: Arc::new(answer), asked: Arc::default() }
    }

    /// A client of it that tries nothing again.
    pub(crate) fn client(&self) -> Client {
        let connector = SharedHttpConnector::new(self.clone());
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("id", "key", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .http_client(http_client_fn(move |_, _| connector.clone()));
        Client::from_conf(config.build())
    }

    /// The inputs of that action so far.
    pub(crate) fn asked(&self, action: &str) -> Vec<Value> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|(of, _)| of == action).map(|(_, input)| input.clone()).collect()
    }
}

impl HttpConnector for StandIn {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let action = target.rsplit('.').next().unwrap_or_default().to_owned();
        let input = serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or(Value::Null);
        let (status, body) = (self.answer)(&action, &input);
        self.asked.lock().unwrap().push((action, input));
        let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body.to_string()));
        response.headers_mut().insert("x-amzn-requestid", "request-7");
        HttpConnectorFuture::ready(Ok(response))
    }
}

impl std::fmt::Debug for StandIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StandIn")
    }
}

/// The answer of a service that refuses.
pub(crate) fn refusal(code: &str, message: &str) -> (u16, Value) {
    (400, json!({ "__type": format!("com.amazonaws.sfn#{code}"), "message": message }))
}

/// An execution as it is described.
pub(crate) fn described(arn: &str, status: &str, input: &Value) -> (u16, Value) {
    let name = arn.rsplit(':').next().unwrap_or_default();
    let mut body = json!({
        "executionArn": arn, "name": name, "stateMachineArn": TRAINING, "status": status,
        "startDate": 1_700_000_000.25, "input": input.to_string(),
    });
    if status != "RUNNING" && status != "PENDING_REDRIVE" {
        body["stopDate"] = json!(1_700_000_060.5);
    }
    match status {
        "SUCCEEDED" => body["output"] = json!(r#"{"decision": "promote"}"#),
        "FAILED" => (body["error"], body["cause"]) = (json!("Rejected"), json!("not good enough")),
        _ => {}
    }
    (200, body)
}
