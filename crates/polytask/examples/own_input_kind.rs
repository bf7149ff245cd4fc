//! An input kind of one's own: a sequence of bases (`ACGT`) as how often each stands in it.

use polytask::inputs::{self, OwnFeatures, OwnInput};
use polytask::prelude::*;
use std::sync::Arc;

#[derive(Debug)]
struct Bases;

impl OwnInput for Bases {
    fn word(&self) -> &'static str {
        "bases"
    }
    fn fit(&self, _: &Column, _: &[u32]) -> Result<Arc<dyn OwnFeatures>, String> {
        Ok(Arc::new(Shares))
    }
    fn restore(&self, _: &serde_json::Value) -> Result<Arc<dyn OwnFeatures>, String> {
        Ok(Arc::new(Shares))
    }
}

#[derive(Debug)]
struct Shares;

impl OwnFeatures for Shares {
    fn parts(&self) -> Vec<String> {
        ["A", "C", "G", "T"].map(str::to_owned).to_vec()
    }
    fn read(&self, column: &Column) -> Result<Vec<Vec<f64>>, (usize, String)> {
        let mut all = vec![Vec::new(); 4];
        for row in 0..column.len() {
            let bases = column.shown(row).unwrap_or_default();
            if let Some(other) = bases.chars().find(|base| !"ACGT".contains(*base)) {
                return Err((row, format!("{other} is no base; bases are A, C, G and T")));
            }
            for (base, shares) in "ACGT".chars().zip(&mut all) {
                // NaN, a missing value, of an empty sequence.
                shares.push(bases.chars().filter(|own| *own == base).count() as f64 / bases.len() as f64);
            }
        }
        Ok(all)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bases = inputs::register(Arc::new(Bases));
    let sequences: Vec<String> =
        (0..300).map(|i| format!("{}{}", "AC".repeat(i % 7 + 1), "GT".repeat(i % 5))).collect();
    let count = |base: char| sequences.iter().map(move |own| own.matches(base).count() as f64 / own.len() as f64);
    let table = Table::from_columns(vec![
        Column::text("gene", sequences.iter().map(|own| Some(own.as_str()))),
        Column::number("melting", count('G').map(|g| 60.0 + 80.0 * g).collect()),
        Column::number("mass", count('A').zip(count('G')).map(|(a, g)| 313.2 * a + 329.2 * g).collect()),
    ])?;
    let experiment = Experiment::from_table(table).input("gene", bases);
    let run = experiment.task("melting", TaskKind::Regression).task("mass", TaskKind::Regression).fit(&mut ())?;
    println!("R2 of melting: {:?}", run.scores().tasks["melting"].metrics.value("r2"));
    Ok(())
}
