//! Columns of numbers that are written as people write them.

use crate::column::{Converted, Values};
use crate::error::DataError;
use crate::hint::Hint;
use crate::place::Place;
use crate::read::infer::{FEW, Manner, Raw};
use crate::read::number::{Decimal, Written};

/// How the numbers of a column are written: with marks between thousands, signs of money, percent signs or a decimal comma.
pub(super) struct Style {
    pub(super) decimal: Decimal,
    /// The first value that programs write otherwise.
    sample: String,
}

impl Style {
    /// The style that all values have that are there, or nearly all of a column of numbers.
    pub(super) fn of(raw: &Raw, manner: &Manner<'_>) -> Option<Self> {
        let (mut points, mut commas, mut words, mut count) = (0, 0, 0usize, 0usize);
        let (mut percents, mut brackets, mut currency, mut sample) = (0, 0, None, None);
        for text in raw.values().flatten() {
            if manner.missing.hides_number(text.trim()) {
                continue;
            }
            count += 1;
            let Some(written) = Written::of(text) else {
                words += 1;
                if words * 20 > count.max(FEW) {
                    return None;
                }
                continue;
            };
            match written.evidence() {
                Some(Decimal::Point) => points += 1,
                Some(Decimal::Comma) => commas += 1,
                None => {}
            }
            percents += usize::from(written.percent);
            brackets += usize::from(written.bracketed);
            if let (Some(a), Some(b)) = (currency, written.currency)
                && a != b
            {
                return None;
            }
            currency = currency.or(written.currency);
            if sample.is_none() && text.trim().parse::<f64>().is_err() {
                sample = Some(text.trim().to_owned());
            }
        }
        let declared = raw.hint == Some(Hint::Number);
        let numbers = count - words;
        let enough = words == 0 || declared || (numbers >= FEW && words * 20 <= count);
        // Brackets around all are no signs.
        let mixed = (points > 0 && commas > 0) || (percents > 0 && percents < numbers) || brackets == numbers;
        if !enough || numbers == 0 || mixed {
            return None;
        }
        let decimal = match (points, commas, manner.comma) {
            (0, 0, true) => Decimal::Comma,
            (_, 0, _) => Decimal::Point,
            _ => Decimal::Comma,
        };
        // Where a comma is known, `1.234` is written otherwise as well.
        let pointed = || raw.values().flatten().find(|text| text.contains('.')).map(|text| text.trim().to_owned());
        let sample = sample.or_else(|| pointed().filter(|_| decimal == Decimal::Comma))?;
        Some(Self { decimal, sample })
    }

    /// The numbers of a column; the first value that is none is a fault.
    pub(super) fn read(&self, raw: &Raw, manner: &Manner<'_>, place: impl Fn(usize) -> Place) -> Converted {
        let (mut values, mut fault) = (Vec::with_capacity(raw.len()), None);
        for (row, text) in raw.values().enumerate() {
            let there = text.filter(|text| !manner.missing.hides_number(text.trim()));
            let value = there.map(|text| (text, self.value(text)));
            if let Some((text, None)) = value {
                fault.get_or_insert_with(|| DataError::NotNumber {
                    place: place(row),
                    column: raw.name.clone(),
                    value: text.to_owned(),
                    declared: raw.hint == Some(Hint::Number),
                });
            }
            values.push(value.and_then(|(_, value)| value).unwrap_or(f64::NAN));
        }
        let mut notes = Vec::new();
        if let Some(value) = self.value(&self.sample) {
            let (file, name, sample) = (manner.file, &raw.name, &self.sample);
            notes.push(format!("{file}: column `{name}` was read as numbers: `{sample}` is {value}"));
        }
        let comma = self.decimal == Decimal::Comma;
        Converted { values: Values::Number(values), notes, fault, comma }
    }

    fn value(&self, text: &str) -> Option<f64> {
        Written::of(text)?.value(self.decimal)
    }
}
