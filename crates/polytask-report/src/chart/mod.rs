//! Charts as inline SVG. Colours are the page's (`--s0` and so on), so that a chart goes with light and dark.

mod bars;
mod heat;
mod lines;
mod points;

pub use bars::{Bar, bars};
pub use heat::{Scale, heat};
pub use lines::{Axes, Line, lines};
pub use points::{Points, points};

use crate::number::{tick, ticks};
use polytask_draw::Canvas;

/// Width of every chart in its own units; the page scales it.
pub const WIDTH: f64 = 640.0;

/// Colours that lines take in turn.
pub const COLOURS: usize = 8;

/// The plot's place: left, top, right, bottom.
#[derive(Clone, Copy)]
struct Frame {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

/// A range of values along an axis, perhaps by their logarithms.
#[derive(Clone, Copy)]
struct Axis {
    low: f64,
    high: f64,
    log: bool,
}

impl Axis {
    /// Wide enough for all finite values, with a little room; never empty.
    fn of(values: impl Iterator<Item = f64>, log: bool) -> Option<Self> {
        let fits = |v: &f64| v.is_finite() && (!log || *v > 0.0);
        let (low, high) =
            values.filter(fits).fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        if low > high {
            return None;
        }
        let (low, high) = match (log, high > low) {
            (true, true) => (low, high),
            (true, false) => (low / 2.0, high * 2.0),
            (false, true) => (low - 0.03 * (high - low), high + 0.03 * (high - low)),
            (false, false) => (low - 0.5 * low.abs().max(1e-3), high + 0.5 * high.abs().max(1e-3)),
        };
        Some(Axis { low, high, log })
    }

    /// Where a value is, from 0 to 1.
    fn at(&self, value: f64) -> f64 {
        match self.log {
            true => (value / self.low).ln() / (self.high / self.low).ln(),
            false => (value - self.low) / (self.high - self.low),
        }
    }

    fn ticks(&self, wanted: usize) -> Vec<f64> {
        if !self.log {
            return ticks(self.low, self.high, wanted);
        }
        let powers = (self.low.log10().floor() as i32..=self.high.log10().ceil() as i32).map(|p| 10f64.powi(p));
        let inside = |v: &f64| (self.low * 0.999..=self.high * 1.001).contains(v);
        let tens: Vec<f64> = powers.clone().filter(inside).collect();
        match tens.len() {
            0..=2 => powers.flat_map(|p| [p, 2.0 * p, 5.0 * p]).filter(inside).collect(),
            n if n > wanted => tens.into_iter().step_by(n.div_ceil(wanted)).collect(),
            _ => tens,
        }
    }
}

impl Frame {
    fn x(&self, axis: Axis, value: f64) -> f64 {
        self.left + axis.at(value) * (self.right - self.left)
    }

    fn y(&self, axis: Axis, value: f64) -> f64 {
        self.bottom - axis.at(value) * (self.bottom - self.top)
    }

    /// Grid, ticks and names of the axes; a vertical one only where it has numbers.
    fn axes(&self, canvas: &mut Canvas, x: Axis, y: Option<Axis>, names: (&str, &str)) {
        for (y, value) in y.into_iter().flat_map(|y| y.ticks(5).into_iter().map(move |value| (y, value))) {
            let at = self.y(y, value);
            canvas.shape(format_args!("<path class=\"grid\" d=\"M{} {at:.1}H{}\"/>", self.left, self.right));
            canvas.text(format_args!("x=\"{}\" y=\"{:.1}\" class=\"end\"", self.left - 6.0, at + 4.0), &tick(value));
        }
        for value in x.ticks(7) {
            let at = self.x(x, value);
            canvas.shape(format_args!("<path class=\"grid\" d=\"M{at:.1} {}V{}\"/>", self.top, self.bottom));
            canvas.text(format_args!("x=\"{at:.1}\" y=\"{}\" class=\"mid\"", self.bottom + 16.0), &tick(value));
        }
        let (across, down) = ((self.left + self.right) / 2.0, (self.top + self.bottom) / 2.0);
        let Frame { left, top, right, bottom } = self;
        canvas.shape(format_args!("<path class=\"axis\" d=\"M{left} {top}V{bottom}H{right}\"/>"));
        canvas.text(format_args!("x=\"{across}\" y=\"{}\" class=\"mid name\"", bottom + 34.0), names.0);
        canvas.text(format_args!("transform=\"translate(14 {down}) rotate(-90)\" class=\"mid name\""), names.1);
    }
}

/// The legend of several series beneath a plot, and its height.
fn legend(canvas: &mut Canvas, top: f64, names: &[(&str, String)]) -> f64 {
    let (mut x, mut y) = (60.0, top);
    for (name, class) in names {
        let wide = 32.0 + 9.0 * name.chars().count().min(40) as f64;
        if x + wide > WIDTH && x > 60.0 {
            (x, y) = (60.0, y + 18.0);
        }
        canvas.shape(format_args!("<path class=\"line {class}\" d=\"M{x} {}h16\"/>", y - 4.0));
        canvas.text(format_args!("x=\"{}\" y=\"{y}\"", x + 21.0), &crate::number::shorten(name, 40));
        x += wide;
    }
    if names.is_empty() { 0.0 } else { y - top + 18.0 }
}
