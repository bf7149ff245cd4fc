//! `polytask export`

use crate::failure::Failure;
use clap::ValueEnum;
use polytask::model::Model;
use std::path::PathBuf;

/// Take a model to ONNX, PyTorch or Keras: a folder with the files of the format and `model.json`, which says what to feed
/// and what comes out
#[derive(clap::Args)]
pub struct Export {
    /// The model directory
    model: PathBuf,
    /// Where the model is to run
    #[arg(long, value_enum)]
    format: Format,
    /// Folder to write to [default: the model directory's name with `-FORMAT` behind it]
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Where a model may be taken.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One file that takes columns and gives predictions, for ONNX Runtime and others
    Onnx,
    /// The weights alone
    Safetensors,
    /// A Python file that builds the network in PyTorch, and its weights
    Pytorch,
    /// A Python file that builds the network in Keras, and its weights
    Keras,
}

impl Export {
    pub fn run(self) -> Result<(), Failure> {
        let (format, name) = match self.format {
            Format::Onnx => (polytask_export::Format::Onnx, "onnx"),
            Format::Safetensors => (polytask_export::Format::Safetensors, "safetensors"),
            Format::Pytorch => (polytask_export::Format::Pytorch, "pytorch"),
            Format::Keras => (polytask_export::Format::Keras, "keras"),
        };
        let model = Model::load(&self.model)?;
        let out = self.out.unwrap_or_else(|| {
            let own = self.model.file_name().unwrap_or_else(|| "model".as_ref()).to_string_lossy();
            self.model.with_file_name(format!("{own}-{name}"))
        });
        let files = polytask_export::export(&model, format, &out)?;
        say!("wrote {} to {}", files.join(", "), out.display());
        Ok(())
    }
}
