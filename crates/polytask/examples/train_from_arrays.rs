//! Two tasks learnt from arrays: height and weight by age. Some labels are missing, which is no problem.

use polytask::prelude::*;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let age: Vec<f64> = (0..400).map(|i| f64::from(i % 80)).collect();
    let height = age.iter().map(|age| 170.0 - 110.0 * (-age / 7.0).exp()).collect();
    // Every third weight is unknown.
    let weight = |(i, age): (usize, &f64)| if i % 3 == 0 { f64::NAN } else { 65.0 - 58.0 * (-age / 10.0).exp() };
    let weight = age.iter().enumerate().map(weight).collect();
    let columns = vec![Column::number("age", age), Column::number("height", height), Column::number("weight", weight)];

    let run = Experiment::from_table(Table::from_columns(columns)?)
        .task("height", TaskKind::Regression)
        .task("weight", TaskKind::Regression)
        .seed(1)
        .with(|config| config.train.learning_rate = 0.01)
        .fit(&mut ())?;
    for (task, score) in &run.scores().tasks {
        println!(
            "{task}: R2 {:.3} on rows that nothing was learnt from",
            score.metrics.value("r2").unwrap_or(f64::NAN)
        );
    }

    let children = Table::from_columns(vec![Column::number("age", vec![2.0, 10.0])])?;
    for (task, prediction) in run.model().tasks.iter().zip(run.model().predict(&children)?) {
        if let Prediction::Numbers(values) = prediction {
            println!("{} at 2 and 10: {:.0} and {:.0}", task.name, values[0], values[1]);
        }
    }
    Ok(())
}
