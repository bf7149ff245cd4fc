//! The graph as a drawing.

use super::layout::{Layout, edges};
use super::{Owner, count, dims};
use crate::{Graph, Op};
use polytask_draw::Canvas;

const BOX: (f64, f64) = (168.0, 44.0);
const GAP: (f64, f64) = (18.0, 40.0);
const MARGIN: f64 = 20.0;
/// A line of the legend.
const LINE: f64 = 20.0;

/// Fill and border of what all tasks share, of what some share, and of inputs, which learn nothing.
const SHARED: (&str, &str) = ("#cfe2f7", "#1f5a99");
const PARTLY: (&str, &str) = ("#e6eef7", "#6f93b8");
const PLAIN: (&str, &str) = ("#f2f2f2", "#888888");
/// Of the tasks, in their order, over again where there are more.
const TASKS: [(&str, &str); 8] = [
    ("#fde3c8", "#b85c00"),
    ("#d5efd3", "#2f7d2a"),
    ("#f7d4d4", "#b02a2a"),
    ("#e6d9f2", "#6a3fa0"),
    ("#f8efc0", "#8a7400"),
    ("#cdeeee", "#167a7a"),
    ("#f6d5ea", "#a8327e"),
    ("#e3dcd3", "#6f5b42"),
];

impl Graph {
    /// A drawing that stands alone: inputs above, losses below; what all tasks share in blue, what some share in a
    /// paler blue, what belongs to one task in that task's colour.
    pub fn svg(&self) -> String {
        let layout = Layout::new(self);
        let reach = self.reach();
        let widest = layout.rows.iter().copied().max().unwrap_or(1);
        let legend = self.legend();
        let width = (2.0 * MARGIN + widest as f64 * (BOX.0 + GAP.0) - GAP.0).max(360.0);
        let top = 2.0 * MARGIN + LINE * legend.len() as f64;
        let height = top + layout.rows.len() as f64 * (BOX.1 + GAP.1) - GAP.1 + MARGIN;
        // The middle of a box.
        let at = |i: usize| {
            let (row, place) = layout.places[i];
            let free = width - layout.rows[row] as f64 * (BOX.0 + GAP.0) + GAP.0;
            let x = free / 2.0 + place as f64 * (BOX.0 + GAP.0) + BOX.0 / 2.0;
            (x, top + row as f64 * (BOX.1 + GAP.1) + BOX.1 / 2.0)
        };
        let mut canvas = Canvas::new();
        for (i, (words, (fill, line))) in legend.iter().enumerate() {
            let y = MARGIN + LINE * i as f64;
            canvas.shape(format_args!(
                "<rect x=\"{MARGIN}\" y=\"{y}\" width=\"16\" height=\"12\" fill=\"{fill}\" stroke=\"{line}\"/>"
            ));
            canvas.text(format_args!("x=\"{}\" y=\"{}\"", MARGIN + 24.0, y + 10.0), words);
        }
        for (from, to) in edges(self) {
            let ((x1, y1), (x2, y2)) = (at(from), at(to));
            let (y1, y2) = (y1 + BOX.1 / 2.0, y2 - BOX.1 / 2.0);
            let bend = (y2 - y1) / 2.0;
            canvas.shape(format_args!(
                "<path d=\"M{x1:.1} {y1:.1}C{x1:.1} {:.1} {x2:.1} {:.1} {x2:.1} {y2:.1}\" fill=\"none\" stroke=\"#999999\"/>\n",
                y1 + bend,
                y2 - bend
            ));
        }
        for (i, node) in self.nodes.iter().enumerate() {
            let inputs = matches!(node.op, Op::Input | Op::Index);
            let colors = if inputs { PLAIN } else { colors(&self.owner(&reach.nodes[i])) };
            let parameters = match self.node_parameters(&node.op) {
                0 => String::new(),
                scalars => format!(", {} parameters", count(scalars)),
            };
            let about = format!("{}: {}, gives {}{parameters}", node.name, node.op.words(), dims(&node.shape));
            let below = format!("{} \u{2192} {}", node.op.words(), dims(&node.shape));
            draw(&mut canvas, at(i), colors, [&node.name, &below, &about], 5.0);
        }
        for (l, loss) in self.losses.iter().enumerate() {
            let word = loss.kind.word();
            let about = format!("loss of {}: {word}", loss.task);
            let colors = colors(&Owner::Task(crate::LossId(l)));
            draw(&mut canvas, at(self.nodes.len() + l), colors, [&loss.task, word, &about], BOX.1 / 2.0);
        }
        let title = format!("A network of {} layers for {} tasks", self.nodes.len(), self.losses.len());
        canvas.alone(width, height, &title)
    }

    /// What the colours mean.
    fn legend(&self) -> Vec<(String, (&'static str, &'static str))> {
        let reach = self.reach();
        let owners: Vec<Owner> = reach.nodes.iter().map(|losses| self.owner(losses)).collect();
        let mut legend = Vec::new();
        if owners.contains(&Owner::All) {
            legend.push(("shared by all tasks".to_owned(), SHARED));
        }
        if owners.iter().any(|owner| matches!(owner, Owner::Some(_))) {
            legend.push(("shared by some tasks".to_owned(), PARTLY));
        }
        let task = |(l, loss): (usize, &crate::Loss)| (loss.task.clone(), colors(&Owner::Task(crate::LossId(l))));
        legend.extend(self.losses.iter().enumerate().map(task));
        legend
    }
}

fn colors(owner: &Owner) -> (&'static str, &'static str) {
    match owner {
        Owner::Nobody => PLAIN,
        Owner::Task(loss) => TASKS[loss.0 % TASKS.len()],
        Owner::Some(_) => PARTLY,
        Owner::All => SHARED,
    }
}

/// A box with two lines of words, and all that is known of it when pointed at.
fn draw(
    canvas: &mut Canvas,
    (x, y): (f64, f64),
    (fill, line): (&str, &str),
    [name, below, about]: [&str; 3],
    corner: f64,
) {
    let (left, top) = (x - BOX.0 / 2.0, y - BOX.1 / 2.0);
    canvas.shape(format_args!("<g>")).title(about);
    canvas.shape(format_args!(
        "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{}\" height=\"{}\" rx=\"{corner}\" fill=\"{fill}\" stroke=\"{line}\"/>",
        BOX.0, BOX.1
    ));
    let bold = format_args!("x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-weight=\"bold\"", y - 4.0);
    canvas.text(bold, &shorten(name, 24));
    let small = format_args!("x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"11\"", y + 13.0);
    canvas.text(small, &shorten(below, 28));
    canvas.shape(format_args!("</g>\n"));
}

/// Cut in the middle, where names of layers differ least.
fn shorten(text: &str, longest: usize) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= longest {
        return text.to_owned();
    }
    let half = (longest - 1) / 2;
    let (start, end): (String, String) =
        (letters[..half].iter().collect(), letters[letters.len() - half..].iter().collect());
    format!("{start}\u{2026}{end}")
}
