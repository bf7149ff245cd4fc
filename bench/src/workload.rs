//! The workloads: what is computed, by whom, and how much arithmetic that is.

use clap::ValueEnum;

/// A piece of training that every contestant does alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    /// The seed example: 544 rows, 2 -> 5 -> 2, linear, MSE over both outputs, full batch, Adam.
    W1,
    /// A table: batch 256, 64 -> 256 -> 256 ReLU trunk, 8 heads of 256 -> 64 ReLU -> 1, the sum of 8 MSEs, Adam.
    W2,
    /// W2 with the tasks' gradients over the trunk kept apart, then combined, each step.
    W3,
}

/// How W3 makes one gradient of the trunk out of the tasks' gradients; heads learn from their own losses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Method {
    /// Their sum.
    #[default]
    Sum,
    /// UPGrad with equal preferences.
    Upgrad,
    /// MGDA without normalisation.
    Mgda,
    /// CAGrad with c = 0.5, not rescaled.
    Cagrad,
}

impl Method {
    /// Name on the command line and in `polytask-balance`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Upgrad => "upgrad",
            Self::Mgda => "mgda",
            Self::Cagrad => "cagrad",
        }
    }
}

/// A peer: its name on the command line, and its script under `peers/` with that script's options.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// Name in tables and in `--peers`.
    pub name: &'static str,
    /// File name under `peers/`.
    pub script: &'static str,
    /// Options of the script; they come after the runner's `--threads` and so can replace it.
    pub options: &'static [&'static str],
}

const fn peer(name: &'static str, script: &'static str, options: &'static [&'static str]) -> Peer {
    Peer { name, script, options }
}

/// One dense layer: where it stands decides how much of its backward pass is needed.
#[derive(Clone, Copy, Debug)]
pub struct Dense {
    /// Width of the input.
    pub inputs: usize,
    /// Width of the output.
    pub outputs: usize,
}

impl Dense {
    /// Multiply-accumulates a row.
    const fn macs(self) -> usize {
        self.inputs * self.outputs
    }
}

impl Workload {
    /// Name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::W1 => "w1",
            Self::W2 => "w2",
            Self::W3 => "w3",
        }
    }

    /// The peers measured beside polytask; the first that runs is the reference unless another is named.
    pub fn peers(self) -> &'static [Peer] {
        const W1: &[Peer] = &[
            peer("torch", "w1_torch.py", &[]),
            peer("torch-fused", "w1_torch.py", &["--fused"]),
            peer("torch-1", "w1_torch.py", &["--threads", "1"]),
            peer("tensorflow", "w1_tensorflow.py", &[]),
        ];
        const W2: &[Peer] = &[peer("torch-fused", "w2_torch.py", &["--fused"]), peer("torch", "w2_torch.py", &[])];
        const W3: &[Peer] = &[
            peer("libmtl", "w3_torch.py", &["--mode", "libmtl"]),
            peer("libmtl-fused", "w3_torch.py", &["--mode", "libmtl", "--fused"]),
            peer("torchjd", "w3_torch.py", &["--mode", "torchjd", "--fused"]),
        ];
        match self {
            Self::W1 => W1,
            Self::W2 => W2,
            Self::W3 => W3,
        }
    }

    /// Rows of data.
    pub fn rows(self) -> usize {
        match self {
            Self::W1 => 544,
            Self::W2 | Self::W3 => 4096,
        }
    }

    /// Rows of one step.
    pub fn batch(self) -> usize {
        match self {
            Self::W1 => 544,
            Self::W2 | Self::W3 => 256,
        }
    }

    /// Number of tasks where none is chosen, each with one output.
    pub fn tasks(self) -> usize {
        match self {
            Self::W1 => 2,
            Self::W2 | Self::W3 => 8,
        }
    }

    /// The shared layers, first to last.
    pub fn trunk(self) -> &'static [Dense] {
        match self {
            Self::W1 => &[Dense { inputs: 2, outputs: 5 }],
            Self::W2 | Self::W3 => &[Dense { inputs: 64, outputs: 256 }, Dense { inputs: 256, outputs: 256 }],
        }
    }

    /// The layers of one head, first to last; all heads are alike.
    pub fn head(self) -> &'static [Dense] {
        match self {
            Self::W1 => &[Dense { inputs: 5, outputs: 1 }],
            Self::W2 | Self::W3 => &[Dense { inputs: 256, outputs: 64 }, Dense { inputs: 64, outputs: 1 }],
        }
    }
}

