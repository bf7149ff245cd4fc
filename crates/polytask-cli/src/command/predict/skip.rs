//! Rows whose images cannot be used, found before anything is predicted.

use crate::failure::Failure;
use polytask::model::Model;
use polytask_data::source::{Source, sources};
use polytask_data::{Column, ImageShape, Images, Table, Values};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// The rows whose images cannot be used, with the reason, and the table without these images, if there are such rows.
pub fn broken(model: &Model, table: &Table) -> Result<(BTreeMap<usize, String>, Option<Table>), Failure> {
    let mut failed = BTreeMap::new();
    for (name, image) in model.encoder.image_columns() {
        let shape = ImageShape { height: image.height, width: image.width, channels: image.channels };
        let sources = sources(table, name)?;
        let problem = |(row, source): (usize, &Source)| {
            let mut pixels = vec![0; shape.len()];
            let problem = source.decode((shape, image.fit), image.max_pixels, &mut pixels).err()?;
            let which = table.column(name).and_then(|column| column.shown(row)).unwrap_or_default();
            Some((row, format!("the image {which}: {problem}")))
        };
        failed.extend(sources.par_iter().enumerate().filter_map(problem).collect::<Vec<_>>());
    }
    if failed.is_empty() {
        return Ok((failed, None));
    }
    let mut columns = table.columns().to_vec();
    for column in columns.iter_mut().filter(|column| model.encoder.image_columns().any(|(name, _)| name == column.name))
    {
        without(column, table, &failed);
    }
    Ok((failed, Some(Table::from_columns(columns)?)))
}

/// Takes the images of some rows out of a column. Paths are made whole, since the new table lies in no folder.
fn without(column: &mut Column, table: &Table, failed: &BTreeMap<usize, String>) {
    match &mut column.values {
        Values::Text(text) => {
            let path = |row: usize| {
                let path = text.get(row).filter(|_| !failed.contains_key(&row))?;
                Some(table.folder(row).join(path).display().to_string())
            };
            let paths: Vec<Option<String>> = (0..table.rows()).map(path).collect();
            *column = Column::text(column.name.clone(), paths.iter().map(Option::as_deref));
        }
        Values::Images(Images::Files(files)) => {
            files.iter_mut().enumerate().filter(|(row, _)| failed.contains_key(row)).for_each(|(_, file)| *file = None);
        }
        // Pixels that are unpacked already can be used.
        Values::Images(Images::Pixels(_)) | Values::Number(_) | Values::List(_) | Values::Nested(_) => {}
    }
}
