//! Which parts of the tree are known to lie in one component, so that they need not be looked at again.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::clustering::components::Components;
use crate::clustering::tree::{Node, Tree};

/// Which nodes are known to lie in one component with all their core positions.
pub(super) struct Unity<'a> {
    tree: &'a Tree<'a>,
    core: &'a [bool],
    pub(super) components: &'a Components,
    known: Vec<AtomicBool>,
    /// The first core position of each node.
    first: Vec<u32>,
}

impl<'a> Unity<'a> {
    pub(super) fn new(tree: &'a Tree<'a>, core: &'a [bool], components: &'a Components) -> Self {
        let known = tree.nodes.iter().map(|_| AtomicBool::new(false)).collect();
        Self { tree, core, components, known, first: first_cores(tree, core) }
    }

    /// The first core position of a node that has one.
    pub(super) fn first(&self, node: usize) -> usize {
        self.first[node] as usize
    }

    /// Notes that all core positions of the node were joined.
    pub(super) fn join(&self, node: usize) {
        self.known[node].store(true, Ordering::Relaxed);
    }

    /// The component that holds all core positions of the node; `None` when there are several or it is not known.
    pub(super) fn of(&self, node: usize) -> Option<u32> {
        let first = self.first[node];
        if first == u32::MAX {
            return None;
        }
        let root = self.components.find(first as usize);
        if self.known[node].load(Ordering::Relaxed) {
            return Some(root);
        }
        let whole = match self.tree.nodes[node].children() {
            None => {
                let mut cores = self.tree.nodes[node].range().filter(|&position| self.core[position]);
                cores.all(|position| self.components.find(position) == root)
            }
            Some(children) => children.into_iter().filter(|&child| self.first[child] != u32::MAX).all(|child| {
                self.known[child].load(Ordering::Relaxed) && self.components.find(self.first[child] as usize) == root
            }),
        };
        if whole {
            self.known[node].store(true, Ordering::Relaxed);
        }
        whole.then_some(root)
    }

    /// Whether both nodes are known to lie in the same component.
    pub(super) fn same(&self, a: usize, b: usize) -> bool {
        self.of(b).is_some_and(|root| self.of(a) == Some(root))
    }
}

fn first_cores(tree: &Tree<'_>, core: &[bool]) -> Vec<u32> {
    let first = |node: &Node| node.range().find(|&position| core[position]).map_or(u32::MAX, |first| first as u32);
    let mut firsts = vec![u32::MAX; tree.nodes.len()];
    for index in (0..tree.nodes.len()).rev() {
        firsts[index] = match tree.nodes[index].children() {
            Some([left, right]) => firsts[left].min(firsts[right]),
            None => first(&tree.nodes[index]),
        };
    }
    firsts
}
