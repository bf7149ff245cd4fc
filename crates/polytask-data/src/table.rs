//! Columns of equal length, and where each row came from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::column::{Column, Converted, MISSING, Text, Values};
use crate::error::DataError;
use crate::hint::Hint;
use crate::place::Place;

/// A table: named columns of equal length.
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<Column>,
    rows: usize,
    sources: Vec<Source>,
    notes: Vec<String>,
    faults: Faults,
    decimal_comma: bool,
    aside: Vec<String>,
}

/// Columns that could not be read as they should be: what is wrong with each, told to whoever needs it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults(Vec<(String, Arc<DataError>)>);

impl Faults {
    /// Adds what is wrong with a column.
    pub(crate) fn push(&mut self, column: &str, fault: DataError) {
        self.0.push((column.to_owned(), Arc::new(fault)));
    }

    fn of(&self, column: &str) -> Option<&Arc<DataError>> {
        self.0.iter().find(|(name, _)| name == column).map(|(_, fault)| fault)
    }
}

/// A run of rows that came from one file.
#[derive(Debug, Clone)]
struct Source {
    file: String,
    /// What paths in it are relative to.
    folder: PathBuf,
    rows: usize,
    /// The line each row begins on, for text files.
    lines: Option<Vec<u32>>,
}

impl Table {
    /// A table from columns made by hand; its rows are placed in a file called `table`.
    ///
    /// # Errors
    /// Columns of different lengths, two of one name, one without a name, an infinite number, a code without a level, a level
    /// listed twice.
    pub fn from_columns(columns: Vec<Column>) -> Result<Self, DataError> {
        for column in &columns {
            let text = match &column.values {
                Values::Number(_) | Values::Images(_) => continue,
                Values::Text(text) | Values::Nested(text) => text,
                Values::List(list) => &list.items,
            };
            let mut seen = BTreeSet::new();
            if let Some(level) = text.levels.iter().find(|level| !seen.insert(level.as_str())) {
                return Err(DataError::DuplicateLevel { column: column.name.clone(), level: level.clone() });
            }
        }
        Self::from_file("table", columns, None, Vec::new())
    }

    /// A table read from `file`, checked.
    pub(crate) fn from_file(
        file: &str,
        columns: Vec<Column>,
        lines: Option<Vec<u32>>,
        notes: Vec<String>,
    ) -> Result<Self, DataError> {
        check_names(file, columns.iter().map(|column| column.name.as_str()))?;
        let rows = columns.first().map_or(0, Column::len);
        check_rows(file, rows)?;
        for column in &columns {
            if column.len() != rows {
                return Err(DataError::Lengths { column: column.name.clone(), found: column.len(), expected: rows });
            }
        }
        let folder = Path::new(file).parent().map(Path::to_owned).unwrap_or_default();
        let sources = vec![Source { file: file.to_owned(), folder, rows, lines }];
        let (faults, decimal_comma, aside) = Default::default();
        let table = Self { columns, rows, sources, notes, faults, decimal_comma, aside };
        for column in &table.columns {
            table.check_values(column)?;
        }
        Ok(table)
    }

