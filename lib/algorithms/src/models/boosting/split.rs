//! The search for the best split of a node.

use super::cuts::{Cuts, Terms};
use super::gradients::{Packed, Sums};
use super::histogram::Histogram;
use super::matrix::{Block, Matrix};
use super::parameters::Growth;

/// A gain that is not above this is no gain, as in XGBoost.
const LEAST_GAIN: f32 = 1e-6;

/// How a node is split.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Split {
    /// The feature.
    pub(super) feature: usize,
    /// Which bins go to the right.
    pub(super) rule: Rule,
    /// Whether missing values go to the left.
    pub(super) default_left: bool,
    /// By how much the loss falls, twice.
    pub(super) gain: f32,
    /// The sums of the left child.
    pub(super) left: Sums,
    /// The sums of the right child.
    pub(super) right: Sums,
}

/// Which bins go to the right.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Rule {
    /// Those above this one.
    Above(usize),
    /// These, of a categorical feature.
    Among(Vec<usize>),
}

/// The values that leaves below a node may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) lower: f64,
    pub(super) upper: f64,
}

impl Bounds {
    pub(super) const NONE: Self = Self { lower: f64::NEG_INFINITY, upper: f64::INFINITY };

    /// The bounds of the children of a node that was split in a feature with a direction.
    pub(super) fn of_children(self, direction: i8, left: f64, right: f64) -> [Self; 2] {
        let middle = f64::midpoint(left, right);
        match direction {
            0 => [self, self],
            1.. => [Self { upper: middle, ..self }, Self { lower: middle, ..self }],
            _ => [Self { lower: middle, ..self }, Self { upper: middle, ..self }],
        }
    }
}

/// The sum of first derivatives less the absolute penalty, which draws it towards 0.
#[inline]
fn shrunk(gradient: f64, alpha: f64) -> f64 {
    if alpha == 0.0 { gradient } else { gradient.signum() * (gradient.abs() - alpha).max(0.0) }
}

/// The value of a leaf before `eta`.
pub(super) fn weight([h, g]: Sums, growth: &Growth, bounds: Bounds) -> f64 {
    if h <= 0.0 || h < growth.min_child_weight {
        return 0.0;
    }
    let mut weight = -shrunk(g, growth.alpha) / (h + growth.lambda);
    if growth.max_delta_step > 0.0 {
        weight = weight.clamp(-growth.max_delta_step, growth.max_delta_step);
    }
    weight.clamp(bounds.lower, bounds.upper)
}

/// Twice the fall of the loss in a node of these sums when its rows get this value.
fn gain_of([h, g]: Sums, weight: f64, growth: &Growth) -> f64 {
    -(2.0 * g * weight + (h + growth.lambda) * weight * weight + 2.0 * growth.alpha * weight.abs())
}

/// How the gain of a split is computed.
#[derive(Clone, Copy)]
struct Gain<'a> {
    growth: &'a Growth,
    total: Sums,
    bounds: Bounds,
    direction: i8,
    /// Whether neither bounds nor limits change the best values.
    plain: bool,
    parent: f64,
}

impl Gain<'_> {
    fn of(&self, left: Sums, right: Sums) -> f32 {
        let growth = self.growth;
        if self.plain {
            // g²/(h + λ) of both sides over one denominator, as divisions are slow.
            let [gl, gr] = [left, right].map(|sums| shrunk(sums[1], growth.alpha));
            let [hl, hr] = [left, right].map(|sums| sums[0] + growth.lambda);
            return ((gl * gl * hr + gr * gr * hl) / (hl * hr) - self.parent) as f32;
        }
        let weights = [left, right].map(|sums| weight(sums, growth, self.bounds));
        if f64::from(self.direction) * (weights[1] - weights[0]) < 0.0 {
            return f32::NEG_INFINITY;
        }
        (gain_of(left, weights[0], growth) + gain_of(right, weights[1], growth) - self.parent) as f32
    }
}

