//! Stands in for S3: answers requests in this process and remembers them.

use std::fmt;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use mlops_aws_environment::AwsEnvironment;
use mlops_core::values::ArtifactUri;

use crate::S3Store;

/// What comes back for a request.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// The connection breaks.
    Broken,
    /// Status, headers and body.
    Given(u16, Vec<(&'static str, String)>, String),
}

type Answering = dyn Fn(usize, &Asked) -> Answer + Send + Sync;

/// A request: method, path with query, and headers.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) target: String,
    headers: Vec<(String, String)>,
}

impl Asked {
    /// A header; empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

/// Gives the answer to the request of that number, which begins at 0.
#[derive(Clone)]
pub(crate) struct StandIn {
    answer: Arc<Answering>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl StandIn {
    pub(crate) fn new(answer: impl Fn(usize, &Asked) -> Answer + Send + Sync + 'static) -> Self {
        Self { answer: Arc::new(answer), asked: Arc::default() }
    }

    /// A store that asks it.
    pub(crate) fn store(&self) -> S3Store {
        let read = |name: &str| {
            let value = match name {
                "AWS_REGION" => "eu-central-1",
                "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "test",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let connector = SharedHttpConnector::new(self.clone());
        let client = http_client_fn(move |_, _| connector.clone());
        let environment = AwsEnvironment::with_http_client(read, client).unwrap();
        S3Store::new(&environment, Some("arn:aws:kms:eu-central-1:1:key/k".to_owned()))
    }

    /// The requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Methods and targets of the requests so far.
    pub(crate) fn methods(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.method).collect()
    }
}

impl HttpConnector for StandIn {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let headers = request.headers().iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let target = request.uri().splitn(4, '/').nth(3).unwrap_or_default().to_owned();
        let asked = Asked { method: request.method().to_owned(), target, headers };
        let mut all = self.asked.lock().unwrap();
        let answer = (self.answer)(all.len(), &asked);
        all.push(asked);
        let Answer::Given(status, headers, body) = answer else {
            return HttpConnectorFuture::ready(Err(ConnectorError::io("the connection was reset".into())));
        };
        let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
        response.headers_mut().insert("x-amz-request-id", "request-7");
        for (name, value) in headers {
            response.headers_mut().insert(name, value);
        }
        HttpConnectorFuture::ready(Ok(response))
    }
}

impl fmt::Debug for StandIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StandIn")
    }
}

/// The answer of a store that has nothing to say but that it worked.
pub(crate) fn done() -> Answer {
    Answer::Given(200, vec![("etag", "\"e1\"".to_owned())], String::new())
}

/// The answer of a store that refuses.
pub(crate) fn refusal(status: u16, code: &str) -> Answer {
    let body = format!("<Error><Code>{code}</Code><Message>It says {code}.</Message></Error>");
    Answer::Given(status, Vec::new(), body)
}

/// An object of the stand-in.
pub(crate) fn object() -> ArtifactUri {
    ArtifactUri::new("s3://bucket/folder/a.txt").unwrap()
}
