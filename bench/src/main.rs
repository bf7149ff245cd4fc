//! `polytask-bench`: polytask and its peers side by side, on the same work, in alternating rounds.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use polytask_bench::aggregators::{self, CASES, Case};
use polytask_bench::compare::{Options, compare};
use polytask_bench::workload::{Method, Norm, Peer, Work, Workload};
use polytask_bench::{Error, Result, growth, predict, report, select, trees, worker};
use serde::Serialize;

/// Measure polytask and its peers on the same work, in alternating rounds.
#[derive(Parser)]
#[command(name = "polytask-bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The seed example: 544 rows, 2 -> 5 -> 2, linear, full batch
    W1(Compare),
    /// A table: batch 256, two shared layers of 256, 8 heads
    W2(Compare),
    /// W2 with the tasks' gradients over the trunk kept apart, then combined
    W3 {
        #[command(flatten)]
        compare: Compare,
        #[command(flatten)]
        choice: Choice,
    },
    /// A mixture of 8 experts, of two layers each, with a gate for each of 4 tasks
    Mmoe {
        #[command(flatten)]
        compare: Compare,
        #[command(flatten)]
        experts: Experts,
    },
    /// Two levels of such experts, 2 shared and 2 of each of 4 tasks
    Ple {
        #[command(flatten)]
        compare: Compare,
        #[command(flatten)]
        experts: Experts,
    },
    /// LeNet on images of 36 x 36, batch 256, two heads of ten classes
    W4 {
        #[command(flatten)]
        compare: Compare,
        #[command(flatten)]
        choice: Choice,
    },
    /// A ResNet-8 of width 16 on images of 32 x 32 in colour, batch 128, two heads of ten classes
    Resnet8 {
        #[command(flatten)]
        compare: Compare,
        #[command(flatten)]
        choice: Choice,
    },
    /// 32 sequences of 32 tokens, embedding 10,000 x 128, BiLSTM of 128, two classes a token
    W5(Compare),
    /// W5 with sequences of 5 to 60 tokens
    W5Mixed(Compare),
    /// W5 with two transformer layers in place of the LSTM
    W5Transformer(Compare),
    /// Predictions of W5's network, 32 sentences at a time
    W5Predict(Compare),
    /// Predictions of W5's network, one sentence at a time
    W5Single(Compare),
    /// W3 with more and more tasks: how the cost grows
    Growth {
        #[command(flatten)]
        compare: Compare,
        /// Numbers of tasks
        #[arg(long, value_delimiter = ',', default_values_t = [1, 2, 4, 8, 16, 32],
              value_parser = clap::value_parser!(u16).range(1..=256))]
        sizes: Vec<u16>,
        /// How gradients are combined
        #[arg(long, value_enum, default_value_t)]
        method: Method,
        /// Draw the table as an SVG file
        #[arg(long)]
        plot: Option<PathBuf>,
    },
    /// The aggregators alone, beside torchjd's: the time of a call
    Aggregators(Aggregators),
    /// Prediction with a trained model, from a file and in memory: rows a second
    Predict(Predict),
    /// Inter-task affinities, beside one look-ahead after another in PyTorch: the time of a look at all tasks
    Select(Select),
    /// Boosted trees for several targets, beside CatBoost, XGBoost and LightGBM: the time of a fit and of predictions
    Trees(Trees),
    /// Be polytask's contestant: the runner calls this itself
    Worker {
        /// What to run
        workload: Workload,
        /// Threads to use
        #[arg(long, default_value_t = 2)]
        threads: usize,
        #[command(flatten)]
        choice: Choice,
        #[command(flatten)]
        experts: Experts,
        /// Gather inner products a layer at a time
        #[arg(long)]
        low_memory: bool,
        /// Run every layer on its own
        #[arg(long)]
        unfused: bool,
    },
    /// Be polytask's contestant among the aggregators: the runner calls this itself
    AggregatorsWorker,
    /// Be polytask's contestant in looks: the runner calls this itself
    SelectWorker {
        /// Threads to use
        #[arg(long, default_value_t = 2)]
        threads: usize,
    },
    /// Be polytask's contestant among the trees: the runner calls this itself
    TreesWorker {
        #[command(flatten)]
        shape: trees::Shape,
        /// Threads to use
        #[arg(long, default_value_t = 2)]
        threads: usize,
    },
    /// Be polytask's contestant in prediction: the runner calls this itself
    PredictWorker {
        /// The model directory
        model: PathBuf,
        /// The CSV file
        #[arg(long)]
        data: PathBuf,
        /// Threads to use
        #[arg(long, default_value_t = 2)]
        threads: usize,
    },
}

