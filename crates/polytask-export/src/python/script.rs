//! The file: what it imports, functions beside the network, the network, columns in, predictions out.

use super::{Emit, Fed, Target, literal};
use crate::error::{ExportError, Refusal};
use crate::spec;
use polytask::files::Tensor;
use polytask::inputs::Code;
use polytask::model::{Model, Network};
use polytask::tasks::Kind;
use polytask_graph::LossId;
use std::collections::BTreeSet;

const TORCH: &str = include_str!("torch.py");
const KERAS: &str = include_str!("keras.py");
const TABLE: &str = include_str!("table.py");
const PREDICT: &str = include_str!("predict.py");

/// The script, and the weights as its layers have them.
///
/// # Errors
/// An op that the library does not have.
pub(crate) fn script<'a>(
    model: &'a Model,
    network: &'a Network,
    target: Target,
) -> Result<(String, Vec<Tensor<'a>>), ExportError> {
    for task in &model.tasks {
        if matches!(task.kind, Kind::Predicates(_) | Kind::Senses(_) | Kind::Roles(_) | Kind::Arcs(_)) {
            let reason = "it is decoded in two passes over a sentence; ONNX has its scores";
            return Err(Refusal::new(reason).of_task(&task.name, target.format()));
        }
    }
    let mut emit = Emit::new(model, network, target);
    emit.nodes()?;
    let outputs: Vec<(String, String)> = model
        .tasks
        .iter()
        .zip(network.graph.losses())
        .map(|(task, loss)| (literal(&task.name), emit.plain(loss.prediction)))
        .collect();
    let parts = [helpers(&emit), network_class(&emit, &outputs), table(&emit), predict(&emit)];
    let body = format!("{}\n\n{}", parts.concat(), block(TABLE, "read"));
    Ok((head(model, target, &body) + &body, emit.tensors))
}

fn head(model: &Model, target: Target, body: &str) -> String {
    let tasks: Vec<&str> = model.tasks.iter().map(|task| task.name.as_str()).collect();
    let (library, imports, install) = match target {
        Target::Torch => (
            "PyTorch",
            "import numpy as np\nimport torch\nimport torch.nn.functional as F\nfrom safetensors.torch import load_file\nfrom torch import nn\n",
            "numpy torch safetensors",
        ),
        Target::Keras => (
            "Keras",
            "import keras\nimport numpy as np\nfrom keras import layers, ops\nfrom safetensors.numpy import load_file\n",
            "numpy keras tensorflow safetensors",
        ),
    };
    let modules = ["bisect", "csv", "functools", "json", "math", "operator", "pathlib", "re", "sys"];
    let used = modules.into_iter().filter(|name| matches!(*name, "json" | "pathlib") || calls(body, name));
    let used: String = used.map(|name| format!("import {name}\n")).collect();
    // A name cannot end the comment.
    let tasks = tasks.join(", ").replace('\\', "\\\\").replace("\"\"\"", "'''");
    format!(
        "\"\"\"A network that polytask trained, in {library}: predicts {tasks}.\n\n    \
         pip install {install}\n    \
         python network.py FILE.csv              # predictions, one JSON object a row\n\n\
         From Python: `from network import predict`, then `predict(table)` with a pandas DataFrame or a dict of columns.\n\
         `Network` alone is in training mode as any other and may be trained further.\n\
         \"\"\"\n\n\
         {used}\n{imports}\n\
         FOLDER = pathlib.Path(__file__).parent\n\
         MODEL = json.loads((FOLDER / \"model.json\").read_text(encoding=\"utf-8\"))\n"
    )
}

/// Whether a text has `module.`, not as the end of another word.
fn calls(text: &str, module: &str) -> bool {
    let dotted = format!("{module}.");
    text.match_indices(&dotted)
        .any(|(at, _)| !text[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '"')))
}

/// The functions that a network may call.
pub(super) fn functions(target: Target) -> impl Iterator<Item = &'static str> {
    blocks(if target == Target::Torch { TORCH } else { KERAS }).map(|(name, _)| name)
}

/// The blocks of a file with its names, in their order.
fn blocks(file: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    file.split("# --- ").filter_map(|block| block.split_once('\n'))
}

