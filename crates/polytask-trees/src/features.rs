use crate::TreesError;

/// The code of a category that is missing.
pub const MISSING: u32 = u32::MAX;

/// One feature of all rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Numbers; `NaN` is missing. Infinite values count as larger (smaller) than every other.
    Numbers(Vec<f32>),
    /// Codes of categories, in any order and with gaps; [`MISSING`] is missing.
    Categories(Vec<u32>),
}

impl Column {
    /// A column of numbers, rounded to `f32`, which keeps their order.
    pub fn numbers(values: impl IntoIterator<Item = f64>) -> Self {
        Self::Numbers(values.into_iter().map(|value| value as f32).collect())
    }

    fn len(&self) -> usize {
        match self {
            Self::Numbers(values) => values.len(),
            Self::Categories(codes) => codes.len(),
        }
    }
}

/// Columns of equal length: the inputs of a model, to fit or to predict.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    rows: usize,
    columns: Vec<Column>,
}

impl Features {
    /// # Errors
    /// A column that does not have `rows` values.
    pub fn new(rows: usize, columns: Vec<Column>) -> Result<Self, TreesError> {
        for (index, column) in columns.iter().enumerate() {
            if column.len() != rows {
                let what = format!("column {index}");
                return Err(TreesError::Length { what, expected: rows, found: column.len() });
            }
        }
        if rows >= i32::MAX as usize {
            return Err(TreesError::Value(format!("{rows} rows are more than trees can count")));
        }
        Ok(Self { rows, columns })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// All columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Some rows, in the given order; rows that do not exist are missing in every column.
    pub fn take(&self, rows: &[usize]) -> Self {
        let column = |column: &Column| match column {
            Column::Numbers(values) => {
                Column::Numbers(rows.iter().map(|&row| values.get(row).copied().unwrap_or(f32::NAN)).collect())
            }
            Column::Categories(codes) => {
                Column::Categories(rows.iter().map(|&row| codes.get(row).copied().unwrap_or(MISSING)).collect())
            }
        };
        Self { rows: rows.len(), columns: self.columns.iter().map(column).collect() }
    }
}
