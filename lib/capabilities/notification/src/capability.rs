//! The room: templates need nothing from outside.

use mlops_core::Capability;

/// What the notification tools may touch: nothing, so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Notification;

impl Capability for Notification {
    const ID: &'static str = "notification";
}
