//! What a step reads: columns of numbers, indices and labels, and which rows of them make the batch.

/// Values of one input node for all rows of a data set, row-major.
#[derive(Clone, Copy, Debug)]
pub enum Numbers<'a> {
    /// For an [`Input`](polytask_graph::Op::Input) of width d: `n x d`.
    Real(&'a [f32]),
    /// For an [`Index`](polytask_graph::Op::Index) of width c: `n x c`; `u32::MAX` marks a missing level.
    Index(&'a [u32]),
}

/// Labels of one task for all rows of a data set.
#[derive(Clone, Copy, Debug)]
pub enum Labels<'a> {
    /// `n x width of the prediction`, row-major.
    Real(&'a [f32]),
    /// `n` class indices.
    Class(&'a [u32]),
}

/// One task's labels and the weight of each row; a missing label has weight 0 (and any value).
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The labels.
    pub labels: Labels<'a>,
    /// `n`, at least 0.
    pub weights: &'a [f32],
}

/// A batch: rows of a data set.
#[derive(Clone, Copy, Debug)]
pub struct Feed<'a> {
    /// One entry per input node, in graph order.
    pub inputs: &'a [Numbers<'a>],
    /// One entry per loss, in graph order. Empty for prediction.
    pub targets: &'a [Target<'a>],
    /// The rows of the batch, in order.
    pub rows: &'a [u32],
}

impl Feed<'_> {
    /// Sum of a task's row weights over the batch; 0 means that the task is absent from it.
    pub fn weight(&self, task: usize) -> f64 {
        let weights = self.targets[task].weights;
        // Several sums side by side: one alone would wait for each addition.
        let (blocks, rest) = self.rows.as_chunks::<8>();
        let mut sums = [0.0f64; 8];
        for block in blocks {
            for (sum, &row) in sums.iter_mut().zip(block) {
                *sum += f64::from(weights[row as usize]);
            }
        }
        rest.iter().map(|&row| f64::from(weights[row as usize])).sum::<f64>() + sums.iter().sum::<f64>()
    }
}
