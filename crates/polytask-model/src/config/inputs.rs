//! Which columns a config makes inputs of.

use super::Config;
use crate::column::is_plain;
use crate::inputs::{InputPlan, Limits, TOKENS};
use crate::section::InputConfig;
use polytask_data::{DataError, Table, Values};

impl Config {
    /// Which columns of a table become inputs, and how.
    pub fn input_plan<'a>(&'a self, table: &'a Table) -> InputPlan<'a> {
        let data = &self.data;
        let limits = Limits { max_pixels: data.max_pixels, memory: data.image_memory << 20, on_error: data.on_error };
        let (inputs, by_default) = (self.chosen(table), self.inputs.is_empty());
        InputPlan { inputs, by_default, ignored: &data.ignore, limits, folder: &self.folder }
    }

    /// The inputs that the config names, or all columns that nothing else reads.
    fn chosen<'a>(&'a self, table: &'a Table) -> Vec<(&'a str, InputConfig)> {
        if !self.inputs.is_empty() {
            return self.inputs.iter().map(|(name, input)| (name.as_str(), input.clone())).collect();
        }
        let reserved = self.reserved_columns();
        let names = table
            .columns()
            .iter()
            .filter(|column| column.name == TOKENS || is_plain(column) || matches!(column.values, Values::Images(_)));
        // Of two columns of one name neither is there, which must be said.
        let twice = table.faults().filter(|(_, fault)| matches!(fault, DataError::DuplicateColumn { .. }));
        let free = names
            .map(|column| column.name.as_str())
            .chain(twice.map(|(name, _)| name))
            .filter(|name| !reserved.contains(name) && !table.aside().iter().any(|aside| aside == name));
        free.map(|name| (name, InputConfig::default())).collect()
    }
}