/// A node whose splits are compared.
#[derive(Clone, Copy)]
pub(super) struct Node {
    pub(super) total: Sums,
    pub(super) bounds: Bounds,
}

/// The best split of a node in the features of a block, of those that `allowed` names; of equal ones the first.
#[expect(clippy::too_many_arguments, reason = "all that the gain of a split depends on")]
pub(super) fn best_in_block(
    matrix: &Matrix,
    block: &Block,
    histogram: &Histogram,
    packed: &Packed,
    node: Node,
    growth: &Growth,
    monotone: &[i8],
    allowed: impl Fn(usize) -> bool,
) -> Option<Split> {
    let mut best = Best { gain: LEAST_GAIN, split: None };
    let mut cuts = Cuts::new();
    let bounded = node.bounds.lower > f64::NEG_INFINITY || node.bounds.upper < f64::INFINITY;
    for (lane, &count) in block.bins.iter().enumerate() {
        let feature = block.first + lane;
        if !allowed(feature) {
            continue;
        }
        let direction = monotone.get(feature).copied().unwrap_or(0);
        let plain = growth.max_delta_step == 0.0 && direction == 0 && !bounded;
        let parent = if plain {
            let g = shrunk(node.total[1], growth.alpha);
            g * g / (node.total[0] + growth.lambda)
        } else {
            gain_of(node.total, weight(node.total, growth, node.bounds), growth)
        };
        let gain = Gain { growth, total: node.total, bounds: node.bounds, direction, plain, parent };
        if plain && growth.alpha == 0.0 && !matrix.features[feature].categorical {
            cuts.set(histogram, lane, count, packed);
            best.plain(feature, &mut cuts, count, histogram.bin(lane, count, packed), &gain);
            continue;
        }
        let bins: Vec<Sums> = (0..count).map(|bin| histogram.bin(lane, bin, packed)).collect();
        let missing = histogram.bin(lane, count, packed);
        if matrix.features[feature].categorical {
            best.categories(feature, &bins, missing, &gain);
        } else {
            best.numbers(feature, &bins, missing, &gain);
        }
    }
    best.split.filter(|split| f64::from(split.gain) >= growth.gamma)
}

/// The best split so far.
struct Best {
    gain: f32,
    split: Option<Split>,
}

fn plus(a: Sums, b: Sums) -> Sums {
    [a[0] + b[0], a[1] + b[1]]
}

fn minus(a: Sums, b: Sums) -> Sums {
    [a[0] - b[0], a[1] - b[1]]
}

impl Best {
    /// The cuts of a number: upwards with missing values on the right, and when there are any, downwards with them on the
    /// left. Of cuts that gain the same the first counts, so that the order decides where values lie that were not seen.
    fn numbers(&mut self, feature: usize, bins: &[Sums], missing: Sums, gain: &Gain<'_>) {
        let upwards = bins.iter().enumerate().take(tried(bins.len(), missing));
        let found = scan(upwards, gain, self.gain, |left, right| gain.of(left, right));
        self.take(feature, found, false, gain.total);
        if missing != [0.0; 2] {
            let downwards = bins.iter().enumerate().skip(1).rev();
            let found = scan(downwards, gain, self.gain, |right, left| gain.of(left, right));
            self.take(feature, found.map(|(bin, loss, right)| (bin - 1, loss, right)), true, gain.total);
        }
    }

    /// The same where nothing limits the values of leaves.
    fn plain(&mut self, feature: usize, cuts: &mut Cuts, count: usize, missing: Sums, gain: &Gain<'_>) {
        let least = gain.growth.min_child_weight.max(f64::MIN_POSITIVE);
        let terms = Terms { total: gain.total, lambda: gain.growth.lambda, parent: gain.parent, least };
        let found = cuts.upwards(tried(count, missing), terms, self.gain);
        self.take(feature, found, false, gain.total);
        if missing != [0.0; 2] {
            let found = cuts.downwards(terms, self.gain);
            self.take(feature, found, true, gain.total);
        }
    }

