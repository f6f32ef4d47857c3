//! Ports: the roles that outside systems play, in words of the domain. Adapters play them; mains choose the adapters.

mod clock;
mod code_host;
mod json_objects;
mod messenger;
mod object_store;
mod secrets;
mod workflows;

pub use clock::{Clock, SystemClock};
pub use code_host::{CodeHost, Comment, CommentChange, Commented, Issue};
pub use json_objects::{find_json, json_bytes, read_json, write_json};
pub use messenger::{Message, MessageReceipt, Messenger};
pub use object_store::{Body, Condition, ObjectMeta, ObjectStore, Page};
pub use secrets::{SECRET_NAMES, Secrets};
pub use workflows::{Execution, ExecutionStatus, HistoryEvent, NewExecution, Started, TaskAnswer, Workflows};
