//! The process of a function: it starts, polls for invocations, and ends when it is told to.

use std::env;
use std::num::NonZero;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::FutureExt as _;
use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use mlops_core::ports::SystemMemory;
use mlops_core::{Cancellation, Error, Lang, Result, Settings, panic_message};
use serde_json::json;
use serde_json::value::RawValue;
use tokio::signal::unix::{SignalKind, signal};

use super::function::Function;
use super::invocation::Invocations;
use super::log::{Level, Log};
use super::outcome::Outcome;

const MEMORY_SIZE: &str = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";
/// What Lambda tells a function about itself; without it there is no Lambda here.
const NEEDED: [&str; 4] =
    ["AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_FUNCTION_NAME", MEMORY_SIZE, "AWS_LAMBDA_FUNCTION_VERSION"];
/// How long work that is under way is waited for when the process is told to end. Lambda waits half a second.
const LAST_WAIT: Duration = Duration::from_millis(300);
/// How long an answer may take to leave.
const LAST_ANSWER: Duration = Duration::from_millis(50);

/// Starts the function and answers invocations until the process is told to end.
pub(super) fn serve(compose: impl FnOnce(Settings) -> Result<Function>) -> ExitCode {
    let name = env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|_| "function".to_owned());
    let log = Arc::new(Log::new(name));
    if let Some(missing) = NEEDED.into_iter().find(|name| env::var_os(name).is_none()) {
        let error = Error::invalid_input(format!("there is no Lambda here: {missing} is not set"))
            .hint("run `make watch`, then `cargo lambda invoke NAME --data-file events/NAME/success.json`");
        log.error("start", &error, json!({}));
        return ExitCode::from(error.kind.exit_code());
    }
    say_panics(&log);
    // With one thread, work that does not yield would hold up the clock that ends it.
    let threads = std::thread::available_parallelism().map_or(2, NonZero::get).max(2);
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            log.error("start", &Error::unavailable("the runtime could not be started").caused_by(error), json!({}));
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(run(compose, log));
    runtime.shutdown_background();
    code
}

/// The memory that the function may have, of which Lambda tells it in MiB.
fn memory() -> SystemMemory {
    let told = env::var(MEMORY_SIZE).ok().and_then(|told| told.parse::<u64>().ok());
    told.and_then(|size| size.checked_mul(1 << 20)).map_or_else(SystemMemory::default, SystemMemory::limited_to)
}

async fn run(compose: impl FnOnce(Settings) -> Result<Function>, log: Arc<Log>) -> ExitCode {
    let made = Arc::new(OnceLock::new());
    // The answer of the extensions API is waited for while the function is put together.
    let listening = tokio::spawn(listen(Arc::clone(&made), Arc::clone(&log)));
    let settings = settings();
    let lang = settings.as_ref().map_or(Lang::En, |settings| settings.lang);
    let function = settings.and_then(compose);
    if let Err(error) = &function {
        log.error("start", error, json!({}));
    }
    let invocations = Arc::new(Invocations {
        function,
        lang,
        memory: memory(),
        log: Arc::clone(&log),
        shutdown: Cancellation::default(),
        under_way: Arc::default(),
    });
    let invocations = Arc::clone(made.get_or_init(|| invocations));
    if let Err(error) = listening.await {
        log.error("start", &Error::internal("the signal to end is not listened for").caused_by(error), json!({}));
    }
    let service = service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let invocations = Arc::clone(&invocations);
        async move { invocations.invoke(event).await.map(Outcome::into_response) }
    });
    match Runtime::new(service).run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log.error(
                "stop",
                &Error::unavailable("the Lambda runtime API does not answer").caused_by(error),
                json!({}),
            );
            ExitCode::FAILURE
        }
    }
}

fn settings() -> Result<Settings> {
    let working_directory = env::current_dir()
        .map_err(|error| Error::unavailable("the working directory is not there").caused_by(error))?;
    Settings::from_variables(|name| env::var(name).ok(), &working_directory)
}

/// Lets a panic be one line of the log. The invocation says whose it was.
fn say_panics(log: &Arc<Log>) {
    let log = Arc::clone(log);
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(ToString::to_string);
        log.event(Level::Error, "panic", json!({"panic": panic_message(panic.payload()), "place": place}));
    }));
}

/// Listens for the signal to end. Lambda sends one only where an extension is registered, which the runtime does for us;
/// where there is no API for extensions the process listens by itself.
async fn listen(made: Arc<OnceLock<Arc<Invocations>>>, log: Arc<Log>) {
    let (own, its_log) = (Arc::clone(&made), Arc::clone(&log));
    let registered = lambda_runtime::spawn_graceful_shutdown_handler(move || async move { stop(&own, &its_log).await });
    if AssertUnwindSafe(registered).catch_unwind().await.is_err() {
        log.event(Level::Info, "no extensions", json!({}));
        tokio::spawn(async move {
            let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
            terminate.recv().await;
            stop(&made, &log).await;
            std::process::exit(0);
        });
    }
}

async fn stop(made: &OnceLock<Arc<Invocations>>, log: &Log) {
    log.event(Level::Info, "shutdown", json!({}));
    // Before they are made nothing is under way.
    if let Some(invocations) = made.get() {
        invocations.stop(LAST_WAIT).await;
    }
    tokio::time::sleep(LAST_ANSWER).await;
}