    /// A table of columns that were read one by one. What a column cannot hold is a fault, and so is a name that two columns
    /// have; other errors are one of the whole, the first column's first.
    pub(crate) fn of_converted(
        file: &str,
        read: impl Iterator<Item = (String, Result<Converted, DataError>)>,
        lines: Option<Vec<u32>>,
        mut notes: Vec<String>,
    ) -> Result<Self, DataError> {
        let (mut columns, mut faults, mut comma) = (Vec::new(), Faults::default(), false);
        let read: Vec<_> = read.collect();
        let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        read.iter().enumerate().for_each(|(at, (name, _))| places.entry(name.clone()).or_default().push(at));
        for (at, (name, converted)) in read.into_iter().enumerate() {
            // Two columns of one name stop those who need it.
            match places.get(&name).map(Vec::as_slice) {
                Some([first, second, ..]) if *first == at => {
                    let (file, column) = (file.to_owned(), name.clone());
                    faults.push(&name, DataError::DuplicateColumn { file, column, first: at + 1, second: second + 1 });
                    continue;
                }
                Some([_, _, ..]) => continue,
                Some(_) | None => {}
            }
            match converted {
                Ok(converted) => {
                    notes.extend(converted.notes);
                    converted.fault.into_iter().for_each(|fault| faults.push(&name, fault));
                    comma |= converted.comma;
                    columns.push(Column { name, values: converted.values });
                }
                Err(fault) if fault.is_whole() => faults.push(&name, fault),
                Err(error) => return Err(error),
            }
        }
        if columns.is_empty() && !faults.0.is_empty() {
            return Err(DataError::BadColumns(faults.0.into_iter().map(|(_, fault)| fault).collect()));
        }
        let mut table = Self::from_file(file, columns, lines, notes)?;
        (table.faults, table.decimal_comma) = (faults, comma);
        Ok(table)
    }

    /// A table of the files in a folder.
    pub(crate) fn from_folder(folder: &Path, columns: Vec<Column>, notes: Vec<String>) -> Result<Self, DataError> {
        let mut table = Self::from_file(&folder.display().to_string(), columns, None, notes)?;
        table.set_folder(folder);
        // What the folders are called tells what the images show: such columns are labels, and no inputs unless someone asks.
        table.aside = table.columns.iter().skip(1).map(|column| column.name.clone()).collect();
        Ok(table)
    }

    /// Makes a column no input unless it is named.
    pub(crate) fn set_aside(&mut self, column: &str) {
        self.aside.push(column.to_owned());
    }

    /// Columns that are no inputs unless they are named: what the folders of images are called, and the parts of a split.
    pub fn aside(&self) -> &[String] {
        &self.aside
    }

    /// Says what paths in the table are relative to.
    pub(crate) fn set_folder(&mut self, folder: &Path) {
        self.sources.iter_mut().for_each(|source| source.folder = folder.to_owned());
    }

    /// Adds what is worth knowing.
    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Adds a column.
    pub(crate) fn push(&mut self, column: Column) -> Result<(), DataError> {
        self.columns.push(column);
        check_names(&self.file(), self.columns.iter().map(|column| column.name.as_str()))
    }

    fn check_values(&self, column: &Column) -> Result<(), DataError> {
        match &column.values {
            Values::Number(values) => match values.iter().position(|value| value.is_infinite()) {
                Some(row) => Err(DataError::NotFinite {
                    place: self.place(row),
                    column: column.name.clone(),
                    value: values.get(row).map(f64::to_string).unwrap_or_default(),
                }),
                None => Ok(()),
            },
            Values::Text(text) | Values::Nested(text) => check_codes(column, text, |at| at),
            Values::List(list) => {
                let rises = list.ends.windows(2).all(|pair| matches!(pair, [a, b] if a <= b));
                if !rises || list.ends.last().copied().unwrap_or(0) as usize != list.items.codes.len() {
                    return Err(DataError::BadList { column: column.name.clone() });
                }
                check_codes(column, &list.items, |at| list.ends.partition_point(|end| *end as usize <= at))
            }
            Values::Images(_) => Ok(()),
        }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Whether numbers of its files have a decimal comma, for [`Dialect::decimal_comma`](crate::Dialect::decimal_comma).
    pub fn decimal_comma(&self) -> bool {
        self.decimal_comma
    }

    /// The columns that hold values which are not what the column should be, or that no table can hold, with what is wrong.
    /// Those values are missing in [`columns`](Self::columns), and such a column as a whole is not there, while
    /// [`find`](Self::find) and [`require`](Self::require) say what is wrong: a column that nobody needs stops nobody.
    pub fn faults(&self) -> impl Iterator<Item = (&str, &DataError)> {
        self.faults.0.iter().map(|(name, fault)| (name.as_str(), fault.as_ref()))
    }

    /// Makes sure that columns hold what they should; names of no column are passed over.
    ///
    /// # Errors
    /// [`DataError::BadColumns`] with what is wrong with each of them.
    pub fn require<'a>(&self, mut names: impl Iterator<Item = &'a str>) -> Result<(), DataError> {
        let wanted: BTreeSet<&str> = names.by_ref().collect();
        let bad: Vec<_> = self.faults.0.iter().filter(|(name, _)| wanted.contains(name.as_str())).collect();
        match bad.is_empty() {
            true => Ok(()),
            false => Err(DataError::BadColumns(bad.into_iter().map(|(_, fault)| fault.clone()).collect())),
        }
    }

