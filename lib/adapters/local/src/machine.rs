//! This machine as a platform: one adapter for each port, below one home folder.

use std::path::PathBuf;
use std::sync::Arc;

use mlops_core::ports::{CodeHost, Mailer, ObjectStore, Repositories, Secrets, Topics};
use mlops_core::{AgentHandler, Audit, Call, Error, Result, Settings};

use crate::{Access, FileCodeHost, FileRepositories, FileSecrets, FileStore, JsonLines, LocalWorkflows, Outbox};

/// The adapters of this machine. A main takes what its agent needs.
#[derive(Clone)]
pub struct LocalMachine {
    /// The settings that it was made from.
    pub settings: Settings,
    /// Where artifacts and records lie: files.
    pub store: Arc<dyn ObjectStore>,
    /// Where audit lines go: a file.
    pub audit: Arc<dyn Audit>,
    /// Secrets from variables and a file.
    pub secrets: Arc<dyn Secrets>,
    /// Issues and comments: Markdown files.
    pub code_host: Arc<dyn CodeHost>,
    /// Repositories: bare git repositories.
    pub repositories: Arc<dyn Repositories>,
    /// What happens: an outbox of files.
    pub topics: Arc<dyn Topics>,
    /// Mail: an outbox of files.
    pub mailer: Arc<dyn Mailer>,
}

impl LocalMachine {
    /// The machine of those settings; relative paths resolve against the working directory, which is absolute.
    pub fn new(settings: Settings, working_directory: PathBuf, access: Access) -> Result<Self> {
        let home = &settings.home;
        for path in [home, &working_directory] {
            if !path.is_absolute() {
                return Err(Error::invalid_input(format!("{} is not an absolute path", path.display())));
            }
        }
        Ok(Self {
            store: Arc::new(FileStore::new(home, working_directory, access)),
            audit: Arc::new(JsonLines::new(home)),
            secrets: Arc::new(FileSecrets::from_environment(settings.secrets_file.clone())),
            code_host: Arc::new(FileCodeHost::new(home)),
            repositories: Arc::new(FileRepositories::new(home)),
            topics: Arc::new(Outbox::new(home)),
            mailer: Arc::new(Outbox::new(home)),
            settings,
        })
    }

    /// The machine of those settings, in the working directory of this process.
    pub fn here(settings: Settings, access: Access) -> Result<Self> {
        let working_directory = std::env::current_dir()
            .map_err(|error| Error::unavailable("the working directory is not there").caused_by(error))?;
        Self::new(settings, working_directory, access)
    }

    /// State machines whose tasks call those agents. The definitions are added by [`LocalWorkflows::machine`].
    pub fn workflows(&self, agents: impl IntoIterator<Item = Arc<dyn AgentHandler>>) -> LocalWorkflows {
        let call = Call::new("workflows").audited_by(Arc::clone(&self.audit)).in_lang(self.settings.lang);
        LocalWorkflows::new(&self.settings.home, agents).calling(call)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use mlops_core::ErrorKind;
    use mlops_core::ports::{Body, Condition};

    use super::*;

    #[tokio::test]
    async fn everything_lies_below_the_home_and_nothing_else_is_read_when_others_can_call() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("table.csv"), "a,b\n").unwrap();
        let settings = Settings::from_variables(|_| None, folder.path()).unwrap();
        let machine = |access| LocalMachine::new(settings.clone(), folder.path().to_owned(), access).unwrap();
        let uri = settings.store.join("x.json");
        let open = machine(Access::Anywhere);
        open.store.put(&uri, Body::from("{}".as_bytes()), Condition::Absent).await.unwrap();
        assert!(settings.home.join("store/x.json").is_file());
        let table = mlops_core::values::ArtifactUri::new("table.csv").unwrap();
        assert_eq!(open.store.head(&table).await.unwrap().bytes, 4);
        let refused = machine(Access::HomeOnly).store.head(&table).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Forbidden);
        let relative = LocalMachine::new(settings, Path::new("here").to_owned(), Access::HomeOnly);
        assert_eq!(relative.err().unwrap().kind, ErrorKind::InvalidInput);
    }
}
