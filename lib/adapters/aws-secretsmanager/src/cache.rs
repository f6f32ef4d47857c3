//! Keeps what was found for a while, and asks once for all who ask at the same time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared, WeakShared};
use jiff::{SignedDuration, Timestamp};
use mlops_core::ports::Clock;
use mlops_core::{Error, Result};
use secrecy::SecretString;

/// How long a secret is kept.
const KEPT: SignedDuration = SignedDuration::from_mins(5);
/// How long it is kept that there is none: short, for it is looked for while it is being set up.
const KEPT_ABSENT: SignedDuration = SignedDuration::from_secs(10);

/// What is found under a name: nothing when there is no secret.
pub(crate) type Found = Option<SecretString>;
/// An answer that many wait for; its error is told to each of them.
type Answer = Result<Found, Arc<Error>>;
type Asked = Shared<BoxFuture<'static, Answer>>;

/// What was found under each name, and what is being asked at this moment.
pub(crate) struct Cache {
    clock: Arc<dyn Clock>,
    entries: Mutex<BTreeMap<String, Entry>>,
}

#[derive(Default)]
struct Entry {
    kept: Option<(Timestamp, Found)>,
    /// It is gone when nobody waits for it any more.
    asked: Option<WeakShared<BoxFuture<'static, Answer>>>,
}

impl Cache {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, entries: Mutex::default() }
    }

    /// What is kept of the name, or what `ask` answers. An error is not kept.
    pub(crate) async fn get(
        &self,
        name: &str,
        ask: impl FnOnce() -> BoxFuture<'static, Result<Found>>,
    ) -> Result<Found> {
        let asked = {
            let now = self.clock.now();
            let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            let entry = entries.entry(name.to_owned()).or_default();
            match entry.fresh(now) {
                Some(found) => return Ok(found),
                None => entry.asked(ask),
            }
        };
        self.wait(name, asked).await
    }

    /// What `ask` answers, whatever is kept.
    pub(crate) async fn renew(
        &self,
        name: &str,
        ask: impl FnOnce() -> BoxFuture<'static, Result<Found>>,
    ) -> Result<Found> {
        let asked = {
            let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            let entry = entries.entry(name.to_owned()).or_default();
            entry.kept = None;
            entry.asked(ask)
        };
        self.wait(name, asked).await
    }

    async fn wait(&self, name: &str, asked: Asked) -> Result<Found> {
        let answer = asked.clone().await;
        let now = self.clock.now();
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.get_mut(name) {
            let own = entry.asked.as_ref().and_then(WeakShared::upgrade);
            // The first of those who wait writes it down.
            if own.is_some_and(|own| own.ptr_eq(&asked)) {
                entry.asked = None;
                entry.kept = answer.as_ref().ok().map(|found| (now, found.clone()));
            }
        }
        answer.map_err(|error| {
            let told = Error::new(error.kind, error.message.clone());
            let (field, hint) = (error.field.clone(), error.hint.clone());
            Error { field, hint, ..told }.caused_by(error)
        })
    }
}

impl Entry {
    fn fresh(&self, now: Timestamp) -> Option<Found> {
        let (at, found) = self.kept.as_ref()?;
        let age = now.duration_since(*at);
        let limit = if found.is_some() { KEPT } else { KEPT_ABSENT };
        // A clock that was set back makes nothing young again.
        (age >= SignedDuration::ZERO && age < limit).then(|| found.clone())
    }

    /// What is being asked, or the answer of a new request.
    fn asked(&mut self, ask: impl FnOnce() -> BoxFuture<'static, Result<Found>>) -> Asked {
        if let Some(asked) = self.asked.as_ref().and_then(WeakShared::upgrade) {
            return asked;
        }
        let asked = ask().map(|answer| answer.map_err(Arc::new)).boxed().shared();
        self.asked = asked.downgrade();
        asked
    }
}
