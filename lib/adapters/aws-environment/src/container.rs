//! Credentials that the container's own endpoint gives out, as on ECS.

use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, future};
use aws_smithy_async::time::SystemTimeSource;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::interceptors::context::Error as OperationError;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError, SensitiveOutput};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::date_time::Format;
use aws_smithy_types::timeout::TimeoutConfig;
use mlops_core::{Error, Result};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::environment::{retries, sleep};
use crate::variables::Variables;

const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
const TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

/// Where ECS answers, and what else may be asked without TLS besides this machine itself: ECS and EKS.
const ECS: &str = "http://169.254.170.2";
const LINK_LOCAL: [&str; 3] = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"];

const CONNECT: Duration = Duration::from_secs(2);
const READ: Duration = Duration::from_secs(5);

/// The endpoint of this container's credentials. It is asked when credentials are needed, and again before they expire.
#[derive(Debug)]
pub(crate) struct Container {
    operation: Operation<Authorization, Credentials, CredentialsError>,
    token: Token,
}

/// What the endpoint is to be shown. A file is read anew each time, because its token changes.
#[derive(Debug)]
enum Token {
    None,
    Fixed(SecretString),
    File(PathBuf),
}

/// The value of the header `authorization`.
#[derive(Debug)]
struct Authorization(Option<SecretString>);

/// The endpoint's answer.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
    expiration: Option<String>,
}

impl Container {
    /// The endpoint that the variables name, if they name one; `InvalidInput` when it may not be asked.
    pub(crate) fn from_variables(variables: &Variables, client: &SharedHttpClient) -> Result<Option<Self>> {
        let (base, path) = match (variables.get(RELATIVE), variables.get(FULL)) {
            (Some(path), _) if path.starts_with('/') => (ECS.to_owned(), path),
            (Some(path), _) => return Err(refused(RELATIVE, &path, "a path that begins with a slash")),
            (None, Some(url)) => split(&url)?,
            (None, None) => return Ok(None),
        };
        let token = match (variables.get(TOKEN_FILE), variables.get(TOKEN)) {
            (Some(file), _) => Token::File(file.into()),
            (None, Some(token)) => Token::Fixed(token.into()),
            (None, None) => Token::None,
        };
        Ok(Some(Self { operation: operation(&base, path, client.clone()), token }))
    }

    async fn credentials(&self) -> provider::Result {
        let token = match &self.token {
            Token::None => None,
            Token::Fixed(token) => Some(token.clone()),
            Token::File(path) => {
                let text = fs::read_to_string(path).map_err(CredentialsError::provider_error)?;
                Some(text.trim().into())
            }
        };
        self.operation.invoke(Authorization(token)).await.map_err(|error| match error {
            SdkError::ServiceError(error) => error.into_err(),
            error => CredentialsError::provider_error(error),
        })
    }
}

impl ProvideCredentials for Container {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}

fn refused(name: &str, value: &str, wanted: &str) -> Error {
    Error::invalid_input(format!("`{value}` is not a place to ask for credentials"))
        .at(name)
        .hint(format!("it is {wanted}"))
}

/// Scheme with authority, and path of a URL that credentials may be asked of: over TLS, or from this machine.
fn split(url: &str) -> Result<(String, String)> {
    let wrong = || refused(FULL, url, "an https URL, or an http URL of this machine, of ECS or of EKS");
    let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or("", |(host, _)| host),
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    let address: Option<IpAddr> = host.parse().ok();
    let is_near = host == "localhost" || LINK_LOCAL.contains(&host) || address.is_some_and(|ip| ip.is_loopback());
    let is_plain = host.chars().all(|c| c.is_ascii_alphanumeric() || "-.:".contains(c));
    if host.is_empty() || !is_plain || !(scheme == "https" || scheme == "http" && is_near) {
        return Err(wrong());
    }
    Ok((format!("{scheme}://{authority}"), format!("/{path}")))
}

fn operation(
    base: &str,
    path: String,
    client: SharedHttpClient,
) -> Operation<Authorization, Credentials, CredentialsError> {
    let mut secret = Layer::new("the answer is not logged");
    secret.store_put(SensitiveOutput);
    Operation::builder()
        .service_name("ContainerCredentials")
        .operation_name("GetCredentials")
        .http_client(client)
        .endpoint_url(base)
        .no_auth()
        .with_connection_poisoning()
        .sleep_impl(sleep())
        .time_source(SystemTimeSource::new())
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(READ).build())
        .standard_retry(&retries())
        .retry_classifier(TransientErrorClassifier::<OperationError>::new())
        .retry_classifier(HttpStatusCodeClassifier::default())
        .runtime_plugin(StaticRuntimePlugin::new().with_config(secret.freeze()))
        .serializer(move |authorization: Authorization| {
            let mut request = HttpRequest::get(&path)?;
            request.headers_mut().try_insert("accept", "application/json")?;
            if let Some(token) = authorization.0 {
                request.headers_mut().try_insert("authorization", token.expose_secret().to_owned())?;
            }
            Ok(request)
        })
        .deserializer(|response: &HttpResponse| parse(response).map_err(OrchestratorError::operation))
        .build()
}