    /// The columns, all of which must hold what they should.
    ///
    /// # Errors
    /// As [`require`](Self::require).
    pub fn into_columns(self) -> Result<Vec<Column>, DataError> {
        self.require(self.faults.0.iter().map(|(name, _)| name.as_str()))?;
        Ok(self.columns)
    }

    /// The columns, in the order of the (first) file. See [`faults`](Self::faults) for those that cannot be read.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The column called `name`.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The column called `name`.
    ///
    /// # Errors
    /// [`DataError::UnknownColumn`] with the nearest names; [`DataError::BadColumns`] with what is wrong with the column.
    pub fn find(&self, name: &str) -> Result<&Column, DataError> {
        self.require(std::iter::once(name))?;
        self.column(name)
            .ok_or_else(|| DataError::unknown_column(name, self.columns.iter().map(|column| column.name.as_str())))
    }

    /// Where `row` came from. A row past the end is placed after the last file's.
    pub fn place(&self, row: usize) -> Place {
        let mut inside = row;
        let mut sources = self.sources.iter().peekable();
        while let Some(source) = sources.next() {
            if inside < source.rows || sources.peek().is_none() {
                return match source.lines.as_ref().and_then(|lines| lines.get(inside)) {
                    Some(&line) => Place::line(&source.file, u64::from(line)),
                    None => Place::row(&source.file, inside as u64 + 1),
                };
            }
            inside -= source.rows;
        }
        Place::row("table", row as u64 + 1)
    }

    /// What paths in `row` are relative to: the folder of the file it came from.
    pub fn folder(&self, row: usize) -> &Path {
        let mut inside = row;
        for source in &self.sources {
            if inside < source.rows {
                return &source.folder;
            }
            inside -= source.rows;
        }
        Path::new("")
    }

    /// Things worth knowing that were no errors, such as
    /// ``people.csv: 3 values of column `x` read NaN and count as missing``.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The kind of every column, to read another file as this one was read.
    ///
    /// Without it a category that happens to hold only numbers in the second file would become a number column there.
    pub fn hints(&self) -> BTreeMap<String, Hint> {
        self.columns.iter().filter_map(|column| Some((column.name.clone(), column.hint()?))).collect()
    }

