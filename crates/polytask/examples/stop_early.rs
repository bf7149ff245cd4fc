//! A callback that ends training as soon as all tasks are good enough on the validation rows.

use polytask::prelude::*;
use std::error::Error;

struct GoodEnough {
    aim: f64,
    reached: bool,
}

impl Callback for GoodEnough {
    fn scores(&self) -> bool {
        true
    }

    fn round(&mut self, round: &Round) {
        let mut scores = round.scores.values().filter_map(|metrics| metrics.get("r2")).peekable();
        self.reached = scores.peek().is_some() && scores.all(|r2| *r2 >= self.aim);
    }

    fn stop(&self) -> bool {
        self.reached
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let x: Vec<f64> = (0..600).map(|i| f64::from(i) / 100.0 - 3.0).collect();
    let line = x.iter().map(|x| 2.0 * x + 1.0).collect();
    let square = x.iter().map(|x| x * x).collect();
    let columns = vec![Column::number("x", x), Column::number("line", line), Column::number("square", square)];
    let mut callback = GoodEnough { aim: 0.9, reached: false };
    let run = Experiment::from_table(Table::from_columns(columns)?)
        .task("line", TaskKind::Regression)
        .task("square", TaskKind::Regression)
        .with(|config| config.train.learning_rate = 0.01)
        .fit(&mut callback)?;
    println!("{:?} after {} epochs", run.fitted().stop_reason, run.fitted().history.len());
    Ok(())
}
