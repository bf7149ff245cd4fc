//! The whole terminal for a training run: time left, curves of losses and scores, the tasks' last numbers.

use crate::text;
use polytask::train::Round;
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyModifiers};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::symbols::Marker;
use ratatui::text::Line;
use ratatui::widgets::{Axis, Block, Chart, Dataset, Gauge, GraphType, Paragraph, Row, Table};
use ratatui::{Frame, Terminal};
use std::io::{IsTerminal, Stderr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Drawings a second at most: ten.
const PAUSE: Duration = Duration::from_millis(100);

const COLOURS: [Color; 7] =
    [Color::Cyan, Color::Yellow, Color::Green, Color::Magenta, Color::Red, Color::Blue, Color::White];

/// The terminal while a model is trained; given back when dropped.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Stderr>>,
    view: View,
    drawn: Option<Instant>,
    /// Said meanwhile, for when the terminal is given back.
    said: Vec<String>,
}

impl Screen {
    /// Takes the terminal; none where standard error is none. `tasks` are the names with the metric that stands for each.
    pub fn open(title: String, tasks: Vec<(String, &'static str)>, of: u64) -> Option<Self> {
        if !std::io::stderr().is_terminal() {
            return None;
        }
        enable_raw_mode().ok()?;
        let terminal = execute!(std::io::stderr(), EnterAlternateScreen)
            .and_then(|()| Terminal::new(CrosstermBackend::new(std::io::stderr())));
        let Ok(terminal) = terminal else {
            let _ = disable_raw_mode();
            return None;
        };
        let view =
            View { title, tasks, history: Vec::new(), step: 0, of, began: Instant::now(), elapsed: Duration::ZERO };
        Some(Screen { terminal, view, drawn: None, said: Vec::new() })
    }

    /// So many steps are done. A press of q, or of Ctrl-C, asks for the end.
    pub fn at(&mut self, step: u64, stop: &AtomicBool) {
        self.view.step = step;
        if self.drawn.is_none_or(|drawn| drawn.elapsed() >= PAUSE) {
            self.listen(stop);
            self.draw();
        }
    }

    /// A round is done.
    pub fn round(&mut self, round: &Round) {
        self.view.history.push(round.clone());
        if self.drawn.is_none_or(|drawn| drawn.elapsed() >= PAUSE) {
            self.draw();
        }
    }

    /// Keeps something to be said when the terminal is given back.
    pub fn say(&mut self, text: &str) {
        self.said.push(text.to_owned());
    }

    fn draw(&mut self) {
        self.view.elapsed = self.view.began.elapsed();
        let view = &self.view;
        // A drawing that fails is no reason to stop training.
        let _ = self.terminal.draw(|frame| view.draw(frame));
        self.drawn = Some(Instant::now());
    }

    fn listen(&self, stop: &AtomicBool) {
        while event::poll(Duration::ZERO).unwrap_or(false) {
            let Ok(Event::Key(key)) = event::read() else { continue };
            let interrupt = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
            if interrupt || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc) {
                stop.store(true, Ordering::Relaxed);
            }
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = disable_raw_mode();
        let _ = execute!(std::io::stderr(), LeaveAlternateScreen);
        let _ = self.terminal.backend_mut().show_cursor();
        self.said.iter().for_each(|text| say!("{text}"));
    }
}

/// What is on the screen.
struct View {
    title: String,
    tasks: Vec<(String, &'static str)>,
    history: Vec<Round>,
    step: u64,
    of: u64,
    began: Instant,
    elapsed: Duration,
}

/// A line of a chart: its name, its points, its colour.
type Curve = (String, Vec<(f64, f64)>, Color);

impl View {
    fn draw(&self, frame: &mut Frame<'_>) {
        let rows = (self.tasks.len() as u16 + 3).min(frame.area().height / 2);
        let parts = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Min(6),
            Constraint::Length(rows),
            Constraint::Length(1),
        ]);
        let [title, bar, charts, table, keys] = parts.areas(frame.area());
        frame.render_widget(Paragraph::new(self.title.as_str()).bold(), title);
        let done = self.step as f64 / self.of.max(1) as f64;
        let label = format!("{} of {} steps, {}", self.step, self.of, self.left());
        frame.render_widget(Gauge::default().ratio(done.clamp(0.0, 1.0)).label(label).gauge_style(Color::Blue), bar);
        let [left, right] = Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).areas(charts);
        let valid = self.history.iter().any(|round| !round.valid.is_empty());
        let what = if valid { "validation loss / first" } else { "training loss / first" };
        chart(frame, left, what, &self.losses(valid));
        let scores = self.scores();
        let metric = self.tasks.first().map_or("", |task| task.1);
        chart(frame, right, &format!("validation {metric}"), &scores);
        frame.render_widget(self.table(), table);
        frame.render_widget(
            Paragraph::new("q or Ctrl-C ends training after this step and keeps the best model").dim(),
            keys,
        );
    }

    /// The time left, as this far has taken.
    fn left(&self) -> String {
        match self.step {
            0 => "starting".to_owned(),
            step => {
                let each = self.elapsed.as_secs_f64() / step as f64;
                format!("{} left", text::seconds(each * self.of.saturating_sub(step) as f64))
            }
        }
    }

    /// Each task's loss over its first, so that all go on one chart.
    fn losses(&self, valid: bool) -> Vec<Curve> {
        let curve = |(i, (task, _)): (usize, &(String, &'static str))| {
            let own =
                |round: &Round| if valid { round.valid.get(task).copied() } else { round.train.get(task).copied() };
            let points: Vec<(f64, f64)> =
                self.history.iter().filter_map(|round| Some((round.epoch as f64, own(round)?))).collect();
            let first = points.first().map_or(1.0, |point| point.1).max(f64::MIN_POSITIVE);
            (task.clone(), points.into_iter().map(|(x, y)| (x, y / first)).collect(), COLOURS[i % COLOURS.len()])
        };
        self.tasks.iter().enumerate().map(curve).collect()
    }

    /// The scores of the tasks that have the first one's metric.
    fn scores(&self) -> Vec<Curve> {
        let metric = self.tasks.first().map_or("", |task| task.1);
        let alike = self.tasks.iter().enumerate().filter(|(_, task)| task.1 == metric);
        let curve = |(i, (task, _)): (usize, &(String, &'static str))| {
            let value = |round: &Round| Some((round.epoch as f64, *round.scores.get(task)?.get(metric)?));
            (task.clone(), self.history.iter().filter_map(value).collect(), COLOURS[i % COLOURS.len()])
        };
        alike.map(curve).collect()
    }

    /// The tasks' last numbers.
    fn table(&self) -> Table<'_> {
        let last = self.history.last();
        let shown = |value: Option<f64>| value.map_or("-".to_owned(), text::number);
        let row = |(i, (task, metric)): (usize, &(String, &'static str))| {
            let of = |values: fn(&Round) -> &indexmap::IndexMap<String, f64>| {
                shown(last.and_then(|round| values(round).get(task).copied()))
            };
            let score = last.and_then(|round| round.scores.get(task)?.get(*metric).copied());
            let cells = [
                task.clone(),
                of(|round| &round.train),
                of(|round| &round.valid),
                (*metric).to_owned(),
                shown(score),
                of(|round| &round.weights),
            ];
            Row::new(cells).style(Style::new().fg(COLOURS[i % COLOURS.len()]))
        };
        let widths = [
            Constraint::Fill(2),
            Constraint::Fill(1),
            Constraint::Fill(1),
            Constraint::Fill(1),
            Constraint::Fill(1),
            Constraint::Fill(1),
        ];
        let epoch = last.map_or(String::new(), |round| format!(" epoch {} ", round.epoch));
        Table::new(self.tasks.iter().enumerate().map(row), widths)
            .header(Row::new(["task", "train loss", "valid loss", "metric", "score", "weight"]).bold())
            .block(Block::bordered().title(epoch))
    }
}

/// Curves over epochs.
fn chart(frame: &mut Frame<'_>, area: Rect, title: &str, curves: &[Curve]) {
    let all = || curves.iter().flat_map(|(_, points, _)| points.iter().copied()).filter(|p| p.1.is_finite());
    let span = |of: fn(&(f64, f64)) -> f64| {
        all().map(|point| of(&point)).fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)))
    };
    let block = Block::bordered().title(format!(" {title} "));
    let ((first, last), (low, high)) = (span(|p| p.0), span(|p| p.1));
    if first >= last || low > high {
        frame.render_widget(Paragraph::new("after two epochs").dim().block(block), area);
        return;
    }
    let room = (0.05 * (high - low)).max(1e-9);
    let (low, high) = (low - room, high + room);
    let datasets = curves.iter().map(|(name, points, colour)| {
        Dataset::default()
            .name(name.as_str())
            .marker(Marker::Braille)
            .graph_type(GraphType::Line)
            .style(Style::new().fg(*colour))
            .data(points)
    });
    let labels = |low: f64, high: f64| [Line::from(text::number(low)), Line::from(text::number(high))];
    let chart = Chart::new(datasets.collect())
        .block(block)
        .x_axis(Axis::default().bounds([first, last]).labels(labels(first, last)))
        .y_axis(Axis::default().bounds([low, high]).labels(labels(low, high)));
    frame.render_widget(chart, area);
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::backend::TestBackend;

    fn round(epoch: u64) -> Round {
        let value = 1.0 / (epoch as f64 + 1.0);
        serde_json::from_value(serde_json::json!({
            "epoch": epoch, "step": 10 * epoch, "seconds": 0.0, "learning_rate": 0.1, "loss": value, "penalty": 0.0,
            "train": { "height": value, "sex": value }, "valid": { "height": 2.0 * value, "sex": value },
            "scores": { "height": { "r2": 1.0 - value }, "sex": { "auc": 0.75 } },
            "weights": { "height": 1.0, "sex": 0.5 }, "shares": {}, "criterion": null, "best": true
        }))
        .unwrap()
    }

    #[test]
    fn the_screen_shows_curves_and_numbers() {
        let tasks = vec![("height".to_owned(), "r2"), ("sex".to_owned(), "auc")];
        let history = (1..=20).map(round).collect();
        let elapsed = Duration::from_secs(4);
        let title = "config.toml".to_owned();
        let view = View { title, tasks, history, step: 200, of: 400, began: Instant::now(), elapsed };
        let mut terminal = Terminal::new(TestBackend::new(78, 22)).unwrap();
        terminal.draw(|frame| view.draw(frame)).unwrap();
        insta::assert_snapshot!(terminal.backend());
    }
}
