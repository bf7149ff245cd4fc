//! A selection as drawings: the affinities as a heat map, and the groups.

use super::selection::Selected;
use super::worth::{Set, members};
use polytask_draw::Canvas;

const CELL: f64 = 30.0;
const LETTER: f64 = 6.6;
const MARGIN: f64 = 16.0;

/// The affinities, from the tasks of the rows to those of the columns, tasks of a group side by side: blue where a step
/// helps, red where it hurts, paler where it does little. A dot marks what is not told from noise.
pub fn heat_svg(selected: &Selected) -> String {
    let used = selected.members.iter().fold(0, |used, m| used | m.served);
    let rest: Set = super::worth::set_of(0..selected.tasks.len()) & !used;
    let order: Vec<usize> = selected.members.iter().flat_map(|m| members(m.served)).chain(members(rest)).collect();
    let n = order.len();
    let longest = selected.tasks.iter().map(|name| name.chars().count()).max().unwrap_or(0).min(24) as f64;
    let (left, top) = (MARGIN + longest * LETTER + 8.0, MARGIN + 40.0 + longest * LETTER * 0.8);
    let (width, height) = (left + n as f64 * CELL + MARGIN + 20.0, top + n as f64 * CELL + MARGIN);
    let mut largest = 0.0f64;
    for &from in &order {
        for &to in order.iter().filter(|to| **to != from) {
            largest = largest.max(selected.affinity.at(from, to).abs());
        }
    }
    let mut canvas = Canvas::new();
    text(&mut canvas, MARGIN, MARGIN + 4.0, "What a step for the row's task does to the column's loss", "bold");
    for (place, &task) in order.iter().enumerate() {
        let (along, name) = (place as f64 * CELL + CELL / 2.0, short(&selected.tasks[task]));
        let beside = format_args!("x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\"", left - 6.0, top + along + 4.0);
        canvas.text(beside, &name);
        canvas.text(format_args!("transform=\"translate({:.1} {:.1}) rotate(-50)\"", left + along, top - 6.0), &name);
    }
    for (row, &from) in order.iter().enumerate() {
        for (column, &to) in order.iter().enumerate() {
            let (value, noise) = (selected.affinity.at(from, to), selected.noise.at(from, to));
            let (x, y) = (left + column as f64 * CELL, top + row as f64 * CELL);
            let fill = if from == to { "#eeeeee".to_owned() } else { color(value / largest) };
            let about = match value.is_finite() {
                true => format!("{:+.3} % \u{b1} {:.3}", 100.0 * value, 100.0 * noise),
                false => "not measured".to_owned(),
            };
            canvas.shape(format_args!(
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{CELL}\" height=\"{CELL}\" fill=\"{fill}\" stroke=\"#ffffff\">"
            ));
            canvas.title(&format!("{} \u{2192} {}: {about}", selected.tasks[from], selected.tasks[to]));
            canvas.shape(format_args!("</rect>\n"));
            if from != to && (!value.is_finite() || value.abs() <= 2.0 * noise) {
                let (x, y) = (x + CELL / 2.0, y + CELL / 2.0);
                canvas.shape(format_args!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2\" fill=\"#888888\"/>\n"));
            }
        }
    }
    // Frames around the groups.
    let mut at = 0;
    for member in &selected.members {
        let (place, size) = (at as f64 * CELL, f64::from(member.served.count_ones()) * CELL);
        at += member.served.count_ones();
        canvas.shape(format_args!(
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{size}\" height=\"{size}\" fill=\"none\" stroke=\"#222222\" stroke-width=\"2\"/>\n",
            left + place,
            top + place
        ));
    }
    canvas.alone(width.max(420.0), height, "Affinities of tasks")
}

/// The groups: a box each, with what every task gains there by the signal, and who only helps.
pub fn groups_svg(selected: &Selected) -> String {
    const LINE: f64 = 18.0;
    let longest = selected.tasks.iter().map(|name| name.chars().count()).max().unwrap_or(0).min(24) as f64;
    let wide = (longest + 12.0) * LETTER + 24.0;
    let tasks = |m: &super::member::Member| (m.served | m.helpers).count_ones();
    let tallest = f64::from(selected.members.iter().map(tasks).max().unwrap_or(1)) * LINE + 40.0;
    let across = selected.members.len().clamp(1, 5);
    let down = selected.members.len().div_ceil(across);
    let width = (MARGIN + across as f64 * (wide + MARGIN)).max(420.0);
    let height = 48.0 + down as f64 * (tallest + MARGIN);
    let mut canvas = Canvas::new();
    let title = format!("{}, by {}", count(selected.members.len()), selected.signal.name());
    text(&mut canvas, MARGIN, MARGIN + 6.0, &title, "bold");
    for (i, member) in selected.members.iter().enumerate() {
        let (x, y) = (MARGIN + (i % across) as f64 * (wide + MARGIN), 40.0 + (i / across) as f64 * (tallest + MARGIN));
        let group = member.served | member.helpers;
        canvas.shape(format_args!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{wide:.1}\" height=\"{:.1}\" rx=\"8\" fill=\"#eef4fb\" stroke=\"#1f5a99\"/>\n",
            f64::from(tasks(member)) * LINE + 34.0
        ));
        text(&mut canvas, x + 12.0, y + 20.0, &format!("model {}", i + 1), "bold");
        let mut line = y + 20.0;
        for task in members(member.served) {
            line += LINE;
            text(&mut canvas, x + 12.0, line, &short(&selected.tasks[task]), "normal");
            let gain = selected.evidence.gain.of(task, group);
            let (gain, fill) = match group.count_ones() {
                1 => ("alone".to_owned(), "#666666"),
                _ if gain < 0.0 => (format!("{:+.2} %", 100.0 * gain), "#b02a2a"),
                _ => (format!("{:+.2} %", 100.0 * gain), "#1f5a99"),
            };
            let beside =
                format_args!("x=\"{:.1}\" y=\"{line:.1}\" text-anchor=\"end\" fill=\"{fill}\"", x + wide - 12.0);
            canvas.text(beside, &gain);
        }
        for task in members(member.helpers) {
            line += LINE;
            text(&mut canvas, x + 12.0, line, &format!("+ {}", short(&selected.tasks[task])), "normal");
        }
    }
    canvas.alone(width, height, "Groups of tasks")
}

fn count(groups: usize) -> String {
    if groups == 1 { "One model".to_owned() } else { format!("{groups} models") }
}

fn text(canvas: &mut Canvas, x: f64, y: f64, words: &str, weight: &str) {
    canvas.text(format_args!("x=\"{x:.1}\" y=\"{y:.1}\" font-weight=\"{weight}\""), words);
}

/// From red at -1 by white at 0 to blue at 1.
fn color(share: f64) -> String {
    if !share.is_finite() {
        return "#ffffff".to_owned();
    }
    let end = if share < 0.0 { [178.0, 42.0, 42.0] } else { [31.0, 90.0, 153.0] };
    // The root brings out what is small beside the largest.
    let depth = share.abs().min(1.0).sqrt();
    let [r, g, b] = end.map(|c| (255.0 + depth * (c - 255.0)) as u8);
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn short(name: &str) -> String {
    match name.chars().count() {
        0..=24 => name.to_owned(),
        _ => name.chars().take(23).chain(['\u{2026}']).collect(),
    }
}
