//! State machines walked in process: the same JSONata definitions that Step Functions executes.
//!
//! A definition is read strictly: what is not executed here is refused with its path and not ignored. An execution is
//! a folder with its input, its definition and a journal; the journal is the only truth, so a walk that was killed goes
//! on where the journal ends. Branches and items are threads of control of their own, walked at the same time; each
//! event names its thread. Answers to tasks are written into the journal by those who give them.

mod agents;
mod attempts;
mod context;
mod definition;
mod errors;
mod executions;
mod expressions;
mod fan_definition;
mod fans;
mod fields;
mod functions;
mod item_reader;
mod items;
mod journal;
mod ledger;
mod local;
mod names;
mod parse;
mod parse_fan;
mod parse_task;
mod port;
mod progress;
mod scribe;
mod step;
mod strict;
mod task;
mod thread;
mod tokens;
mod validate;
mod walker;

pub use local::LocalWorkflows;
pub use tokens::WaitingTask;
