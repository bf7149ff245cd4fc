//! A chart of how cost grows: both axes doubling, so that a straight line of slope one is growth in proportion.

use std::fmt::Write;

/// One line of the chart.
pub struct Series {
    /// What it is, for the legend.
    pub name: String,
    /// A CSS colour.
    pub color: &'static str,
    /// The points, all above 0.
    pub points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 48.0;

/// The chart as an SVG file that stands alone; none without a point.
pub fn svg(title: &str, x_name: &str, y_name: &str, series: &[Series]) -> Option<String> {
    let range = |axis: fn(&(f64, f64)) -> f64| {
        let all = series.iter().flat_map(|s| s.points.iter().map(axis)).map(f64::log2);
        let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        (low.is_finite() && high.is_finite()).then(|| (low.floor(), high.ceil().max(low.floor() + 1.0)))
    };
    let (x_range, y_range) = (range(|p| p.0)?, range(|p| p.1)?);
    let part = |value: f64, (low, high): (f64, f64)| (value.log2() - low) / (high - low);
    let x = |value: f64| LEFT + part(value, x_range) * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| HEIGHT - BOTTOM - part(value, y_range) * (HEIGHT - TOP - BOTTOM);

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<title>{title}</title>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n\
         <text x=\"{LEFT}\" y=\"20\" font-size=\"14\">{title}</text>\n"
    );
    for tick in ticks(x_range) {
        let at = x(tick);
        let (bottom, label) = (HEIGHT - BOTTOM, HEIGHT - BOTTOM + 16.0);
        let _ = writeln!(svg, "<path d=\"M{at:.1} {TOP}V{bottom}\" stroke=\"#dddddd\"/>");
        let _ = writeln!(svg, "<text x=\"{at:.1}\" y=\"{label}\" text-anchor=\"middle\">{tick}</text>");
    }
    for tick in ticks(y_range) {
        let at = y(tick);
        let _ = writeln!(svg, "<path d=\"M{LEFT} {at:.1}H{}\" stroke=\"#dddddd\"/>", WIDTH - RIGHT);
        let _ = writeln!(svg, "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{tick}</text>", LEFT - 6.0, at + 4.0);
    }
    let (middle, low) = ((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 10.0);
    let _ = writeln!(svg, "<text x=\"{middle}\" y=\"{low}\" text-anchor=\"middle\">{x_name}</text>");
    let side = (TOP + HEIGHT - BOTTOM) / 2.0;
    let _ =
        writeln!(svg, "<text transform=\"translate(16 {side}) rotate(-90)\" text-anchor=\"middle\">{y_name}</text>");
    for (i, Series { name, color, points }) in series.iter().enumerate() {
        let path: Vec<String> = points.iter().map(|p| format!("{:.1} {:.1}", x(p.0), y(p.1))).collect();
        let _ = writeln!(svg, "<path d=\"M{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>", path.join("L"));
        for p in points {
            let _ = writeln!(svg, "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{color}\"/>", x(p.0), y(p.1));
        }
        let (line, text) = (TOP + 12.0 + 18.0 * i as f64, TOP + 16.0 + 18.0 * i as f64);
        let (from, to, words) = (LEFT + 12.0, LEFT + 36.0, LEFT + 42.0);
        let _ = writeln!(svg, "<path d=\"M{from} {line}H{to}\" stroke=\"{color}\" stroke-width=\"2\"/>");
        let _ = writeln!(svg, "<text x=\"{words}\" y=\"{text}\">{name}</text>");
    }
    svg.push_str("</svg>\n");
    Some(svg)
}

/// The powers of two from the lower end to the upper, both as logarithms.
fn ticks((low, high): (f64, f64)) -> impl Iterator<Item = f64> {
    (low as i32..=high as i32).map(|power| f64::from(power).exp2())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubling_goes_by_equal_steps() {
        let points = vec![(1.0, 2.0), (2.0, 4.0), (4.0, 8.0)];
        let text = svg("t", "x", "y", &[Series { name: "a".into(), color: "#000", points }]).unwrap();
        let circles: Vec<&str> = text.lines().filter(|l| l.starts_with("<circle")).collect();
        let at = |line: &str, key: &str| -> f64 {
            line.split(&format!("{key}=\"")).nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
        };
        for axis in ["cx", "cy"] {
            let [a, b, c] = [0, 1, 2].map(|i| at(circles[i], axis));
            assert!(((b - a) - (c - b)).abs() < 0.2 && (b - a).abs() > 10.0, "{axis}: {a} {b} {c}");
        }
        assert!(svg("t", "x", "y", &[]).is_none(), "nothing to draw");
    }
}
