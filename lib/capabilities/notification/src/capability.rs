//! The room: who carries mail, who keeps comments, and the record of what was sent.

use std::sync::Arc;

use mlops_core::ports::{CodeHost, Mailer, ObjectStore};
use mlops_core::settings::MailSettings;
use mlops_core::{Capability, Settings};
use mlops_records::Sent;

/// What the notification tools may touch.
pub struct Notification {
    /// Carries mail.
    pub mailer: Arc<dyn Mailer>,
    /// Keeps comments, labels and checks.
    pub code_host: Arc<dyn CodeHost>,
    /// Has the files that come with a mail.
    pub store: Arc<dyn ObjectStore>,
    /// Knows what was sent.
    pub sent: Sent,
    /// From whom to whom mail goes.
    pub mail: MailSettings,
}

impl Notification {
    /// The room of those settings over those ports. The record of what was sent lies in the same store.
    pub fn new(
        settings: &Settings,
        store: Arc<dyn ObjectStore>,
        mailer: Arc<dyn Mailer>,
        code_host: Arc<dyn CodeHost>,
    ) -> Self {
        let sent = Sent::new(Arc::clone(&store), &settings.store);
        Self { mailer, code_host, store, sent, mail: settings.mail.clone() }
    }
}

impl Capability for Notification {
    const ID: &'static str = "notification";
}
