//! The tensors of a file as the parameters of the network: weights are turned over, queries, keys and values lie side by
//! side, and the first type of tokens is added to every position.

use super::{Names, Shape};
use crate::pretrained::folder::{Folder, Tensor};
use crate::pretrained::{CheckpointError, Weight};
use std::collections::BTreeSet;

/// Parts of a file that belong to other tasks, or hold nothing that is learnt.
const IGNORED: &[&str] = &["pooler.", "embeddings.position_ids", "embeddings.token_type_embeddings."];

/// The parameters of the network, in the order of their names.
pub(in crate::pretrained) fn weights(folder: &mut Folder, shape: &Shape) -> Result<Vec<Weight>, CheckpointError> {
    let word = shape.family.word_table().map(|word| format!("{word}.weight"));
    let before = |name: &str| Some(name.strip_suffix(word.as_deref()?)?.to_owned());
    let prefix = folder.names().find_map(before).unwrap_or_default();
    let mut reader = Reader { folder, prefix, read: BTreeSet::new(), faults: Vec::new(), weights: Vec::new() };
    shape.family.read(&mut reader, shape)?;
    reader.strays(shape.family.parts());
    match reader.faults.is_empty() {
        true => {
            let mut weights = reader.weights;
            weights.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(weights)
        }
        false => Err(CheckpointError::Tensors {
            folder: reader.folder.path.clone(),
            family: shape.family.word(),
            faults: reader.faults,
        }),
    }
}

/// Takes tensors from a folder, and keeps what is wrong with them.
pub(super) struct Reader<'a> {
    pub folder: &'a Folder,
    /// Before the name of every tensor: `bert.` or nothing.
    prefix: String,
    read: BTreeSet<String>,
    pub faults: Vec<String>,
    weights: Vec<Weight>,
}

