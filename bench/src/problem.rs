//! The numbers of a workload, the same in every contestant: `peers/protocol.py` makes them by the same formulas.

use crate::workload::Work;
use crate::{images, network};
use polytask_graph::Graph;

/// The starting parameters of a dense layer or a convolution.
#[derive(Clone, Debug)]
pub struct Layer {
    /// As in the network.
    pub name: String,
    /// Numbers that one output reads.
    pub inputs: usize,
    /// Width of the output, or its channels.
    pub outputs: usize,
    /// `[inputs, outputs]`, row-major.
    pub weight: Vec<f32>,
    /// `[outputs]`; none before a norm, which has its own.
    pub bias: Option<Vec<f32>>,
}

/// Data and starting parameters of a workload.
#[derive(Clone, Debug)]
pub struct Problem {
    /// `[rows, features]`, row-major, standard normal.
    pub inputs: Vec<f32>,
    /// `[rows, tasks]`, row-major.
    pub targets: Targets,
    /// In the order of the network.
    pub layers: Vec<Layer>,
}

/// What is to be predicted.
#[derive(Clone, Debug)]
pub enum Targets {
    /// Standard normal.
    Numbers(Vec<f32>),
    /// Each as likely as any other.
    Classes(Vec<u32>),
}

impl Problem {
    /// The problem of a workload, whose network this is.
    pub fn new(work: Work, graph: &Graph) -> Self {
        let Work { workload, tasks, .. } = work;
        let layers = network::weighing(graph).into_iter().zip(0..).map(|(layer, i)| {
            let network::Weighing { name, inputs, outputs, bias, .. } = layer;
            let limit = (inputs as f64).powf(-0.5);
            Layer {
                name: name.to_owned(),
                inputs,
                outputs,
                weight: uniform(10 + 2 * i, inputs * outputs, limit),
                bias: bias.then(|| uniform(11 + 2 * i, outputs, limit)),
            }
        });
        let labels = workload.rows() * tasks;
        let class = |i| ((bits(1, i) >> 33) % images::CLASSES as u64) as u32;
        Self {
            inputs: normal(0, workload.rows() * workload.features()),
            targets: match workload.image() {
                Some(_) => Targets::Classes((0..labels as u64).map(class).collect()),
                None => Targets::Numbers(normal(1, labels)),
            },
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

/// `count` whole numbers below `most`, each as likely.
pub fn below(stream: u64, count: usize, most: usize) -> Vec<u32> {
    (0..count as u64).map(|i| (unit(bits(stream, i)) * most as f64) as u32).collect()
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
        assert!(matches!(&problem.targets, Targets::Numbers(targets) if targets.len() == 4096 * 8));
        let names: Vec<_> = problem.layers.iter().map(|l| l.name.as_str()).collect();
        assert_eq!(names.len(), 2 + 8 * 2);
        assert_eq!(names[..4], ["trunk.0", "trunk.1", "heads.0.0", "heads.0.1"]);
        for layer in &problem.layers {
            assert_eq!(layer.weight.len(), layer.inputs * layer.outputs);
            assert_eq!(layer.bias.as_ref().unwrap().len(), layer.outputs);
        }
    }

    #[test]
    fn images_have_classes_and_convolutions() {
        let work = Workload::Resnet8.into();
        let problem = Problem::new(work, &network::graph(work).unwrap());
        assert_eq!(problem.inputs.len(), 1024 * 32 * 32 * 3);
        // Printed by `peers/protocol.py`.
        assert!(matches!(&problem.targets, Targets::Classes(classes) if classes[..8] == [2, 2, 0, 5, 9, 3, 4, 3]));
        let sizes: Vec<_> = problem.layers.iter().map(|l| (l.inputs, l.outputs, l.bias.is_some())).collect();
        assert_eq!(sizes[..3], [(27, 16, false), (144, 16, false), (144, 16, false)]);
        assert_eq!(sizes[8..], [(32, 64, false), (64, 10, true), (64, 10, true)]);
    }
}
