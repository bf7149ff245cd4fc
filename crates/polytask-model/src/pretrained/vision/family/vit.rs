//! Vision transformers: names of timm and of transformers. Tokens are folded into the positions they stand at, which are
//! interpolated where the images have another size than those of the training.

use crate::pretrained::CheckpointError;
use crate::pretrained::vision::tensors::Reader;
use crate::pretrained::vision::{Body, Patches};
use polytask_data::image::Filter;
use polytask_graph::Activation;
use serde_json::Value;

/// Where the tensors are: names without `.weight` and `.bias`, those of a layer behind `{layers}.N.`.
pub(super) struct Names {
    class: &'static str,
    /// Of a second token, which DeiT learns from a teacher.
    distilled: &'static str,
    position: &'static str,
    pub(super) patch: &'static str,
    layers: &'static str,
    /// Queries, keys and values: one tensor, or one each.
    inputs: &'static [&'static str],
    output: &'static str,
    norms: [&'static str; 2],
    inner: &'static str,
    outer: &'static str,
    /// What multiplies the features of both terms, where it is there.
    scales: [&'static str; 2],
    norm: &'static str,
}

pub(super) const TIMM: Names = Names {
    class: "cls_token",
    distilled: "dist_token",
    position: "pos_embed",
    patch: "patch_embed.proj",
    layers: "blocks",
    inputs: &["attn.qkv"],
    output: "attn.proj",
    norms: ["norm1", "norm2"],
    inner: "mlp.fc1",
    outer: "mlp.fc2",
    scales: ["ls1.gamma", "ls2.gamma"],
    norm: "norm",
};

/// ViT and DeiT of transformers.
pub(super) const TRANSFORMERS: Names = Names {
    class: "embeddings.cls_token",
    distilled: "embeddings.distillation_token",
    position: "embeddings.position_embeddings",
    patch: "embeddings.patch_embeddings.projection",
    layers: "encoder.layer",
    inputs: &["attention.attention.query", "attention.attention.key", "attention.attention.value"],
    output: "attention.output.dense",
    norms: ["layernorm_before", "layernorm_after"],
    inner: "intermediate.dense",
    outer: "output.dense",
    scales: ["layer_scale1.lambda1", "layer_scale2.lambda1"],
    norm: "layernorm",
};

/// DINOv2 of transformers.
pub(super) const DINOV2: Names =
    Names { norms: ["norm1", "norm2"], inner: "mlp.fc1", outer: "mlp.fc2", ..TRANSFORMERS };

/// What the file of settings says.
pub(super) struct Settings {
    pub heads: Option<usize>,
    pub epsilon: f32,
    pub activation: Activation,
}

/// Features of a head of attention where nothing says how many heads there are.
const HEAD: usize = 64;

impl Settings {
    pub(super) fn of_timm(config: &Value) -> Self {
        let heads = config.get("model_args").and_then(|own| own.get("num_heads")).and_then(Value::as_u64);
        Settings { heads: heads.map(|heads| heads as usize), epsilon: 1e-6, activation: Activation::Gelu }
    }

    pub(super) fn of_transformers(config: &Value) -> Result<Self, String> {
        let number = |name: &str| config.get(name).and_then(Value::as_f64);
        let activation = match config.get("hidden_act").and_then(Value::as_str) {
            None | Some("gelu") => Activation::Gelu,
            Some("relu") => Activation::Relu,
            Some("silu" | "swish") => Activation::Silu,
            Some(other) => {
                return Err(format!("its activation is {other:?}; \"gelu\", \"relu\" and \"silu\" can be computed"));
            }
        };
        let heads = number("num_attention_heads").map(|heads| heads as usize);
        Ok(Settings { heads, epsilon: number("layer_norm_eps").unwrap_or(1e-12) as f32, activation })
    }
}

pub(super) fn read(
    r: &mut Reader<'_>,
    names: &Names,
    settings: &Settings,
    input: [usize; 3],
) -> Result<(Body, usize), CheckpointError> {
    let patch = format!("{}.weight", names.patch);
    let (width, side) = match r.dims(&patch).as_deref() {
        Some([width, _, height, across]) if width * height * across > 0 => (*width, [*height, *across]),
        _ => (1, [1, 1]),
    };
    r.conv([names.patch, ""], ".patch", input[2], crate::pretrained::vision::tensors::Sees::All, 0.0)?;
    let tokens = 1 + usize::from(r.has(names.distilled));
    let grid = [0, 1].map(|axis| input[axis] / side[axis]);
    if grid.contains(&0) {
        r.fault(format!("an image of {} x {} pixels holds no patch of {} x {}", input[0], input[1], side[0], side[1]));
    }
    positions(r, names, (tokens, width), grid)?;
    let layers = r.count(&format!("{}.", names.layers));
    let mut hidden = 1;
    for i in 0..layers {
        let of = |part: &str| format!("{}.{i}.{part}", names.layers);
        let to = |part: &str| format!(".{i}.{part}");
        let gamma = names.scales.map(|name| r.has(&of(name)).then(|| r.tensor(&of(name), &[width])).transpose());
        let [first, second] = gamma;
        r.layer_norm(&of(names.norms[0]), &to("attention.norm"), width)?;
        let inputs: Vec<String> = names.inputs.iter().map(|name| of(name)).collect();
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        r.dense(&inputs, &to("attention.inputs"), [width, 3 * width / inputs.len()], None)?;
        r.dense(&[&of(names.output)], &to("attention.output"), [width, width], first?.as_deref())?;
        r.layer_norm(&of(names.norms[1]), &to("inner.norm"), width)?;
        let inner = of(names.inner);
        hidden = r.dims(&format!("{inner}.weight")).and_then(|dims| dims.first().copied()).unwrap_or(1).max(1);
        r.dense(&[&inner], &to("inner"), [width, hidden], None)?;
        r.dense(&[&of(names.outer)], &to("outer"), [hidden, width], second?.as_deref())?;
    }
    r.layer_norm(names.norm, ".norm", width)?;
    let heads = settings.heads.unwrap_or(width / HEAD).max(1);
    if !width.is_multiple_of(heads) {
        r.fault(format!("its {heads} heads do not divide its width of {width}"));
    }
    let (epsilon, activation) = (settings.epsilon, settings.activation);
    Ok((Body::Patches(Patches { patch: side, tokens, layers, heads, hidden, epsilon, activation }), width))
}

/// The table of positions, the tokens added to those that they stand at.
fn positions(
    r: &mut Reader<'_>,
    names: &Names,
    (tokens, width): (usize, usize),
    grid: [usize; 2],
) -> Result<(), CheckpointError> {
    let rows = r.dims(names.position).and_then(|dims| dims.get(1).copied()).unwrap_or(tokens + 1);
    // Some have a position for the tokens too.
    let root = |count: usize| Some(count.isqrt()).filter(|side| side * side == count && count > 0);
    let placed = rows.checked_sub(tokens).and_then(root);
    let (before, side) = match (placed, root(rows)) {
        (Some(side), _) => (tokens, side),
        (None, Some(side)) => (0, side),
        (None, None) => {
            r.fault(format!("{} has {rows} positions, which are no square of patches", names.position));
            (0, 1)
        }
    };
    let table = r.tensor(names.position, &[1, rows, width])?;
    let mut all = vec![0.0; tokens * width];
    for (row, name) in [names.class, names.distilled].into_iter().take(tokens).enumerate() {
        let own = r.tensor(name, &[1, 1, width])?;
        for (i, value) in own.iter().enumerate() {
            let position = if row < before { table[row * width + i] } else { 0.0 };
            all[row * width + i] = value + position;
        }
    }
    all.extend(interpolated(&table[(before * width).min(table.len())..], [side, side], grid, width));
    r.push(".position.table", vec![tokens + grid[0] * grid[1], width], all);
    Ok(())
}

/// A grid of vectors with other sides, by the cubic of Keys (1981), as wide as what a place of the new grid covers.
fn interpolated(table: &[f32], from: [usize; 2], to: [usize; 2], width: usize) -> Vec<f32> {
    if from == to || table.len() < from[0] * from[1] * width {
        return table.to_vec();
    }
    let [rows, columns] = [0, 1].map(|axis| Filter::Bicubic.shares(from[axis], to[axis]));
    let mut all = Vec::with_capacity(to[0] * to[1] * width);
    let mut sums = vec![0.0f64; width];
    for (top, down) in &rows {
        for (left, across) in &columns {
            sums.fill(0.0);
            for (y, vertical) in down.iter().enumerate() {
                for (x, horizontal) in across.iter().enumerate() {
                    let at = ((top + y) * from[1] + left + x) * width;
                    let share = vertical * horizontal;
                    sums.iter_mut().zip(&table[at..at + width]).for_each(|(sum, v)| *sum += share * f64::from(*v));
                }
            }
            all.extend(sums.iter().map(|sum| *sum as f32));
        }
    }
    all
}
