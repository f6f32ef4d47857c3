//! A call: who asks, in which language, until when, and how the work reports on itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::channel::oneshot;

use crate::audit::{Audit, Discard};
use crate::ports::{Clock, Memory, SystemClock, SystemMemory};
use crate::{Error, ErrorKind, Lang, Result};

/// Everything that belongs to one call and to no tool in particular. Cheap to clone.
#[derive(Clone)]
pub struct Call {
    /// The id of the request; it is in every log line.
    pub request_id: String,
    /// Who calls: the agent's name, or `cli`, or `mcp`.
    pub agent_id: String,
    /// The run that the call belongs to; it names the folder of new artifacts.
    pub run_id: Option<String>,
    /// The language of the answer.
    pub lang: Lang,
    /// When the caller stops waiting.
    pub deadline: Option<Instant>,
    /// Tells the work to stop.
    pub cancellation: Cancellation,
    /// Where the call's one audit line goes.
    pub audit: Arc<dyn Audit>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// How much memory there is to work with.
    pub memory: Arc<dyn Memory>,
    progress: Arc<dyn Fn(Progress) + Send + Sync>,
}

/// How far the work is.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// How much is done.
    pub done: f64,
    /// How much there is to do, when that is known.
    pub total: Option<f64>,
    /// What is being done.
    pub message: String,
}

/// A flag that tells work to stop. A child's flag is raised with its parent's, not the other way round.
#[derive(Debug, Clone, Default)]
pub struct Cancellation {
    own: Arc<AtomicBool>,
    parent: Option<Arc<Cancellation>>,
}

impl Cancellation {
    /// Tells the work to stop.
    pub fn cancel(&self) {
        self.own.store(true, Ordering::Release);
    }

    /// Whether the work was told to stop.
    pub fn is_cancelled(&self) -> bool {
        self.own.load(Ordering::Acquire) || self.parent.as_ref().is_some_and(|parent| parent.is_cancelled())
    }

    /// A flag of its own that is raised with this one too.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { own: Arc::default(), parent: Some(Arc::new(self.clone())) }
    }
}

impl Call {
    /// A call with that request id, without a deadline, whose audit line goes nowhere.
    pub fn new(request_id: impl Into<String>) -> Self {
        Self {
            request_id: request_id.into(),
            agent_id: "local".to_owned(),
            run_id: None,
            lang: Lang::En,
            deadline: None,
            cancellation: Cancellation::default(),
            audit: Arc::new(Discard),
            clock: Arc::new(SystemClock),
            memory: Arc::new(SystemMemory::default()),
            progress: Arc::new(|_| {}),
        }
    }

    /// The call on behalf of that agent.
    #[must_use]
    pub fn by(mut self, agent_id: impl Into<String>) -> Self {
        self.agent_id = agent_id.into();
        self
    }

    /// The call as part of that run.
    #[must_use]
    pub fn in_run(mut self, run_id: impl Into<String>) -> Self {
        self.run_id = Some(run_id.into());
        self
    }

    /// The call answered in that language.
    #[must_use]
    pub fn in_lang(mut self, lang: Lang) -> Self {
        self.lang = lang;
        self
    }

    /// The call with an end to its time.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        let deadline = Instant::now() + time;
        self.deadline = Some(self.deadline.map_or(deadline, |earlier| earlier.min(deadline)));
        self
    }

    /// The call whose audit line goes there.
    #[must_use]
    pub fn audited_by(mut self, audit: Arc<dyn Audit>) -> Self {
        self.audit = audit;
        self
    }

    /// The call that reports its progress there.
    #[must_use]
    pub fn reporting_to(mut self, progress: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.progress = Arc::new(progress);
        self
    }

    /// Reports how far the work is.
    pub fn progress(&self, done: f64, total: Option<f64>, message: impl Into<String>) {
        (self.progress)(Progress { done, total, message: message.into() });
    }

    /// Whether the work should stop, because it was told to or its time is over.
    pub fn is_over(&self) -> bool {
        self.cancellation.is_cancelled() || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// An error when the work should stop.
    pub fn check(&self) -> Result<()> {
        if self.cancellation.is_cancelled() {
            return Err(Error::cancelled());
        }
        if self.is_over() {
            return Err(Error::new(ErrorKind::TimedOut, "the call's time is over").hint("give it a longer deadline"));
        }
        Ok(())
    }

    /// Runs CPU-bound work on a thread of its own, so that the executor stays free. The work polls the call it is
    /// given, which is cancelled when the caller stops waiting; a panic becomes an [`ErrorKind::Internal`] error.
    pub async fn compute<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Self) -> Result<T> + Send + 'static,
    {
        struct StopWhenDropped(Cancellation);
        impl Drop for StopWhenDropped {
            fn drop(&mut self) {
                self.0.cancel();
            }
        }
        let mut inner = self.clone();
        inner.cancellation = self.cancellation.child();
        let _guard = StopWhenDropped(inner.cancellation.clone());
        let (sender, receiver) = oneshot::channel();
        let thread = std::thread::Builder::new().name("compute".to_owned());
        let started = thread.spawn(move || {
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&inner)));
            // The receiver is gone when the caller stopped waiting: then nobody wants the result.
            let _ = sender.send(result);
        });
        started
            .map_err(|error| Error::unavailable("no thread could be started for the computation").caused_by(error))?;
        match receiver.await {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => Err(Error::internal(format!("the computation failed: {}", panic_message(&*panic)))),
            Err(_) => Err(Error::internal("the computation ended without a result")),
        }
    }
}

/// The message of a caught panic.
pub fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&'static str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("unknown cause")
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("Call");
        debug.field("request_id", &self.request_id).field("agent_id", &self.agent_id).field("run_id", &self.run_id);
        debug.field("lang", &self.lang).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;

    #[test]
    fn work_gives_its_result_and_a_panic_becomes_an_error() {
        let call = Call::new("r");
        assert_eq!(block_on(call.compute(|_| Ok(6 * 7))).unwrap(), 42);
        let error = block_on(call.compute::<(), _>(|_| panic!("out of cheese"))).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Internal);
        assert!(error.message.contains("out of cheese"));
    }

    #[test]
    fn a_caller_that_stops_waiting_stops_the_work() {
        let call = Call::new("r");
        let (sender, receiver) = std::sync::mpsc::channel();
        let mut work = Box::pin(call.compute(move |inner| {
            while inner.check().is_ok() {
                std::thread::yield_now();
            }
            sender.send(()).unwrap();
            Ok(())
        }));
        let waker = futures::task::noop_waker();
        assert!(work.as_mut().poll(&mut std::task::Context::from_waker(&waker)).is_pending());
        drop(work);
        receiver.recv_timeout(Duration::from_secs(10)).unwrap();
        assert!(!call.cancellation.is_cancelled());
    }

    #[test]
    fn a_deadline_ends_a_call() {
        let call = Call::new("r").within(Duration::ZERO);
        assert_eq!(call.check().unwrap_err().kind, ErrorKind::TimedOut);
    }

    use std::future::Future as _;
}
