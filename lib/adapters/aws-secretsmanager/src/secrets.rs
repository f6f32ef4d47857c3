//! The port of secrets over AWS Secrets Manager.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use mlops_aws_environment::AwsEnvironment;
use mlops_core::ports::{Clock, Secrets, check_secret_name, similar_secret};
use mlops_core::{Error, ErrorKind, Result, masking};
use secrecy::SecretString;
use serde_json::Value;

use crate::cache::{Cache, Found};
use crate::failure::failure;

/// Secrets from AWS Secrets Manager, by the fleet's own names: `mlops/github-token`.
///
/// The value of a secret is its text, without line breaks at its end; or, of a text that is a JSON object, the text under
/// `value`, as the console writes it: `{"value": "…"}`. An empty one is none.
///
/// A secret is kept for five minutes, and for ten seconds that there is none. [`Secrets::refreshed`] asks at once. Many who
/// ask at the same time share one request.
#[derive(Clone)]
pub struct SecretsManager {
    client: Client,
    cache: Arc<Cache>,
}

impl SecretsManager {
    /// Secrets of that account; the clock says how old they are. Nothing is sent.
    pub fn new(environment: &AwsEnvironment, clock: Arc<dyn Clock>) -> Self {
        Self::over(Client::new(environment.config()), clock)
    }

    pub(crate) fn over(client: Client, clock: Arc<dyn Clock>) -> Self {
        Self { client, cache: Arc::new(Cache::new(clock)) }
    }

    fn ask(&self, name: &str) -> BoxFuture<'static, Result<Found>> {
        let (client, name) = (self.client.clone(), name.to_owned());
        let asked = async move {
            match client.get_secret_value().secret_id(&name).send().await {
                Ok(answer) => found(&name, answer.secret_string()),
                Err(error) => match failure(error, &name) {
                    error if error.kind == ErrorKind::NotFound => Ok(None),
                    error => Err(error),
                },
            }
        };
        asked.boxed()
    }
}

#[async_trait]
impl Secrets for SecretsManager {
    async fn secret(&self, name: &str) -> Result<SecretString> {
        check_secret_name(name)?;
        self.cache.get(name, || self.ask(name)).await?.ok_or_else(|| absent(name))
    }

    async fn refreshed(&self, name: &str) -> Result<SecretString> {
        check_secret_name(name)?;
        self.cache.renew(name, || self.ask(name)).await?.ok_or_else(|| absent(name))
    }
}

/// The secret in a text of Secrets Manager, registered with the masking of logs.
fn found(name: &str, text: Option<&str>) -> Result<Found> {
    let hint = || format!("run: aws secretsmanager put-secret-value --secret-id {name} --secret-string '…'");
    let Some(text) = text else {
        let what = format!("the secret {name} is binary, and a text is needed");
        return Err(Error::invalid_input(what).at(name).hint(hint()));
    };
    let text = text.trim_end_matches(['\r', '\n']);
    let value = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(object)) => {
            let value = object.get("value").and_then(Value::as_str).map(str::to_owned);
            value.ok_or_else(|| {
                let what = format!("the secret {name} is a JSON object without a text under `value`");
                Error::invalid_input(what).at(name).hint(hint())
            })?
        }
        _ => text.to_owned(),
    };
    if value.is_empty() {
        return Ok(None);
    }
    let secret = SecretString::from(value);
    masking::register(&secret);
    Ok(Some(secret))
}

fn absent(name: &str) -> Error {
    let near = similar_secret(name);
    Error::not_found(format!("the secret {name} is not set"))
        .hint(format!("run: aws secretsmanager create-secret --name {name} --secret-string '…'{near}"))
}

impl std::fmt::Debug for SecretsManager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretsManager").finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "secrets_tests.rs"]
mod tests;
