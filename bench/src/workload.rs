//! The workloads: what is computed, by whom, and how much arithmetic that is.

use crate::sequences;
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
    /// A mixture of 8 experts with a gate for each of 4 tasks.
    Mmoe,
    /// Two levels of experts, 2 shared and 2 of each of 4 tasks.
    Ple,
    /// LeNet on grey images of 36 x 36, batch 256, two heads of 50 -> 50 ReLU -> 10, cross-entropy, Adam.
    W4,
    /// A ResNet-8 of width 16 on colour images of 32 x 32, batch 128, two heads of 64 -> 10, cross-entropy, Adam.
    Resnet8,
    /// 32 sequences of 32 tokens, embedding 10,000 x 128, BiLSTM of 128, two heads of 50 and 20 classes a token, Adam.
    W5,
    /// The same with sequences of 5 to 60 tokens.
    W5Mixed,
    /// W5 with two transformer layers of 128 features, 4 heads and 512 hidden features in place of the LSTM.
    W5Transformer,
    /// Predictions of W5's network, 32 sentences at a time.
    W5Predict,
    /// The same, one sentence at a time.
    W5Single,
}

/// What follows the convolutions of a ResNet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Norm {
    /// Batch norm: ours takes its statistics from a lane's rows, the peers' from the whole batch.
    #[default]
    Batch,
    /// Group norm in eight groups, the same in all.
    Group,
}

impl Norm {
    /// Name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::Group => "group",
        }
    }
}

/// Width of an expert's hidden layer where none is chosen.
const EXPERT: usize = 128;

/// How W3 makes one gradient of the trunk out of the tasks' gradients; heads learn from their own losses. Of images the sum
/// is ordinary training, with one backward pass.
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

