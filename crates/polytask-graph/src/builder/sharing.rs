//! Parameters that several layers share, or start alike.

use super::GraphBuilder;
use crate::{NodeId, Op, Parameter, ParameterId, Role, ops};

impl GraphBuilder {
    /// Builds layers on parameters that others share: what a layer whose name begins with `prefix` reads is called as if
    /// the name began with `to`, and is there only once. In `tied("tasks.a.", "", ...)` the layer `tasks.a.trunk.1` reads
    /// `trunk.1.weight`, as it does in `tied("tasks.b.", "", ...)`.
    pub fn tied<R>(&mut self, prefix: &str, to: &str, build: impl FnOnce(&mut Self) -> R) -> R {
        let outer = self.tied.replace((prefix.to_owned(), to.to_owned()));
        let built = build(self);
        self.tied = outer;
        built
    }

    /// The name of a layer's parameter, and the parameter itself where the layer shares one that is there.
    pub(super) fn tied_parameter(&mut self, layer: &str, part: &str, dims: &[usize]) -> (String, Option<ParameterId>) {
        let tied = self.tied.as_ref().and_then(|(prefix, to)| Some((layer.strip_prefix(prefix.as_str())?, to)));
        let Some((rest, to)) = tied else { return (format!("{layer}.{part}"), None) };
        let name = format!("{to}{rest}.{part}");
        let there = self.graph.parameters.iter().position(|p| p.name == name);
        if let Some(got) = there.map(|there| self.graph.parameters[there].dims.clone())
            && got != dims
        {
            self.fail_at(layer, format!("it shares {name:?}, which has shape {got:?}, and needs {dims:?}"));
        }
        (name, there.map(ParameterId))
    }

    /// Features of a node.
    pub fn features(&self, node: NodeId) -> usize {
        self.width(node)
    }

    /// What a parameter is for.
    pub fn role(&self, parameter: ParameterId) -> Option<Role> {
        self.graph.parameters.get(parameter.0).map(|p| p.role)
    }

    /// The id that the next new parameter gets.
    pub fn next_parameter(&self) -> ParameterId {
        ParameterId(self.graph.parameters.len())
    }

    /// Parameters of one shape that start from the same draw, that of the first.
    pub fn start_alike(&mut self, copies: &[ParameterId]) {
        let Some((&first, others)) = copies.split_first() else { return };
        for &copy in others {
            let Some(parameter) = self.graph.parameters.get(copy.0) else { continue };
            let twin = Parameter { twin: Some(first), ..parameter.clone() };
            match self.check_twin(&twin, copy.0) {
                Ok(()) => self.graph.parameters[copy.0] = twin,
                Err(reason) => self.fail_at(&twin.name, reason),
            }
        }
    }

    /// Multiplies the learning rate of a node's own parameters.
    pub fn learning_rate(&mut self, node: NodeId, times: f32) {
        for id in self.parameters_of(node) {
            let parameter = Parameter { rate: times, ..self.graph.parameters[id.0].clone() };
            if let Err(reason) = self.check_parameter(&parameter) {
                self.fail_at(&parameter.name, reason);
            }
            self.graph.parameters[id.0] = parameter;
        }
    }

    /// Lets the biases of the dense layer or convolution called `name` start at these values, one a column or filter. Without
    /// effect where there is no such layer, or it has no bias.
    pub fn start_bias(&mut self, name: &str, values: &[f32]) {
        let Some(node) = self.find(name) else { return };
        let (Op::Dense(ops::Dense { bias: Some(id), .. }) | Op::Conv2d(ops::Conv2d { bias: Some(id), .. })) =
            self.graph.nodes[node.0].op
        else {
            return;
        };
        let parameter = Parameter { start: Some(values.to_vec()), ..self.graph.parameters[id.0].clone() };
        if let Err(reason) = self.check_parameter(&parameter) {
            self.fail_at(&parameter.name, reason);
        }
        self.graph.parameters[id.0] = parameter;
    }

    /// Has the parameters from this one on learn only after so many steps of a run.
    pub fn hold(&mut self, first: ParameterId, steps: u64) {
        self.graph.parameters.iter_mut().skip(first.0).for_each(|parameter| parameter.held = steps);
    }

    /// The rules of a parameter that is about to be added.
    pub(super) fn check_parameter(&self, parameter: &Parameter) -> Result<(), String> {
        if !(parameter.rate.is_finite() && parameter.rate >= 0.0) {
            return Err(format!("its learning rate is {} times the run's; it must be 0 or above", parameter.rate));
        }
        if let Some(start) = parameter.start.as_ref().filter(|start| start.len() != parameter.len()) {
            return Err(format!("it has {} values, and {} to start at", parameter.len(), start.len()));
        }
        if parameter.start.iter().flatten().any(|value| !value.is_finite()) {
            return Err("it starts at values that are not finite".to_owned());
        }
        self.check_twin(parameter, self.graph.parameters.len())
    }

    fn check_twin(&self, parameter: &Parameter, at: usize) -> Result<(), String> {
        match parameter.twin {
            Some(twin) if twin.0 >= at => Err(format!("it starts as parameter {}, which is no earlier one", twin.0)),
            Some(twin) if self.graph.parameters[twin.0].dims != parameter.dims => {
                Err(format!("it starts as {:?}, which has another shape", self.graph.parameters[twin.0].name))
            }
            _ => Ok(()),
        }
    }
}
