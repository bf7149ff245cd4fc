//! A folder of images as a table: `image`, the path inside the folder, `split`, the part of the split that its topmost folder
//! stands for where all do, and `label`, the subfolder it is in.

use crate::column::{Column, TextBuilder, Values};
use crate::error::DataError;
use crate::image::{FORMATS, IMAGE, LABEL};
use crate::split::{COLUMN as SPLIT, part};
use crate::table::Table;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Folders below folders; a link back to an upper one is not followed for ever.
const DEEPEST: usize = 16;

/// Reads a folder and those below it, in the order of their names. What begins with a dot is passed over.
///
/// Where all topmost subfolders are called like parts of a split, `train`, `val` and `test`, the column `split` says which.
/// The label is the topmost subfolder below that, and missing for images that stand in no further one; where all images
/// stand deeper, `label2` and so on are the folders between. Without any subfolder there is no column `label`.
///
/// # Errors
/// A folder that cannot be read, or without images.
pub(crate) fn read(folder: &Path, image: Option<&str>) -> Result<Table, DataError> {
    let name = folder.display().to_string();
    let mut found = Found::default();
    found.gather(folder, &mut Vec::new())?;
    if found.images.is_empty() {
        let others = found.counted();
        let but = if others.is_empty() { others } else { format!(", but {others}") };
        return Err(DataError::NoImages { folder: name, lacks: format!("{FORMATS} image{but}") });
    }
    let column = |name: &str, of: &dyn Fn(&[String]) -> Option<String>| {
        let mut text = TextBuilder::default();
        found.images.iter().for_each(|image| text.push(of(image).as_deref()));
        Column { name: name.to_owned(), values: Values::Text(text.finish()) }
    };
    let mut columns = vec![column(image.unwrap_or(IMAGE), &|image| Some(image.join("/")))];
    let mut notes = Vec::new();
    let parts = found.has_parts();
    if parts {
        columns.push(column(SPLIT, &|image| part(image.first()?).map(str::to_owned)));
        notes.push(format!("{name}: its folders were taken for the parts of the split, the column `{SPLIT}`"));
    }
    let above = usize::from(parts);
    for depth in 0..found.labels(above) {
        let label = if depth == 0 { LABEL.to_owned() } else { format!("{LABEL}{}", depth + 1) };
        let at = above + depth;
        columns.push(column(&label, &|image| image.get(at).filter(|_| image.len() > at + 1).cloned()));
    }
    match found.others.as_slice() {
        [] => {}
        [only] => {
            notes.push(format!("{name}: 1 file is no {FORMATS} image and was left out: {}", only.join("/")));
        }
        [first, ..] => notes.push(format!(
            "{name}: {} are no {FORMATS} images and were left out, {} among them",
            found.counted(),
            first.join("/")
        )),
    }
    let class = |file: &&Vec<String>| {
        file.len() > above + 1 && found.images.iter().all(|image| image.get(above) != file.get(above))
    };
    let mut empty: Vec<&String> = found.others.iter().filter(class).filter_map(|file| file.get(above)).collect();
    empty.dedup();
    notes.extend(
        empty
            .into_iter()
            .map(|class| format!("{name}: the folder `{class}` has no other files, so that it is no label")),
    );
    Table::from_folder(folder, columns, notes)
}

/// Ends of names of images that are not read.
const UNREAD: [&str; 5] = ["heic", "heif", "avif", "jxl", "svg"];

#[derive(Default)]
struct Found {
    /// Each the parts of its path.
    images: Vec<Vec<String>>,
    /// What is something else.
    others: Vec<Vec<String>>,
}

impl Found {
    /// How many files are something else, images of other formats by their ends: `10 .heic and 3 other files`.
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

    /// Whether all images stand in folders that are called like parts of a split, training among them.
    fn has_parts(&self) -> bool {
        let parts: Vec<_> =
            self.images.iter().map(|image| image.first().filter(|_| image.len() > 1).and_then(|f| part(f))).collect();
        parts.iter().all(Option::is_some) && parts.contains(&Some("train")) && parts.iter().any(|p| *p != Some("train"))
    }

    /// How many folders below `above` tell what an image shows: one if there is any, and more as long as all images have
    /// them and several images share each.
    fn labels(&self, above: usize) -> usize {
        if self.images.iter().all(|image| image.len() <= above + 1) {
            return 0;
        }
        let tells = |depth: &usize| {
            let folders: BTreeSet<Option<&String>> =
                self.images.iter().map(|image| image.get(*depth).filter(|_| image.len() > depth + 1)).collect();
            !folders.contains(&None) && folders.len() > 1 && folders.len() * 4 <= self.images.len()
        };
        1 + (above + 1..DEEPEST).take_while(tells).count()
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

/// Whether a name ends like that of a file of one of the formats that are read.
pub fn is_name(name: &str) -> bool {
    let end = name.rsplit_once('.').map(|(_, end)| end.to_lowercase());
    matches!(end.as_deref(), Some("png" | "jpg" | "jpeg" | "webp" | "gif" | "bmp" | "tif" | "tiff"))
}