    /// Adds the rows of `other`, whose columns may stand in any order. Dictionaries are merged: the codes of this
    /// table stay, levels new in `other` follow. The table is left as it was if there is an error.
    ///
    /// # Errors
    /// Columns missing or on top; a column of numbers against one of text (one that is wholly missing goes with
    /// either); too many rows.
    pub fn append(&mut self, other: Table) -> Result<(), DataError> {
        let rows = self.rows + other.rows;
        check_rows(&other.file(), rows)?;
        let (ours, theirs) = (self.names(), other.names());
        if ours != theirs {
            let only = |table: &Table, absent: &BTreeSet<&str>| -> Vec<String> {
                let own = table.columns.iter().map(|column| column.name.as_str());
                let own = own.chain(table.faults().map(|(name, _)| name)).filter(|name| !absent.contains(name));
                own.map(str::to_owned).collect()
            };
            return Err(DataError::ColumnsDiffer {
                file: other.file(),
                first: self.file(),
                missing: only(self, &theirs),
                extra: only(&other, &ours),
            });
        }
        for column in &self.columns {
            let Some(theirs) = other.column(&column.name) else { continue };
            let fits = match (&column.values, &theirs.values) {
                (Values::Images(ours), Values::Images(theirs)) => ours.goes_with(theirs),
                (Values::Images(_), _) | (_, Values::Images(_)) => false,
                _ => column.kind() == theirs.kind() || column.all_missing() || theirs.all_missing(),
            };
            if !fits {
                return Err(DataError::KindsDiffer {
                    column: column.name.clone(),
                    first: self.file(),
                    expected: column.described(),
                    file: other.file(),
                    found: theirs.described(),
                });
            }
        }
        let mut coming: BTreeMap<String, Values> = other.columns.into_iter().map(|c| (c.name, c.values)).collect();
        for column in &mut self.columns {
            let lost = || column.values.absent(other.rows);
            let values = coming.remove(&column.name).unwrap_or_else(lost);
            column.values.append(values);
        }
        self.rows = rows;
        self.sources.extend(other.sources);
        self.notes.extend(other.notes);
        let known: Vec<_> = other.faults.0.into_iter().filter(|(name, _)| self.faults.of(name).is_none()).collect();
        self.faults.0.extend(known);
        self.decimal_comma |= other.decimal_comma;
        // What one of the files cannot hold is in no column of the table.
        let lost = |column: &Column| self.faults.of(&column.name).is_some_and(|fault| fault.is_whole());
        let lost: Vec<String> = self.columns.iter().filter(|c| lost(c)).map(|column| column.name.clone()).collect();
        lost.iter().for_each(|name| self.remove(name));
        Ok(())
    }

    /// Gives a column another name.
    ///
    /// # Errors
    /// No such column, or one that has the new name already.
    pub fn rename(&mut self, from: &str, to: &str) -> Result<(), DataError> {
        if self.faults.of(from).is_none() {
            self.find(from)?;
        }
        let place = |name: &str| self.columns.iter().position(|column| column.name == name);
        if let (Some(a), Some(b)) = (place(from), place(to))
            && a != b
        {
            let (first, second) = (a.min(b) + 1, a.max(b) + 1);
            return Err(DataError::DuplicateColumn { file: self.file(), column: to.to_owned(), first, second });
        }
        self.columns.iter_mut().filter(|column| column.name == from).for_each(|column| column.name = to.to_owned());
        self.faults.0.iter_mut().filter(|(name, _)| name == from).for_each(|(name, _)| *name = to.to_owned());
        Ok(())
    }

    /// Takes a column out, if it is there.
    pub fn remove(&mut self, name: &str) {
        self.columns.retain(|column| column.name != name);
        self.faults.0.retain(|(column, _)| column != name);
    }

    /// Adds the rows of a table that may have other columns; what one of the two has not is missing there.
    ///
    /// # Errors
    /// As [`append`](Self::append), but for the names of the columns.
    pub fn unite(&mut self, mut other: Table) -> Result<(), DataError> {
        let absent = |of: &Table, from: &Table| -> Vec<Column> {
            let known = of.names();
            let lacks = from.columns.iter().filter(|column| !known.contains(column.name.as_str()));
            lacks.map(|c| Column { name: c.name.clone(), values: c.values.absent(of.rows) }).collect()
        };
        let (ours, theirs) = (absent(self, &other), absent(&other, self));
        self.columns.extend(ours);
        other.columns.extend(theirs);
        self.append(other)
    }

    /// The names of all columns, those that could not be read among them.
    fn names(&self) -> BTreeSet<&str> {
        self.columns.iter().map(|column| column.name.as_str()).chain(self.faults().map(|(name, _)| name)).collect()
    }

    /// The first file the rows came from.
    fn file(&self) -> String {
        self.sources.first().map_or_else(|| "table".to_owned(), |source| source.file.clone())
    }
}

