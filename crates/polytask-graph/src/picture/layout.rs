//! Places for boxes: one row for every step from the inputs, neighbours near each other (Sugiyama et al. 1981).

use crate::{Graph, Loss};

/// Where every node stands: its row, from the inputs on, and its place in it.
pub(super) struct Layout {
    /// By node, then by loss: `(row, place)`. Places of a row are 0, 1, 2, ...
    pub places: Vec<(usize, usize)>,
    /// Boxes in every row.
    pub rows: Vec<usize>,
}

/// Sweeps that move boxes towards their neighbours. More change little.
const SWEEPS: usize = 8;

impl Layout {
    /// Nodes first, then losses.
    pub(super) fn new(graph: &Graph) -> Self {
        let edges = edges(graph);
        let count = graph.nodes.len() + graph.losses.len();
        let mut row = vec![0; count];
        // Readers come after what they read.
        for &(from, to) in &edges {
            row[to] = row[to].max(row[from] + 1);
        }
        let last = row.iter().copied().max().unwrap_or(0);
        row[graph.nodes.len()..].fill(last);
        let mut rows: Vec<Vec<usize>> = vec![Vec::new(); last + 1];
        (0..count).for_each(|i| rows[row[i]].push(i));

        let mut place: Vec<f64> = vec![0.0; count];
        settle(&rows, &mut place);
        for sweep in 0..SWEEPS {
            let down = sweep % 2 == 0;
            let order: Vec<usize> = if down { (0..=last).collect() } else { (0..=last).rev().collect() };
            for r in order {
                let mean = |i: usize| {
                    let near = edges.iter().filter_map(|&(a, b)| match down {
                        true => (b == i).then_some(a),
                        false => (a == i).then_some(b),
                    });
                    let near: Vec<f64> = near.map(|j| place[j]).collect();
                    if near.is_empty() { place[i] } else { near.iter().sum::<f64>() / near.len() as f64 }
                };
                let mut keyed: Vec<(f64, usize)> = rows[r].iter().map(|&i| (mean(i), i)).collect();
                keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
                rows[r] = keyed.into_iter().map(|(_, i)| i).collect();
                settle(&rows[r..=r], &mut place);
            }
        }
        let mut places = vec![(0, 0); count];
        for (r, boxes) in rows.iter().enumerate() {
            boxes.iter().enumerate().for_each(|(p, &i)| places[i] = (r, p));
        }
        Layout { places, rows: rows.iter().map(Vec::len).collect() }
    }
}

/// Places in a row around its middle, so that rows of different length compare.
fn settle(rows: &[Vec<usize>], place: &mut [f64]) {
    for row in rows {
        let middle = (row.len() - 1) as f64 / 2.0;
        row.iter().enumerate().for_each(|(p, &i)| place[i] = p as f64 - middle);
    }
}

/// Who reads whom, in an order in which everything read comes first; losses stand after the nodes.
pub(super) fn edges(graph: &Graph) -> Vec<(usize, usize)> {
    let nodes = graph.nodes.iter().enumerate();
    let mut edges: Vec<(usize, usize)> = nodes.flat_map(|(i, n)| n.inputs.iter().map(move |j| (j.0, i))).collect();
    let of =
        |(l, loss): (usize, &Loss)| loss.nodes().map(move |node| (node.0, graph.nodes.len() + l)).collect::<Vec<_>>();
    edges.extend(graph.losses.iter().enumerate().flat_map(of));
    edges.dedup();
    edges
}
