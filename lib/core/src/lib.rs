//! The vocabulary of the fleet: tools, calls, capabilities, errors, settings, values and ports.
//!
//! Nothing here names a vendor, and nothing needs a runtime. A [`Tool`] is the struct of its inputs; an [`Entry`] is its
//! row in a capability's table; a [`ToolCaller`] is how an [`Agent`] calls it; a [`Call`] is what belongs to one call.

mod agent;
pub mod arguments;
mod attempts;
mod audit;
mod call;
mod caller;
mod entry;
mod error;
mod lang;
pub mod markdown;
pub mod masking;
pub mod ports;
pub mod reading;
pub mod schema;
pub mod settings;
mod tool;
pub mod values;

pub use agent::{Agent, AgentHandler, Artifact, LARGEST_RESULT, Status, Task, TaskResult};
pub use attempts::attempts;
pub use audit::{Audit, AuditLine, Discard};
pub use call::{Call, Cancellation, Progress, panic_message};
pub use caller::{RemoteTools, ToolCaller};
pub use entry::{Entry, Outcome};
pub use error::{Error, ErrorKind, Result};
pub use lang::Lang;
pub use settings::Settings;
pub use tool::{ArtifactLink, Capability, Effect, Report, Tool, media_type};
