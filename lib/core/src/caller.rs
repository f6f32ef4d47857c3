//! How agents call tools: typed, and by a static reference to the tool, so that a binary links only what it calls.

use std::sync::Arc;

use crate::{Call, Capability, Result, Tool, entry};

/// Calls the tools of one capability.
pub struct ToolCaller<C> {
    room: Arc<C>,
}

impl<C> Clone for ToolCaller<C> {
    fn clone(&self) -> Self {
        Self { room: Arc::clone(&self.room) }
    }
}

impl<C: Capability> ToolCaller<C> {
    /// Calls run in this process.
    pub fn embedded(room: impl Into<Arc<C>>) -> Self {
        Self { room: room.into() }
    }

    /// Calls one tool and waits for its report.
    pub async fn call<T: Tool<Capability = C>>(&self, tool: T, call: &Call) -> Result<T::Output> {
        entry::run_typed::<T>(self.room.as_ref(), call, tool).await
    }
}
