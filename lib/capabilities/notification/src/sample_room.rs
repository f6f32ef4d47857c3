//! A room over the adapters of this machine, for tests.

use std::sync::Arc;

use mlops_core::Settings;
use mlops_core::ports::Mailer;
use mlops_local::{Access, LocalMachine};
use tempfile::TempDir;

use crate::Notification;

/// A room whose mail comes from `学習 <mlops@example.com>` and goes to `team@example.com`, in a folder that is its home.
pub(crate) struct SampleRoom {
    pub(crate) room: Notification,
    pub(crate) folder: TempDir,
}

impl SampleRoom {
    pub(crate) fn new() -> Self {
        let read = |name: &str| match name {
            "MLOPS_MAIL_FROM" => Some("学習 <mlops@example.com>".to_owned()),
            "MLOPS_MAIL_TO" => Some("team@example.com".to_owned()),
            _ => None,
        };
        Self::with(read)
    }

    /// The room of those variables.
    pub(crate) fn with(read: impl Fn(&str) -> Option<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_owned();
        let variables = |name: &str| if name == "MLOPS_HOME" { Some(home.display().to_string()) } else { read(name) };
        let settings = Settings::from_variables(variables, folder.path()).unwrap();
        let machine = LocalMachine::new(settings, folder.path().to_owned(), Access::Anywhere).unwrap();
        let LocalMachine { settings, store, mailer, code_host, .. } = machine;
        Self { room: Notification::new(&settings, store, mailer, code_host), folder }
    }

    /// The room with another mailer.
    pub(crate) fn mailing_by(mut self, mailer: impl Mailer + 'static) -> Self {
        self.room.mailer = Arc::new(mailer);
        self
    }
}
