//! The region, the credentials and the endpoints of this process, and how patient its calls are.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::SystemTimeSource;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::{HttpClient, SharedHttpClient};
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_runtime_api::shared::IntoShared as _;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use mlops_core::{Error, Result};

use crate::container::Container;
use crate::network::Network;
use crate::variables::{ENDPOINT, Variables};

/// How often a call is made in all before its error is given back.
const ATTEMPTS: u32 = 5;
/// The longest pause before the second attempt; it doubles with every further one, and a random part of it is taken.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A network that is there connects at once.
const CONNECT: Duration = Duration::from_secs(3);
/// How long an answer may take to begin. The calls of the control plane answer in well under a second.
const READ: Duration = Duration::from_secs(15);
/// How long one attempt may take, and how long all may take together: less than a function has.
const ATTEMPT: Duration = Duration::from_secs(20);
const OPERATION: Duration = Duration::from_mins(1);
/// How long a body may stand still before it counts as broken.
const STALLED: Duration = Duration::from_secs(5);

/// What an adapter needs to know to make its client: the region, credentials, endpoints, timeouts and retries.
///
/// Making one sends nothing and reads no file. The variables are those of the AWS SDKs: `AWS_REGION`;
/// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, which Lambda sets, or
/// `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` and its kin, which ECS sets; `AWS_ENDPOINT_URL` and
/// `AWS_ENDPOINT_URL_<SERVICE>`. Profiles, single sign-on and the metadata of EC2 are not read.
#[derive(Debug, Clone)]
pub struct AwsEnvironment {
    config: SdkConfig,
    variables: Variables,
}

impl AwsEnvironment {
    /// What the variables of this process say; `InvalidInput` names one that is missing or cannot be meant.
    ///
    /// Credentials that are missing are an error of the first call, `Forbidden`, and not of this one.
    pub fn from_variables() -> Result<Self> {
        Self::new(|name| std::env::var(name).ok())
    }

    /// What those variables say. `read` is asked again when a client is made.
    pub fn new(read: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Result<Self> {
        Self::with_http_client(read, Network::new())
    }

    /// What those variables say, with another way to send requests: tests replay answers with it.
    pub fn with_http_client(
        read: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
        client: impl HttpClient + 'static,
    ) -> Result<Self> {
        let variables = Variables::new(read);
        let client: SharedHttpClient = client.into_shared();
        let mut builder = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(region(&variables)?)
            .credentials_provider(credentials(&variables, &client)?)
            .http_client(client)
            .sleep_impl(sleep())
            .time_source(SystemTimeSource::new())
            .identity_cache(IdentityCache::lazy().build())
            .retry_config(retries())
            .timeout_config(timeouts())
            .stalled_stream_protection(StalledStreamProtectionConfig::enabled().grace_period(STALLED).build())
            .service_config(variables.clone());
        builder.set_endpoint_url(endpoint(&variables)?);
        Ok(Self { config: builder.build(), variables })
    }

    /// What the clients of the SDK are made from.
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// The URL that a service is reached by when it is not AWS's own. `service` is its id in the SDK, such as `S3` or
    /// `Secrets Manager`.
    pub fn endpoint_url(&self, service: &str) -> Option<String> {
        self.variables.endpoint(service).or_else(|| self.config.endpoint_url().map(str::to_owned))
    }
}

pub(crate) fn sleep() -> SharedAsyncSleep {
    SharedAsyncSleep::new(TokioSleep::new())
}

pub(crate) fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(FIRST_PAUSE)
        .with_max_backoff(LONGEST_PAUSE)
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .read_timeout(READ)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build()
}

fn region(variables: &Variables) -> Result<Region> {
    let found = variables.get("AWS_REGION").or_else(|| variables.get("AWS_DEFAULT_REGION"));
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    match found {
        Some(name) if is_name(&name) => Ok(Region::new(name)),
        Some(name) => Err(Error::invalid_input(format!("`{name}` is not the name of a region"))
            .at("AWS_REGION")
            .hint("write a name such as eu-central-1")),
        None => Err(Error::invalid_input("it is not known in which AWS region the fleet lies")
            .at("AWS_REGION")
            .hint("set AWS_REGION; Lambda and ECS set it themselves")),
    }
}

fn endpoint(variables: &Variables) -> Result<Option<String>> {
    match variables.get(ENDPOINT) {
        Some(url) if !url.starts_with("https://") && !url.starts_with("http://") => {
            Err(Error::invalid_input(format!("`{url}` is not an endpoint"))
                .at(ENDPOINT)
                .hint("write an http or https URL, or unset it to reach AWS itself"))
        }
        url => Ok(url),
    }
}

