//! Lines over time or over any other number.

use super::{Axis, COLOURS, Frame, WIDTH, legend};
use polytask_draw::Canvas;
use std::fmt::Write;

/// A series.
#[derive(Clone, Debug)]
pub struct Line {
    /// In the legend.
    pub name: String,
    /// In the order of x; what is not finite breaks the line.
    pub points: Vec<(f64, f64)>,
    /// Half the length of an error bar at each point; empty without.
    pub errors: Vec<f64>,
    /// Drawn in dashes.
    pub dashed: bool,
    /// Which colour; lines of one colour belong together.
    pub colour: usize,
}

impl Line {
    /// A line without errors.
    pub fn new(name: impl Into<String>, colour: usize, points: Vec<(f64, f64)>) -> Self {
        Line { name: name.into(), points, errors: Vec::new(), dashed: false, colour }
    }
}

/// What the axes are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Axes<'a> {
    /// Name of the horizontal one.
    pub x: &'a str,
    /// Name of the vertical one.
    pub y: &'a str,
    /// Whether x is by logarithms.
    pub log_x: bool,
    /// Whether y is by logarithms.
    pub log_y: bool,
    /// A level to mark.
    pub mark: Option<f64>,
}

/// Points drawn of a line at most.
const MOST: usize = 300;

/// The drawing; none without a finite point.
pub fn lines(title: &str, words: &str, axes: Axes<'_>, series: &[Line]) -> Option<String> {
    let all = || series.iter().flat_map(|line| line.points.iter().copied());
    let spans = series
        .iter()
        .flat_map(|line| line.points.iter().zip(&line.errors).flat_map(|((_, y), error)| [y - error, y + error]));
    let x = Axis::of(all().map(|p| p.0), axes.log_x)?;
    let y = Axis::of(all().map(|p| p.1).chain(spans).chain(axes.mark), axes.log_y)?;
    let frame = Frame { left: 64.0, top: 10.0, right: WIDTH - 12.0, bottom: 250.0 };
    let mut canvas = Canvas::new();
    frame.axes(&mut canvas, x, Some(y), (axes.x, axes.y));
    if let Some(mark) = axes.mark {
        canvas.shape(format_args!(
            "<path class=\"mark\" d=\"M{} {:.1}H{}\"/>",
            frame.left,
            frame.y(y, mark),
            frame.right
        ));
    }
    for line in series {
        let class = class(line);
        let every = line.points.len().div_ceil(MOST).max(1);
        let last = line.points.len().saturating_sub(1);
        let (mut path, mut pen) = (String::new(), 'M');
        for (i, (px, py)) in line.points.iter().enumerate() {
            let fits = |value: f64, log: bool| value.is_finite() && (!log || value > 0.0);
            if !fits(*px, axes.log_x) || !fits(*py, axes.log_y) {
                pen = 'M';
                continue;
            }
            if i % every != 0 && i != last {
                continue;
            }
            let _ = write!(path, "{pen}{:.1} {:.1}", frame.x(x, *px), frame.y(y, *py));
            if line.points.len() == 1 {
                path.push_str("h0");
            }
            pen = 'L';
        }
        canvas.shape(format_args!("<path class=\"line {class}\" d=\"{path}\"/>"));
        for ((px, py), error) in line.points.iter().zip(&line.errors) {
            let (at, low, high) = (frame.x(x, *px), frame.y(y, py - error), frame.y(y, py + error));
            if at.is_finite() && low.is_finite() && high.is_finite() {
                canvas.shape(format_args!("<path class=\"line thin {class}\" d=\"M{at:.1} {low:.1}V{high:.1}\"/>"));
            }
        }
    }
    let names: Vec<(&str, String)> = series.iter().map(|line| (line.name.as_str(), class(line))).collect();
    let more = legend(&mut canvas, frame.bottom + 56.0, &names);
    Some(canvas.inline(WIDTH, frame.bottom + 44.0 + more, title, words))
}

fn class(line: &Line) -> String {
    format!("s{}{}", line.colour % COLOURS, if line.dashed { " dashed" } else { "" })
}
