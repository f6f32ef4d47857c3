//! The table of the notification tools.

mod apply_notification_template;

pub use apply_notification_template::{AppliedTemplate, ApplyNotificationTemplate};

use mlops_core::Entry;

use crate::Notification;

/// Every tool of the capability.
pub static TOOLS: &[Entry<Notification>] = &[Entry::of::<ApplyNotificationTemplate>()];
