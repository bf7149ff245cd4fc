//! What can be wrong with a pretrained encoder.

use std::path::PathBuf;

/// A folder that holds no encoder that can be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Not there.
    #[error(
        "{0} is no folder; a pretrained encoder is a folder with config.json, model.safetensors and tokenizer.json"
    )]
    NoFolder(PathBuf),
    /// Not there, of an encoder of images.
    #[error(
        "{0} is no folder and no file; a pretrained encoder of images is a folder with config.json and model.safetensors, or a \
         safetensors file of torchvision's weights"
    )]
    NoImages(PathBuf),
    /// Files that it lacks.
    #[error("the pretrained encoder in {folder} lacks {}", .files.join(" and "))]
    Missing {
        /// The folder.
        folder: PathBuf,
        /// What is not there.
        files: Vec<String>,
    },
    /// Weights as a pickle, which could run a program when it is read.
    #[error(
        "the pretrained encoder in {folder} has its weights in {file}, a pickle, which is not read because it can run programs"
    )]
    Pickle {
        /// The folder.
        folder: PathBuf,
        /// The pickle.
        file: String,
    },
    /// The same as a file of its own.
    #[error("{0} is a pickle, which is not read because it can run programs")]
    PickleFile(PathBuf),
    /// A file that cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file that holds something else than it should.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What does not hold.
        reason: String,
    },
    /// Tensors that are missing, of another shape, or too many.
    #[error("the weights in {folder} are not those of a {family} encoder: {}", few(.faults))]
    Tensors {
        /// The folder.
        folder: PathBuf,
        /// The family that its config.json names.
        family: &'static str,
        /// A line a tensor.
        faults: Vec<String>,
    },
}

fn few(faults: &[String]) -> String {
    const MOST: usize = 4;
    let shown = faults.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join("; ");
    match faults.len() {
        0..=MOST => shown,
        all => format!("{shown}; and {} more", all - MOST),
    }
}

impl CheckpointError {
    /// What would be right, where that can be said.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            CheckpointError::NoFolder(_) => Some("give the folder, relative to that of the config"),
            CheckpointError::NoImages(_) => Some("give the path, relative to the folder of the config"),
            CheckpointError::Missing { .. } => {
                Some("download every file of the model's repository, or save it with save_pretrained(DIR) in Python")
            }
            CheckpointError::Pickle { .. } => {
                Some("in Python: AutoModel.from_pretrained(DIR).save_pretrained(DIR, safe_serialization=True)")
            }
            CheckpointError::PickleFile(_) => Some(
                "in Python: safetensors.torch.save_file(torch.load(FILE, map_location=\"cpu\", weights_only=True), \
                 \"model.safetensors\")",
            ),
            CheckpointError::Tensors { .. } => Some("config.json and the weights are to be of one and the same model"),
            CheckpointError::Read { .. } | CheckpointError::File { .. } => None,
        }
    }
}
