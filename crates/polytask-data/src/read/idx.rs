//! IDX, the format of the MNIST family: a magic number (two zero bytes, the type, the number of dimensions), the
//! dimensions as big-endian numbers of 32 bits, then the values.

use super::{LabelFiles, ReadOptions, load_bytes, read};
use crate::column::{Column, Values};
use crate::error::DataError;
use crate::hint::Hint;
use crate::image::{IMAGE, ImageShape, Images, LABEL, Pixels};
use crate::table::Table;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The type of unsigned bytes.
const BYTES: u8 = 0x08;

/// Whether a file is IDX by its first bytes, or says so by its name.
pub(crate) fn is_idx(path: &Path, bytes: &[u8]) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let named = [".idx", "-ubyte"].iter().any(|end| name.strip_suffix(".gz").unwrap_or(&name).ends_with(end));
    named || matches!(bytes, [0, 0, 0x08 | 0x09 | 0x0B..=0x0E, 1..=4, ..])
}

/// Images with their labels: those of `options`, or else those that stand beside the images as in the MNIST family:
/// beside `train-images-idx3-ubyte.gz` every `train-NAME-idx1-ubyte.gz` is a column, `labels` called `label`.
///
/// # Errors
/// A wrong magic number; more or fewer bytes, or labels, than told.
pub(crate) fn read_images(path: &Path, bytes: Vec<u8>, options: &ReadOptions) -> Result<Table, DataError> {
    let file = path.display().to_string();
    let (dims, values) = parse(&file, bytes, &[3, 4])?;
    let (count, rest) = dims.split_first().map_or((0, &dims[..]), |(count, rest)| (*count, rest));
    let (height, width, channels) = match rest {
        [height, width] => (*height, *width, 1),
        [height, width, channels @ (1 | 3)] => (*height, *width, *channels),
        _ => return Err(DataError::Idx { file, problem: format!("its images are {}", shown(rest)) }),
    };
    let shape = ImageShape { height, width, channels };
    if count == 0 || shape.is_empty() {
        return Err(DataError::NoRows { file });
    }
    let name = options.image.as_deref().unwrap_or(IMAGE);
    let images = Column { name: name.to_owned(), values: Values::Images(Images::Pixels(Pixels::new(shape, values))) };
    let labels = match &options.labels {
        Some(LabelFiles::One(path)) => match is_table(path)? {
            true => return beside(&file, read(path, &ReadOptions { labels: None, ..options.clone() })?, path, images),
            false => vec![(LABEL.to_owned(), path.clone())],
        },
        Some(LabelFiles::Named(files)) => files.clone(),
        None => siblings(path, options),
    };
    let mut columns = vec![images];
    for (name, path) in labels {
        let values = read_labels(&path, options.hints.get(&name).copied())?;
        let column = Column { name, values };
        if column.len() != count {
            let problem = format!("it has {} labels for the {count} images of {file}", column.len());
            return Err(DataError::Idx { file: path.display().to_string(), problem });
        }
        columns.push(column);
    }
    Table::from_file(&file, columns, None, Vec::new())
}

/// The images beside a table of as many rows.
fn beside(file: &str, mut table: Table, path: &Path, images: Column) -> Result<Table, DataError> {
    if table.rows() != images.len() {
        let problem = format!("it has {} rows for the {} images of {file}", table.rows(), images.len());
        return Err(DataError::Idx { file: path.display().to_string(), problem });
    }
    table.push(images)?;
    Ok(table)
}

/// Whether a file of labels is a table rather than IDX.
fn is_table(path: &Path) -> Result<bool, DataError> {
    Ok(!is_idx(path, &load_bytes(path)?))
}

