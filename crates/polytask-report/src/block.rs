//! What a report is made of: sections of paragraphs, tables, figures with their tables, and code.

use serde::Serialize;

/// A part of the report with a heading of its own.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Section {
    /// Of the link to it; letters, digits and hyphens.
    pub id: String,
    /// The heading.
    pub title: String,
    /// In order.
    pub blocks: Vec<Block>,
    /// Parts of it, one a task for example.
    pub parts: Vec<Section>,
}

/// A piece of a section.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Block {
    /// A paragraph.
    Text {
        /// Its words.
        text: String,
    },
    /// Something that people must not miss.
    Note {
        /// Its words.
        text: String,
    },
    /// A table.
    Table(Table),
    /// A chart with the numbers it shows beneath.
    Figure(Figure),
    /// Preformatted text behind a line that opens it.
    Code {
        /// The line.
        title: String,
        /// The text.
        text: String,
    },
    /// Pictures side by side.
    Sheet {
        /// What they are of.
        title: String,
        /// In order.
        pictures: Vec<Picture>,
    },
}

/// Rows of cells.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Table {
    /// What it holds.
    pub title: String,
    /// Names of the columns.
    pub header: Vec<String>,
    /// Cells as they are shown.
    pub rows: Vec<Vec<String>>,
    /// Whether each column but the first holds numbers, which stand to the right.
    pub numbers: bool,
    /// Whether it is shown only when asked for.
    pub folded: bool,
}

/// A chart.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// What it shows.
    pub title: String,
    /// What is seen on it, in words.
    pub words: String,
    /// The drawing, an `<svg>` element that names and describes itself.
    pub svg: String,
    /// The numbers; none where they stand in another table.
    pub table: Option<Table>,
}

/// A small picture.
#[derive(Clone, Debug, Serialize)]
pub struct Picture {
    /// A `data:` address.
    pub address: String,
    /// What is on it and what was made of it.
    pub words: String,
    /// Whether the prediction was right, where it can be.
    pub right: Option<bool>,
}

impl Section {
    /// An empty one.
    pub fn new(id: impl Into<String>, title: impl Into<String>) -> Self {
        Section { id: id.into(), title: title.into(), ..Section::default() }
    }

    /// Adds a paragraph.
    pub fn text(&mut self, text: impl Into<String>) -> &mut Self {
        self.push(Block::Text { text: text.into() })
    }

    /// Adds a note.
    pub fn note(&mut self, text: impl Into<String>) -> &mut Self {
        self.push(Block::Note { text: text.into() })
    }

    /// Adds a table where it has rows.
    pub fn table(&mut self, table: Table) -> &mut Self {
        if !table.rows.is_empty() {
            self.push(Block::Table(table));
        }
        self
    }

    /// Adds a chart where there is one.
    pub fn figure(&mut self, figure: Option<Figure>) -> &mut Self {
        if let Some(figure) = figure {
            self.push(Block::Figure(figure));
        }
        self
    }

    /// Adds a block.
    pub fn push(&mut self, block: Block) -> &mut Self {
        self.blocks.push(block);
        self
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty() && self.parts.is_empty()
    }
}

impl Table {
    /// A table of words.
    pub fn new(title: impl Into<String>, header: &[&str]) -> Self {
        let header = header.iter().map(|cell| (*cell).to_owned()).collect();
        Table { title: title.into(), header, ..Table::default() }
    }

    /// The same with numbers behind the first column.
    pub fn numbers(title: impl Into<String>, header: &[&str]) -> Self {
        Table { numbers: true, ..Table::new(title, header) }
    }

    /// The same, shown only when asked for.
    pub fn folded(self) -> Self {
        Table { folded: true, ..self }
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) -> &mut Self {
        self.rows.push(cells.into());
        self
    }
}

/// A name as part of a link: letters, digits and hyphens.
pub fn slug(name: &str) -> String {
    let letter = |c: char| if c.is_alphanumeric() { c.to_lowercase().next().unwrap_or('-') } else { '-' };
    name.chars().map(letter).collect()
}
