//! What is kept of secrets, for how long, and what goes wrong.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_secretsmanager::config::retry::RetryConfig;
use aws_sdk_secretsmanager::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_secretsmanager::{Client, Config};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use mlops_core::ErrorKind;
use mlops_core::ports::{Clock, Secrets as _};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::SecretsManager;

const TOKEN: &str = "mlops/github-token";

/// A clock that stands, and the service: what it answers at this moment, and how often it was asked.
#[derive(Clone)]
struct World {
    now: Arc<Mutex<Timestamp>>,
    answer: Arc<Mutex<(u16, Value)>>,
    asked: Arc<Mutex<Vec<Value>>>,
}

impl World {
    fn new(answer: (u16, Value)) -> (SecretsManager, Self) {
        let now = Arc::new(Mutex::new("2026-01-01T00:00:00Z".parse().unwrap()));
        let world = Self { now, answer: Arc::new(Mutex::new(answer)), asked: Arc::default() };
        let connector = SharedHttpConnector::new(world.clone());
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("id", "key", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .http_client(http_client_fn(move |_, _| connector.clone()));
        let secrets = SecretsManager::over(Client::from_conf(config.build()), Arc::new(world.clone()));
        (secrets, world)
    }

    fn later(&self, seconds: i64) {
        *self.now.lock().unwrap() += SignedDuration::from_secs(seconds);
    }

    fn answers(&self, answer: (u16, Value)) {
        *self.answer.lock().unwrap() = answer;
    }

    fn times(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }
}

impl HttpConnector for World {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let input = serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or(Value::Null);
        self.asked.lock().unwrap().push(input);
        let (status, body) = self.answer.lock().unwrap().clone();
        HttpConnectorFuture::new(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body.to_string()));
            response.headers_mut().insert("x-amzn-requestid", "request-7");
            Ok(response)
        })
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("World")
    }
}

fn text(text: &str) -> (u16, Value) {
    (200, json!({"ARN": "arn:x", "Name": TOKEN, "SecretString": text}))
}

fn refusal(code: &str, message: &str) -> (u16, Value) {
    (400, json!({"__type": code, "Message": message}))
}

fn missing() -> (u16, Value) {
    refusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

/// The value of the secret, or the kind of the error.
async fn value(secrets: &SecretsManager) -> Result<String, ErrorKind> {
    secrets.secret(TOKEN).await.map(|secret| secret.expose_secret().to_owned()).map_err(|error| error.kind)
}

#[tokio::test]
async fn a_secret_is_kept_for_five_minutes() {
    let (secrets, world) = World::new(text("first-value"));
    assert_eq!(value(&secrets).await.unwrap(), "first-value");
    assert_eq!(*world.asked.lock().unwrap(), [json!({"SecretId": TOKEN})]);
    world.answers(text("second-value"));
    world.later(299);
    assert_eq!((value(&secrets).await.unwrap().as_str(), world.times()), ("first-value", 1));
    world.later(1);
    assert_eq!((value(&secrets).await.unwrap().as_str(), world.times()), ("second-value", 2));
    world.later(-10);
    assert_eq!((value(&secrets).await.unwrap().as_str(), world.times()), ("second-value", 3), "the clock was set back");
    assert!(!format!("{secrets:?}").contains("value"));
}

#[tokio::test]
async fn a_secret_is_asked_for_anew_when_it_did_not_let_its_caller_in() {
    let (secrets, world) = World::new(text("before-the-rotation"));
    assert_eq!(value(&secrets).await.unwrap(), "before-the-rotation");
    world.answers(text("after-the-rotation"));
    let refreshed = secrets.refreshed(TOKEN).await.unwrap();
    assert_eq!((refreshed.expose_secret(), world.times()), ("after-the-rotation", 2));
    assert_eq!((value(&secrets).await.unwrap().as_str(), world.times()), ("after-the-rotation", 2), "it is kept");
    world.answers(missing());
    assert_eq!(secrets.refreshed(TOKEN).await.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!((value(&secrets).await, world.times()), (Err(ErrorKind::NotFound), 3), "what was there before is gone");
}

#[tokio::test]
async fn that_there_is_none_is_kept_for_a_short_time() {
    let (secrets, world) = World::new(missing());
    let error = secrets.secret(TOKEN).await.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::NotFound, "the secret mlops/github-token is not set"));
    assert!(error.hint.unwrap().contains("create-secret --name mlops/github-token"));
    world.answers(text("now-it-is-there"));
    world.later(9);
    assert_eq!((value(&secrets).await, world.times()), (Err(ErrorKind::NotFound), 1));
    world.later(1);
    assert_eq!((value(&secrets).await.unwrap().as_str(), world.times()), ("now-it-is-there", 2));
    let error = secrets.secret("mlops/github-tokn").await.unwrap();
    assert_eq!(error.expose_secret(), "now-it-is-there", "names are kept apart");
    assert_eq!(world.times(), 3);
}

