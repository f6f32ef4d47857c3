//! What every picture is drawn with, and the pictures that more than one room draws.
//!
//! The same numbers give the same bytes. Colours can be told apart with the common kinds of colour blindness.

pub mod axes;
pub mod convergence;
pub mod k_search;
pub mod learning_curve;
pub mod lettering;
pub mod palette;
pub mod scatter;
pub mod scree;
pub mod svg;