impl Reader<'_> {
    /// The layers of BERT and its kin.
    pub fn network(&mut self, names: &Names, shape: &Shape) -> Result<(), CheckpointError> {
        let (d, e, h) = (shape.width, shape.embedding, shape.hidden);
        let word = self.tensor(names.word, &["weight"], &[shape.vocabulary, e])?;
        self.push(".word.table", vec![shape.vocabulary, e], word);
        let rows = shape.positions + shape.offset;
        let mut position = self.tensor(names.position, &["weight"], &[rows, e])?;
        position.drain(..(shape.offset * e).min(position.len()));
        if let Some(types) = names.types.filter(|types| self.has(types)) {
            let types = self.table(types, e)?;
            position.chunks_mut(e).for_each(|row| row.iter_mut().zip(&types).for_each(|(x, y)| *x += y));
        }
        self.push(".position.table", vec![shape.positions, e], position);
        self.norm(names.norm, ".norm", e)?;
        if d != e {
            self.dense(&[names.project], ".project", e, d)?;
        }
        for i in 0..shape.layers {
            let of = |part: &str| format!("{}.{i}.{part}", names.layers);
            let inputs = [of(names.query), of(names.key), of(names.value)];
            self.dense(&inputs.each_ref().map(String::as_str), &format!(".{i}.attention.inputs"), d, d)?;
            self.dense(&[&of(names.output)], &format!(".{i}.attention.output"), d, d)?;
            self.norm(&of(names.attention_norm), &format!(".{i}.attention.norm"), d)?;
            self.dense(&[&of(names.inner)], &format!(".{i}.inner"), d, h)?;
            self.dense(&[&of(names.outer)], &format!(".{i}.outer"), h, d)?;
            self.norm(&of(names.outer_norm), &format!(".{i}.norm"), d)?;
        }
        Ok(())
    }

    fn has(&self, name: &str) -> bool {
        let name = format!("{}{name}.weight", self.prefix);
        self.folder.names().any(|own| own == name)
    }

    /// A tensor of one of several endings, old and new; zeros where there is none of that shape, which is kept as a fault.
    pub fn tensor(&mut self, name: &str, endings: &[&str], dims: &[usize]) -> Result<Vec<f32>, CheckpointError> {
        for ending in endings {
            let name = format!("{}{name}.{ending}", self.prefix);
            let Some(Tensor { dims: found, values }) = self.folder.tensor(&name)? else { continue };
            self.read.insert(name.clone());
            if found == dims {
                return Ok(values);
            }
            self.faults.push(format!("{name} has the shape {found:?}, expected {dims:?}"));
            return Ok(vec![0.0; dims.iter().product()]);
        }
        let ending = endings.first().copied().unwrap_or("weight");
        self.faults.push(format!("{}{name}.{ending} is missing", self.prefix));
        Ok(vec![0.0; dims.iter().product()])
    }

    /// The first row of a table of however many rows.
    fn table(&mut self, name: &str, width: usize) -> Result<Vec<f32>, CheckpointError> {
        let name = format!("{}{name}.weight", self.prefix);
        let Some(Tensor { dims, values }) = self.folder.tensor(&name)? else { return Ok(vec![0.0; width]) };
        self.read.insert(name.clone());
        if dims.len() == 2 && dims[1] == width && dims[0] > 0 {
            return Ok(values[..width].to_vec());
        }
        self.faults.push(format!("{name} has the shape {dims:?}, expected [types, {width}]"));
        Ok(vec![0.0; width])
    }

    /// A norm without a bias, which is zero then.
    pub fn gain(&mut self, from: &str, to: &str, width: usize) -> Result<(), CheckpointError> {
        let gain = self.tensor(from, &["weight"], &[width])?;
        self.push(&format!("{to}.gain"), vec![width], gain);
        self.push(&format!("{to}.bias"), vec![width], vec![0.0; width]);
        Ok(())
    }

    /// A dense layer without a bias: `[out, in]` becomes `[in, out]`.
    pub fn product(&mut self, from: &str, to: &str, inputs: usize, outputs: usize) -> Result<(), CheckpointError> {
        let own = self.tensor(from, &["weight"], &[outputs, inputs])?;
        let mut weight = vec![0.0; inputs * outputs];
        for (o, row) in own.chunks(inputs).enumerate() {
            row.iter().enumerate().for_each(|(i, value)| weight[i * outputs + o] = *value);
        }
        self.push(&format!("{to}.weight"), vec![inputs, outputs], weight);
        Ok(())
    }

    fn norm(&mut self, from: &str, to: &str, width: usize) -> Result<(), CheckpointError> {
        let gain = self.tensor(from, &["weight", "gamma"], &[width])?;
        let bias = self.tensor(from, &["bias", "beta"], &[width])?;
        self.push(&format!("{to}.gain"), vec![width], gain);
        self.push(&format!("{to}.bias"), vec![width], bias);
        Ok(())
    }

    /// Dense layers of the same inputs, side by side: `[out, in]` each becomes `[in, all outs]`.
    fn dense(&mut self, from: &[&str], to: &str, inputs: usize, outputs: usize) -> Result<(), CheckpointError> {
        let all = from.len() * outputs;
        let (mut weight, mut bias) = (vec![0.0; inputs * all], Vec::with_capacity(all));
        for (part, name) in from.iter().enumerate() {
            let own = self.tensor(name, &["weight"], &[outputs, inputs])?;
            for (o, row) in own.chunks(inputs).enumerate() {
                row.iter().enumerate().for_each(|(i, value)| weight[i * all + part * outputs + o] = *value);
            }
            bias.extend(self.tensor(name, &["bias"], &[outputs])?);
        }
        self.push(&format!("{to}.weight"), vec![inputs, all], weight);
        self.push(&format!("{to}.bias"), vec![all], bias);
        Ok(())
    }

    /// Keeps a parameter of the network.
    pub fn push(&mut self, name: &str, dims: Vec<usize>, values: Vec<f32>) {
        self.weights.push(Weight { name: name.to_owned(), dims, values });
    }

    /// Tensors of the encoder that the config knows nothing of, such as layers too many. Heads of other tasks are none.
    fn strays(&mut self, parts: &[&str]) {
        let strays = self.folder.names().filter_map(|name| {
            let own = name.strip_prefix(self.prefix.as_str())?;
            let ours = parts.iter().any(|part| own.starts_with(part)) && !IGNORED.iter().any(|i| own.starts_with(i));
            (ours && !self.read.contains(name)).then(|| format!("{name} is not described by config.json"))
        });
        let strays: Vec<String> = strays.collect();
        self.faults.extend(strays);
    }
}