/// Refuses codes past the levels; `row` gives the row of a place among the codes.
fn check_codes(column: &Column, text: &Text, row: impl Fn(usize) -> usize) -> Result<(), DataError> {
    let levels = text.levels.len();
    let bad = |code: &u32| *code != MISSING && *code as usize >= levels;
    match text.codes.iter().enumerate().find(|(_, code)| bad(code)) {
        Some((at, &code)) => Err(DataError::BadCode { column: column.name.clone(), row: row(at) + 1, code, levels }),
        None => Ok(()),
    }
}

/// Refuses columns without a name.
pub(crate) fn check_named<'a>(file: &str, mut names: impl Iterator<Item = &'a str>) -> Result<(), DataError> {
    match names.position(|name| name.trim().is_empty()) {
        Some(at) => Err(DataError::UnnamedColumn { file: file.to_owned(), number: at + 1 }),
        None => Ok(()),
    }
}

/// Refuses columns without a name and names that appear twice.
pub(crate) fn check_names<'a>(file: &str, names: impl Iterator<Item = &'a str>) -> Result<(), DataError> {
    let mut seen = BTreeMap::new();
    for (index, name) in names.enumerate() {
        let (file, number) = (file.to_owned(), index + 1);
        if name.trim().is_empty() {
            return Err(DataError::UnnamedColumn { file, number });
        }
        if let Some(first) = seen.insert(name, number) {
            return Err(DataError::DuplicateColumn { file, column: name.to_owned(), first, second: number });
        }
    }
    Ok(())
}

