//! Reads the files named on the command line and prints their rows, columns and seconds.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use polytask_data::{ReadOptions, Values, read};

fn main() -> ExitCode {
    let mut failed = false;
    for name in std::env::args().skip(1) {
        let start = Instant::now();
        let table = match read(Path::new(&name), &ReadOptions::default()) {
            Ok(table) => table,
            Err(error) => {
                eprintln!("error: {error}");
                if let Some(hint) = error.hint() {
                    eprintln!("hint: {hint}");
                }
                failed = true;
                continue;
            }
        };
        let seconds = start.elapsed().as_secs_f64();
        let text = table.columns().iter().filter(|column| matches!(column.values, Values::Text(_))).count();
        let (rows, columns) = (table.rows(), table.columns().len());
        let rate = rows as f64 / seconds;
        println!("{name}: {rows} rows, {columns} columns ({text} of text), {seconds:.4} s, {rate:.0} rows/s");
        table.notes().iter().for_each(|note| println!("note: {note}"));
        table.faults().for_each(|(_, fault)| println!("fault: {fault}"));
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
