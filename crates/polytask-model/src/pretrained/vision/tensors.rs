//! The tensors of a file as the parameters of a network: filters are turned over, and norms with stored statistics are folded
//! into the convolutions before them.

use super::VisionFamily;
use crate::pretrained::folder::{Folder, Tensor};
use crate::pretrained::{CheckpointError, Weight};
use std::collections::BTreeSet;

/// Heads of other tasks, and what is counted rather than learnt.
const IGNORED: [&str; 6] = ["fc.", "classifier.", "head.", "head_dist.", "pooler.", "embeddings.mask_token"];
const COUNTER: &str = "num_batches_tracked";

/// Reads tensors by name and keeps what is wrong with them.
pub(super) struct Reader<'a> {
    folder: &'a Folder,
    /// Before the name of every tensor: `vit.` or nothing.
    prefix: String,
    read: BTreeSet<String>,
    faults: Vec<String>,
    weights: Vec<Weight>,
}

/// Which channels a filter sees.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Sees {
    /// All.
    All,
    /// Its own.
    Own,
    /// Those of its group, of which its tensor says how many there are.
    Group,
}

/// A convolution that was read.
pub(super) struct Filters {
    pub size: [usize; 2],
    pub groups: usize,
    pub channels: usize,
}

impl<'a> Reader<'a> {
    /// `first` is the name of a tensor that is there with the prefix before it.
    pub(super) fn new(folder: &'a Folder, first: &str) -> Self {
        let prefix = folder.names().find_map(|name| name.strip_suffix(first)).unwrap_or_default().to_owned();
        Reader { folder, prefix, read: BTreeSet::new(), faults: Vec::new(), weights: Vec::new() }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.folder.dims(&format!("{}{name}", self.prefix)).is_some()
    }

    /// Sides of a tensor; none where it is not there.
    pub(super) fn dims(&self, name: &str) -> Option<Vec<usize>> {
        self.folder.dims(&format!("{}{name}", self.prefix))
    }

    /// One more than the largest number N of which there is a tensor `{before}N.`.
    pub(super) fn count(&self, before: &str) -> usize {
        let before = format!("{}{before}", self.prefix);
        let number = |name: &str| name.strip_prefix(before.as_str())?.split('.').next()?.parse::<usize>().ok();
        self.folder.names().filter_map(number).max().map_or(0, |most| most.min(4096) + 1)
    }

    pub(super) fn fault(&mut self, what: String) {
        self.faults.push(what);
    }

    /// A tensor of this shape; zeros where there is none, which is kept as a fault.
    pub(super) fn tensor(&mut self, name: &str, dims: &[usize]) -> Result<Vec<f32>, CheckpointError> {
        let name = format!("{}{name}", self.prefix);
        let zeros = vec![0.0; dims.iter().product()];
        let Some(Tensor { dims: found, values }) = self.folder.tensor(&name)? else {
            self.faults.push(format!("{name} is missing"));
            return Ok(zeros);
        };
        self.read.insert(name.clone());
        if found == dims {
            return Ok(values);
        }
        self.faults.push(format!("{name} has the shape {found:?}, expected {dims:?}"));
        Ok(zeros)
    }

    pub(super) fn push(&mut self, name: &str, dims: Vec<usize>, values: Vec<f32>) {
        self.weights.push(Weight { name: name.to_owned(), dims, values });
    }

    /// The convolution `weight` on so many channels and the norm behind it as one convolution with a bias; without a norm it has
    /// a bias of its own.
    pub(super) fn conv(
        &mut self,
        [weight, norm]: [&str; 2],
        to: &str,
        inputs: usize,
        sees: Sees,
        epsilon: f64,
    ) -> Result<Filters, CheckpointError> {
        let name = format!("{weight}.weight");
        let Some(dims) = self.dims(&name) else {
            self.faults.push(format!("{}{name} is missing", self.prefix));
            return Ok(Filters { size: [1, 1], groups: 1, channels: inputs });
        };
        let own = match (sees, dims.get(1)) {
            (Sees::All, _) | (_, None) => inputs,
            (Sees::Own, _) => 1,
            (Sees::Group, Some(own)) => *own,
        };
        let (outputs, size) = match dims[..] {
            [outputs, _, height, width] if outputs * height * width > 0 => (outputs, [height, width]),
            _ => (inputs, [1, 1]),
        };
        let wanted = [if sees == Sees::Own { inputs } else { outputs }, own, size[0], size[1]];
        let groups = inputs / own.max(1);
        if own == 0 || !inputs.is_multiple_of(own) || !wanted[0].is_multiple_of(groups.max(1)) {
            let all = format!("{}{name} has the shape {dims:?}, which does not fit {inputs} channels", self.prefix);
            self.faults.push(all);
            return Ok(Filters { size, groups: 1, channels: wanted[0] });
        }
        let values = self.tensor(&name, &wanted)?;
        let (scale, bias) = match norm {
            "" => (vec![1.0; wanted[0]], self.tensor(&format!("{weight}.bias"), &wanted[..1])?),
            norm => self.norm(norm, wanted[0], epsilon)?,
        };
        self.push(&format!("{to}.weight"), vec![size[0], size[1], own, wanted[0]], turned(&values, wanted, &scale));
        self.push(&format!("{to}.bias"), vec![wanted[0]], bias);
        Ok(Filters { size, groups, channels: wanted[0] })
    }

