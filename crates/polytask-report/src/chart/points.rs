//! Clouds of points.

use super::{Axis, Frame, WIDTH};
use polytask_draw::Canvas;

/// A cloud.
#[derive(Clone, Debug, Default)]
pub struct Points<'a> {
    /// Name of the horizontal axis.
    pub x: &'a str,
    /// Name of the vertical one.
    pub y: &'a str,
    /// The points.
    pub points: Vec<(f64, f64)>,
    /// Whether to draw the line where both are the same, and to give both axes the same range.
    pub diagonal: bool,
    /// A level to mark.
    pub mark: Option<f64>,
    /// Points to join, in order.
    pub joined: Vec<(f64, f64)>,
}

/// The drawing; none without a finite point. All points are one path, a dot each.
pub fn points(title: &str, words: &str, cloud: &Points<'_>) -> Option<String> {
    let all = || cloud.points.iter().chain(&cloud.joined).copied();
    let (mut x, mut y) = (Axis::of(all().map(|p| p.0), false)?, Axis::of(all().map(|p| p.1).chain(cloud.mark), false)?);
    if cloud.diagonal {
        let (low, high) = (x.low.min(y.low), x.high.max(y.high));
        (x, y) = (Axis { low, high, ..x }, Axis { low, high, ..y });
    }
    let frame = Frame { left: 64.0, top: 10.0, right: WIDTH - 12.0, bottom: 300.0 };
    let mut canvas = Canvas::new();
    frame.axes(&mut canvas, x, Some(y), (cloud.x, cloud.y));
    if cloud.diagonal {
        canvas.shape(format_args!(
            "<path class=\"mark\" d=\"M{} {}L{} {}\"/>",
            frame.left, frame.bottom, frame.right, frame.top
        ));
    }
    if let Some(mark) = cloud.mark {
        canvas.shape(format_args!(
            "<path class=\"mark\" d=\"M{} {:.1}H{}\"/>",
            frame.left,
            frame.y(y, mark),
            frame.right
        ));
    }
    let finite = |p: &&(f64, f64)| p.0.is_finite() && p.1.is_finite();
    let dots: String = cloud
        .points
        .iter()
        .filter(finite)
        .map(|(px, py)| format!("M{:.0} {:.0}h0", frame.x(x, *px), frame.y(y, *py)))
        .collect();
    canvas.shape(format_args!("<path class=\"dots s0\" d=\"{dots}\"/>"));
    let path: Vec<String> = cloud
        .joined
        .iter()
        .filter(finite)
        .map(|(px, py)| format!("{:.1} {:.1}", frame.x(x, *px), frame.y(y, *py)))
        .collect();
    if !path.is_empty() {
        canvas.shape(format_args!("<path class=\"line s1\" d=\"M{}\"/>", path.join("L")));
        let dots: String = path.iter().map(|at| format!("M{at}h0")).collect();
        canvas.shape(format_args!("<path class=\"dots big s1\" d=\"{dots}\"/>"));
    }
    Some(canvas.inline(WIDTH, frame.bottom + 44.0, title, words))
}