    /// Takes up a cut behind a bin, given the sums of the side without missing values.
    fn take(&mut self, feature: usize, found: Option<(usize, f32, Sums)>, default_left: bool, total: Sums) {
        let Some((bin, gain, side)) = found else { return };
        let other = minus(total, side);
        let (left, right) = if default_left { (other, side) } else { (side, other) };
        self.gain = gain;
        self.split = Some(Split { feature, rule: Rule::Above(bin), default_left, gain, left, right });
    }

    fn categories(&mut self, feature: usize, bins: &[Sums], missing: Sums, gain: &Gain<'_>) {
        let mut present: Vec<usize> = (0..bins.len()).filter(|&bin| bins[bin] != [0.0; 2]).collect();
        if bins.len() < gain.growth.max_cat_to_onehot {
            for &bin in &present {
                self.group(feature, &[bin], bins[bin], missing, gain);
            }
            return;
        }
        // Ordered by the value that each category alone would get, the best of all partitions into two is a cut
        // (Fisher, 1958).
        let value = |bin: &usize| weight_of_category(bins[*bin], gain.growth);
        present.sort_by(|a, b| value(a).total_cmp(&value(b)));
        let most = gain.growth.max_cat_threshold.min(present.len().saturating_sub(usize::from(missing == [0.0; 2])));
        for reverse in [false, true] {
            if reverse {
                present.reverse();
            }
            let mut right = [0.0; 2];
            for count in 1..=most {
                right = plus(right, bins[present[count - 1]]);
                self.group(feature, &present[..count], right, missing, gain);
            }
        }
    }

    /// These categories on the right, with missing values on the other side and then on the same.
    fn group(&mut self, feature: usize, group: &[usize], right: Sums, missing: Sums, gain: &Gain<'_>) {
        let least = gain.growth.min_child_weight.max(f64::MIN_POSITIVE);
        let none = missing == [0.0; 2];
        for default_left in [true, false].into_iter().take(if none { 1 } else { 2 }) {
            let right = if default_left { right } else { plus(right, missing) };
            let left = minus(gain.total, right);
            if left[0] < least || right[0] < least {
                continue;
            }
            let loss = gain.of(left, right);
            if loss > self.gain {
                self.gain = loss;
                let mut bins = group.to_vec();
                bins.sort_unstable();
                self.split = Some(Split { feature, rule: Rule::Among(bins), default_left, gain: loss, left, right });
            }
        }
    }
}

/// How many bins a cut may lie behind: without missing values nothing is right of the last bin.
fn tried(bins: usize, missing: Sums) -> usize {
    if missing == [0.0; 2] { bins.saturating_sub(1) } else { bins }
}

/// The first bin up to which one side should go, when that gains more than `best`: with the gain and the sums of that side.
#[inline]
fn scan<'a>(
    bins: impl Iterator<Item = (usize, &'a Sums)>,
    gain: &Gain<'_>,
    mut best: f32,
    of: impl Fn(Sums, Sums) -> f32,
) -> Option<(usize, f32, Sums)> {
    let least = gain.growth.min_child_weight.max(f64::MIN_POSITIVE);
    let mut side = [0.0; 2];
    let mut found = None;
    for (bin, sums) in bins {
        if *sums == [0.0; 2] {
            continue;
        }
        side = plus(side, *sums);
        let other = minus(gain.total, side);
        if other[0] < least {
            break;
        }
        if side[0] >= least {
            let loss = of(side, other);
            if loss > best {
                best = loss;
                found = Some((bin, loss, side));
            }
        }
    }
    found
}

/// The value that the rows of one category would get.
fn weight_of_category([h, g]: Sums, growth: &Growth) -> f64 {
    if h > 0.0 { -shrunk(g, growth.alpha) / (h + growth.lambda) } else { 0.0 }
}