    /// What the norm of a channel multiplies by, and what it adds.
    fn norm(&mut self, name: &str, width: usize, epsilon: f64) -> Result<(Vec<f64>, Vec<f32>), CheckpointError> {
        let parts = ["weight", "bias", "running_mean", "running_var"];
        let [gain, bias, mean, variance] = parts.map(|part| self.tensor(&format!("{name}.{part}"), &[width]));
        let (gain, bias, mean, variance) = (gain?, bias?, mean?, variance?);
        if let Some(negative) = variance.iter().find(|value| **value < 0.0) {
            self.faults.push(format!("{}{name}.running_var holds {negative}; variances are 0 or more", self.prefix));
        }
        let scale =
            |(gain, variance): (&f32, &f32)| f64::from(*gain) / (f64::from(*variance).max(0.0) + epsilon).sqrt();
        let scale: Vec<f64> = gain.iter().zip(&variance).map(scale).collect();
        let shift = |((bias, mean), scale): ((&f32, &f32), &f64)| (f64::from(*bias) - f64::from(*mean) * scale) as f32;
        let shift = bias.iter().zip(&mean).zip(&scale).map(shift).collect();
        Ok((scale, shift))
    }

    /// Dense layers of the same inputs, side by side, or convolutions of single pixels that are as much: `[out, in]` each becomes
    /// `[in, all outs]`, multiplied by `scale`.
    pub(super) fn dense(
        &mut self,
        from: &[&str],
        to: &str,
        [inputs, outputs]: [usize; 2],
        scale: Option<&[f32]>,
    ) -> Result<(), CheckpointError> {
        let all = from.len() * outputs;
        let (mut weight, mut bias) = (vec![0.0; inputs * all], Vec::with_capacity(all));
        for (part, name) in from.iter().enumerate() {
            let name_of = format!("{name}.weight");
            let pixel = self.dims(&name_of).is_some_and(|dims| dims.len() == 4);
            let dims: &[usize] = if pixel { &[outputs, inputs, 1, 1] } else { &[outputs, inputs] };
            let own = self.tensor(&name_of, dims)?;
            for (o, row) in own.chunks(inputs).enumerate() {
                let by = scale.map_or(1.0, |scale| scale[o]);
                row.iter().enumerate().for_each(|(i, value)| weight[i * all + part * outputs + o] = value * by);
            }
            bias.extend(self.tensor(&format!("{name}.bias"), &[outputs])?);
        }
        if let Some(scale) = scale {
            bias.iter_mut().zip(scale).for_each(|(bias, by)| *bias *= by);
        }
        self.push(&format!("{to}.weight"), vec![inputs, all], weight);
        self.push(&format!("{to}.bias"), vec![all], bias);
        Ok(())
    }

    pub(super) fn layer_norm(&mut self, from: &str, to: &str, width: usize) -> Result<(), CheckpointError> {
        let gain = self.tensor(&format!("{from}.weight"), &[width])?;
        let bias = self.tensor(&format!("{from}.bias"), &[width])?;
        self.push(&format!("{to}.gain"), vec![width], gain);
        self.push(&format!("{to}.bias"), vec![width], bias);
        Ok(())
    }

    /// The parameters in the order of their names.
    pub(super) fn finish(mut self, family: VisionFamily) -> Result<Vec<Weight>, CheckpointError> {
        let stray = |name: &&str| {
            let own = name.strip_prefix(self.prefix.as_str()).unwrap_or(name);
            let ignored = IGNORED.iter().any(|part| own.starts_with(part) || name.starts_with(part));
            !(self.read.contains(*name) || ignored || name.ends_with(COUNTER))
        };
        let strays = self.folder.names().filter(stray).map(|name| format!("{name} is no part of it"));
        let strays: Vec<String> = strays.collect();
        self.faults.extend(strays);
        match self.faults.is_empty() {
            true => {
                self.weights.sort_by(|a, b| a.name.cmp(&b.name));
                Ok(self.weights)
            }
            false => Err(CheckpointError::Tensors {
                folder: self.folder.path.clone(),
                family: family.word(),
                faults: self.faults,
            }),
        }
    }
}

/// Filters `[out, in, height, width]` as `[height, width, in, out]`, each multiplied by a number of its own.
fn turned(values: &[f32], [outputs, inputs, height, width]: [usize; 4], scale: &[f64]) -> Vec<f32> {
    let pixels = height * width;
    let mut turned = Vec::with_capacity(values.len());
    for pixel in 0..pixels {
        for input in 0..inputs {
            let of = |output: usize| f64::from(values[(output * inputs + input) * pixels + pixel]) * scale[output];
            turned.extend((0..outputs).map(|output| of(output) as f32));
        }
    }
    turned
}
