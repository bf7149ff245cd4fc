//! What is shown while a model is trained: a bar on a terminal, plain lines elsewhere.

use indicatif::{ProgressBar, ProgressStyle};
use polytask::train::Round;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// A bar on a terminal; elsewhere a line now and then.
pub struct Progress {
    bar: Option<ProgressBar>,
    last: Option<Instant>,
}

/// Time between two plain lines.
const PAUSE: Duration = Duration::from_secs(5);

impl Progress {
    /// Of `length` steps, models, or whatever is counted.
    pub fn new(length: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| ProgressBar::new(length));
        if let Some(bar) = &bar
            && let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len}  {eta} left  {msg}")
        {
            bar.set_style(style);
        }
        Progress { bar, last: None }
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

    /// One more is done.
    pub fn tick(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// A round is done.
    pub fn round(&mut self, round: &Round) {
        let losses = if round.valid.is_empty() { ("train", &round.train) } else { ("valid", &round.valid) };
        let tasks: Vec<String> = losses.1.iter().map(|(task, loss)| format!("{task} {loss:.4}")).collect();
        let what = match round.strength {
            Some(strength) => format!("strength {}", crate::text::number(strength)),
            None => format!("epoch {}", round.epoch),
        };
        let text = format!("{what}: {} loss {}", losses.0, tasks.join(", "));
        match &self.bar {
            Some(bar) => bar.set_message(text),
            None if self.last.is_none_or(|last| last.elapsed() >= PAUSE) => {
                eprintln!("{text}");
                self.last = Some(Instant::now());
            }
            None => {}
        }
    }

    /// Says something between the lines.
    pub fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => eprintln!("{text}"),
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
