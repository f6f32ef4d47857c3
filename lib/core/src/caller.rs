//! How agents call tools: typed, and by a static reference to the tool, so that a binary links only what it calls.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::Value;

use crate::{Call, Capability, Error, Result, Tool, entry, reading};

/// Tools that run in another process, called by their names.
pub trait RemoteTools: Send + Sync {
    /// Calls the tool and gives its structured result. Errors keep their kind, field and hint.
    fn call<'a>(&'a self, tool: &'static str, arguments: Value, call: &'a Call) -> BoxFuture<'a, Result<Value>>;
}

/// Calls the tools of one capability.
pub struct ToolCaller<C> {
    place: Place<C>,
}

enum Place<C> {
    Embedded(Arc<C>),
    Remote(Arc<dyn RemoteTools>),
}

impl<C> Clone for ToolCaller<C> {
    fn clone(&self) -> Self {
        let place = match &self.place {
            Place::Embedded(room) => Place::Embedded(Arc::clone(room)),
            Place::Remote(tools) => Place::Remote(Arc::clone(tools)),
        };
        Self { place }
    }
}

impl<C: Capability> ToolCaller<C> {
    /// Calls run in this process.
    pub fn embedded(room: impl Into<Arc<C>>) -> Self {
        Self { place: Place::Embedded(room.into()) }
    }

    /// Calls run there; the audit line is written there too.
    pub fn remote(tools: Arc<dyn RemoteTools>) -> Self {
        Self { place: Place::Remote(tools) }
    }

    /// Calls one tool and waits for its report.
    pub async fn call<T: Tool<Capability = C>>(&self, tool: T, call: &Call) -> Result<T::Output> {
        let tools = match &self.place {
            Place::Embedded(room) => return entry::run_typed::<T>(room.as_ref(), call, tool).await,
            Place::Remote(tools) => tools,
        };
        let arguments = serde_json::to_value(&tool).map_err(|error| Error::internal(error.to_string()))?;
        call.check()?;
        let value = tools.call(T::NAME, arguments, call).await?;
        reading::read(value).map_err(|error| {
            let message = format!("{} gave another result than this release expects at {}", T::NAME, error.path);
            Error::internal(message).caused_by(error).hint("run the endpoint and the agents from the same release")
        })
    }
}