impl Workload {
    /// Name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::W1 => "w1",
            Self::W2 => "w2",
            Self::W3 => "w3",
            Self::Mmoe => "mmoe",
            Self::Ple => "ple",
            Self::W4 => "w4",
            Self::Resnet8 => "resnet8",
            Self::W5 => "w5",
            Self::W5Mixed => "w5-mixed",
            Self::W5Transformer => "w5-transformer",
            Self::W5Predict => "w5-predict",
            Self::W5Single => "w5-single",
        }
    }

    /// Whether it is about sequences of tokens.
    pub fn sequences(self) -> bool {
        matches!(self, Self::W5 | Self::W5Mixed | Self::W5Transformer) || self.sentences().is_some()
    }

    /// Sentences that are predicted in a step, where nothing is trained.
    pub fn sentences(self) -> Option<usize> {
        match self {
            Self::W5Predict => Some(sequences::BATCH),
            Self::W5Single => Some(1),
            _ => None,
        }
    }

    /// The peers of ordinary training, or of gradients that are kept apart.
    fn peers(self, apart: bool) -> &'static [Peer] {
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
        const EXPERTS: &[Peer] = &[
            peer("torch-fused", "experts_torch.py", &["--fused"]),
            peer("torch", "experts_torch.py", &[]),
            peer("torch-stacked", "experts_torch.py", &["--mode", "stacked", "--fused"]),
            peer("torch-compiled", "experts_torch.py", &["--mode", "compiled", "--fused"]),
        ];
        const IMAGES: &[Peer] = &[
            peer("torch-fused", "w2_torch.py", &["--fused"]),
            peer("torch", "w2_torch.py", &[]),
            peer("torch-channels-last", "w2_torch.py", &["--fused", "--channels-last"]),
        ];
        const W5: &[Peer] = &[
            peer("torch-fused", "w5_torch.py", &["--fused"]),
            peer("torch-sparse", "w5_torch.py", &["--fused", "--method", "sparse"]),
        ];
        const MIXED: &[Peer] = &[
            peer("torch-fused", "w5_torch.py", &["--fused", "--mode", "mixed"]),
            peer("torch-sparse", "w5_torch.py", &["--fused", "--mode", "mixed", "--method", "sparse"]),
        ];
        const TRANSFORMER: &[Peer] = &[
            peer("torch-fused", "w5_torch.py", &["--fused", "--mode", "transformer"]),
            peer("torch-sparse", "w5_torch.py", &["--fused", "--mode", "transformer", "--method", "sparse"]),
        ];
        const PREDICT: &[Peer] = &[peer("onnxruntime", "w5_onnx.py", &[])];
        const SINGLE: &[Peer] = &[
            peer("onnxruntime", "w5_onnx.py", &["--tasks", "1"]),
            peer("onnxruntime-1", "w5_onnx.py", &["--tasks", "1", "--threads", "1"]),
        ];
        match self {
            Self::W4 | Self::Resnet8 if apart => W3,
            Self::W4 | Self::Resnet8 => IMAGES,
            Self::W5 => W5,
            Self::W5Mixed => MIXED,
            Self::W5Transformer => TRANSFORMER,
            Self::W5Predict => PREDICT,
            Self::W5Single => SINGLE,
            Self::W1 => W1,
            Self::W2 => W2,
            Self::W3 => W3,
            Self::Mmoe | Self::Ple => EXPERTS,
        }
    }

    /// Rows of data.
    pub fn rows(self) -> usize {
        match self {
            Self::W1 => 544,
            Self::W4 => 2048,
            Self::Resnet8 => 1024,
            _ if self.sequences() => sequences::SEQUENCES,
            _ => 4096,
        }
    }

    /// Rows of one step.
    pub fn batch(self) -> usize {
        match self {
            Self::W1 => 544,
            Self::Resnet8 => 128,
            _ if self.sequences() => self.sentences().unwrap_or(sequences::BATCH),
            _ => 256,
        }
    }

    /// Number of tasks where none is chosen, each with one output.
    pub fn tasks(self) -> usize {
        match self {
            Self::W1 | Self::W4 | Self::Resnet8 => 2,
            Self::W2 | Self::W3 => 8,
            Self::Mmoe | Self::Ple => 4,
            _ => sequences::CLASSES.len(),
        }
    }

    /// Numbers a row.
    pub fn features(self) -> usize {
        match (self, self.image()) {
            (_, Some(image)) => image.iter().product(),
            (Self::W1, None) => 2,
            _ => 64,
        }
    }

    /// Height, width and channels of its images, if it has some.
    pub fn image(self) -> Option<[usize; 3]> {
        match self {
            Self::W4 => Some([36, 36, 1]),
            Self::Resnet8 => Some([32, 32, 3]),
            _ => None,
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
    /// What follows the convolutions of a ResNet.
    pub norm: Norm,
    /// Whether polytask's W3 gathers inner products a layer at a time instead of holding a gradient a task.
    pub low_memory: bool,
    /// Width of an expert's hidden layer, and twice that of what it gives; for workloads with experts.
    pub expert: usize,
    /// Whether polytask runs every layer on its own instead of those that read one node as one wide product.
    pub unfused: bool,
}

impl From<Workload> for Work {
    fn from(workload: Workload) -> Self {
        Self {
            workload,
            tasks: workload.tasks(),
            method: Method::Sum,
            norm: Norm::Batch,
            low_memory: false,
            expert: EXPERT,
            unfused: false,
        }
    }
}

impl Work {
    /// What is measured, in a few words.
    pub fn title(self) -> String {
        let name = self.workload.name();
        match self.workload {
            Workload::W3 => format!("{name}, {}, {} tasks", self.method.name(), self.tasks),
            Workload::W4 => format!("{name}, {}", self.method.name()),
            Workload::Resnet8 => format!("{name}, {} norm, {}", self.norm.name(), self.method.name()),
            Workload::Mmoe | Workload::Ple => {
                format!("{name}, experts of 64 -> {0} -> {1}", self.expert, self.expert / 2)
            }
            _ => name.to_owned(),
        }
    }

    /// The choices as arguments for a contestant.
    pub fn arguments(self) -> Vec<String> {
        let tasks = ["--tasks".to_owned(), self.tasks.to_string()];
        let method = ["--method".to_owned(), self.method.name().to_owned()];
        match self.workload {
            Workload::W2 => tasks.into(),
            Workload::W3 | Workload::W4 => [tasks, method].concat(),
            Workload::Resnet8 => [tasks, method, ["--norm".to_owned(), self.norm.name().to_owned()]].concat(),
            Workload::Mmoe | Workload::Ple => {
                ["--model", self.workload.name(), "--expert", &self.expert.to_string()].map(str::to_owned).into()
            }
            _ => Vec::new(),
        }
    }

    /// The choices as arguments for a peer, which has one script for several networks.
    pub fn peer_arguments(self) -> Vec<String> {
        let net = self.workload.image().map(|_| ["--net".to_owned(), self.workload.name().to_owned()]);
        self.arguments().into_iter().chain(net.into_iter().flatten()).collect()
    }

    /// The peers measured beside polytask; the first that runs is the reference unless another is named.
    pub fn peers(self) -> &'static [Peer] {
        self.workload.peers(self.is_apart())
    }

    /// Whether the tasks' gradients over the trunk are kept apart.
    pub fn is_apart(self) -> bool {
        match self.workload {
            Workload::W3 => true,
            Workload::W4 | Workload::Resnet8 => self.method != Method::Sum,
            _ => false,
        }
    }

    /// How far two losses may be apart after the first steps, relative to the loss. Rounding alone stays well below 1e-4;
    /// a difference in the model, the data or the optimizer does not. With other methods or numbers of tasks it is 3e-4: the
    /// peers' solvers of MGDA and CAGrad stop early, which moves the loss by up to 2e-4, where adding up instead would move
    /// it by 5e-4; and with two tasks rounding decides one ReLU within the first steps, which is 1.1e-4.
    pub fn tolerance(self) -> f32 {
        if self.workload.sequences() {
            return 1e-4;
        }
        let plain = Work::from(self.workload);
        match (self.workload, self.norm) {
            // Statistics over other rows: only a gross mistake shows, and group norm is the check.
            (Workload::Resnet8, Norm::Batch) => 0.1,
            _ if (self.tasks, self.method) == (plain.tasks, plain.method) => 1e-4,
            _ => 3e-4,
        }
    }
}
