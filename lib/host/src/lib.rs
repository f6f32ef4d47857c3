//! Front doors: every tool of the fleet in one toolbox, behind the command line and behind MCP.

mod claims;
pub mod command_line;
pub mod documentation;
mod guarded;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod locales;
#[cfg(feature = "mcp")]
pub mod mcp;
#[cfg(feature = "remote")]
pub mod remote;
mod toolbox;
#[cfg(feature = "http")]
pub mod web;

pub use claims::ClaimChecked;
pub use guarded::GuardedStore;
pub use toolbox::{BoundTool, Toolbox};
