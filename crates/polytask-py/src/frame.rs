//! Rows in memory, as columns of Arrow arrays.

use crate::errors::{self, Kind};
use arrow_array::builder::{LargeBinaryBuilder, LargeStringBuilder, ListBuilder};
use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::types::{ArrowPrimitiveType, Float64Type, Int64Type, UInt64Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Float32Array, PrimitiveArray, RecordBatch, RecordBatchReader,
    TimestampMicrosecondArray, UInt32Array,
};
use arrow_schema::{ArrowError, Field, Schema};
use numpy::{Element, PyReadonlyArray1};
use polytask::data::{ReadOptions, Table, read, read_arrays};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyList, PyString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What stands for the file in messages.
const NAME: &str = "table";

/// Named columns of equal length, or a file that holds some.
#[pyclass(frozen, module = "polytask._polytask")]
pub struct Frame {
    columns: Vec<(String, Vec<ArrayRef>)>,
    rows: usize,
    file: Option<PathBuf>,
}

#[pymethods]
impl Frame {
    /// What an object with `__arrow_c_stream__` holds, without a copy.
    #[staticmethod]
    fn from_stream(source: &Bound<'_, PyAny>) -> PyResult<Self> {
        let capsule = source.call_method0("__arrow_c_stream__")?;
        let pointer = capsule.cast::<PyCapsule>()?.pointer_checked(Some(c"arrow_array_stream"))?;
        // SAFETY: the name says that the capsule holds a stream, which is moved out of it: the capsule is left with a stream
        // that is released.
        let reader = unsafe { RecordBatchStreamReader::from_raw(pointer.cast::<FFI_ArrowArrayStream>().as_ptr()) };
        let reader = reader.map_err(unread)?;
        let names: Vec<String> = reader.schema().fields().iter().map(|field| field.name().clone()).collect();
        let batches = reader.collect::<Result<Vec<RecordBatch>, ArrowError>>().map_err(unread)?;
        let rows = batches.iter().map(RecordBatch::num_rows).sum();
        let chunks = |at: usize| batches.iter().map(|batch| batch.column(at).clone()).collect();
        let columns = names.into_iter().enumerate().map(|(at, name)| (name, chunks(at))).collect();
        Ok(Frame { columns, rows, file: None })
    }

    /// Columns of NumPy arrays (`float64`, `float32`, `int64`, `uint64`, `bool`), pairs of `"day"` or `"us"` and an array of
    /// `int64`, or lists of `str`, of lists of `str`, or of `bytes`, with `None` for what is missing.
    #[staticmethod]
    fn from_columns(names: Vec<String>, columns: Vec<Bound<'_, PyAny>>) -> PyResult<Self> {
        let mut made: Vec<(String, Vec<ArrayRef>)> = Vec::new();
        for (name, column) in names.into_iter().zip(columns) {
            let array = array(&name, &column)?;
            made.push((name, vec![array]));
        }
        let rows = made.first().map_or(0, |(_, chunks)| length(chunks));
        Ok(Frame { columns: made, rows, file: None })
    }

    /// A file, or a folder of images, which is read when it is needed.
    #[staticmethod]
    fn from_file(path: PathBuf) -> Self {
        Frame { columns: Vec::new(), rows: 0, file: Some(path) }
    }

    /// The columns of this frame and of another with as many rows.
    fn beside(&self, other: &Frame) -> PyResult<Frame> {
        if self.rows != other.rows {
            let message = format!("the data have {} rows and the labels {}", self.rows, other.rows);
            return Err(errors::raise(Kind::Data, &message, None));
        }
        if let Some((name, _)) = other.columns.iter().find(|(name, _)| self.columns.iter().any(|(own, _)| own == name))
        {
            let message = format!("the column `{name}` is among the data and among the labels");
            let hint = "take it out of the data, or leave the labels out: they may be columns of the data".to_owned();
            return Err(errors::raise(Kind::Data, &message, Some(hint)));
        }
        let columns = self.columns.iter().chain(&other.columns).cloned().collect();
        Ok(Frame { columns, rows: self.rows, file: None })
    }

    /// The number of rows.
    #[getter]
    fn rows(&self) -> usize {
        self.rows
    }

    /// The names of the columns.
    #[getter]
    fn names(&self) -> Vec<&str> {
        self.columns.iter().map(|(name, _)| name.as_str()).collect()
    }
}

impl Frame {
    /// The table of these columns.
    pub fn table(&self, options: &ReadOptions) -> Result<Table, polytask::Error> {
        Ok(match &self.file {
            Some(file) => read(file, options)?,
            None => read_arrays(NAME, &self.columns, options)?,
        })
    }

    /// Writes some of the rows as an Arrow stream.
    pub fn write(&self, rows: &[u32], path: &Path) -> Result<(), ArrowError> {
        let places = UInt32Array::from(rows.to_vec());
        let mut fields = Vec::new();
        let mut arrays = Vec::new();
        for (name, chunks) in &self.columns {
            let chunks: Vec<&dyn Array> = chunks.iter().map(AsRef::as_ref).collect();
            let whole = arrow_select::concat::concat(&chunks)?;
            let chosen = arrow_select::take::take(&whole, &places, None)?;
            fields.push(Field::new(name, chosen.data_type().clone(), true));
            arrays.push(chosen);
        }
        let schema = Arc::new(Schema::new(fields));
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)?;
        let mut writer = arrow_ipc::writer::StreamWriter::try_new(std::fs::File::create(path)?, &schema)?;
        writer.write(&batch)?;
        writer.finish()
    }
}

