//! A delivery of a webhook: its headers, its signature and what it tells.

mod delivery;
mod headers;
mod payload;
mod signature;

pub(crate) use delivery::{Delivery, Event};
pub(crate) use headers::Headers;
pub(crate) use signature::{SECRET, SIGNATURE, verify};

/// The largest body of a delivery that is read, in bytes. Title, body, comment and the text before an edit have at most
/// 65,536 characters each, which JSON escapes in at most twelve bytes.
pub const LARGEST_DELIVERY: usize = 5 * 1024 * 1024;
