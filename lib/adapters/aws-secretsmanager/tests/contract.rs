//! The adapter against a running Secrets Manager API: `python tests/servers/ministack.py -- cargo nextest run …`.

#![expect(clippy::unwrap_used, reason = "what a test needs and does not get is a failed test")]

use std::sync::Arc;

use aws_sdk_secretsmanager::Client;
use mlops_aws_environment::AwsEnvironment;
use mlops_aws_secretsmanager::SecretsManager;
use mlops_core::ErrorKind;
use mlops_core::ports::{Secrets as _, SystemClock};
use secrecy::ExposeSecret as _;

async fn kept(name: &str, value: &str) -> (SecretsManager, Client) {
    let environment = AwsEnvironment::from_variables().unwrap();
    let client = Client::new(environment.config());
    client.create_secret().name(name).secret_string(value).send().await.unwrap();
    (SecretsManager::new(&environment, Arc::new(SystemClock)), client)
}

#[tokio::test]
async fn the_adapter_keeps_the_contract() {
    let (secrets, _) = kept("mlops/github-token", "a-token-in-plain-text").await;
    mlops_contract::secrets(&secrets, ("mlops/github-token", "a-token-in-plain-text"), "mlops/mcp-api-key").await;
    let (secrets, _) = kept("mlops/slack-webhook-url", r#"{"value": "an-address-in-an-object"}"#).await;
    let known = ("mlops/slack-webhook-url", "an-address-in-an-object");
    mlops_contract::secrets(&secrets, known, "mlops/teams-webhook-url").await;
}

#[tokio::test]
async fn a_rotated_secret_is_found_by_who_asks_anew_and_a_deleted_one_by_nobody() {
    let name = "mlops/rotated";
    let (secrets, client) = kept(name, "before-the-rotation").await;
    assert_eq!(secrets.secret(name).await.unwrap().expose_secret(), "before-the-rotation");
    client.put_secret_value().secret_id(name).secret_string("after-the-rotation").send().await.unwrap();
    assert_eq!(secrets.secret(name).await.unwrap().expose_secret(), "before-the-rotation", "it is kept");
    assert_eq!(secrets.refreshed(name).await.unwrap().expose_secret(), "after-the-rotation");
    client.delete_secret().secret_id(name).recovery_window_in_days(7).send().await.unwrap();
    assert_eq!(secrets.refreshed(name).await.unwrap_err().kind, ErrorKind::NotFound);
}
