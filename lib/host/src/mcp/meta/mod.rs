//! Tools about the server itself. They are outside the count of the fleet's tools and change nothing.

mod diagnose_setup;
mod get_result;
mod search_tools;

use std::sync::Arc;

use mlops_core::{Capability, Entry};

use super::offer::Offer;
use super::server::Inner;

pub(super) use diagnose_setup::DiagnoseSetup;
pub(super) use get_result::GetResult;
pub(super) use search_tools::SearchTools;

/// What these tools look at: the server, and what the request may see of it.
pub(super) struct FrontDoor {
    pub(super) server: Arc<Inner>,
    pub(super) offer: Offer,
}

impl Capability for FrontDoor {
    const ID: &'static str = "mcp";
}

/// The table of these tools.
pub(super) static TOOLS: &[Entry<FrontDoor>] =
    &[Entry::of::<SearchTools>(), Entry::of::<DiagnoseSetup>(), Entry::of::<GetResult>()];
