//! Which clusters of the condensed tree are the result.

use super::HdbscanOptions;
use super::condensed::Departure;

/// The clusters of the condensed tree by their index: the root is 0.
struct Clusters {
    rows: u32,
    /// The distance below which the cluster exists, as one over it; 0 for the root.
    birth: Vec<f64>,
    parent: Vec<usize>,
    children: Vec<Vec<usize>>,
    size: Vec<u32>,
    stability: Vec<f64>,
    /// The largest lambda at which anything leaves it.
    death: Vec<f64>,
}

/// The cluster of each row (-1 for noise), how firmly it belongs there, and how many clusters there are.
pub(super) fn select(tree: &[Departure], rows: usize, options: &HdbscanOptions) -> (Vec<i32>, Vec<f64>, usize) {
    let clusters = Clusters::new(tree, rows as u32);
    let mut selected = if options.leaf { clusters.leaves() } else { clusters.excess_of_mass(options) };
    if options.cluster_selection_epsilon > 0.0 && clusters.birth.len() > 1 {
        let only_root = selected[0] && selected.iter().filter(|selected| **selected).count() == 1;
        if !only_root {
            selected = clusters.merge_below(&selected, options);
        }
    }
    clusters.label(tree, &selected, options)
}

impl Clusters {
    fn new(tree: &[Departure], rows: u32) -> Self {
        let count = 1 + tree.iter().filter(|departure| departure.child >= rows).count();
        let mut clusters = Self {
            rows,
            birth: vec![0.0; count],
            parent: vec![0; count],
            children: vec![Vec::new(); count],
            size: vec![0; count],
            stability: vec![0.0; count],
            death: vec![0.0; count],
        };
        clusters.size[0] = rows;
        for departure in tree.iter().filter(|departure| departure.child >= rows) {
            let (child, parent) = ((departure.child - rows) as usize, (departure.parent - rows) as usize);
            clusters.birth[child] = departure.lambda;
            clusters.parent[child] = parent;
            clusters.children[parent].push(child);
            clusters.size[child] = departure.size;
        }
        for departure in tree {
            let parent = (departure.parent - rows) as usize;
            // A cluster of equal rows is born and dies at an infinite lambda; it lasts for nothing.
            let lasted = departure.lambda - clusters.birth[parent];
            let lasted = if lasted.is_nan() { 0.0 } else { lasted };
            clusters.stability[parent] += lasted * f64::from(departure.size);
            clusters.death[parent] = clusters.death[parent].max(departure.lambda);
        }
        clusters
    }

    /// The clusters that last longer than all that they split into together.
    fn excess_of_mass(&self, options: &HdbscanOptions) -> Vec<bool> {
        let first = usize::from(!options.allow_single_cluster);
        let mut stability = self.stability.clone();
        let mut selected = vec![false; stability.len()];
        let most = options.max_cluster_size.map_or(u32::MAX, |most| most as u32);
        for cluster in (first..stability.len()).rev() {
            let below: f64 = self.children[cluster].iter().map(|&child| stability[child]).sum();
            if below > stability[cluster] || self.size[cluster] > most {
                stability[cluster] = below;
            } else {
                self.below(cluster).into_iter().for_each(|other| selected[other] = false);
                selected[cluster] = true;
            }
        }
        selected
    }

    /// The clusters that split no further.
    fn leaves(&self) -> Vec<bool> {
        let mut selected = self.children.iter().map(Vec::is_empty).collect::<Vec<_>>();
        // A root that never splits is no leaf, as in scikit-learn.
        selected[0] = false;
        selected
    }

    /// Clusters that split at a distance below the threshold are taken together again (Malzer and Baum, 2020).
    fn merge_below(&self, selected: &[bool], options: &HdbscanOptions) -> Vec<bool> {
        let mut result = vec![false; selected.len()];
        let mut covered = vec![false; selected.len()];
        for cluster in (0..selected.len()).filter(|&cluster| selected[cluster]) {
            if 1.0 / self.birth[cluster] >= options.cluster_selection_epsilon {
                result[cluster] = true;
            } else if !covered[cluster] {
                let mut top = cluster;
                while top != 0 {
                    let parent = self.parent[top];
                    if parent == 0 {
                        top = if options.allow_single_cluster { 0 } else { top };
                        break;
                    }
                    top = parent;
                    if 1.0 / self.birth[top] > options.cluster_selection_epsilon {
                        break;
                    }
                }
                result[top] = true;
                self.below(top).into_iter().for_each(|other| covered[other] = true);
            }
        }
        // Whatever lies below a cluster that was taken belongs to it.
        for cluster in 0..result.len() {
            if result[cluster] {
                self.below(cluster).into_iter().for_each(|other| result[other] = false);
            }
        }
        result
    }

    /// Every cluster below one.
    fn below(&self, cluster: usize) -> Vec<usize> {
        let mut found = self.children[cluster].clone();
        let mut next = 0;
        while next < found.len() {
            let children = &self.children[found[next]];
            found.extend(children);
            next += 1;
        }
        found
    }

    fn label(&self, tree: &[Departure], selected: &[bool], options: &HdbscanOptions) -> (Vec<i32>, Vec<f64>, usize) {
        let mut names = vec![-1; selected.len()];
        let mut count = 0;
        for cluster in (0..selected.len()).filter(|&cluster| selected[cluster]) {
            names[cluster] = count;
            count += 1;
        }
        // Names are handed down; a parent comes before its children.
        let mut owner = (0..selected.len()).collect::<Vec<_>>();
        for cluster in (1..selected.len()).filter(|&cluster| !selected[cluster]) {
            owner[cluster] = owner[self.parent[cluster]];
        }
        let mut labels = vec![-1; self.rows as usize];
        let mut probabilities = vec![0.0; self.rows as usize];
        let single = selected[0] && count == 1;
        let threshold = if options.cluster_selection_epsilon > 0.0 {
            1.0 / options.cluster_selection_epsilon
        } else {
            tree.iter().filter(|departure| departure.parent == self.rows).map(|one| one.lambda).fold(0.0, f64::max)
        };
        for departure in tree.iter().filter(|departure| departure.child < self.rows) {
            let cluster = owner[(departure.parent - self.rows) as usize];
            if names[cluster] < 0 || (cluster == 0 && !(single && departure.lambda >= threshold)) {
                continue;
            }
            let row = departure.child as usize;
            labels[row] = names[cluster];
            let death = self.death[cluster];
            let whole = death == 0.0 || departure.lambda.is_infinite();
            probabilities[row] = if whole { 1.0 } else { departure.lambda.min(death) / death };
        }
        (labels, probabilities, count as usize)
    }
}
