//! Objects as files.

mod blocking;
mod draft;
mod failure;
mod listing;
mod locks;
mod place;
mod reading;
mod store;

pub use place::Access;
pub use store::FileStore;

pub(crate) use blocking::blocking;
pub(crate) use draft::{create_once, replace_whole, sync_folder};
pub(crate) use failure::failure;
pub(crate) use locks::{hold, try_hold};