fn length(chunks: &[ArrayRef]) -> usize {
    chunks.iter().map(|chunk| chunk.len()).sum()
}

fn unread(error: ArrowError) -> PyErr {
    errors::raise(Kind::Data, &format!("the data cannot be read as Arrow: {error}"), None)
}

/// The Arrow array of a column.
fn array(name: &str, column: &Bound<'_, PyAny>) -> PyResult<ArrayRef> {
    if let Ok(list) = column.cast::<PyList>() {
        return of_list(name, list);
    }
    if let Ok((unit, ticks)) = column.extract::<(String, PyReadonlyArray1<'_, i64>)>() {
        return moments(&unit, ticks.as_array().iter().copied());
    }
    if let Some(array) = numbers::<Float64Type>(column) {
        return Ok(array);
    }
    if let Some(array) = numbers::<Int64Type>(column) {
        return Ok(array);
    }
    if let Ok(values) = column.extract::<PyReadonlyArray1<'_, f32>>() {
        return Ok(Arc::new(values.as_array().iter().copied().collect::<Float32Array>()));
    }
    if let Some(array) = numbers::<UInt64Type>(column) {
        return Ok(array);
    }
    if let Ok(values) = column.extract::<PyReadonlyArray1<'_, bool>>() {
        return Ok(Arc::new(BooleanArray::from(values.as_array().to_vec())));
    }
    Err(PyTypeError::new_err(format!("column `{name}`: neither an array nor a list: {}", column.get_type().name()?)))
}

/// Days or microseconds since 1970; the least number is none.
fn moments(unit: &str, ticks: impl Iterator<Item = i64>) -> PyResult<ArrayRef> {
    let ticks = ticks.map(|tick| (tick != i64::MIN).then_some(tick));
    match unit {
        "day" => {
            Ok(Arc::new(ticks.map(|tick| tick.and_then(|tick| i32::try_from(tick).ok())).collect::<Date32Array>()))
        }
        _ => Ok(Arc::new(ticks.collect::<TimestampMicrosecondArray>())),
    }
}

/// An array of numbers of one type; none where it holds others.
fn numbers<T>(column: &Bound<'_, PyAny>) -> Option<ArrayRef>
where
    T: ArrowPrimitiveType,
    T::Native: Element,
{
    let values = column.extract::<PyReadonlyArray1<'_, T::Native>>().ok()?;
    let values = values.as_array();
    let values: Vec<T::Native> = values.as_slice().map_or_else(|| values.iter().copied().collect(), <[_]>::to_vec);
    Some(Arc::new(PrimitiveArray::<T>::from_iter_values(values)))
}

/// Texts, lists of texts, or files, by the first value that is there.
fn of_list(name: &str, list: &Bound<'_, PyList>) -> PyResult<ArrayRef> {
    let first = list.iter().find(|value| !value.is_none());
    let wrong = |row: usize, value: &Bound<'_, PyAny>, expected: &str| {
        let found = value.get_type().name().map(|name| name.to_string()).unwrap_or_default();
        let message = format!("table row {}: column `{name}`: it is of type `{found}`, others {expected}", row + 1);
        errors::raise(Kind::Data, &message, Some("give the column one type".to_owned()))
    };
    match first {
        Some(value) if value.is_instance_of::<PyList>() => {
            let mut builder = ListBuilder::new(LargeStringBuilder::new());
            for (row, value) in list.iter().enumerate() {
                if value.is_none() {
                    builder.append_null();
                    continue;
                }
                let items: &Bound<'_, PyList> = value.cast().map_err(|_| wrong(row, &value, "are lists"))?;
                for item in items.iter() {
                    match item.is_none() {
                        true => builder.values().append_null(),
                        false => {
                            let text = item.cast::<PyString>().map_err(|_| wrong(row, &item, "in lists are text"))?;
                            builder.values().append_value(text.to_cow()?);
                        }
                    }
                }
                builder.append(true);
            }
            Ok(Arc::new(builder.finish()))
        }
        Some(value) if value.is_instance_of::<pyo3::types::PyBytes>() => {
            let mut builder = LargeBinaryBuilder::new();
            for (row, value) in list.iter().enumerate() {
                match value.is_none() {
                    true => builder.append_null(),
                    false => {
                        let bytes: &Bound<'_, pyo3::types::PyBytes> =
                            value.cast().map_err(|_| wrong(row, &value, "are bytes"))?;
                        builder.append_value(bytes.as_bytes());
                    }
                }
            }
            Ok(Arc::new(builder.finish()))
        }
        _ => {
            let mut builder = LargeStringBuilder::new();
            for (row, value) in list.iter().enumerate() {
                match value.is_none() {
                    true => builder.append_null(),
                    false => {
                        let text: &Bound<'_, PyString> = value.cast().map_err(|_| wrong(row, &value, "are text"))?;
                        builder.append_value(text.to_cow()?);
                    }
                }
            }
            Ok(Arc::new(builder.finish()))
        }
    }
}