fn block(file: &'static str, name: &str) -> String {
    blocks(file).find(|(own, _)| *own == name).map(|(_, text)| text.trim_end().to_owned() + "\n").unwrap_or_default()
}

/// Some blocks of a file and those that they call, in the order of the file.
fn blocks_with(file: &'static str, wanted: &BTreeSet<&str>) -> String {
    let mut wanted: BTreeSet<&str> = wanted.clone();
    loop {
        let called = blocks(file).filter(|(name, _)| {
            let call = format!("{name}(");
            blocks(file).any(|(other, text)| other != *name && wanted.contains(other) && text.contains(&call))
        });
        let before = wanted.len();
        let called: Vec<&str> = called.map(|(name, _)| name).collect();
        wanted.extend(called);
        if wanted.len() == before {
            break;
        }
    }
    let texts = blocks(file).filter(|(name, text)| wanted.contains(name) && !text.trim().is_empty());
    texts.map(|(_, text)| format!("\n\n{}\n", text.trim_end())).collect()
}

fn helpers(emit: &Emit<'_>) -> String {
    let wanted: BTreeSet<&str> =
        emit.helpers.iter().map(|name| if *name == "Weight" { "weight" } else { name }).collect();
    match emit.target {
        Target::Torch => blocks_with(TORCH, &wanted),
        Target::Keras => blocks_with(KERAS, &wanted),
    }
}

fn network_class(emit: &Emit<'_>, outputs: &[(String, String)]) -> String {
    let made = emit.layers.iter().map(|(name, made)| (name, made.split('\0').next().unwrap_or_default()));
    let inputs: Vec<&str> = emit.inputs.values().map(|fed| fed.variable.as_str()).collect();
    let outputs: Vec<String> = outputs.iter().map(|(task, value)| format!("{task}: {value}")).collect();
    let indent = if emit.target == Target::Torch { "        " } else { "    " };
    let outputs = dict(&outputs, indent);
    match emit.target {
        Target::Torch => {
            let layers: String = made.map(|(name, made)| format!("        self.{name} = {made}\n")).collect();
            let lines: String = emit.lines.iter().map(|line| format!("        {line}\n")).collect();
            format!(
                "\n\nclass Network(nn.Module):\n    def __init__(self):\n        super().__init__()\n{layers}\n    \
                 def forward(self, {}):\n{lines}        return {outputs}\n\n\n\
                 def load():\n    \"\"\"The trained network.\"\"\"\n    network = Network()\n    \
                 network.load_state_dict(load_file(FOLDER / \"model.safetensors\"))\n    return network.eval()\n",
                inputs.join(", ")
            )
        }
        Target::Keras => {
            let declare = |fed: &Fed| format!("    {} = {}\n", fed.variable, fed.declared);
            let declared: String = emit.inputs.values().map(declare).collect();
            let layers: String = made.map(|(name, made)| format!("    {name}_layer = {made}\n")).collect();
            let lines: String = emit.lines.iter().map(|line| format!("    {line}\n")).collect();
            let named: Vec<String> = inputs.iter().map(|name| format!("\"{name}\": {name}")).collect();
            let named = dict(&named, "    ");
            format!(
                "\n\ndef Network():\n{declared}\n{layers}\n{lines}    \
                 return keras.Model({named}, {outputs})\n\n\n\
                 def load():\n    \"\"\"The trained network.\"\"\"\n    network = Network()\n    \
                 for name, value in load_file(FOLDER / \"model.safetensors\").items():\n        \
                 layer, variable = name.split(\".\", 1)\n        \
                 operator.attrgetter(variable)(network.get_layer(layer)).assign(value)\n    return network\n"
            )
        }
    }
}

/// A dict on one line, or on several where it is long.
fn dict(items: &[String], indent: &str) -> String {
    let line = items.join(", ");
    match line.len() <= 80 {
        true => format!("{{{line}}}"),
        false => {
            let items: String = items.iter().map(|item| format!("{indent}    {item},\n")).collect();
            format!("{{\n{items}{indent}}}")
        }
    }
}

