//! The workloads: what is computed, by whom, and how much arithmetic that is.

use clap::ValueEnum;

/// A piece of training that every contestant does alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    /// The seed example: 544 rows, 2 -> 5 -> 2, linear, MSE over both outputs, full batch, Adam.
    W1,
    /// A table: batch 256, 64 -> 256 -> 256 ReLU trunk, 8 heads of 256 -> 64 ReLU -> 1, the sum of 8 MSEs, Adam.
    W2,
    /// W2 with the 8 gradients over the trunk kept apart, then summed, each step.
    W3,
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

    /// Number of tasks, each with one output.
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

    /// Floating-point operations of one step, counting the matrix products alone:
    ///
    /// `batch * (2 F + 4 H + p (4 T - 2 T_1))`, where `T`, `H` and `T_1` are the multiply-accumulates a row of the
    /// trunk, of all heads, and of the first layer; `F = T + H`; and `p` is the number of passes back over the trunk:
    /// one, or one a task where the gradients are kept apart. A backward pass is twice a forward one, less the
    /// gradient of the input itself, which nobody needs.
    pub fn flops(self) -> f64 {
        let macs = |layers: &[Dense]| layers.iter().map(|d| d.macs()).sum::<usize>();
        let trunk = macs(self.trunk());
        let heads = self.tasks() * macs(self.head());
        let first = self.trunk().first().map_or(0, |d| d.macs());
        let passes = if self == Self::W3 { self.tasks() } else { 1 };
        let row = 2 * (trunk + heads) + 4 * heads + passes * (4 * trunk - 2 * first);
        (self.batch() * row) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flops_by_hand() {
        // 544 * (2 * 20 + 4 * 10 + 4 * 10 - 2 * 10)
        assert_eq!(Workload::W1.flops(), 544.0 * 100.0);
        // Macs: trunk 81,920 (first layer 16,384), heads 131,584.
        let (trunk, first, heads) = (81_920.0, 16_384.0, 131_584.0);
        let forward_and_heads = 2.0 * (trunk + heads) + 4.0 * heads;
        let back = 4.0 * trunk - 2.0 * first;
        assert_eq!(Workload::W2.flops(), 256.0 * (forward_and_heads + back));
        assert_eq!(Workload::W3.flops(), 256.0 * (forward_and_heads + 8.0 * back));
    }
}