#[derive(Args)]
struct Predict {
    /// The model directory
    model: PathBuf,
    /// A CSV file with its inputs
    #[arg(long)]
    data: PathBuf,
    /// Number of rounds
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Threads of every contestant
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// The Python that has the peers' packages
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Write the raw measurements to this file as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

#[derive(Args)]
struct Experts {
    /// Width of an expert's hidden layer; it gives half as many numbers
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u16).range(2..))]
    expert: u16,
}

impl Experts {
    fn of(&self, workload: Workload) -> Work {
        Work { expert: self.expert.into(), ..workload.into() }
    }
}

#[derive(Args)]
struct Choice {
    /// Number of tasks
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=256))]
    tasks: Option<u16>,
    /// How gradients are combined
    #[arg(long, value_enum, default_value_t)]
    method: Method,
    /// What follows the convolutions of resnet8
    #[arg(long, value_enum, default_value_t)]
    norm: Norm,
}

impl Choice {
    fn of(&self, workload: Workload) -> Work {
        let tasks = self.tasks.map_or(workload.tasks(), usize::from);
        Work { tasks, method: self.method, norm: self.norm, ..workload.into() }
    }
}

#[derive(Args)]
struct Compare {
    /// Number of rounds
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Seconds of a contestant's turn
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Threads of every contestant
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Peers to measure, with commas between [default: all of the workload's]
    #[arg(long, value_delimiter = ',')]
    peers: Option<Vec<String>>,
    /// Contestant to compare with [default: the first peer that runs]
    #[arg(long)]
    reference: Option<String>,
    /// The Python that has the peers' packages
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Write the raw measurements to this file as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

#[derive(Args)]
struct Aggregators {
    /// Methods to measure, with commas between [default: all that both have]
    #[arg(long, value_delimiter = ',')]
    methods: Option<Vec<String>>,
    /// Numbers of tasks
    #[arg(long, value_delimiter = ',', default_values_t = [2, 8, 32, 64],
          value_parser = clap::value_parser!(u16).range(2..=256))]
    sizes: Vec<u16>,
    /// Number of rounds
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Seconds of a contestant's turn
    #[arg(long, default_value_t = 0.1)]
    seconds: f64,
    /// The Python that has torchjd
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Write the raw measurements to this file as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

#[derive(Args)]
struct Select {
    /// Numbers of tasks
    #[arg(long, value_delimiter = ',', default_values_t = [4, 8, 16, 32],
          value_parser = clap::value_parser!(u16).range(2..=128))]
    sizes: Vec<u16>,
    /// Number of rounds
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Seconds of a contestant's turn
    #[arg(long, default_value_t = 0.5)]
    seconds: f64,
    /// Threads of both
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// The Python that has PyTorch
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Draw the table as an SVG file
    #[arg(long)]
    plot: Option<PathBuf>,
    /// Write the raw measurements to this file as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

#[derive(Args)]
struct Trees {
    #[command(flatten)]
    shape: trees::Shape,
    /// Numbers of targets
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8], value_parser = clap::value_parser!(u16).range(1..=256))]
    sizes: Vec<u16>,
    /// Number of rounds
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Threads of every contestant
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// The Python that has the peers
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Write the raw measurements to this file as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::W1(args) => measure(Workload::W1.into(), args),
        Command::W2(args) => measure(Workload::W2.into(), args),
        Command::W3 { compare, choice } => measure(choice.of(Workload::W3), compare),
        Command::W4 { compare, choice } => measure(choice.of(Workload::W4), compare),
        Command::Resnet8 { compare, choice } => measure(choice.of(Workload::Resnet8), compare),
        Command::W5(args) => measure(Workload::W5.into(), args),
        Command::W5Mixed(args) => measure(Workload::W5Mixed.into(), args),
        Command::W5Transformer(args) => measure(Workload::W5Transformer.into(), args),
        Command::W5Predict(args) => measure(Workload::W5Predict.into(), args),
        Command::W5Single(args) => measure(Workload::W5Single.into(), args),
        Command::Growth { compare, sizes, method, plot } => measure_growth(compare, &sizes, method, plot),
        Command::Aggregators(args) => measure_aggregators(args),
        Command::Mmoe { compare, experts } => measure(experts.of(Workload::Mmoe), compare),
        Command::Ple { compare, experts } => measure(experts.of(Workload::Ple), compare),
        Command::Worker { workload, threads, choice, experts, low_memory, unfused } => {
            let expert = experts.expert.into();
            worker::run(Work { low_memory, unfused, expert, ..choice.of(workload) }, threads)
        }
        Command::Select(args) => measure_select(args),
        Command::Trees(args) => measure_trees(args),
        Command::TreesWorker { shape, threads } => worker::trees::run(shape, threads),
        Command::SelectWorker { threads } => worker::select::run(threads),
        Command::AggregatorsWorker => worker::aggregators::run(),
        Command::Predict(args) => measure_predict(args),
        Command::PredictWorker { model, data, threads } => worker::predict::serve(model, data, threads),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(work: Work, args: Compare) -> Result<()> {
    let comparison = compare(work, &options(work, &args, true)?)?;
    print!("{}", report::table(&comparison));
    write(args.json, &comparison)
}

