//! W5: sequences of tokens through an encoder to two classes a token. The numbers are those of `peers/sequences.py`.

use crate::problem::{below, normal, uniform};
use crate::workload::Workload;
use polytask_graph::{Activation, DomainId, Graph, GraphBuilder, GraphError, IndexColumn, LossKind, NodeId};

/// Sequences in all, and in a batch.
pub const SEQUENCES: usize = 1024;
/// Sequences of a step.
pub const BATCH: usize = 32;
/// Rows of the table.
pub const WORDS: usize = 10_000;
/// Features of a word, of the LSTM in each direction, and of the transformer.
pub const WIDTH: usize = 128;
/// Classes of the two tasks.
pub const CLASSES: [usize; 2] = [50, 20];
const LAYERS: usize = 2;
const HEADS: usize = 4;
const HIDDEN: usize = 512;
/// The longest of sequences of mixed length; the shortest is [`SHORTEST`].
const LONGEST: usize = 60;
const SHORTEST: usize = 5;

/// Tokens and their labels.
pub struct Data {
    /// Where the tokens of each sequence begin, and where the last one's end.
    pub offsets: Vec<u32>,
    /// Words.
    pub tokens: Vec<u32>,
    /// Classes, by task.
    pub labels: [Vec<u32>; 2],
}

impl Data {
    /// The sequences of a workload: 32 tokens each, or from 5 to 60.
    pub fn new(workload: Workload) -> Self {
        let lengths = match workload {
            Workload::W5Mixed => below(2, SEQUENCES, LONGEST - SHORTEST + 1).into_iter().map(|n| n + 5).collect(),
            _ => vec![32; SEQUENCES],
        };
        let mut offsets = vec![0];
        for length in lengths {
            offsets.push(offsets[offsets.len() - 1] + length);
        }
        let count = offsets[SEQUENCES] as usize;
        let labels = [below(3, count, CLASSES[0]), below(4, count, CLASSES[1])];
        Data { offsets, tokens: below(0, count, WORDS), labels }
    }

    /// Tokens of the average batch.
    pub fn tokens_a_step(&self) -> f64 {
        self.tokens.len() as f64 * BATCH as f64 / SEQUENCES as f64
    }
}

/// The network of a workload.
///
/// # Errors
/// None that can happen.
pub fn graph(workload: Workload) -> Result<Graph, GraphError> {
    let mut g = GraphBuilder::new();
    let domain = g.ragged("tokens", DomainId::ROWS);
    let tokens = g.index_on(domain, "tokens", 1);
    let x = g.named("embedding").sparse_embedding(tokens, IndexColumn { column: 0, levels: WORDS }, WIDTH);
    let h = match workload {
        Workload::W5Transformer => transformer(&mut g, domain, x),
        _ => g.named("lstm").bilstm(x, WIDTH),
    };
    for (task, classes) in CLASSES.into_iter().enumerate() {
        let z = g.named(format!("heads.{task}")).dense(h, classes, Activation::Linear);
        g.loss(&task.to_string(), z, LossKind::CrossEntropy);
    }
    g.finish()
}

fn transformer(g: &mut GraphBuilder, domain: DomainId, x: NodeId) -> NodeId {
    let positions = g.named("positions").positions(domain, LONGEST, WIDTH);
    let x = g.named("input").add(&[x, positions]);
    (0..LAYERS).fold(x, |x, i| g.named(format!("layers.{i}")).transformer(x, HEADS, HIDDEN, false, 0.0))
}

/// The starting parameters by name: stream 10 and following in the order of the graph; weights uniform within
/// `1 / sqrt(inputs)`, tables standard normal times a half, gains 1, biases 0.
pub fn parameters(graph: &Graph) -> Vec<(String, Vec<f32>)> {
    let of = |(i, p): (usize, &polytask_graph::Parameter)| {
        let (stream, count) = (10 + i as u64, p.len());
        let values = match p.role {
            polytask_graph::Role::Weight => uniform(stream, count, (p.dims[0] as f64).powf(-0.5)),
            polytask_graph::Role::Table => normal(stream, count).into_iter().map(|v| 0.5 * v).collect(),
            polytask_graph::Role::Gain => vec![1.0; count],
            _ => vec![0.0; count],
        };
        (p.name.clone(), values)
    };
    graph.parameters().iter().enumerate().map(of).collect()
}

/// Multiply-accumulates a token, and of these the ones whose inputs need no gradient: none.
pub fn macs(workload: Workload) -> usize {
    let encoder = match workload {
        // Per layer: queries, keys and values; scores and mixing over the sequence; output; the two layers after it.
        Workload::W5Transformer => LAYERS * (4 * WIDTH * WIDTH + 2 * 32 * WIDTH + 2 * WIDTH * HIDDEN),
        _ => 2 * 4 * WIDTH * (WIDTH + WIDTH),
    };
    let features = if workload == Workload::W5Transformer { WIDTH } else { 2 * WIDTH };
    encoder + features * CLASSES.iter().sum::<usize>()
}

/// Floating-point operations of a step: the matrix products, forward, and twice that back where the network is trained.
pub fn flops(workload: Workload) -> f64 {
    let tokens = Data::new(workload).tokens_a_step() / BATCH as f64;
    let passes = if workload.sentences().is_some() { 1 } else { 3 };
    tokens * (workload.batch() * passes * 2 * macs(workload)) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_are_as_long_as_they_should_be() {
        let data = Data::new(Workload::W5);
        assert_eq!((data.tokens.len(), data.tokens_a_step()), (SEQUENCES * 32, 1024.0));
        assert!(data.tokens.iter().all(|t| *t < WORDS as u32));
        let mixed = Data::new(Workload::W5Mixed);
        let lengths = mixed.offsets.windows(2).map(|pair| pair[1] - pair[0]);
        assert_eq!((lengths.clone().min(), lengths.max()), (Some(5), Some(60)));
    }

    #[test]
    fn arithmetic_by_hand() {
        // Two directions of four gates over 128 + 128 inputs, then 70 classes over 256 features.
        assert_eq!(macs(Workload::W5), 2 * 512 * 256 + 256 * 70);
        assert_eq!(macs(Workload::W5Transformer), 2 * (65_536 + 8_192 + 131_072) + 128 * 70);
    }
}
