//! A cell that lies so far out that it sets the scale of its column.

use polytask_data::{Column, Table, Values};

/// How much farther from the median than 19 in 20 values.
const FAR: f64 = 1000.0;
/// Values of which that can be told.
const LEAST: usize = 20;

/// The note on the farthest of the numbers of some rows, with its place.
pub fn outlier(table: &Table, column: &Column, rows: &[u32]) -> Option<String> {
    let Values::Number(values) = &column.values else { return None };
    let mut known: Vec<f64> =
        rows.iter().filter_map(|row| values.get(*row as usize).copied()).filter(|value| !value.is_nan()).collect();
    if known.len() < LEAST {
        return None;
    }
    let middle = known.len() / 2;
    let median = *known.select_nth_unstable_by(middle, f64::total_cmp).1;
    known.iter_mut().for_each(|value| *value = (*value - median).abs());
    let most = known.iter().copied().fold(0.0, f64::max);
    let place = (known.len() - 1) * 19 / 20;
    let usual = *known.select_nth_unstable_by(place, f64::total_cmp).1;
    if usual == 0.0 || most <= FAR * usual {
        return None;
    }
    let far = |row: &&u32| values.get(**row as usize).is_some_and(|value| (value - median).abs() == most);
    let row = *rows.iter().find(far)? as usize;
    let value = values.get(row)?;
    Some(format!(
        "{}: column `{}` holds {}, {:.0e} times as far from the median as 95 % of its values, and sets the scale of them all; \
         mend it, or list it in data.missing",
        table.place(row),
        column.name,
        short(*value),
        most / usual
    ))
}

fn short(value: f64) -> String {
    if (1e-4..1e15).contains(&value.abs()) { value.to_string() } else { format!("{value:e}") }
}

#[cfg(test)]
mod tests {
    use super::outlier;
    use polytask_data::{Column, Table};

    #[test]
    fn one_cell_is_placed_and_long_tails_are_not() {
        let said = |change: &dyn Fn(usize, f64) -> f64| {
            let values = (0..200).map(|i| change(i, (i * 7 % 31) as f64 / 31.0)).collect();
            let table = Table::from_columns(vec![Column::number("x", values)]).unwrap();
            let rows: Vec<u32> = (0..200).collect();
            outlier(&table, table.column("x").unwrap(), &rows)
        };
        let far = said(&|i, value| if i == 41 { 1e9 } else { value }).unwrap();
        assert!(far.starts_with("table row 42: column `x` holds 1000000000, 2e9 times as far"), "{far}");
        assert_eq!(said(&|_, value| value), None);
        assert_eq!(said(&|i, value| if i == 3 { f64::NAN } else { (8.0 * value).exp() }), None);
        assert_eq!(said(&|i, _| if i == 3 { 1.0 } else { 0.0 }), None);
    }
}
