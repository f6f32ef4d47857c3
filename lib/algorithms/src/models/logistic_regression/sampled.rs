//! A start near the minimum, from a sample of the rows.
//!
//! The minimum over some thousand rows is as near to that over all of them as chance allows, and the curvature there is
//! almost the one at the end: from it, few looks at the whole table are left to do.

use super::design::Spread;
use super::loss::{FEWEST_ROWS, Loss, MOST_WHOLE, Preconditioner};
use crate::models::lbfgs;
use crate::probe::{Cancelled, Probe};

/// So many rows for each column show where the minimum is.
const ROWS_PER_COLUMN: usize = 64;
/// With fewer rows than so many samples, a sample saves nothing.
const FEWEST_SAMPLES: usize = 6;
/// The gradient that ends the search over the sample, below what chance makes of it, and its most iterations.
const TOLERANCE: f64 = 1e-3;
const MOST_ITERATIONS: usize = 30;

/// Where to begin, and an approximation of the inverse of the curvature.
pub(super) fn start(
    loss: &Loss,
    tolerance: f64,
    max_iterations: usize,
    probe: &dyn Probe,
) -> Result<(Vec<f64>, Preconditioner), Cancelled> {
    let width = loss.design.width;
    let (plain, preconditioner) = (loss.start(), loss.preconditioner());
    let every = loss.design.count / FEWEST_ROWS.max(ROWS_PER_COLUMN * width);
    if every < FEWEST_SAMPLES || width > MOST_WHOLE || tolerance >= TOLERANCE {
        return Ok((plain, preconditioner));
    }
    let sample = Spread { every, first: 0 };
    let end = lbfgs::minimize_preconditioned(
        |point, gradient| loss.evaluate_spread(sample, point, gradient),
        |values| preconditioner.apply(values, width),
        plain.clone(),
        TOLERANCE,
        max_iterations.min(MOST_ITERATIONS),
        |_, _| probe.check(),
    )?;
    // Rows in an order, or classes that the sample happens to separate, lead astray: other rows have to agree.
    let others = Spread { every, first: every / 2 };
    let mut gradient = vec![0.0; plain.len()];
    let agrees = end.finite
        && loss.evaluate_spread(others, &end.point, &mut gradient)
            < loss.evaluate_spread(others, &plain, &mut gradient);
    if !agrees {
        return Ok((plain, preconditioner));
    }
    let near = loss.preconditioner_at(&end.point, sample);
    Ok((end.point, near))
}
