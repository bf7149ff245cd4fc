//! What is shown while a model is trained: a bar on a terminal, plain lines elsewhere.

use indicatif::{ProgressBar, ProgressStyle};
use polytask::train::Round;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A bar on a terminal; elsewhere a line now and then.
pub struct Progress {
    bar: Option<ProgressBar>,
    /// The tasks with the metric that stands for each.
    metrics: Vec<(String, &'static str)>,
    last: Option<Instant>,
}

/// Time between two plain lines.
const PAUSE: Duration = Duration::from_secs(5);

/// Says now and then how far the encoding of texts or images is.
pub fn encoding(done: usize, all: usize) {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    let Ok(mut last) = LAST.lock() else { return };
    if last.get_or_insert_with(Instant::now).elapsed() >= PAUSE {
        say!("{} of {} are encoded", crate::text::count(done), crate::text::count(all));
        *last = Some(Instant::now());
    }
}

impl Progress {
    /// Of `length` steps, models, or whatever is counted.
    pub fn new(length: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| ProgressBar::new(length));
        if let Some(bar) = &bar
            && let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len}  {eta} left  {msg}")
        {
            bar.set_style(style);
        }
        Progress { bar, metrics: Vec::new(), last: None }
    }

    /// Of `length` steps of training, with the metric that stands for each task.
    pub fn of_tasks(length: u64, metrics: Vec<(String, &'static str)>) -> Self {
        Progress { metrics, ..Progress::new(length) }
    }

    /// One that shows no bar.
    pub fn silent() -> Self {
        Progress { bar: None, metrics: Vec::new(), last: None }
    }

    /// `done` are done.
    pub fn at(&self, done: u64) {
        if let Some(bar) = &self.bar
            // Drawing is not free, and a small model makes thousands of steps a blink.
            && (done.is_multiple_of(64) || Some(done) == bar.length())
        {
            bar.set_position(done);
        }
    }

    /// So many more are to be done.
    pub fn more(&self, count: u64) {
        if let Some(bar) = &self.bar {
            bar.inc_length(count);
        }
    }

    /// One more is done.
    pub fn tick(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// A round is done.
    pub fn round(&mut self, round: &Round) {
        let what = match (&round.candidate, round.strength) {
            (Some(candidate), _) => candidate.clone(),
            (None, Some(strength)) => format!("strength {}", crate::text::number(strength)),
            (None, None) => format!("epoch {}", round.epoch),
        };
        let text = format!("{what}: {}", self.standing(round));
        self.stands(&text);
    }

    /// How things stand.
    pub fn stands(&mut self, text: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(crate::text::plain(text).into_owned()),
            None if self.last.is_none_or(|last| last.elapsed() >= PAUSE) => {
                say!("{text}");
                self.last = Some(Instant::now());
            }
            None => {}
        }
    }

    /// The tasks' scores on the validation rows, or their losses where there are none.
    fn standing(&self, round: &Round) -> String {
        let score = |(task, metric): &(String, &'static str)| {
            let value = round.scores.get(task)?.get(*metric)?;
            Some(format!("{task} {metric} {value:.4}"))
        };
        let scores: Vec<String> = self.metrics.iter().filter_map(score).collect();
        if !scores.is_empty() {
            return format!("valid {}", scores.join(", "));
        }
        let (part, losses) = if round.valid.is_empty() { ("train", &round.train) } else { ("valid", &round.valid) };
        let losses: Vec<String> = losses.iter().map(|(task, loss)| format!("{task} {loss:.4}")).collect();
        format!("{part} loss {}", losses.join(", "))
    }

    /// Says something between the lines.
    pub fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(crate::text::plain(text)),
            None => say!("{text}"),
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