#[tokio::test]
async fn who_asks_at_the_same_time_shares_one_request_and_its_answer() {
    let (secrets, world) = World::new(text("shared-value"));
    let all = join_all((0..16).map(|_| value(&secrets))).await;
    assert!(all.iter().all(|value| value.as_deref() == Ok("shared-value")));
    assert_eq!(world.times(), 1);
    let all = join_all((0..16).map(|_| secrets.refreshed(TOKEN))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(world.times(), 2);
    world.later(600);
    world.answers(refusal("AccessDeniedException", "not authorized to perform: secretsmanager:GetSecretValue"));
    let all = join_all((0..16).map(|_| secrets.secret(TOKEN))).await;
    for error in all {
        let error = error.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Forbidden);
        assert!(error.message.contains("secretsmanager:GetSecretValue"), "{}", error.message);
    }
    assert_eq!(world.times(), 3, "a failure is shared too");
    world.answers(text("back-again"));
    assert_eq!((value(&secrets).await.unwrap().as_str(), world.times()), ("back-again", 4), "and it is not kept");
}

#[tokio::test]
async fn who_gives_up_waiting_leaves_nothing_behind() {
    let (secrets, world) = World::new(text("first-value"));
    let given_up = tokio::time::timeout(Duration::from_millis(2), secrets.secret(TOKEN)).await;
    assert!(given_up.is_err());
    world.answers(text("second-value"));
    assert_eq!((value(&secrets).await.unwrap().as_str(), world.times()), ("second-value", 2));
    let (one, other) = tokio::join!(
        async {
            world.later(300);
            tokio::time::timeout(Duration::from_millis(2), secrets.secret(TOKEN)).await
        },
        value(&secrets)
    );
    assert!(one.is_err());
    assert_eq!((other.unwrap().as_str(), world.times()), ("second-value", 3), "another went on waiting");
}

#[tokio::test]
async fn the_value_is_the_text_or_what_stands_under_value() {
    for (kept, expected) in [
        ("plain-text", Ok("plain-text")),
        ("plain-text\n", Ok("plain-text")),
        ("-----BEGIN KEY-----\nabc\n-----END KEY-----\r\n", Ok("-----BEGIN KEY-----\nabc\n-----END KEY-----")),
        (r#"{"value": "in-an-object"}"#, Ok("in-an-object")),
        (r#"{"value": "in-an-object", "note": 1}"#, Ok("in-an-object")),
        ("\"in quotes\"", Ok("\"in quotes\"")),
        ("123456", Ok("123456")),
        ("{not json", Ok("{not json")),
        (r#"{"token": "under-another-name"}"#, Err(ErrorKind::InvalidInput)),
        (r#"{"value": 5}"#, Err(ErrorKind::InvalidInput)),
        (r#"{"value": ""}"#, Err(ErrorKind::NotFound)),
        ("\n", Err(ErrorKind::NotFound)),
    ] {
        let (secrets, _) = World::new(text(kept));
        assert_eq!(value(&secrets).await.as_deref().map_err(|kind| *kind), expected, "{kept:?}");
    }
    let (secrets, _) = World::new(text(r#"{"token": "under-another-name"}"#));
    let error = secrets.secret(TOKEN).await.unwrap_err();
    assert!(!format!("{error:?}").contains("under-another-name"), "an error repeats nothing of a secret");
    let (secrets, _) = World::new((200, json!({"Name": TOKEN, "SecretBinary": "AAAA"})));
    let error = secrets.secret(TOKEN).await.unwrap_err();
    assert!(error.kind == ErrorKind::InvalidInput && error.message.contains("binary"), "{}", error.message);
}

#[tokio::test]
async fn errors_are_told_by_what_a_caller_can_do() {
    let deleted = "You can't perform this operation on the secret because it was marked for deletion.";
    for (status, code, message, kind) in [
        (400, "InvalidRequestException", deleted, ErrorKind::NotFound),
        (400, "InvalidParameterException", "no", ErrorKind::InvalidInput),
        (400, "DecryptionFailure", "no", ErrorKind::Forbidden),
        (400, "AccessDeniedException", "no", ErrorKind::Forbidden),
        (400, "ThrottlingException", "Rate exceeded", ErrorKind::Throttled),
        (500, "InternalServiceError", "no", ErrorKind::Unavailable),
        (503, "ServiceUnavailable", "no", ErrorKind::Unavailable),
    ] {
        let (secrets, _) = World::new((status, refusal(code, message).1));
        let error = secrets.secret(TOKEN).await.unwrap_err();
        assert_eq!(error.kind, kind, "{code}");
        assert!(error.message.contains(TOKEN), "{}", error.message);
        assert_eq!(error.message.contains("request-7"), kind != ErrorKind::NotFound, "{}", error.message);
    }
}

#[tokio::test]
async fn a_name_that_is_none_of_the_fleets_is_not_sent() {
    let (secrets, world) = World::new(text("some-value"));
    for wrong in ["", "github-token", "mlops/", "mlops/Github", "mlops/a b", "other/github-token"] {
        assert_eq!(secrets.secret(wrong).await.unwrap_err().kind, ErrorKind::InvalidInput);
        assert_eq!(secrets.refreshed(wrong).await.unwrap_err().kind, ErrorKind::InvalidInput);
    }
    assert_eq!(world.times(), 0);
}
