//! What a function answers.

use std::future::Future;
use std::sync::Arc;

use futures::future::BoxFuture;
use mlops_core::{AgentHandler as _, Call, Error, Result};
use serde_json::Value;

use super::http::{self, HttpRequest, HttpResponse};
use super::outcome::{Outcome, streamed};
#[cfg(feature = "http")]
use super::router;
use crate::ClaimChecked;

type Answer = dyn Fn(HttpRequest, Call) -> BoxFuture<'static, Result<Outcome>> + Send + Sync;

/// What a function answers: the tasks of an agent, HTTP requests, or both.
#[derive(Clone)]
pub struct Function {
    tasks: Option<ClaimChecked>,
    requests: Option<Arc<Answer>>,
    /// Whether the answers to requests are read piece by piece.
    streams: bool,
}

impl Function {
    /// A function that answers the tasks of that agent.
    pub fn of_tasks(agent: ClaimChecked) -> Self {
        Self { tasks: Some(agent), requests: None, streams: false }
    }

    /// A function that answers requests. An error becomes an answer with the status of its kind.
    pub fn of_requests<F, A>(answer: F) -> Self
    where
        F: Fn(HttpRequest, Call) -> A + Send + Sync + 'static,
        A: Future<Output = Result<HttpResponse>> + Send + 'static,
    {
        let answer = move |request, call| -> BoxFuture<'static, _> {
            let answer = answer(request, call);
            Box::pin(async move { Ok(Outcome::Whole(answer.await?.to_value())) })
        };
        Self { tasks: None, requests: Some(Arc::new(answer)), streams: false }
    }

    /// A function that answers requests by a router, which finds the [`Call`] in each request's extensions. The answer
    /// is sent as a whole, and Lambda takes at most 6 MB.
    #[cfg(feature = "http")]
    pub fn of_router(router: axum::Router) -> Self {
        Self::of_requests(move |request, call| router::answer(router.clone().layer(axum::Extension(call)), request))
    }

    /// A function that answers requests by a router, and sends each body as it is made: a gateway that streams sees progress
    /// at once, and takes answers of more than 6 MB.
    #[cfg(feature = "http")]
    pub fn of_streaming_router(router: axum::Router) -> Self {
        let answer = move |request, call| -> BoxFuture<'static, _> {
            Box::pin(router::stream(router.clone().layer(axum::Extension(call)), request))
        };
        Self { tasks: None, requests: Some(Arc::new(answer)), streams: true }
    }

    /// The function, which answers the tasks of that agent too.
    #[must_use]
    pub fn with_tasks(mut self, agent: ClaimChecked) -> Self {
        self.tasks = Some(agent);
        self
    }

    /// Whether the event is one that is answered as a request.
    pub(super) fn takes_request(&self, event: &Value) -> bool {
        self.requests.is_some() && http::is_request(event)
    }

    /// The answer to a request that failed.
    pub(super) fn failed(&self, error: &Error, request_id: &str) -> Outcome {
        let response = HttpResponse::of_error(error, request_id);
        if self.streams { streamed(response) } else { Outcome::Whole(response.to_value()) }
    }

    /// Answers a task or a request.
    pub(super) async fn answer(&self, event: Value, call: Call) -> Result<Outcome> {
        if let Some(answer) = self.requests.as_ref().filter(|_| http::is_request(&event)) {
            return answer(http::request(&event)?, call).await;
        }
        let Some(agent) = &self.tasks else {
            return Err(Error::invalid_input("the event is no HTTP request, and this function answers nothing else")
                .hint("send an event of API Gateway or of a Function URL"));
        };
        agent.invoke(event, &call).await.map(Outcome::Whole)
    }
}
