//! The numbers of a workload, the same in every contestant: `peers/protocol.py` makes them by the same formulas.

use crate::network;
use crate::workload::Work;
use polytask_graph::Graph;

/// A dense layer's starting parameters.
#[derive(Clone, Debug)]
pub struct Layer {
    /// As in the network.
    pub name: String,
    /// Width of the input.
    pub inputs: usize,
    /// Width of the output.
    pub outputs: usize,
    /// `[inputs, outputs]`, row-major.
    pub weight: Vec<f32>,
    /// `[outputs]`.
    pub bias: Vec<f32>,
}

/// Data and starting parameters of a workload.
#[derive(Clone, Debug)]
pub struct Problem {
    /// `[rows, features]`, row-major, standard normal.
    pub inputs: Vec<f32>,
    /// `[rows, tasks]`, row-major, standard normal.
    pub targets: Vec<f32>,
    /// In the order of the network.
    pub layers: Vec<Layer>,
}

impl Problem {
    /// The problem of a workload, whose network this is.
    pub fn new(work: Work, graph: &Graph) -> Self {
        let Work { workload, tasks, .. } = work;
        let layers = network::dense(graph).zip(0..).map(|((name, inputs, outputs), i)| {
            let limit = (inputs as f64).powf(-0.5);
            Layer {
                name: name.to_owned(),
                inputs,
                outputs,
                weight: uniform(10 + 2 * i, inputs * outputs, limit),
                bias: uniform(11 + 2 * i, outputs, limit),
            }
        });
        Self {
            inputs: normal(0, workload.rows() * workload.features()),
            targets: normal(1, workload.rows() * tasks),
            layers: layers.collect(),
        }
    }
}

/// splitmix64 (Steele, Lea, Flood 2014) at a counter: the `index`-th number of a stream.
fn bits(stream: u64, index: u64) -> u64 {
    let mut z = stream
        .wrapping_mul(0xD134_2543_DE82_EF95)
        .wrapping_add(index.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// In (0, 1): the upper 53 bits, moved by half a step.
fn unit(bits: u64) -> f64 {
    ((bits >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

/// `count` numbers uniform in `(-limit, limit)`.
pub fn uniform(stream: u64, count: usize, limit: f64) -> Vec<f32> {
    (0..count as u64).map(|i| (limit * (2.0 * unit(bits(stream, i)) - 1.0)) as f32).collect()
}

/// `count` standard normal numbers (Box and Muller 1958).
pub fn normal(stream: u64, count: usize) -> Vec<f32> {
    let one = |i: u64| {
        let (u, v) = (unit(bits(stream, 2 * i)), unit(bits(stream, 2 * i + 1)));
        ((-2.0 * u.ln()).sqrt() * (2.0 * std::f64::consts::PI * v).cos()) as f32
    };
    (0..count as u64).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Workload;

    /// The expected numbers were printed by `peers/protocol.py`.
    #[test]
    fn agrees_with_the_peers() {
        let first: Vec<_> = (0..3).map(|i| bits(3, i)).collect();
        assert_eq!(first, [6750377644635332274, 11294113759289322608, 15256095551212499487]);
        assert_eq!(uniform(10, 4, 0.5), [-0.063_548_274, -0.266_705_04, 0.178_577_83, -0.278_655_23]);
        for (a, b) in normal(0, 4).into_iter().zip([-0.452_757_75, 2.650_606, -0.988_604_1, 0.252_462_7]) {
            // Two libraries' logarithms and cosines may differ in their last bit.
            assert!((a - b as f32).abs() <= 1e-6, "{a} {b}");
        }
    }

    #[test]
    fn layers_are_named_and_shaped() {
        let work = Workload::W2.into();
        let problem = Problem::new(work, &network::graph(work).unwrap());
        assert_eq!(problem.inputs.len(), 4096 * 64);
        assert_eq!(problem.targets.len(), 4096 * 8);
        let names: Vec<_> = problem.layers.iter().map(|l| l.name.as_str()).collect();
        assert_eq!(names.len(), 2 + 8 * 2);
        assert_eq!(names[..4], ["trunk.0", "trunk.1", "heads.0.0", "heads.0.1"]);
        for layer in &problem.layers {
            assert_eq!(layer.weight.len(), layer.inputs * layer.outputs);
            assert_eq!(layer.bias.len(), layer.outputs);
        }
    }
}
