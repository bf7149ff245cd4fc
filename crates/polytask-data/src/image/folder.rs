//! A folder of images as a table: `image`, the path inside the folder, and `label`, the subfolder it is in.

use super::{IMAGE, LABEL};
use crate::column::{Column, TextBuilder, Values};
use crate::error::DataError;
use crate::table::Table;
use std::collections::BTreeMap;
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
        let others = found.counted();
        return Err(DataError::NoImages { folder: name, found: (!others.is_empty()).then_some(others) });
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
    let mut notes = Vec::new();
    match found.others.as_slice() {
        [] => {}
        [only] => {
            notes.push(format!("{name}: 1 file is no PNG, JPEG or WebP image and was left out: {}", only.join("/")));
        }
        [first, ..] => notes.push(format!(
            "{name}: {} are no PNG, JPEG or WebP images and were left out, {} among them",
            found.counted(),
            first.join("/")
        )),
    }
    let class = |file: &&Vec<String>| file.len() > 1 && found.images.iter().all(|image| image.first() != file.first());
    let mut empty: Vec<&String> = found.others.iter().filter(class).filter_map(|file| file.first()).collect();
    empty.dedup();
    notes.extend(
        empty
            .into_iter()
            .map(|class| format!("{name}: the folder `{class}` has no other files, so that it is no label")),
    );
    Table::from_folder(folder, columns, notes)
}

/// Ends of names of images that are not read.
const UNREAD: [&str; 7] = ["gif", "bmp", "tif", "tiff", "heic", "avif", "jxl"];

#[derive(Default)]
struct Found {
    /// Each the parts of its path.
    images: Vec<Vec<String>>,
    /// What is something else.
    others: Vec<Vec<String>>,
}

impl Found {
    /// How many files are something else, images of other formats by their ends: `10 .gif and 3 other files`.
    fn counted(&self) -> String {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let mut rest = self.others.len();
        for file in &self.others {
            let end = file.last().and_then(|name| name.rsplit_once('.')).map(|(_, end)| end.to_lowercase());
            if let Some(end) = end.filter(|end| UNREAD.contains(&end.as_str())) {
                *counts.entry(end).or_default() += 1;
                rest -= 1;
            }
        }
        let files = |count: usize| if count == 1 { "file" } else { "files" };
        let named = counts.iter().map(|(end, count)| format!("{count} .{end}")).collect::<Vec<_>>().join(", ");
        match (named.is_empty(), rest) {
            (true, 0) => String::new(),
            (true, rest) => format!("{rest} {}", files(rest)),
            (false, 0) => format!("{named} files"),
            (false, rest) => format!("{named} and {rest} other {}", files(rest)),
        }
    }

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
                self.others.push(inside.clone());
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
