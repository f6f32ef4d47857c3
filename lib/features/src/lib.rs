//! Nothing but features: see the manifest. The crate at the root of all others depends on it.
