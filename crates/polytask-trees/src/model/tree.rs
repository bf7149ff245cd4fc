use serde::{Deserialize, Serialize};

/// Which of the two children a row goes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Left if the number is at most `threshold`; a missing one goes left if `missing_left`.
    Number {
        /// A finite number.
        threshold: f32,
        /// Where missing numbers go.
        missing_left: bool,
    },
    /// Left if the category's bin (see [`crate::Schema`]) is one of these, ascending. A missing category has a bin too.
    Category {
        /// Bins that go left.
        left: Vec<u8>,
    },
}

/// An inner node of a tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Feature that is asked.
    pub feature: u32,
    /// What is asked.
    pub test: Test,
    /// Children, left and right: `n` is inner node `n`, always a later one than this; `-1 - l` is leaf `l`.
    pub children: [i32; 2],
    /// Training rows that came by.
    pub cover: u32,
    /// How much the split lowered the loss, on the scale on which splits were compared.
    pub gain: f32,
}

/// One tree: a structure, and in every leaf a value for each of some outputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tree {
    /// Outputs that the tree adds to, ascending; a leaf has a value for each.
    pub outputs: Vec<u32>,
    /// Inner nodes, the root first; empty if the tree is one leaf.
    pub nodes: Vec<Node>,
    /// Leaf values, leaf by leaf.
    pub values: Vec<f32>,
    /// Training rows in each leaf.
    pub covers: Vec<u32>,
}

impl Tree {
    /// The values of a leaf, one an output of the tree.
    pub fn leaf(&self, leaf: usize) -> &[f32] {
        &self.values[leaf * self.outputs.len()..(leaf + 1) * self.outputs.len()]
    }

    /// Number of leaves.
    pub fn leaves(&self) -> usize {
        self.covers.len()
    }

    /// Longest way from the root to a leaf, in splits.
    pub fn depth(&self) -> usize {
        let mut depths = vec![0; self.nodes.len()];
        let mut most = 0;
        for (index, node) in self.nodes.iter().enumerate() {
            most = most.max(depths[index] + 1);
            for &child in &node.children {
                if child >= 0 {
                    depths[child as usize] = depths[index] + 1;
                }
            }
        }
        most
    }

    /// Keeps the outputs that `keep` names (by their number in the model); false if none is left.
    pub(crate) fn retain(&mut self, keep: impl Fn(u32) -> bool) -> bool {
        let kept: Vec<usize> = (0..self.outputs.len()).filter(|&place| keep(self.outputs[place])).collect();
        if kept.len() < self.outputs.len() {
            self.values = (0..self.leaves())
                .flat_map(|leaf| kept.iter().map(move |&place| (leaf, place)))
                .map(|(leaf, place)| self.leaf(leaf)[place])
                .collect();
            self.outputs = kept.iter().map(|&place| self.outputs[place]).collect();
        }
        !self.outputs.is_empty()
    }
}
