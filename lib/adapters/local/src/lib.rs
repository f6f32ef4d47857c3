//! The platform on one machine: objects as files, events and mail in an outbox, secrets from the environment, and state
//! machines walked in process. It keeps everything below one home folder.

mod audit;
mod code_host;
mod files;
mod machine;
mod outbox;
mod repositories;
mod secrets;
pub mod workflows;

pub use audit::JsonLines;
pub use code_host::FileCodeHost;
pub use files::{Access, FileStore};
pub use machine::LocalMachine;
pub use outbox::Outbox;
pub use repositories::FileRepositories;
pub use secrets::FileSecrets;
pub use workflows::{LocalWorkflows, WaitingTask};
