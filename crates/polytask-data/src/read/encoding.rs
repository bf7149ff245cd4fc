//! Text in UTF-8, whatever it was saved as.

use crate::error::DataError;
use crate::place::Place;

const BOM: &[u8] = b"\xEF\xBB\xBF";
/// Bytes that tell UTF-16 without a mark.
const WINDOW: usize = 1024;

/// What the bytes of a file of text are in UTF-8 if they are UTF-16; others are left as they are.
///
/// # Errors
/// Half of a pair of code units.
pub(super) fn from_utf16(file: &str, bytes: Vec<u8>) -> Result<Vec<u8>, DataError> {
    let Some(big) = order(&bytes) else { return Ok(bytes) };
    let units = bytes
        .as_chunks::<2>()
        .0
        .iter()
        .map(|pair| if big { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) });
    let mut text = String::with_capacity(bytes.len() / 2);
    let mut line = 1;
    for unit in char::decode_utf16(units) {
        let Ok(unit) = unit else { return Err(DataError::NotUtf8 { place: Place::line(file, line) }) };
        line += u64::from(unit == '\n');
        text.push(unit);
    }
    Ok(text.into_bytes())
}

/// Whether text is UTF-16, and its larger bytes come first.
fn order(bytes: &[u8]) -> Option<bool> {
    match bytes {
        [0xFF, 0xFE, ..] => return Some(false),
        [0xFE, 0xFF, ..] => return Some(true),
        _ => {}
    }
    // Without a mark: letters of ASCII, each with a zero byte beside it.
    let pairs = bytes.get(..WINDOW.min(bytes.len())).unwrap_or_default().as_chunks::<2>().0;
    let all = |letter: usize| {
        let letters = pairs.iter().filter(|pair| pair[1 - letter] == 0 && pair[letter].is_ascii() && pair[letter] != 0);
        pairs.len() > 2 && letters.count() * 10 >= pairs.len() * 9
    };
    if all(0) { Some(false) } else { all(1).then_some(true) }
}

/// The text without a byte order mark, and without the zero bytes and the mark of the end (Ctrl-Z) that old programs leave
/// behind it.
pub(super) fn utf8(file: &str, mut bytes: Vec<u8>) -> Result<String, DataError> {
    bytes.truncate(trimmed(&bytes).len());
    if bytes.starts_with(BOM) {
        bytes.drain(..BOM.len());
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        DataError::NotUtf8 { place: Place::line(file, line) }
    })
}

/// Bytes without what stands behind a text.
pub(super) fn trimmed(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| !matches!(byte, 0 | 0x1A)).map_or(0, |last| last + 1);
    bytes.get(..end).unwrap_or_default()
}

/// Bytes without a byte order mark.
pub(super) fn unmarked(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BOM).unwrap_or(bytes)
}
