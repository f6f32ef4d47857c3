//! The hierarchy of a spanning tree, without the splits that only shed a few rows.

use super::spanning_tree::Edge;

/// One merge of the hierarchy. Nodes below the number of rows are rows, the others are merges in their order.
#[derive(Debug, Clone, Copy)]
struct Merge {
    left: u32,
    right: u32,
    distance: f64,
    size: u32,
}

/// A row or a cluster that leaves its cluster.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Departure {
    /// The cluster that is left.
    pub(super) parent: u32,
    /// A row, or a cluster when not below the number of rows.
    pub(super) child: u32,
    /// One over the distance at which it leaves; infinite for a distance of 0.
    pub(super) lambda: f64,
    /// The number of rows.
    pub(super) size: u32,
}

/// The condensed tree (Campello, Moulavi and Sander, 2013). The root cluster has the number of rows as its name; every
/// other cluster is named after its parent.
pub(super) fn condense(mut edges: Vec<Edge>, min_cluster_size: usize) -> Vec<Departure> {
    edges.sort_by(|a, b| a.distance.total_cmp(&b.distance));
    let merges = merges(&edges);
    let rows = merges.len() + 1;
    let root = rows + merges.len() - 1;
    let size = |node: u32| if (node as usize) < rows { 1 } else { merges[node as usize - rows].size };
    let mut names = vec![0_u32; root + 1];
    names[root] = rows as u32;
    let mut next = rows as u32 + 1;
    let mut departures = Vec::with_capacity(rows);
    // Breadth first: that is the order in which clusters get their names.
    let mut queue = std::collections::VecDeque::from([root as u32]);
    while let Some(node) = queue.pop_front() {
        let Some(merge) = (node as usize).checked_sub(rows).map(|index| merges[index]) else { continue };
        let parent = names[node as usize];
        let lambda = if merge.distance > 0.0 { 1.0 / merge.distance } else { f64::INFINITY };
        let large = |node: u32| size(node) as usize >= min_cluster_size;
        let split = large(merge.left) && large(merge.right);
        for child in [merge.left, merge.right] {
            if split {
                names[child as usize] = next;
                departures.push(Departure { parent, child: next, lambda, size: size(child) });
                next += 1;
                queue.push_back(child);
            } else if large(child) {
                names[child as usize] = parent;
                queue.push_back(child);
            } else {
                leave(&merges, rows, child, parent, lambda, &mut departures);
            }
        }
    }
    departures
}

/// Every row below `node` leaves `parent`.
fn leave(merges: &[Merge], rows: usize, node: u32, parent: u32, lambda: f64, departures: &mut Vec<Departure>) {
    let mut stack = vec![node];
    while let Some(node) = stack.pop() {
        match (node as usize).checked_sub(rows) {
            Some(index) => stack.extend([merges[index].right, merges[index].left]),
            None => departures.push(Departure { parent, child: node, lambda, size: 1 }),
        }
    }
}

/// The merges of edges that ascend by distance.
fn merges(edges: &[Edge]) -> Vec<Merge> {
    let rows = edges.len() + 1;
    let mut parents = (0..(rows + edges.len()) as u32).collect::<Vec<_>>();
    let mut sizes = vec![1_u32; rows + edges.len()];
    let find = |parents: &mut Vec<u32>, member: u32| {
        let mut root = member;
        while parents[root as usize] != root {
            parents[root as usize] = parents[parents[root as usize] as usize];
            root = parents[root as usize];
        }
        root
    };
    let merge = |(index, edge): (usize, &Edge)| {
        let (left, right) = (find(&mut parents, edge.from), find(&mut parents, edge.to));
        let size = sizes[left as usize] + sizes[right as usize];
        let node = rows + index;
        (parents[left as usize], parents[right as usize]) = (node as u32, node as u32);
        sizes[node] = size;
        Merge { left, right, distance: edge.distance, size }
    };
    edges.iter().enumerate().map(merge).collect()
}
