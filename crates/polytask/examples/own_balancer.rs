//! A balancing method of one's own: each task weighs as much as its loss is of all losses, so that what is learnt worst counts
//! most.

use polytask::balance::Family;
use polytask::prelude::*;
use std::error::Error;

static INFO: MethodInfo = MethodInfo::own("worst_first", Family::Scalarizer, Needs::Losses);

struct WorstFirst;

impl Balancer for WorstFirst {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn weights(&mut self, step: &Step, _: Option<&polytask::balance::Gramian>) -> Result<Weights, BalanceError> {
        let (count, sum) = (step.losses.len() as f64, step.losses.iter().sum::<f64>());
        Ok(Weights::both(step.losses.iter().map(|loss| if sum > 0.0 { count * loss / sum } else { 1.0 }).collect()))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let x: Vec<f64> = (0..300).map(|i| f64::from(i) / 50.0 - 3.0).collect();
    let easy = x.iter().map(|x| 2.0 * x + 1.0).collect();
    let hard = x.iter().map(|x| (3.0 * x).sin()).collect();
    let columns = vec![Column::number("x", x), Column::number("easy", easy), Column::number("hard", hard)];
    let run = Experiment::from_table(Table::from_columns(columns)?)
        .task("easy", TaskKind::Regression)
        .task("hard", TaskKind::Regression)
        .balancer(Box::new(|_| Ok(Box::new(WorstFirst))))
        .fit(&mut ())?;
    let Some(last) = run.fitted().history.last() else { return Ok(()) };
    println!("weights in the last epoch: {:?}", last.weights);
    Ok(())
}
