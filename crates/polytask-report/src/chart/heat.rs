//! Matrices as coloured squares.

use super::WIDTH;
use crate::number::shorten;
use polytask_draw::Canvas;

/// How a matrix is shown.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// The value of full colour.
    pub full: f64,
    /// Whether values below 0 have a colour of their own.
    pub signed: bool,
}

/// The drawing of `rows x columns` values, row-major; NaN is left blank. None without values.
pub fn heat(
    title: &str,
    words: &str,
    names: (&[String], &[String]),
    values: &[f64],
    scale: Scale,
    cell: impl Fn(f64) -> String,
) -> Option<String> {
    let (rows, columns) = (names.0.len(), names.1.len());
    if rows == 0 || columns == 0 || values.len() != rows * columns {
        return None;
    }
    let left = 150.0;
    let side = ((WIDTH - left - 10.0) / columns as f64).min(90.0);
    // Names that are wider than their column, at about 7 units a letter, stand aslant.
    let slanted = names.1.iter().any(|name| 7.0 * name.chars().count() as f64 > side);
    let top = if slanted { 94.0 } else { 24.0 };
    let high = side.clamp(12.0, 34.0);
    let mut canvas = Canvas::new();
    for (c, name) in names.1.iter().enumerate() {
        let x = left + side * (c as f64 + 0.5);
        let name = shorten(name, 14);
        match slanted {
            true => canvas.text(format_args!("transform=\"translate({x:.1} {}) rotate(-45)\"", top - 6.0), &name),
            false => canvas.text(format_args!("x=\"{x:.1}\" y=\"{}\" class=\"mid\"", top - 8.0), &name),
        };
    }
    let letters = side >= 26.0 && high >= 16.0;
    for (r, name) in names.0.iter().enumerate() {
        let y = top + high * r as f64;
        let beside = format_args!("x=\"{}\" y=\"{:.1}\" class=\"end\"", left - 6.0, y + high / 2.0 + 4.0);
        canvas.text(beside, &shorten(name, 20));
        for c in 0..columns {
            let value = values[r * columns + c];
            if !value.is_finite() {
                continue;
            }
            let strength = (value.abs() / scale.full.max(f64::MIN_POSITIVE)).min(1.0);
            let x = left + side * c as f64;
            let class = if scale.signed && value < 0.0 { "cold" } else { "warm" };
            canvas.shape(format_args!(
                "<rect class=\"{class}\" fill-opacity=\"{strength:.2}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
                side - 1.0,
                high - 1.0
            ));
            if letters {
                let (across, down) = (x + side / 2.0, y + high / 2.0 + 4.0);
                let on = if strength > 0.55 { " on" } else { "" };
                canvas.text(format_args!("x=\"{across:.1}\" y=\"{down:.1}\" class=\"mid{on}\""), &cell(value));
            }
        }
    }
    Some(canvas.inline(WIDTH, top + high * rows as f64 + 6.0, title, words))
}