/// Labels, a byte each: the names of classes, or numbers where the column is declared to hold such. Masks, where it is
/// declared to hold images, a byte a pixel.
fn read_labels(path: &Path, hint: Option<Hint>) -> Result<Values, DataError> {
    if hint == Some(Hint::Image) {
        let (dims, values) = parse(&path.display().to_string(), load_bytes(path)?, &[3])?;
        let shape = ImageShape { height: dims[1], width: dims[2], channels: 1 };
        return Ok(Values::Images(Images::Pixels(Pixels::new(shape, values))));
    }
    let (_, values) = parse(&path.display().to_string(), load_bytes(path)?, &[1])?;
    if hint == Some(Hint::Number) {
        return Ok(Values::Number(values.into_iter().map(f64::from).collect()));
    }
    let names: Vec<String> = (0..=255u8).map(|value| value.to_string()).collect();
    Ok(Values::Text(values.iter().map(|value| names.get(usize::from(*value)).map(String::as_str)).collect()))
}

/// The files of labels that belong to images by their names, with the names of their columns. Those of masks end as
/// images do, and only a column that is declared to hold images is one.
fn siblings(images: &Path, options: &ReadOptions) -> Vec<(String, PathBuf)> {
    let name = images.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let Some((stem, end)) = name.split_once("images-idx3-ubyte") else { return Vec::new() };
    let folder = images.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let names = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = names.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    let column = |name: &String| {
        let own = name.strip_prefix(stem)?.strip_suffix(end)?;
        let column = match (own.strip_suffix("-idx1-ubyte"), own.strip_suffix("-idx3-ubyte")) {
            (Some("labels"), _) => LABEL,
            (Some(column), _) => column,
            (_, Some(column)) if column != "images" && options.hints.get(column) == Some(&Hint::Image) => column,
            _ => return None,
        };
        Some((column.to_owned(), images.with_file_name(name)))
    };
    names.iter().filter_map(column).collect()
}

/// The dimensions and the values of a file, whose number of dimensions must be one of `allowed`.
fn parse(file: &str, mut bytes: Vec<u8>, allowed: &[u8]) -> Result<(Vec<usize>, Vec<u8>), DataError> {
    let fail = |problem: String| Err(DataError::Idx { file: file.to_owned(), problem });
    let expected: Vec<String> = allowed.iter().map(|dims| format!("0x{BYTES:06x}{dims:02x}")).collect();
    let expected = format!("expected {} ({})", expected.join(" or "), if allowed == [1] { "labels" } else { "images" });
    let Some((&[a, b, kind, dims], rest)) = bytes.split_first_chunk::<4>() else {
        return fail(format!("it has {} bytes, too few for a magic number", bytes.len()));
    };
    if [a, b, kind] != [0, 0, BYTES] || !allowed.contains(&dims) {
        return fail(format!("its magic number is 0x{a:02x}{b:02x}{kind:02x}{dims:02x}, {expected}"));
    }
    let header = 4 * usize::from(dims);
    let Some(sizes) = rest.get(..header) else {
        return fail("it ends within its header".to_owned());
    };
    let sizes: Vec<usize> = sizes.as_chunks::<4>().0.iter().map(|size| u32::from_be_bytes(*size) as usize).collect();
    let told = sizes.iter().try_fold(1usize, |product, size| product.checked_mul(*size));
    let there = rest.len() - header;
    if told != Some(there) {
        let told = told.map_or_else(|| "more".to_owned(), |told| told.to_string());
        return fail(format!("its header tells of {} = {told} bytes, but {there} follow", shown(&sizes)));
    }
    bytes.drain(..4 + header);
    Ok((sizes, bytes))
}

fn shown(sizes: &[usize]) -> String {
    sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ")
}

/// Bytes as an IDX file, packed by gzip: `dims` are their dimensions.
///
/// # Errors
/// What the writer says.
pub fn write(writer: impl Write, dims: &[usize], values: &[u8]) -> std::io::Result<()> {
    let mut writer = flate2::write::GzEncoder::new(writer, flate2::Compression::default());
    writer.write_all(&[0, 0, BYTES, dims.len() as u8])?;
    for size in dims {
        writer.write_all(&(*size as u32).to_be_bytes())?;
    }
    writer.write_all(values)?;
    writer.finish()?.flush()
}
