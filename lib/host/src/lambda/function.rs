//! What a function answers.

use std::future::Future;
use std::sync::Arc;

use futures::future::BoxFuture;
use mlops_core::{AgentHandler as _, Call, Error, Result};
use serde_json::Value;

use super::http::{self, HttpRequest, HttpResponse};
#[cfg(feature = "http")]
use super::router;
use crate::ClaimChecked;

type Answer = dyn Fn(HttpRequest, Call) -> BoxFuture<'static, Result<HttpResponse>> + Send + Sync;

/// What a function answers: the tasks of an agent, HTTP requests, or both.
#[derive(Clone)]
pub struct Function {
    tasks: Option<ClaimChecked>,
    requests: Option<Arc<Answer>>,
}

impl Function {
    /// A function that answers the tasks of that agent.
    pub fn of_tasks(agent: ClaimChecked) -> Self {
        Self { tasks: Some(agent), requests: None }
    }

    /// A function that answers requests. An error becomes an answer with the status of its kind.
    pub fn of_requests<F, A>(answer: F) -> Self
    where
        F: Fn(HttpRequest, Call) -> A + Send + Sync + 'static,
        A: Future<Output = Result<HttpResponse>> + Send + 'static,
    {
        let answer = move |request, call| -> BoxFuture<'static, _> { Box::pin(answer(request, call)) };
        Self { tasks: None, requests: Some(Arc::new(answer)) }
    }

    /// A function that answers requests by a router, which finds the [`Call`] in each request's extensions. The answer
    /// is sent as a whole, and Lambda takes at most 6 MB.
    #[cfg(feature = "http")]
    pub fn of_router(router: axum::Router) -> Self {
        Self::of_requests(move |request, call| router::answer(router.clone().layer(axum::Extension(call)), request))
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

    /// Answers a task or a request.
    pub(super) async fn answer(&self, event: Value, call: Call) -> Result<Value> {
        if let Some(answer) = self.requests.as_ref().filter(|_| http::is_request(&event)) {
            return Ok(answer(http::request(&event)?, call).await?.to_value());
        }
        let Some(agent) = &self.tasks else {
            return Err(Error::invalid_input("the event is no HTTP request, and this function answers nothing else")
                .hint("send an event of API Gateway or of a Function URL"));
        };
        agent.invoke(event, &call).await
    }
}
