//! One invocation: its call, its limits, its log lines, and the error that its caller sees.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use lambda_runtime::{Diagnostic, LambdaEvent};
use mlops_core::masking::mask_text;
use mlops_core::ports::SystemMemory;
use mlops_core::{Audit, Call, Cancellation, Error, ErrorKind, Lang, Result, panic_message};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::deadline::{self, Times};
use super::function::Function;
use super::log::{Level, Log};
use super::outcome::Outcome;

/// The longest message that a caller is sent, in characters. The log has all of it.
const LONGEST: usize = 8000;

/// A function between invocations.
pub(super) struct Invocations {
    /// The function, or why there is none: every invocation is told, so that it need not be looked up in a log.
    pub(super) function: Result<Function>,
    /// The language when a task does not choose one.
    pub(super) lang: Lang,
    /// How much memory there is to work with.
    pub(super) memory: SystemMemory,
    /// The log.
    pub(super) log: Arc<Log>,
    /// Raised when the process is told to end.
    pub(super) shutdown: Cancellation,
    /// How many invocations are under way.
    pub(super) under_way: Arc<AtomicUsize>,
}

impl Invocations {
    /// Answers one event.
    pub(super) async fn invoke(&self, event: LambdaEvent<Box<RawValue>>) -> Result<Outcome, Diagnostic> {
        let under_way = UnderWay::begin(&self.under_way);
        let begun = Instant::now();
        let LambdaEvent { payload, context } = event;
        let request_id = context.request_id;
        let times = deadline::times(context.deadline, SystemTime::now());
        let event = serde_json::from_str::<Value>(payload.get())
            .map_err(|error| Error::invalid_input(format!("the event is not JSON that can be read: {error}")));
        let run_id = event.as_ref().map_or(Value::Null, |event| event["run_id"].clone());
        let about = json!({"request_id": request_id, "run_id": run_id, "trace_id": context.xray_trace_id});
        self.log.event(Level::Info, "start", about.clone());
        let is_request = event.as_ref().is_ok_and(|event| self.takes_request(event));
        let result = match event {
            Ok(event) => self.answer(event, &request_id, times).await,
            Err(error) => Err(error),
        };
        let mut about = about;
        about["duration_ms"] = json!(u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX));
        match result {
            Ok(outcome) => {
                about["bytes"] = json!(outcome.bytes());
                self.log.event(Level::Info, "end", about);
                Ok(outcome.holding(under_way))
            }
            Err(error) => {
                self.log.error("error", &error, about);
                match &self.function {
                    Ok(function) if is_request => Ok(function.failed(&error, &request_id)),
                    _ => Err(diagnostic(&error, &request_id)),
                }
            }
        }
    }

    fn takes_request(&self, event: &Value) -> bool {
        self.function.as_ref().is_ok_and(|function| function.takes_request(event))
    }

    /// Does the work on a task of its own, so that work that does not yield cannot hold up the limits.
    async fn answer(&self, event: Value, request_id: &str, times: Times) -> Result<Outcome> {
        // The error stays here for the next invocation, so this one gets a copy.
        let function = self.function.as_ref().map_err(|error| Error::from_value(&error.to_value()))?.clone();
        let audit: Arc<dyn Audit> = Arc::clone(&self.log) as _;
        let mut call = Call::new(request_id).by("lambda").in_lang(self.lang).audited_by(audit).within(times.work);
        call.cancellation = self.shutdown.child();
        call.memory = Arc::new(self.memory);
        let cancellation = call.cancellation.clone();
        let work = tokio::spawn(async move { function.answer(event, call).await });
        let mut work = StopWhenDropped(work, cancellation);
        let late = || {
            let seconds = times.work.as_secs_f64();
            Error::timed_out(format!(
                "the work did not end in the {seconds:.1} s that the function's timeout leaves it"
            ))
            .hint("give the function more time, or the task less to do")
        };
        match tokio::time::timeout(times.wait, &mut work.0).await {
            // What is still being sent goes on until its reader is gone.
            Ok(Ok(result)) => result.map(|outcome| outcome.holding(work)),
            Ok(Err(broken)) => {
                let panic = broken.try_into_panic().ok();
                let cause = panic.as_deref().map_or("it was broken off", |panic| panic_message(panic));
                Err(Error::internal(format!("the function failed: {cause}")))
            }
            Err(_) => Err(late()),
        }
    }

    /// Tells the work that is under way to stop, and waits until it did.
    pub(super) async fn stop(&self, longest: Duration) {
        self.shutdown.cancel();
        let begun = Instant::now();
        while self.under_way.load(Ordering::Acquire) > 0 && begun.elapsed() < longest {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Counts an invocation until it is dropped.
struct UnderWay(Arc<AtomicUsize>);

impl UnderWay {
    fn begin(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(count))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Stops work that nobody waits for any more.
struct StopWhenDropped(JoinHandle<Result<Outcome>>, Cancellation);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.1.cancel();
        self.0.abort();
    }
}

/// The error as the caller of a function sees it: the kind as its type, and all that helps in its message. A defect of
/// ours names the request, by which the log has the rest.
fn diagnostic(error: &Error, request_id: &str) -> Diagnostic {
    let mut message = error.message.clone();
    if let Some(field) = error.field.as_ref().filter(|field| !message.contains(field.as_str())) {
        message = format!("{field}: {message}");
    }
    if let Some(hint) = &error.hint {
        message = format!("{message}; {hint}");
    }
    if error.kind == ErrorKind::Internal {
        message = format!("{message}; the log has more under the request {request_id}");
    }
    let error_message = mask_text(&message).chars().take(LONGEST).collect();
    Diagnostic { error_type: error.kind.to_string(), error_message }
}
