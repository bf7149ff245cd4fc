//! A model from a file is checked before it is one: after this no index in it can miss.

use serde::Deserialize;

use super::{Head, Kind, Model, Schema, Test, Tree};
use crate::{DEEPEST, TreesError};

/// The same fields as [`Model`].
#[derive(Deserialize)]
pub(super) struct Unchecked {
    kind: Kind,
    columns: Vec<Schema>,
    heads: Vec<Head>,
    start: Vec<f64>,
    trees: Vec<Tree>,
    rounds: usize,
}

impl TryFrom<Unchecked> for Model {
    type Error = TreesError;

    fn try_from(read: Unchecked) -> Result<Self, TreesError> {
        let Unchecked { kind, columns, heads, start, trees, rounds } = read;
        Self::new(kind, columns, heads, start, trees, rounds)
    }
}

fn ascending<T: PartialOrd>(values: &[T]) -> bool {
    values.windows(2).all(|pair| pair[0] < pair[1])
}

impl Model {
    pub(super) fn check(&self) -> Result<(), String> {
        for column in &self.columns {
            if let Schema::Categories { codes, rare } = column
                && (!ascending(codes) || codes.len() + usize::from(*rare) > 255)
            {
                return Err("codes of categories are out of order or too many".into());
            }
        }
        let mut first = 0usize;
        for head in &self.heads {
            head.objective.check().map_err(|error| error.to_string())?;
            let end = first.checked_add(head.width).filter(|end| *end <= self.start.len());
            let Some(end) = end.filter(|_| head.first == first && head.width == head.objective.width()) else {
                return Err("the tasks' outputs do not follow one another".into());
            };
            first = end;
        }
        if first != self.start.len() || self.start.iter().any(|start| !start.is_finite()) {
            return Err("there must be one finite start an output".into());
        }
        self.trees
            .iter()
            .enumerate()
            .try_for_each(|(index, tree)| self.tree(tree).map_err(|reason| format!("tree {index}: {reason}")))
    }

    fn tree(&self, tree: &Tree) -> Result<(), String> {
        if !ascending(&tree.outputs) || tree.outputs.last().is_some_and(|&output| output as usize >= self.start.len()) {
            return Err("its outputs are out of order or out of range".into());
        }
        let (nodes, leaves) = (tree.nodes.len(), tree.covers.len());
        if leaves != nodes + 1
            || leaves.checked_mul(tree.outputs.len()) != Some(tree.values.len())
            || nodes >= i32::MAX as usize
        {
            return Err("it has not one leaf more than nodes, or not one value an output and leaf".into());
        }
        if tree.values.iter().any(|value| !value.is_finite()) {
            return Err("a leaf value is not finite".into());
        }
        // Every node but the root and every leaf has exactly one parent, which comes before it: no circle, nothing lost.
        let mut depths = vec![0; nodes];
        let mut seen = vec![false; nodes + leaves];
        for (index, node) in tree.nodes.iter().enumerate() {
            match (self.columns.get(node.feature as usize), &node.test) {
                (Some(Schema::Numbers), Test::Number { threshold, .. }) if threshold.is_finite() => {}
                (Some(Schema::Categories { .. }), Test::Category { left }) if ascending(left) => {}
                (Some(_) | None, Test::Number { .. } | Test::Category { .. }) => {
                    return Err(format!("node {index} asks a column in a way it cannot"));
                }
            }
            if !node.gain.is_finite() || depths[index] >= DEEPEST {
                return Err(format!("node {index} is too deep or its gain is not finite"));
            }
            for &child in &node.children {
                let place = if child >= 0 { child as usize } else { nodes + (-1 - i64::from(child)) as usize };
                let later = child < 0 || child as usize > index;
                if !later
                    || place >= seen.len()
                    || (child >= 0 && place >= nodes)
                    || std::mem::replace(&mut seen[place], true)
                {
                    return Err(format!("node {index} has a child that cannot be"));
                }
                if child >= 0 {
                    depths[place] = depths[index] + 1;
                }
            }
        }
        Ok(())
    }
}
