//! Stands in for the network: gives answers one after the other and remembers what was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

/// Status and body of the answers that are left, and the requests so far. Behind the last answer nobody answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct StandIn {
    answers: Arc<Mutex<VecDeque<(u16, String)>>>,
    asked: Arc<Mutex<Vec<HttpRequest>>>,
}

impl StandIn {
    pub(crate) fn new(answers: &[(u16, &str)]) -> Self {
        let answers = answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect();
        Self { answers: Arc::new(Mutex::new(answers)), asked: Arc::default() }
    }

    pub(crate) fn client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self.clone());
        http_client_fn(move |_, _| connector.clone())
    }

    /// The URIs that were asked, with the header `authorization`.
    pub(crate) fn asked(&self) -> Vec<(String, Option<String>)> {
        let header = |request: &HttpRequest| request.headers().get("authorization").map(str::to_owned);
        self.asked.lock().unwrap().iter().map(|request| (request.uri().to_owned(), header(request))).collect()
    }
}

impl HttpConnector for StandIn {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.asked.lock().unwrap().push(request);
        HttpConnectorFuture::ready(match self.answers.lock().unwrap().pop_front() {
            Some((status, body)) => Ok(HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body))),
            None => Err(ConnectorError::io("nobody answers".into())),
        })
    }
}
