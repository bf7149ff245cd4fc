//! Values of a graph's parameters, in one flat vector.

use polytask_graph::{Graph, Init, ParameterId};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::ops::Range;

/// The values of all parameters of one graph, end to end in the graph's order. By default those of an empty graph.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters {
    values: Vec<f32>,
    ranges: Vec<Range<usize>>,
}

/// Why given values do not fit a graph.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// No parameter of this name.
    #[error("the model has no parameter {0:?}")]
    Unknown(String),
    /// Another number of values.
    #[error("parameter {name:?} has {got} values, expected {expected}")]
    Length {
        /// Name of the parameter.
        name: String,
        /// Values given.
        got: usize,
        /// Values the graph has room for.
        expected: usize,
    },
}

impl Parameters {
    /// All zeros.
    pub fn zeros(graph: &Graph) -> Self {
        let mut end = 0;
        let ranges = graph.parameters().iter().map(|p| {
            end += p.len();
            end - p.len()..end
        });
        let ranges: Vec<_> = ranges.collect();
        Parameters { values: vec![0.0; end], ranges }
    }

    /// Drawn from each parameter's own distribution. A parameter's stream depends on the seed and its *name*, so the
    /// trunk of a joint model and that of a single-task model start alike under one seed; a twin's on its twin's.
    pub fn init(graph: &Graph, seed: u64) -> Self {
        let mut all = Self::zeros(graph);
        for (i, parameter) in graph.parameters().iter().enumerate() {
            if let Some(start) = &parameter.start {
                all.of_mut(ParameterId(i)).copy_from_slice(start);
                continue;
            }
            if let Some(twin) = parameter.twin {
                let range = all.range(twin);
                let start = all.ranges[i].start;
                all.values.copy_within(range, start);
                continue;
            }
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(name_hash(&parameter.name));
            let values = all.of_mut(ParameterId(i));
            match parameter.init {
                Init::Constant(c) => values.fill(c),
                Init::Uniform(bound) => {
                    values.iter_mut().for_each(|v| *v = (2.0 * rng.random::<f32>() - 1.0) * bound);
                }
                Init::Steps => {
                    let width = parameter.dims.last().copied().unwrap_or(1).max(1);
                    let last = (width - 1).max(1) as f32;
                    for (i, value) in values.iter_mut().enumerate() {
                        *value = 2.0 * (i % width) as f32 / last - 1.0;
                    }
                }
                Init::Row { own, value, others } => {
                    let width = parameter.dims.iter().skip(1).product::<usize>().max(1);
                    for (i, row) in values.chunks_mut(width).enumerate() {
                        row.fill(if i == own { value } else { others });
                    }
                }
                Init::Blocks { own, value, others } => {
                    let width = parameter.dims.last().copied().unwrap_or(1).max(1);
                    for (i, row) in values.chunks_mut(width).enumerate() {
                        row[i % width] = if i / width == own { value } else { others };
                    }
                }
                Init::Normal(std) => values.iter_mut().for_each(|v| *v = std * normal(&mut rng)),
            }
        }
        all
    }

    /// Everything, end to end.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Everything, end to end.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// Where a parameter stands in [`values`](Self::values).
    pub fn range(&self, id: ParameterId) -> Range<usize> {
        self.ranges[id.0].clone()
    }

    /// Values of one parameter, row-major.
    pub fn of(&self, id: ParameterId) -> &[f32] {
        &self.values[self.range(id)]
    }

    /// Values of one parameter, row-major.
    pub fn of_mut(&mut self, id: ParameterId) -> &mut [f32] {
        let range = self.range(id);
        &mut self.values[range]
    }

    /// Sets one parameter by name.
    pub fn set(&mut self, graph: &Graph, name: &str, values: &[f32]) -> Result<(), ParameterError> {
        let Some(i) = graph.parameters().iter().position(|p| p.name == name) else {
            return Err(ParameterError::Unknown(name.to_owned()));
        };
        let own = self.of_mut(ParameterId(i));
        if own.len() != values.len() {
            let (got, expected) = (values.len(), own.len());
            return Err(ParameterError::Length { name: name.to_owned(), got, expected });
        }
        own.copy_from_slice(values);
        Ok(())
    }
}

/// FNV-1a, 64 bits.
fn name_hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

/// A standard normal number.
fn normal(rng: &mut ChaCha8Rng) -> f32 {
    polytask_math::normal(1.0, rng.random(), rng.random()) as f32
}
