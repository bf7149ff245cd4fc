//! A task kind of one's own: angles in degrees, learnt by their sine and cosine, so that 359 is near 1.

use polytask::metric::{Better, Metrics};
use polytask::tasks::*;
use polytask::{exec::TaskOutput, graph::LossKind, prelude::*};
use std::sync::Arc;
#[derive(Debug)]
struct Angle;
impl OwnTask for Angle {
    fn word(&self) -> &'static str {
        "angle"
    }
    fn fit(&self, _: &LabelColumn<'_>, _: &[u32]) -> Result<Arc<dyn OwnOutcome>, TaskError> {
        Ok(Arc::new(Angle))
    }
    fn restore(&self, _: &serde_json::Value) -> Result<Arc<dyn OwnOutcome>, String> {
        Ok(Arc::new(Angle))
    }
}
impl OwnOutcome for Angle {}
impl Outcome for Angle {
    fn width(&self) -> usize {
        2
    }
    fn loss(&self) -> LossKind {
        LossKind::Mse
    }
    fn labels(&self, source: &LabelColumn<'_>) -> Result<Labels, TaskError> {
        let degrees = source.numbers("angle")?.into_owned();
        let target = degrees.iter().flat_map(|d| [d.to_radians().sin() as f32, d.to_radians().cos() as f32]);
        let weights = degrees.iter().map(|d| f32::from(u8::from(!d.is_nan()))).collect();
        Ok(Labels::new(Target::Real(target.collect()), Truth::Numbers(degrees), weights))
    }
    fn predict(&self, output: &TaskOutput, _: &Layout) -> Prediction {
        let degrees = |pair: &[f32]| f64::from(pair[0].atan2(pair[1])).to_degrees().rem_euclid(360.0);
        Prediction::Numbers(output.prediction.values().chunks_exact(2).map(degrees).collect())
    }
    fn constant(&self, rows: usize) -> Prediction {
        Prediction::Numbers(vec![0.0; rows])
    }
    fn score(&self, truth: &Truth, prediction: &Prediction) -> Metrics {
        let (truth, predicted) = prediction.known_numbers(truth);
        let apart = truth.iter().zip(&predicted).map(|(a, b)| ((a - b + 180.0).rem_euclid(360.0) - 180.0).abs());
        let mut metrics = Metrics::new(truth.len());
        metrics.push("degrees", Better::Lower, Some(apart.sum::<f64>() / truth.len() as f64));
        metrics
    }
    fn primary(&self) -> (&'static str, Better) {
        ("degrees", Better::Lower)
    }
}
fn main() -> Result<(), polytask::Error> {
    let angle = register(Arc::new(Angle));
    let turns = |of: fn(f64) -> f64| (0..400).map(|i| of(f64::from(i) / 400.0 * std::f64::consts::TAU)).collect();
    let columns = [("x", turns(f64::sin)), ("y", turns(f64::cos)), ("wind", turns(f64::to_degrees))];
    let table = Table::from_columns(columns.map(|(name, values)| Column::number(name, values)).to_vec())?;
    let run = Experiment::from_table(table).task("wind", angle).task("x", TaskKind::Regression).fit(&mut ())?;
    println!("degrees between wind and its prediction: {:?}", run.scores().tasks["wind"].metrics.value("degrees"));
    Ok(())
}