/// From columns to what the network reads.
fn table(emit: &Emit<'_>) -> String {
    let mut wanted = BTreeSet::from(["columns"]);
    for input in &emit.model.encoder.inputs {
        wanted.extend(match &input.code {
            Code::Number(_) => &["numbers", "number", "boolean"][..],
            Code::Boolean(_) => &["numbers", "number", "boolean"],
            Code::Category(_) => &["categories"],
            // Refused before.
            Code::Date(_) | Code::Encoded(_) | Code::Seen(_) | Code::Own(_) => &[],
            Code::Image(_) => &["images"],
            Code::Text(_) => &["texts"],
        });
    }
    let mut lines = Vec::new();
    let channels_first = emit.target == Target::Torch;
    for node in emit.graph.nodes().iter().filter(|node| node.op.fed().is_some()) {
        let Some(Fed { variable, .. }) = emit.inputs.get(&node.name) else { continue };
        let column = literal(spec::column(&node.name));
        lines.push(match node.name.split('.').next() {
            Some("numbers") => format!("    x[\"{variable}\"] = numbers(table)\n"),
            Some("categories") => format!("    x[\"{variable}\"] = categories(table)\n"),
            Some("images") if channels_first => {
                format!("    x[\"{variable}\"] = images(table, {column}).transpose(0, 3, 1, 2)\n")
            }
            Some("images") => format!("    x[\"{variable}\"] = images(table, {column})\n"),
            Some("tokens") => {
                let mask = emit.inputs.get(&spec::mask(&node.name)).map_or("", |fed| &fed.variable);
                format!("    x[\"{variable}\"], x[\"{mask}\"] = texts(table, {column})\n")
            }
            _ => String::new(),
        });
    }
    format!(
        "{}\n\ndef inputs(table):\n    \"\"\"What the network reads, from the columns of a table.\"\"\"\n    x = {{}}\n{}    return x\n",
        blocks_with(TABLE, &wanted),
        lines.concat()
    )
}

/// From what the network gives to predictions.
fn predict(emit: &Emit<'_>) -> String {
    let kinds: BTreeSet<&str> = emit.model.tasks.iter().map(|task| task.kind_name()).collect();
    let branches: BTreeSet<&str> = kinds.iter().map(|kind| if *kind == "tags" { "tags_of" } else { kind }).collect();
    let is_branch = |name: &str| branches.contains(name);
    let mut functions: BTreeSet<&str> = BTreeSet::new();
    for (_, text) in blocks(PREDICT).filter(|(name, _)| is_branch(name)) {
        let called = ["softmax", "sigmoid", "calibrated", "tags", "objects"]
            .into_iter()
            .filter(|name| text.contains(&format!("{name}(")));
        functions.extend(called);
    }
    let mut text = blocks_with(PREDICT, &functions);
    let masks: Vec<String> = emit
        .model
        .tasks
        .iter()
        .enumerate()
        .filter_map(|(i, task)| {
            let domain = emit.graph.node(emit.graph.losses()[LossId(i).0].prediction).domain;
            Some(format!("{}: {}", literal(&task.name), literal(emit.masks.get(&domain)?)))
        })
        .collect();
    if !masks.is_empty() {
        text += &format!("\n\nMASKS = {{{}}}\n", masks.join(", "));
    }
    let call = match emit.target {
        Target::Torch => {
            "    with torch.inference_mode():\n        \
             outputs = network(**{key: torch.as_tensor(value) for key, value in x.items()})\n    \
             outputs = {name: value.double().numpy() for name, value in outputs.items()}\n"
        }
        Target::Keras => {
            "    outputs = network(x)\n    \
             outputs = {name: ops.convert_to_numpy(value).astype(np.float64) for name, value in outputs.items()}\n"
        }
    };
    text += &format!(
        "\n\ndef predict(table, network=None):\n    \
         \"\"\"Predictions of every task, an array each; of classes also `TASK.probabilities`.\"\"\"\n    \
         network, x, predictions = network or load(), inputs(table), {{}}\n{call}    \
         for task in MODEL[\"tasks\"]:\n        name, z = task[\"name\"], outputs[task[\"name\"]]\n"
    );
    for (_, branch) in blocks(PREDICT).filter(|(name, _)| is_branch(name)) {
        text += branch.trim_end();
        text.push('\n');
    }
    text += "    return predictions\n";
    text.replace("inputs[MASKS", "x[MASKS")
}
