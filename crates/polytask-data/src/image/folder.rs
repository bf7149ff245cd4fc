//! A folder of images as a table: `image`, the path inside the folder, and `label`, the subfolder it is in.

use super::{IMAGE, LABEL};
use crate::column::{Column, TextBuilder, Values};
use crate::error::DataError;
use crate::table::Table;
use std::path::Path;

/// Folders below folders; a link back to an upper one is not followed for ever.
const DEEPEST: usize = 16;

/// Reads a folder and those below it, in the order of their names. What begins with a dot is passed over.
///
/// The label is the topmost subfolder, and missing for images that stand in the folder itself. Without any subfolder
/// there is no column `label`.
///
/// # Errors
/// A folder that cannot be read, or without images.
pub(crate) fn read(folder: &Path, image: Option<&str>) -> Result<Table, DataError> {
    let name = folder.display().to_string();
    let mut found = Found::default();
    found.gather(folder, &mut Vec::new())?;
    if found.images.is_empty() {
        return Err(DataError::NoImages { folder: name });
    }
    let (mut paths, mut labels) = (TextBuilder::default(), TextBuilder::default());
    for image in &found.images {
        paths.push(Some(&image.join("/")));
        labels.push(image.first().filter(|_| image.len() > 1).map(String::as_str));
    }
    let column = |name: &str, text: TextBuilder| Column { name: name.to_owned(), values: Values::Text(text.finish()) };
    let labelled = found.images.iter().any(|image| image.len() > 1);
    let columns = std::iter::once(column(image.unwrap_or(IMAGE), paths));
    let columns = columns.chain(labelled.then(|| column(LABEL, labels))).collect();
    let notes = found.other.map(|(first, count)| match count {
        1 => format!("{name}: 1 file is no PNG, JPEG or WebP image and was left out: {first}"),
        _ => format!("{name}: {count} files are no PNG, JPEG or WebP images and were left out, {first} among them"),
    });
    Table::from_folder(folder, columns, notes.into_iter().collect())
}

#[derive(Default)]
struct Found {
    /// Each the parts of its path.
    images: Vec<Vec<String>>,
    /// The first file that is something else, and how many there are.
    other: Option<(String, usize)>,
}

impl Found {
    fn gather(&mut self, folder: &Path, inside: &mut Vec<String>) -> Result<(), DataError> {
        let io = |error| DataError::io(&folder.display().to_string(), error);
        let entries: Result<Vec<_>, _> = std::fs::read_dir(folder).map_err(io)?.collect();
        let mut entries: Vec<_> = entries.map_err(io)?.iter().map(|entry| (entry.file_name(), entry.path())).collect();
        entries.sort();
        for (name, path) in entries {
            let Some(name) = name.to_str().map(str::to_owned) else {
                return Err(DataError::FileName { file: path.display().to_string() });
            };
            if name.starts_with('.') {
                continue;
            }
            let folder = path.is_dir();
            let image = is_name(&name);
            inside.push(name);
            if folder && inside.len() <= DEEPEST {
                self.gather(&path, inside)?;
            } else if !folder && image {
                self.images.push(inside.clone());
            } else if !folder {
                self.other.get_or_insert((inside.join("/"), 0)).1 += 1;
            }
            inside.pop();
        }
        Ok(())
    }
}

/// Whether a name ends like that of a PNG, JPEG or WebP file.
pub fn is_name(name: &str) -> bool {
    let end = name.rsplit_once('.').map(|(_, end)| end.to_lowercase());
    matches!(end.as_deref(), Some("png" | "jpg" | "jpeg" | "webp"))
}
