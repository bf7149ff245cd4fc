//! Which rows each candidate learns from, and which it is judged by.

use super::super::table::Table;
use crate::prepare::Prepared;
use polytask_data::epoch_order;
use polytask_model::config::Preset;
use std::collections::BTreeMap;

/// Rows to learn from, and rows held out, both ascending.
pub(super) struct Fold {
    pub train: Vec<u32>,
    pub held: Vec<u32>,
}

/// Above this many rows one holdout says enough, and folds cost more than they bring.
const MANY: usize = 20_000;
/// Draws that only folds use: no epoch has this number.
const STREAM: u64 = u64::MAX;

/// How many folds there will be.
pub(super) fn count(table: &Table, prepared: &Prepared) -> usize {
    let rows = table.train.len() + table.valid.len();
    let preset = table.config.model.preset.unwrap_or_default();
    let holdout = prepared.given_valid || rows > MANY || preset == Preset::Fast;
    match preset {
        _ if holdout && !table.valid.is_empty() => 1,
        Preset::Best if rows < 2_000 => 20,
        Preset::Best => 10,
        Preset::Fast | Preset::Good if rows < 500 => 10,
        Preset::Fast | Preset::Good if rows < 5_000 => 5,
        Preset::Fast | Preset::Good => 4,
    }
    .min(groups(prepared, rows).max(2))
}

/// The groups that stay together, or the rows where each is its own.
fn groups(prepared: &Prepared, rows: usize) -> usize {
    let count = |groups: &Vec<u32>| groups.iter().collect::<std::collections::BTreeSet<_>>().len();
    prepared.groups.as_ref().map_or(rows, count)
}

/// The folds of the rows that are not for testing: each row is held out once. One fold is the split of the config.
pub(super) fn folds(table: &Table, prepared: &Prepared) -> Vec<Fold> {
    let count = count(table, prepared);
    if count == 1 {
        return vec![Fold { train: table.train.clone(), held: table.valid.clone() }];
    }
    let mut rows = [table.train.as_slice(), &table.valid].concat();
    rows.sort_unstable();
    let mut held: Vec<Vec<u32>> = vec![Vec::new(); count];
    match &prepared.groups {
        None => {
            let order = epoch_order(&rows, table.config.train.seed, STREAM);
            order.iter().enumerate().for_each(|(i, row)| held[i % count].push(*row));
        }
        Some(groups) => {
            let mut by: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
            rows.iter().for_each(|row| by.entry(groups[*row as usize]).or_default().push(*row));
            let names: Vec<u32> = by.keys().copied().collect();
            // The largest group first, each to the fold that has fewest rows.
            let mut order = epoch_order(&names, table.config.train.seed, STREAM);
            order.sort_by_key(|name| std::cmp::Reverse(by[name].len()));
            for name in order {
                if let Some(least) = held.iter_mut().min_by_key(|rows| rows.len()) {
                    least.extend(&by[&name]);
                }
            }
        }
    }
    held.retain(|rows| !rows.is_empty());
    let fold = |mut held: Vec<u32>| {
        held.sort_unstable();
        let train = rows.iter().copied().filter(|row| held.binary_search(row).is_err()).collect();
        Fold { train, held }
    };
    held.into_iter().map(fold).collect()
}
