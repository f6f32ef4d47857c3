//! Messages to people: strict templates in English and Japanese, mail, and comments on issues.

mod capability;
mod page;
#[cfg(test)]
mod sample_room;
mod template;
pub mod tools;

pub use capability::Notification;
pub use template::{Rendered, Template};