/// The credentials of the variables, else those that the container's endpoint gives out, else an error when they are
/// needed.
fn credentials(variables: &Variables, client: &SharedHttpClient) -> Result<SharedCredentialsProvider> {
    match (variables.get("AWS_ACCESS_KEY_ID"), variables.get("AWS_SECRET_ACCESS_KEY")) {
        (Some(key), Some(secret)) => {
            let token = variables.get("AWS_SESSION_TOKEN");
            Ok(SharedCredentialsProvider::new(Credentials::new(key, secret, token, None, "variables")))
        }
        (Some(_), None) => Err(half("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID")),
        (None, Some(_)) => Err(half("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")),
        (None, None) => Ok(match Container::from_variables(variables, client)? {
            Some(container) => SharedCredentialsProvider::new(container),
            None => SharedCredentialsProvider::new(Missing),
        }),
    }
}

fn half(missing: &str, given: &str) -> Error {
    Error::invalid_input(format!("{given} is set and {missing} is not")).at(missing).hint("set both, or neither")
}

/// Stands for credentials that nothing names.
#[derive(Debug)]
struct Missing;

impl ProvideCredentials for Missing {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(CredentialsError::not_loaded_no_source()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stand_in::StandIn;

    fn environment(pairs: &'static [(&str, &str)]) -> Result<AwsEnvironment> {
        let read = |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        AwsEnvironment::with_http_client(read, StandIn::default().client())
    }

    async fn keys(environment: &AwsEnvironment) -> Result<Credentials, CredentialsError> {
        environment.config().credentials_provider().unwrap().provide_credentials().await
    }

    #[tokio::test]
    async fn the_variables_of_lambda_are_enough() {
        let environment = environment(&[
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "AKIA"),
            ("AWS_SECRET_ACCESS_KEY", "0rosebud1"),
            ("AWS_SESSION_TOKEN", "token"),
        ])
        .unwrap();
        assert_eq!(environment.config().region().unwrap().as_ref(), "eu-central-1");
        assert_eq!(environment.endpoint_url("S3"), None);
        let keys = keys(&environment).await.unwrap();
        assert_eq!((keys.access_key_id(), keys.session_token()), ("AKIA", Some("token")));
        assert!(!format!("{environment:?}").contains("rosebud"), "the key is not shown");
    }

    #[tokio::test]
    async fn missing_credentials_are_an_error_of_the_first_call() {
        let environment = environment(&[("AWS_DEFAULT_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", " ")]).unwrap();
        assert!(matches!(keys(&environment).await, Err(CredentialsError::CredentialsNotLoaded(_))));
    }

    #[test]
    fn an_endpoint_is_that_of_the_service_first() {
        let environment = environment(&[
            ("AWS_REGION", "us-east-1"),
            ("AWS_ENDPOINT_URL", "http://localhost:4566"),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://localhost:5000"),
        ])
        .unwrap();
        assert_eq!(environment.endpoint_url("Secrets Manager").as_deref(), Some("http://localhost:5000"));
        assert_eq!(environment.endpoint_url("S3").as_deref(), Some("http://localhost:4566"));
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        for (pairs, field) in [
            (&[][..], "AWS_REGION"),
            (&[("AWS_REGION", "Frankfurt!")], "AWS_REGION"),
            (&[("AWS_REGION", "us-east-1"), ("AWS_ENDPOINT_URL", "localhost:4566")], "AWS_ENDPOINT_URL"),
            (&[("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "AKIA")], "AWS_SECRET_ACCESS_KEY"),
            (&[("AWS_REGION", "us-east-1"), ("AWS_SECRET_ACCESS_KEY", "secret")], "AWS_ACCESS_KEY_ID"),
        ] {
            let error = environment(pairs).unwrap_err();
            assert_eq!(error.field.as_deref(), Some(field));
            assert!(error.hint.is_some());
        }
    }

    #[test]
    fn a_client_of_the_network_is_made_without_sending_anything() {
        let read = |name: &str| (name == "AWS_REGION").then(|| "us-east-1".to_owned());
        let environment = AwsEnvironment::new(read).unwrap();
        let config = environment.config();
        assert_eq!(config.retry_config().unwrap().max_attempts(), ATTEMPTS);
        assert_eq!(config.timeout_config().unwrap().connect_timeout(), Some(CONNECT));
    }
}
