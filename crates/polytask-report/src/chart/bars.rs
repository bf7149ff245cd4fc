//! Horizontal bars, with an interval where there is one.

use super::{Axis, Frame, WIDTH};
use crate::number::{count, number, shorten};
use polytask_draw::Canvas;

/// A bar.
#[derive(Clone, Debug)]
pub struct Bar {
    /// At its left.
    pub name: String,
    /// Its end.
    pub value: f64,
    /// What it lies between.
    pub interval: Option<(f64, f64)>,
    /// Which colour.
    pub colour: usize,
}

/// A value beside its bar; whole numbers are counts.
fn shown(value: f64) -> String {
    match value.fract() == 0.0 && (1.0..1e9).contains(&value) {
        true => count(value as usize),
        false => number(value),
    }
}

/// The drawing; none without a finite bar. Bars start at 0, points alone are drawn where `dots` is set.
pub fn bars(title: &str, words: &str, axis: &str, all: &[Bar], dots: bool) -> Option<String> {
    let values = all.iter().flat_map(|bar| {
        let (low, high) = bar.interval.unwrap_or((bar.value, bar.value));
        [bar.value, low, high]
    });
    let zero = if dots { None } else { Some(0.0) };
    let x = Axis::of(values.chain(zero), false)?;
    let row = 22.0;
    let frame = Frame { left: 180.0, top: 8.0, right: WIDTH - 85.0, bottom: 8.0 + row * all.len() as f64 };
    let mut canvas = Canvas::new();
    // No ticks on the vertical axis: the bars have names.
    frame.axes(&mut canvas, x, None, (axis, ""));
    let origin = frame.x(x, 0.0_f64.clamp(x.low, x.high));
    for (i, bar) in all.iter().enumerate() {
        let middle = frame.top + row * (i as f64 + 0.5);
        let beside = format_args!("x=\"{}\" y=\"{:.1}\" class=\"end\"", frame.left - 8.0, middle + 4.0);
        canvas.text(beside, &shorten(&bar.name, 26));
        if !bar.value.is_finite() {
            continue;
        }
        let end = frame.x(x, bar.value);
        if !dots {
            let (left, width) = (origin.min(end), (end - origin).abs().max(0.5));
            canvas.shape(format_args!(
                "<rect class=\"fill s{}\" x=\"{left:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"12\"/>",
                bar.colour % super::COLOURS,
                middle - 6.0
            ));
        }
        if let Some((low, high)) = bar.interval {
            let (low, high) = (frame.x(x, low), frame.x(x, high));
            canvas.shape(format_args!(
                "<path class=\"{}\" d=\"M{low:.1} {middle:.1}H{high:.1}M{low:.1} {:.1}v8M{high:.1} {:.1}v8\"/>",
                if dots { format!("line s{}", bar.colour % super::COLOURS) } else { "whisker".to_owned() },
                middle - 4.0,
                middle - 4.0
            ));
        }
        if dots {
            let colour = bar.colour % super::COLOURS;
            canvas.shape(format_args!("<path class=\"dots big s{colour}\" d=\"M{end:.1} {middle:.1}h0\"/>"));
        }
        canvas.text(format_args!("x=\"{}\" y=\"{:.1}\"", frame.right + 8.0, middle + 4.0), &shown(bar.value));
    }
    Some(canvas.inline(WIDTH, frame.bottom + 44.0, title, words))
}
