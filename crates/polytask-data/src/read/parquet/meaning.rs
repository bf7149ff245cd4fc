//! What the stored values of a Parquet column stand for.

use parquet::basic::{ConvertedType, LogicalType, TimeUnit};
use parquet::schema::types::ColumnDescriptor;

/// How the values of a column mean something, apart from how they are stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Meaning {
    Plain,
    Unsigned,
    Text,
    Date,
    /// Ticks since midnight, with their number in a second.
    Time(i64),
    /// Ticks since 1970, with their number in a second.
    Timestamp(i64),
    /// A whole number, with the digits after the point.
    Decimal(i32),
    Float16,
    Uuid,
    Other,
}

impl Meaning {
    pub(super) fn of(column: &ColumnDescriptor) -> Self {
        let per_second = |unit: &TimeUnit| match unit {
            TimeUnit::MILLIS => 1_000,
            TimeUnit::MICROS => 1_000_000,
            TimeUnit::NANOS => 1_000_000_000,
        };
        // Files of old writers have the converted type alone.
        match (column.logical_type_ref(), column.converted_type()) {
            (Some(LogicalType::Integer(kind)), _) if !kind.is_signed => Self::Unsigned,
            (Some(LogicalType::Integer(_) | LogicalType::Unknown), _) => Self::Plain,
            (Some(LogicalType::String | LogicalType::Enum | LogicalType::Json), _) => Self::Text,
            (Some(LogicalType::Date), _) => Self::Date,
            (Some(LogicalType::Time(time)), _) => Self::Time(per_second(&time.unit)),
            (Some(LogicalType::Timestamp(time)), _) => Self::Timestamp(per_second(&time.unit)),
            (Some(LogicalType::Decimal(decimal)), _) => Self::Decimal(decimal.scale),
            (Some(LogicalType::Float16), _) => Self::Float16,
            (Some(LogicalType::Uuid), _) => Self::Uuid,
            (Some(_), _) => Self::Other,
            (None, kind) => match kind {
                ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64 => {
                    Self::Unsigned
                }
                ConvertedType::INT_8 | ConvertedType::INT_16 | ConvertedType::INT_32 | ConvertedType::INT_64 => {
                    Self::Plain
                }
                ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON => Self::Text,
                ConvertedType::DATE => Self::Date,
                ConvertedType::TIME_MILLIS => Self::Time(1_000),
                ConvertedType::TIME_MICROS => Self::Time(1_000_000),
                ConvertedType::TIMESTAMP_MILLIS => Self::Timestamp(1_000),
                ConvertedType::TIMESTAMP_MICROS => Self::Timestamp(1_000_000),
                ConvertedType::DECIMAL => Self::Decimal(column.type_scale()),
                ConvertedType::NONE => Self::Plain,
                _ => Self::Other,
            },
        }
    }
}

/// A big-endian two's complement whole number that has room in 16 bytes.
pub(super) fn whole(bytes: &[u8]) -> Option<i128> {
    let negative = bytes.first().is_some_and(|byte| *byte >= 0x80);
    let start = if negative { -1 } else { 0 };
    // Bytes in front that only repeat the sign.
    let (front, own) = bytes.split_at(bytes.len().saturating_sub(16));
    let bytes = if own.first().is_some_and(|byte| (*byte >= 0x80) == negative) { own } else { bytes };
    let spare = front.iter().all(|byte| *byte == start as u8);
    (bytes.len() <= 16 && spare).then(|| bytes.iter().fold(start, |value: i128, byte| (value << 8) | i128::from(*byte)))
}

/// An IEEE 754 number of 16 bits: 1 of sign, 5 of exponent (bias 15), 10 of fraction; little-endian.
pub(super) fn half(bytes: &[u8]) -> f64 {
    let &[low, high] = bytes else { return f64::NAN };
    let bits = u16::from_le_bytes([low, high]);
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023) / 1024.0);
    sign * match exponent {
        0 => fraction * 2f64.powi(-14),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction) * 2f64.powi(exponent - 15),
    }
}

/// A decimal as it is written: `-12.50` for -1250 with two digits after the point.
pub(in crate::read) fn decimal(whole: impl ToString, scale: i32) -> String {
    let text = whole.to_string();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let Ok(scale) = usize::try_from(scale) else {
        let zeros = if digits == "0" { 0 } else { scale.unsigned_abs() as usize };
        return text.clone() + &"0".repeat(zeros);
    };
    if scale == 0 {
        return text;
    }
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (before, after) = digits.split_at(digits.len() - scale);
    format!("{sign}{before}.{after}")
}

/// The number next to a decimal, as it is read where it is written.
pub(in crate::read) fn decimal_value(whole: impl ToString, scale: i32) -> f64 {
    decimal(whole, scale).parse().unwrap_or(f64::NAN)
}

/// Sixteen bytes as `8-4-4-4-12` hexadecimal digits.
pub(super) fn uuid(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_keep_their_sign() {
        assert_eq!(whole(&[0x00, 0x80]), Some(128));
        assert_eq!(whole(&[0xFF, 0x7F]), Some(-129));
        assert_eq!(whole(&[]), Some(0));
        assert_eq!(whole(&i128::MIN.to_be_bytes()), Some(i128::MIN));
        assert_eq!(whole(&[0; 17]), Some(0));
        assert_eq!(whole(&[[0xFF].as_slice(), &(-7i128).to_be_bytes()].concat()), Some(-7));
        assert_eq!(whole(&[[0].as_slice(), &(-7i128).to_be_bytes()].concat()), None);
        assert_eq!(whole(&[1; 17]), None);
    }

    #[test]
    fn halves() {
        let read = |bits: u16| half(&bits.to_le_bytes());
        assert_eq!(read(0x3C00), 1.0);
        assert_eq!(read(0xC000), -2.0);
        assert_eq!(read(0x3555), 0.333251953125);
        assert_eq!(read(0x0001), 2f64.powi(-24));
        assert_eq!(read(0x7C00), f64::INFINITY);
        assert!(read(0x7E00).is_nan());
    }

    #[test]
    fn decimals_and_uuids_as_written() {
        assert_eq!(decimal(-1250, 2), "-12.50");
        assert_eq!(decimal(5, 3), "0.005");
        assert_eq!([decimal(-7, 0), decimal(-7, -2), decimal(0, -2)], ["-7", "-700", "0"]);
        // Through a float of the whole number it would be one unit off.
        assert_eq!(decimal_value(12_345_678_901_234_567_i64, 2), 123_456_789_012_345.67);
        let bytes: Vec<u8> = (0..16).collect();
        assert_eq!(uuid(&bytes), "00010203-0405-0607-0809-0a0b0c0d0e0f");
    }
}
