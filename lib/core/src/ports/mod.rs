//! Ports: the roles that outside systems play, in words of the domain. Adapters play them; mains choose the adapters.

mod clock;
mod code_host;
mod json_objects;
mod mailer;
mod memory;
mod message;
mod mime;
mod object_store;
mod repositories;
mod secrets;
mod topics;
mod workflows;

pub use clock::{Clock, SystemClock};
pub use code_host::{
    CheckState, Checked, CodeHost, Comment, CommentChange, Commented, CommitCheck, Issue, Labelled, Permission,
    Reaction, check_commit, check_labels, check_login, is_same_label, owner_and_name,
};
pub use json_objects::{find_json, json_bytes, read_json, write_json};
pub use mailer::{Attachment, Email, Mailer};
pub use memory::{Memory, SystemMemory};
pub use message::MessageReceipt;
pub use object_store::{Body, Condition, ObjectMeta, ObjectStore, Page};
pub use repositories::{
    Branch, NewCommit, NewPullRequest, PullRequest, Repositories, RepositoryFile, check_branch, check_path,
};
pub use secrets::{SECRET_NAMES, Secrets, check_secret_name, similar_secret};
pub use topics::{Event, Topics};
pub use workflows::{
    Execution, ExecutionStatus, HistoryEvent, LARGEST_DATA, NewExecution, Started, TaskAnswer, Workflows,
    check_execution_name, check_size, failed_by_decision,
};
