//! Trees, exactly: Shapley values of their scores.

use super::Part;
use super::path::{Curve, along};
use crate::inputs::{Encoder, Features};
use crate::model::{columns, tree_columns};
use crate::tasks::Task;
use polytask_trees::{Kind, Model, TreesError};

/// What each input adds to each task's predictions of some rows. Inputs that several columns were made of add what these do.
pub(super) fn explain(
    trees: &Model,
    (encoder, names): (&Encoder, &[String]),
    tasks: &[Task],
    features: &Features,
    rows: &[u32],
) -> Result<Vec<Part>, TreesError> {
    let found = trees.contributions(&columns(encoder, features, rows)?)?;
    let place = |column: &str| names.iter().position(|name| name == column).unwrap_or(0);
    let places: Vec<usize> = tree_columns(encoder).iter().map(|column| place(&column.input.column)).collect();
    let of = |(task, head): (&Task, &polytask_trees::Head)| {
        let mut base = found.base[head.first..head.first + head.width].to_vec();
        let mut values = vec![0.0; rows.len() * names.len() * head.width];
        for (row, own) in values.chunks_exact_mut((names.len() * head.width).max(1)).enumerate() {
            for (column, place) in places.iter().enumerate() {
                let into = own[place * head.width..][..head.width].iter_mut().enumerate();
                into.for_each(|(output, value)| *value += found.get(row, column, head.first + output));
            }
        }
        // Leaves of forests hold averages of labels: there is no link before them.
        if let (Kind::Boosted, Some(link)) = (trees.kind(), task.link()) {
            along(Curve::Link(link), &mut base, &mut values, names.len());
        }
        Part { base, values }
    };
    Ok(tasks.iter().zip(trees.heads()).map(of).collect())
}
