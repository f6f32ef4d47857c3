//! Pictures of results: drawn as SVG from numbers alone, and rasterised with an embedded font.
//!
//! The same numbers give the same bytes. Colours can be told apart with the common kinds of colour blindness.

pub mod calibration;
pub mod condensed;
pub mod confusion_matrix;
pub mod importance;
pub mod intervals;
pub mod raster;
pub mod residuals;
pub mod roc_curve;

pub use mlops_artifacts::drawing::{axes, lettering, palette, svg};
