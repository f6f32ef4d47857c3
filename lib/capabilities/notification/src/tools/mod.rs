//! The table of the notification tools.

mod apply_notification_template;
mod send_email_notification;
mod send_github_notification;

pub use apply_notification_template::{AppliedTemplate, ApplyNotificationTemplate};
pub use send_email_notification::{SendEmailNotification, SentEmailNotification};
pub use send_github_notification::{Check, SendGithubNotification, SentGithubNotification};

use mlops_core::Entry;

use crate::Notification;

/// Every tool of the capability.
pub static TOOLS: &[Entry<Notification>] = &[
    Entry::of::<ApplyNotificationTemplate>(),
    Entry::of::<SendEmailNotification>(),
    Entry::of::<SendGithubNotification>(),
];
