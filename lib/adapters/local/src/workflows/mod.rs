//! State machines walked in process: the same JSONata definitions that Step Functions executes.
//!
//! A definition is read strictly: what is not executed here is refused with its path and not ignored. An execution is
//! a folder with its input, its definition and a journal; the journal is the only truth, so a walk that was killed goes
//! on where the journal ends.

mod context;
mod definition;
mod errors;
mod executions;
mod expressions;
mod fields;
mod journal;
mod local;
mod names;
mod parse;
mod progress;
mod strict;
mod task;
mod validate;
mod walker;

pub use local::LocalWorkflows;