fn measure_growth(args: Compare, sizes: &[u16], method: Method, plot: Option<PathBuf>) -> Result<()> {
    let mut options = options(Workload::W3.into(), &args, false)?;
    if args.peers.is_none() {
        options.peers.retain(|peer| peer.name == "libmtl-fused");
    }
    let measured = growth::measure(method, &numbers(sizes), &options)?;
    print!("{}", growth::table(&measured));
    if let Some((path, chart)) = plot.zip(growth::chart(&measured)) {
        std::fs::write(path, chart)?;
    }
    write(args.json, &measured)
}

fn measure_aggregators(args: Aggregators) -> Result<()> {
    let find = |name: &String| {
        aggregators::find(name).ok_or_else(|| Error::UnknownMethod {
            name: name.clone(),
            known: CASES.iter().map(|case| case.name).collect::<Vec<_>>().join(", "),
        })
    };
    let methods: Vec<&'static Case> = match &args.methods {
        Some(names) => names.iter().map(find).collect::<Result<_>>()?,
        None => CASES.iter().collect(),
    };
    let rows = aggregators::measure(&aggregators::Options {
        rounds: args.rounds.into(),
        seconds: args.seconds,
        methods,
        sizes: numbers(&args.sizes),
        python: args.python,
    })?;
    print!("{}", aggregators::table(&rows));
    write(args.json, &rows)
}

fn measure_select(args: Select) -> Result<()> {
    let Select { sizes, rounds, seconds, threads, python, plot, json } = args;
    let sizes = numbers(&sizes);
    let rows = select::measure(&select::Options { rounds: rounds.into(), seconds, sizes, threads, python })?;
    print!("{}", select::table(&rows));
    if let Some((path, chart)) = plot.zip(select::chart(&rows)) {
        std::fs::write(path, chart)?;
    }
    write(json, &rows)
}

fn measure_trees(args: Trees) -> Result<()> {
    let Trees { shape, sizes, rounds, threads, python, json } = args;
    let sizes = numbers(&sizes);
    let rows = trees::measure(&trees::Options { shape, rounds: rounds.into(), sizes, threads, python })?;
    print!("{}", trees::table(&rows));
    write(json, &rows)
}

fn measure_predict(args: Predict) -> Result<()> {
    let Predict { model, data, rounds, threads, python, json } = args;
    let rows = predict::rows(&data)?;
    let records = predict::measure(&predict::Options { model, data, rows, rounds: rounds.into(), threads, python })?;
    print!("{}", predict::table(&records));
    write(json, &records)
}

fn numbers(sizes: &[u16]) -> Vec<usize> {
    sizes.iter().copied().map(usize::from).collect()
}

fn options(work: Work, args: &Compare, variants: bool) -> Result<Options> {
    Ok(Options {
        rounds: args.rounds.into(),
        seconds: args.seconds,
        threads: args.threads,
        reference: args.reference.clone(),
        peers: chosen(work, args.peers.as_deref())?,
        variants,
        python: args.python.clone(),
    })
}

/// Writes the raw measurements, where that is asked for.
fn write(path: Option<PathBuf>, measured: &impl Serialize) -> Result<()> {
    let Some(path) = path else { return Ok(()) };
    let text = serde_json::to_string_pretty(measured).map_err(std::io::Error::from)?;
    std::fs::write(&path, text + "\n").map_err(|source| Error::Write { path: path.display().to_string(), source })
}

/// The workload's peers by name, in the order given; all of them where none is named.
fn chosen(work: Work, names: Option<&[String]>) -> Result<Vec<Peer>> {
    let known = work.peers();
    let Some(names) = names else { return Ok(known.to_vec()) };
    let find = |name: &String| {
        known.iter().find(|p| p.name == name).copied().ok_or_else(|| Error::UnknownPeer {
            workload: work.workload.name(),
            name: name.clone(),
            known: known.iter().map(|p| p.name).collect::<Vec<_>>().join(", "),
        })
    };
    names.iter().map(find).collect()
}