/// A workload with what can be chosen about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// The workload.
    pub workload: Workload,
    /// Number of tasks, each with one output and a head of its own.
    pub tasks: usize,
    /// How W3 combines gradients; the others do not ask.
    pub method: Method,
    /// Whether polytask's W3 gathers inner products a layer at a time instead of holding a gradient a task.
    pub low_memory: bool,
}

impl From<Workload> for Work {
    fn from(workload: Workload) -> Self {
        Self { workload, tasks: workload.tasks(), method: Method::Sum, low_memory: false }
    }
}

impl Work {
    /// What is measured, in a few words.
    pub fn title(self) -> String {
        let name = self.workload.name();
        match self.workload {
            Workload::W3 => format!("{name}, {}, {} tasks", self.method.name(), self.tasks),
            _ => name.to_owned(),
        }
    }

    /// The choices as arguments for a contestant.
    pub fn arguments(self) -> Vec<String> {
        let tasks = ["--tasks".to_owned(), self.tasks.to_string()];
        let method = ["--method".to_owned(), self.method.name().to_owned()];
        match self.workload {
            Workload::W1 => Vec::new(),
            Workload::W2 => tasks.into(),
            Workload::W3 => [tasks, method].concat(),
        }
    }

    /// How far two losses may be apart after the first steps, relative to the loss. Rounding alone stays well below 1e-4;
    /// a difference in the model, the data or the optimizer does not. With other methods or numbers of tasks it is 3e-4: the
    /// peers' solvers of MGDA and CAGrad stop early, which moves the loss by up to 2e-4, where adding up instead would move
    /// it by 5e-4; and with two tasks rounding decides one ReLU within the first steps, which is 1.1e-4.
    pub fn tolerance(self) -> f32 {
        let plain = Work::from(self.workload);
        if (self.tasks, self.method) == (plain.tasks, plain.method) { 1e-4 } else { 3e-4 }
    }

    /// Floating-point operations of one step, counting the matrix products alone:
    ///
    /// `batch * (2 F + 4 H + p (4 T - 2 T_1))`, where `T`, `H` and `T_1` are the multiply-accumulates a row of the
    /// trunk, of all heads, and of the first layer; `F = T + H`; and `p` is the number of passes back over the trunk:
    /// one, or one a task where the gradients are kept apart. A backward pass is twice a forward one, less the
    /// gradient of the input itself, which nobody needs.
    pub fn flops(self) -> f64 {
        let macs = |layers: &[Dense]| layers.iter().map(|d| d.macs()).sum::<usize>();
        let trunk = macs(self.workload.trunk());
        let heads = self.tasks * macs(self.workload.head());
        let first = self.workload.trunk().first().map_or(0, |d| d.macs());
        let passes = if self.workload == Workload::W3 { self.tasks } else { 1 };
        let row = 2 * (trunk + heads) + 4 * heads + passes * (4 * trunk - 2 * first);
        (self.workload.batch() * row) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flops_by_hand() {
        // 544 * (2 * 20 + 4 * 10 + 4 * 10 - 2 * 10)
        assert_eq!(Work::from(Workload::W1).flops(), 544.0 * 100.0);
        // Macs: trunk 81,920 (first layer 16,384), heads 131,584.
        let (trunk, first, heads) = (81_920.0, 16_384.0, 131_584.0);
        let forward_and_heads = 2.0 * (trunk + heads) + 4.0 * heads;
        let back = 4.0 * trunk - 2.0 * first;
        assert_eq!(Work::from(Workload::W2).flops(), 256.0 * (forward_and_heads + back));
        let w3 = Work::from(Workload::W3);
        assert_eq!(w3.flops(), 256.0 * (forward_and_heads + 8.0 * back));
        let two = 2.0 * trunk + 6.0 * heads / 4.0;
        assert_eq!(Work { tasks: 2, ..w3 }.flops(), 256.0 * (two + 2.0 * back));
    }
}
