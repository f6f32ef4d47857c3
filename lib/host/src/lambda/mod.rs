//! Lambda: what a function's main starts. Only this folder knows the Lambda runtime.
//!
//! A function answers tasks, HTTP requests (API Gateway v1 and v2, Function URLs), or both: an event is a request when it
//! has the shape of one. Each invocation is logged as lines of JSON with its request id, ends before Lambda would end it,
//! and fails by the kind of its error, whatever happens in it.

mod deadline;
mod function;
mod http;
mod invocation;
mod log;
mod outcome;
#[cfg(feature = "http")]
mod router;
mod runtime;

use std::process::ExitCode;
use std::sync::Arc;

use mlops_core::{Audit, Result, Settings};

pub use function::Function;
pub use http::{HttpRequest, HttpResponse};

use crate::ClaimChecked;

/// Audit lines as lines of the log, on the standard error: the standard output may belong to a protocol.
pub fn audit(function: &str) -> Arc<dyn Audit> {
    Arc::new(log::Log::to(function, Box::new(std::io::stderr())))
}

/// The main of a function that answers the tasks of one agent.
pub fn agent(compose: impl FnOnce(Settings) -> Result<ClaimChecked>) -> ExitCode {
    runtime::serve(|settings| compose(settings).map(Function::of_tasks))
}

/// The main of a function that answers HTTP requests, and perhaps tasks too.
pub fn http(compose: impl FnOnce(Settings) -> Result<Function>) -> ExitCode {
    runtime::serve(compose)
}
