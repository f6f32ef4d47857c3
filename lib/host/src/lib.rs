//! Front doors: every tool of the fleet in one toolbox, behind the command line and behind MCP.

pub mod command_line;
pub mod documentation;
pub mod locales;
pub mod mcp;
mod toolbox;

pub use toolbox::{BoundTool, Toolbox};
