//! `polytask data multimnist`

use crate::failure::Failure;
use crate::text;
use polytask::files::{self, FileError};
use polytask_data::idx;
use polytask_data::image::{IMAGE, LABEL, overlap};
use polytask_data::{DataError, Images, Pixels, ReadOptions, Values, read};
use std::path::{Path, PathBuf};

/// Two overlapping items in each image, with a left and a right label
#[derive(clap::Args)]
#[command(after_long_help = "\
Made as by Sener and Koltun (NeurIPS 2018): each image of the folder lies at the upper left of a canvas of
36 x 36, another one, drawn at random, at the lower right; the larger of two pixels shows; the canvas is scaled
to 28 x 28. Training images are made of training images, test images of test images.

The folder holds train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
t10k-labels-idx1-ubyte, plain or as .gz: MNIST gives Multi-MNIST, Fashion-MNIST Multi-Fashion, and both, one as
--right, Multi-Fashion-MNIST.

Example:
  polytask data multimnist --mnist mnist --out multimnist

  [data]
  path = \"multimnist/train-images-idx3-ubyte.gz\"
  split = { valid = 0, test = \"multimnist/test-images-idx3-ubyte.gz\" }
  [tasks.left]
  [tasks.right]")]
pub struct Multimnist {
    /// The folder with the files of MNIST or Fashion-MNIST
    #[arg(long)]
    mnist: PathBuf,
    /// Another such folder, which the items at the lower right are drawn from [default: the same]
    #[arg(long)]
    right: Option<PathBuf>,
    /// The folder to write
    #[arg(long)]
    out: PathBuf,
    /// Seed of the drawing
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

impl Multimnist {
    pub fn run(self) -> Result<(), Failure> {
        files::check_folder(&self.out)?;
        let right = self.right.as_ref().unwrap_or(&self.mnist);
        // Everything is read before anything is written.
        let parts = [("train", "train", 0), ("t10k", "test", 1)].map(|(part, name, stream)| {
            let (left, right) = (Items::read(&self.mnist, part)?, Items::read(right, part)?);
            let (images, drawn) = overlap(&left.images, &right.images, self.seed, stream);
            let right = drawn.iter().filter_map(|row| right.labels.get(*row).copied()).collect();
            Ok::<_, Failure>((name, images, left.labels, right))
        });
        let parts: Vec<(&str, Pixels, Vec<u8>, Vec<u8>)> = parts.into_iter().collect::<Result<_, _>>()?;
        files::make_folder(&self.out)?;
        for (name, images, left, right) in parts {
            let (rows, shape) = (images.rows(), images.shape());
            self.write(&format!("{name}-images-idx3-ubyte.gz"), &[rows, shape.height, shape.width], images.values())?;
            self.write(&format!("{name}-left-idx1-ubyte.gz"), &[rows], &left)?;
            self.write(&format!("{name}-right-idx1-ubyte.gz"), &[rows], &right)?;
            let count = text::counted(rows, "image");
            say!("wrote {count} to {}", self.out.join(format!("{name}-images-idx3-ubyte.gz")).display());
        }
        Ok(())
    }

    fn write(&self, name: &str, dims: &[usize], values: &[u8]) -> Result<(), Failure> {
        let path = self.out.join(name);
        let mut bytes = Vec::new();
        let written = idx::write(&mut bytes, dims, values);
        written.map_err(|source| FileError::Write { path: path.clone(), source })?;
        Ok(files::write(&path, &bytes)?)
    }
}

/// Images with a label each.
struct Items {
    images: Pixels,
    labels: Vec<u8>,
}

impl Items {
    /// The items of `train` or `t10k`.
    fn read(folder: &Path, part: &str) -> Result<Self, Failure> {
        let plain = folder.join(format!("{part}-images-idx3-ubyte"));
        let packed = folder.join(format!("{part}-images-idx3-ubyte.gz"));
        let path = if plain.exists() { plain } else { packed };
        let table = read(&path, &ReadOptions::default())?;
        let problem = |problem: String| DataError::Idx { file: path.display().to_string(), problem };
        let Values::Images(Images::Pixels(images)) = &table.find(IMAGE)?.values else {
            return Err(problem("it holds no images".to_owned()).into());
        };
        let shape = images.shape();
        if (shape.height, shape.width, shape.channels) != (28, 28, 1) {
            return Err(problem(format!("its images are {shape}, those of MNIST are 28x28x1")).into());
        }
        let Some(labels) = table.column(LABEL) else {
            return Err(problem(format!("there is no {part}-labels-idx1-ubyte beside it")).into());
        };
        let labels = (0..table.rows()).map(|row| labels.shown(row).and_then(|label| label.parse().ok()).unwrap_or(0));
        Ok(Items { images: images.clone(), labels: labels.collect() })
    }
}
