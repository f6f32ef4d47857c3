//! Messages to people: strict templates in English and Japanese.

mod capability;
mod template;
pub mod tools;

pub use capability::Notification;
pub use template::{Rendered, Template};