fn parse(response: &HttpResponse) -> Result<Credentials, CredentialsError> {
    let status = response.status().as_u16();
    if !response.status().is_success() {
        return Err(CredentialsError::provider_error(format!("the container's endpoint answered HTTP {status}")));
    }
    // What serde says of an answer could show a part of it.
    let unreadable = || CredentialsError::provider_error("the container's endpoint answered something else");
    let bytes = response.body().bytes().ok_or_else(unreadable)?;
    let answer: Answer = serde_json::from_slice(bytes).map_err(|_| unreadable())?;
    let expiry = match answer.expiration.as_deref() {
        None => None,
        Some(text) => {
            let time = DateTime::from_str(text, Format::DateTimeWithOffset).map_err(|_| unreadable())?;
            Some(SystemTime::try_from(time).map_err(|_| unreadable())?)
        }
    };
    let (key, secret) = (answer.access_key_id, answer.secret_access_key);
    Ok(Credentials::new(key, secret, answer.token, expiry, "container"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stand_in::StandIn;

    const ANSWER: &str = r#"{"AccessKeyId": "ASIA", "SecretAccessKey": "secret", "Token": "session",
        "Expiration": "2030-01-01T00:00:00Z", "RoleArn": "arn:aws:iam::1:role/task"}"#;

    fn container(pairs: Vec<(&'static str, String)>, network: &StandIn) -> Result<Option<Container>> {
        let read = move |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
        Container::from_variables(&Variables::new(read), &network.client())
    }

    #[tokio::test]
    async fn the_endpoint_of_ecs_is_asked_again_when_it_fails() {
        let network = StandIn::new(&[(500, ""), (200, ANSWER)]);
        let container = container(vec![(RELATIVE, "/v2/credentials/1".to_owned())], &network).unwrap().unwrap();
        let keys = container.credentials().await.unwrap();
        assert_eq!((keys.access_key_id(), keys.session_token()), ("ASIA", Some("session")));
        let expiry = keys.expiry().unwrap().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(expiry.as_secs(), 1_893_456_000);
        let asked = ("http://169.254.170.2/v2/credentials/1".to_owned(), None);
        assert_eq!(network.asked(), [asked.clone(), asked]);
    }

    #[tokio::test]
    async fn the_token_of_the_endpoint_is_read_each_time() {
        let network = StandIn::new(&[(200, ANSWER), (200, ANSWER)]);
        let file = tempfile::NamedTempFile::new().unwrap();
        let url = "http://169.254.170.23/v1/credentials".to_owned();
        let pairs = vec![(FULL, url), (TOKEN_FILE, file.path().display().to_string())];
        let container = container(pairs, &network).unwrap().unwrap();
        for token in ["first", "second"] {
            fs::write(file.path(), format!("{token}\n")).unwrap();
            container.credentials().await.unwrap();
        }
        let shown: Vec<_> = network.asked().into_iter().filter_map(|(_, authorization)| authorization).collect();
        assert_eq!(shown, ["first", "second"]);
        fs::remove_file(file.path()).unwrap();
        assert!(container.credentials().await.is_err());
    }

    #[tokio::test]
    async fn an_answer_that_is_none_shows_nothing_of_itself() {
        for (status, body) in [(403, "secret"), (200, r#"{"AccessKeyId": 1}"#), (200, "secret"), (200, "")] {
            let network = StandIn::new(&[(status, body)]);
            let pairs = vec![(RELATIVE, "/x".to_owned()), (TOKEN, "token".to_owned())];
            let error = container(pairs, &network).unwrap().unwrap().credentials().await.unwrap_err();
            assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        }
    }

    #[test]
    fn only_this_machine_and_tls_are_asked() {
        let network = StandIn::new(&[]);
        for url in [
            "http://127.0.0.1:8080/x",
            "http://localhost/x",
            "http://[::1]:80/x",
            "http://[fd00:ec2::23]/v1",
            "https://example.com/x",
            "http://169.254.170.2/x?y=z",
        ] {
            assert!(container(vec![(FULL, url.to_owned())], &network).unwrap().is_some(), "{url}");
        }
        for url in [
            "http://example.com/x",
            "http://169.254.169.254/x",
            "ftp://localhost/x",
            "localhost",
            "http://",
            "https://user@host/x",
        ] {
            let error = container(vec![(FULL, url.to_owned())], &network).unwrap_err();
            assert_eq!(error.field.as_deref(), Some(FULL), "{url}");
        }
        assert!(container(vec![(RELATIVE, "example.com".to_owned())], &network).is_err());
        assert!(container(Vec::new(), &network).unwrap().is_none());
    }
}
