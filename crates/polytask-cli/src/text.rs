//! Tables for people to read.

pub use polytask_report::number::{count, seconds};

use std::borrow::Cow;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

/// Columns aligned by their widest cell: the first to the left, the others to the right.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let header: Vec<String> = header.iter().map(|h| (*h).to_owned()).collect();
    let all: Vec<&Vec<String>> = std::iter::once(&header).chain(rows).collect();
    let columns = header.len();
    let width = |c: usize| all.iter().filter_map(|row| row.get(c)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in all {
        let cell = |(c, cell): (usize, &String)| {
            let gap = " ".repeat(widths[c] - cell.chars().count());
            if c == 0 { format!("{cell}{gap}") } else { format!("{gap}{cell}") }
        };
        let line: Vec<String> = row.iter().take(columns).enumerate().map(cell).collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// A text without what would command a terminal: names and values come from files.
pub fn plain(text: &str) -> Cow<'_, str> {
    let commands = |c: char| c.is_control() && c != '\n' && c != '\t';
    if !text.contains(commands) {
        return Cow::Borrowed(text);
    }
    let shown = |c: char| if commands(c) { c.escape_default().to_string() } else { c.to_string() };
    Cow::Owned(text.chars().map(shown).collect())
}

/// Whether this process leaves speaking to another one.
static SILENT: AtomicBool = AtomicBool::new(false);

/// From now on this process says nothing.
#[cfg(feature = "mpi")]
pub fn be_silent() {
    SILENT.store(true, Ordering::Relaxed);
}

/// A line on standard error. Where that is full or closed the words are lost, and nothing else.
pub fn say(text: &str) {
    if SILENT.load(Ordering::Relaxed) {
        return;
    }
    drop(std::io::stderr().lock().write_all(format!("{}\n", plain(text)).as_bytes()));
}

/// A line on standard error whoever else speaks.
#[cfg(feature = "mpi")]
pub fn shout(text: &str) {
    SILENT.store(false, Ordering::Relaxed);
    say(text);
}

/// A note on standard error, on one line whatever the names in it hold.
pub fn note(note: &str) {
    let shown = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    say(&format!("note: {}", note.chars().map(shown).collect::<String>()));
}

/// A number in four significant digits, the way people write it.
pub fn number(value: f64) -> String {
    let size = value.abs();
    // What rounding left of a zero.
    if size < 1e-14 {
        "0".to_owned()
    } else if !(1e-4..1e7).contains(&size) {
        format!("{value:.3e}")
    } else {
        let digits = (3 - size.log10().floor() as i64).clamp(0, 6) as usize;
        format!("{value:.digits$}")
    }
}

/// A number with its spread.
pub fn with_spread(value: f64, spread: f64) -> String {
    format!("{} ± {}", number(value), number(spread))
}

/// So many of something: `1 epoch`, `1,234 epochs`.
pub fn counted(number: usize, of: &str) -> String {
    format!("{} {of}{}", count(number), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_four_digits() {
        let shown = [1.7e-15, 0.93164, -0.0123456, 12.3456, 163.2, 54321.0, 1.5e-9, 2.5e9].map(number);
        assert_eq!(shown, ["0", "0.9316", "-0.01235", "12.35", "163.2", "54321", "1.500e-9", "2.500e9"]);
        assert_eq!([0, 1, 1000].map(|n| counted(n, "step")), ["0 steps", "1 step", "1,000 steps"]);
        assert_eq!([7, 999, 1000, 1234567].map(count), ["7", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn columns_line_up() {
        let rows = [vec!["a".to_owned(), "1".to_owned()], vec!["größe".to_owned(), "10".to_owned()]];
        assert_eq!(table(&["task", "n"], &rows), "task    n\na       1\ngröße  10\n");
    }
}