/// Row indices are `u32`, and the last one marks a missing code.
fn check_rows(file: &str, rows: usize) -> Result<(), DataError> {
    if rows >= u32::MAX as usize {
        return Err(DataError::TooManyRows { file: file.to_owned(), rows });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::List;
    use crate::column::Text;

    fn people() -> Table {
        let lines = Some(vec![2, 3, 5]);
        let columns =
            vec![Column::number("age", vec![63.0, f64::NAN, 41.0]), Column::text("sex", [Some("m"), None, Some("f")])];
        Table::from_file("people.csv", columns, lines, vec!["a note".into()]).unwrap()
    }

    #[test]
    fn rows_know_their_place() {
        let mut table = people();
        table.append(Table::from_file("more.parquet", people().columns, None, vec![]).unwrap()).unwrap();
        assert_eq!(table.rows(), 6);
        assert_eq!(table.place(2).to_string(), "people.csv line 5");
        assert_eq!(table.place(3).to_string(), "more.parquet row 1");
        assert_eq!(table.place(5).to_string(), "more.parquet row 3");
        assert_eq!(table.notes(), ["a note"]);
    }

    #[test]
    fn append_takes_any_order_and_merges_levels() {
        let mut table = people();
        let more = Table::from_columns(vec![
            Column::text("sex", [Some("x"), Some("f"), None]),
            Column::number("age", vec![1.0, 2.0, 3.0]),
        ])
        .unwrap();
        table.append(more).unwrap();
        let Values::Text(sex) = &table.find("sex").unwrap().values else { panic!("not text") };
        assert_eq!(sex.levels, ["m", "f", "x"]);
        assert_eq!(sex.codes, [0, MISSING, 1, 2, 1, MISSING]);
        let Values::Number(age) = &table.find("age").unwrap().values else { panic!("not numbers") };
        assert_eq!(age[3..], [1.0, 2.0, 3.0]);
    }

    #[test]
    fn append_joins_lists() {
        let lists = |lists: Vec<Option<Vec<&str>>>| {
            let lists = lists.into_iter().map(|list| list.map(|list| list.into_iter().map(Some)));
            Table::from_columns(vec![Column { name: "w".into(), values: Values::List(lists.collect()) }]).unwrap()
        };
        let mut table = lists(vec![Some(vec!["a", "b"]), None, Some(vec![])]);
        table.append(lists(vec![None, Some(vec!["c", "a"])])).unwrap();
        let column = table.find("w").unwrap();
        let shown: Vec<_> = (0..6).map(|row| column.shown(row)).collect();
        assert_eq!(shown, [Some("a b"), None, Some(""), None, Some("c a"), None].map(|s| s.map(str::to_owned)));
        assert!(column.is_missing(1));
        let blank = Table::from_columns(vec![Column::number("w", vec![f64::NAN; 2])]).unwrap();
        table.append(blank).unwrap();
        assert_eq!((table.rows(), table.find("w").unwrap().shown(6)), (7, None));
        let wrong = Table::from_columns(vec![Column::number("w", vec![1.0])]).unwrap();
        let error = table.append(wrong).unwrap_err();
        assert_eq!(error.to_string(), "column `w` holds lists in table but numbers in table");
    }

    #[test]
    fn append_names_what_is_missing_and_what_is_on_top() {
        let mut table = people();
        let more = vec![Column::number("age", vec![1.0]), Column::number("height", vec![1.0])];
        let error = table.append(Table::from_columns(more).unwrap()).unwrap_err();
        let text = "table has other columns than people.csv: it lacks `sex` and it has `height` on top";
        assert_eq!(error.to_string(), text);
        assert_eq!(table.rows(), 3);
    }

    #[test]
    fn append_refuses_other_kinds_unless_all_is_missing() {
        let mut table = people();
        let wrong = vec![Column::text("age", [Some("old")]), Column::text("sex", [Some("m")])];
        let error = table.append(Table::from_columns(wrong).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "column `age` holds numbers in people.csv but text in table");

        let blank = vec![Column::text("age", [None]), Column::number("sex", vec![f64::NAN])];
        table.append(Table::from_columns(blank).unwrap()).unwrap();
        assert!(table.find("age").unwrap().is_missing(3) && table.find("sex").unwrap().is_missing(3));

        let blank = vec![Column::text("age", [None]), Column::number("sex", vec![f64::NAN])];
        let mut blank = Table::from_columns(blank).unwrap();
        blank.append(people()).unwrap();
        assert_eq!(blank.find("age").unwrap().shown(1).as_deref(), Some("63"));
        assert_eq!(blank.find("sex").unwrap().shown(1).as_deref(), Some("m"));
    }

    #[test]
    fn hand_made_tables_are_checked() {
        let bad = |columns| Table::from_columns(columns).unwrap_err().to_string();
        let one = || Column::number("a", vec![1.0]);
        assert_eq!(bad(vec![one(), one()]), "table: two columns are called `a` (numbers 1 and 2)");
        assert_eq!(bad(vec![Column::number(" ", vec![1.0])]), "table: column 1 has no name");
        let uneven = bad(vec![one(), Column::number("b", vec![])]);
        assert_eq!(uneven, "column `b` has 0 rows, the columns before it have 1");
        let infinite = bad(vec![Column::number("a", vec![0.0, f64::INFINITY])]);
        assert_eq!(infinite, "table row 2: column `a`: `inf` is not a finite number");
        let code = Text { codes: vec![1], levels: vec!["x".into()] };
        let code = bad(vec![Column { name: "t".into(), values: Values::Text(code) }]);
        assert_eq!(code, "column `t`, row 1: code 1 is out of range for 1 levels");
        let twice = Text { codes: vec![0, 1], levels: vec!["x".into(), "x".into()] };
        let twice = bad(vec![Column { name: "t".into(), values: Values::Text(twice) }]);
        assert_eq!(twice, "column `t`: the level `x` is listed twice");
        let items = Text { codes: vec![0, 0, 7], levels: vec!["x".into()] };
        let list = |ends| {
            let list = List { ends, absent: vec![], items: items.clone() };
            bad(vec![Column { name: "t".into(), values: Values::List(list) }])
        };
        assert_eq!(list(vec![2, 3]), "column `t`, row 2: code 7 is out of range for 1 levels");
        assert_eq!(list(vec![2, 2]), "column `t`: the ends of its lists are not those of its items");
    }

    #[test]
    fn hints_say_how_the_columns_were_read() {
        let hints = people().hints();
        assert_eq!(hints.get("age"), Some(&Hint::Number));
        assert_eq!(hints.get("sex"), Some(&Hint::Text));
    }
}
